import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql'
import { IPAddress } from '../graphql/scalars.js'

export const SortDirection = {
  ASC: 'ASC',
  DESC: 'DESC',
} as const
export type SortDirection = (typeof SortDirection)[keyof typeof SortDirection]
registerEnumType(SortDirection, {
  name: 'SortDirection',
  description: 'Sort direction.',
  valuesConfig: {
    ASC: { description: 'Smallest first.' },
    DESC: { description: 'Largest first.' },
  },
})

export const ResourceSortKey = {
  ID: 'ID',
  NAME: 'NAME',
  CREATED_AT: 'CREATED_AT',
  UPDATED_AT: 'UPDATED_AT',
  STATUS: 'STATUS',
} as const
export type ResourceSortKey = (typeof ResourceSortKey)[keyof typeof ResourceSortKey]
registerEnumType(ResourceSortKey, {
  name: 'ResourceSortKey',
  description: 'Sort keys of the simple lists; NAME is the natural name: host, login, key or class name.',
  valuesConfig: {
    ID: { description: 'By id.' },
    NAME: { description: 'By name.' },
    CREATED_AT: { description: 'By creation time.' },
    UPDATED_AT: { description: 'By last change.' },
    STATUS: { description: 'By status.' },
  },
})

@InputType({ description: 'Sort order of the simple lists; absent: CREATED_AT DESC.' })
export class ResourceOrder {
  @Field(() => ResourceSortKey, { description: 'Sort key.' })
  key!: ResourceSortKey
  @Field(() => SortDirection, { description: 'Direction.', defaultValue: 'ASC' })
  direction!: SortDirection
}

@ObjectType({ description: 'One key with its value.', simpleResolvers: true })
export class MetadataItem {
  @Field(() => String)
  key!: string
  @Field(() => String)
  value!: string
}

@InputType({ description: 'One key with its value: key 1-255 of letters, digits, - _ : . and blank; value at most 255 characters.' })
export class MetadataItemInput {
  @Field(() => String, { description: 'Key.' })
  key!: string
  @Field(() => String, { description: 'Value.' })
  value!: string
}

@ObjectType({ description: 'A flavor or volume-type extra spec.', simpleResolvers: true })
export class ExtraSpec {
  @Field(() => String)
  key!: string
  @Field(() => String)
  value!: string
}

@InputType({ description: 'An extra spec to set; known namespaces are validated, see extraSpecSchema.' })
export class ExtraSpecInput {
  @Field(() => String, { description: 'Key such as hw:cpu_policy.' })
  key!: string
  @Field(() => String, { description: 'Value, at most 255 characters.' })
  value!: string
}

@ObjectType({ description: 'A fixed address of a port.', simpleResolvers: true })
export class FixedIp {
  @Field(() => IPAddress)
  ipAddress!: string
  @Field(() => ID)
  subnetId!: string
}

export const ErrorCode = {
  BAD_USER_INPUT: 'BAD_USER_INPUT',
  CURSOR_INVALID: 'CURSOR_INVALID',
  INVALID_REFERENCE: 'INVALID_REFERENCE',
  FLAVOR_IMAGE_CONFLICT: 'FLAVOR_IMAGE_CONFLICT',
  OPERATION_NOT_SUPPORTED: 'OPERATION_NOT_SUPPORTED',
  QUERY_TOO_COMPLEX: 'QUERY_TOO_COMPLEX',
  UNAUTHENTICATED: 'UNAUTHENTICATED',
  INVALID_CREDENTIALS: 'INVALID_CREDENTIALS',
  FORBIDDEN: 'FORBIDDEN',
  QUOTA_EXCEEDED: 'QUOTA_EXCEEDED',
  LIMIT_EXCEEDED: 'LIMIT_EXCEEDED',
  NOT_FOUND: 'NOT_FOUND',
  CONFLICT: 'CONFLICT',
  ALREADY_EXISTS: 'ALREADY_EXISTS',
  IN_USE: 'IN_USE',
  INVALID_STATE: 'INVALID_STATE',
  LOCKED: 'LOCKED',
  NOT_READY: 'NOT_READY',
  HOST_DOWN: 'HOST_DOWN',
  AMBIGUOUS_NETWORK: 'AMBIGUOUS_NETWORK',
  GENERATION_MISMATCH: 'GENERATION_MISMATCH',
  NOT_CANCELLABLE: 'NOT_CANCELLABLE',
  IDEMPOTENCY_KEY_REUSED: 'IDEMPOTENCY_KEY_REUSED',
  GONE: 'GONE',
  RATE_LIMITED: 'RATE_LIMITED',
  INTERNAL: 'INTERNAL',
  NOT_IMPLEMENTED: 'NOT_IMPLEMENTED',
  CELL_UNAVAILABLE: 'CELL_UNAVAILABLE',
  UNAVAILABLE: 'UNAVAILABLE',
  NO_VALID_HOST: 'NO_VALID_HOST',
  RETRIES_EXHAUSTED: 'RETRIES_EXHAUSTED',
  BUILD_FAILED: 'BUILD_FAILED',
  IMAGE_REJECTED: 'IMAGE_REJECTED',
  HOST_REFUSED: 'HOST_REFUSED',
  GUEST_ERROR: 'GUEST_ERROR',
  TIMED_OUT: 'TIMED_OUT',
  CANCELLED: 'CANCELLED',
} as const
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode]
registerEnumType(ErrorCode, {
  name: 'ErrorCode',
  description:
    'Codes in extensions.code of an error, in Operation.error, ServerFault and bulk results. The extensions carry { code, httpStatus, exception (Nova\'s exception class name), fields (paths of bad input fields), requestId }. The number is the usual HTTP status; extensions.httpStatus is what Nova\'s REST API gives for that very exception. "Later" = only after acceptance.',
  valuesConfig: {
    BAD_USER_INPUT: { description: '400. An input value breaks a rule: type, length, pattern, range, unknown key, bad filter.' },
    CURSOR_INVALID: { description: '400. A cursor is malformed or belongs to another filter or order.' },
    INVALID_REFERENCE: { description: '400. An object named in the input does not exist, is not visible, or is in no state to be used.' },
    FLAVOR_IMAGE_CONFLICT: { description: '400. Flavor and image ask for contradicting or impossible things.' },
    OPERATION_NOT_SUPPORTED: {
      description: '400. This server, image, port or volume can never take part in the action (vTPM, SEV, accelerators, volume-backed).',
    },
    QUERY_TOO_COMPLEX: { description: '400. The document is too deep, too wide or too expensive.' },
    UNAUTHENTICATED: { description: '401. No token, or an invalid or expired one.' },
    INVALID_CREDENTIALS: { description: '401. User name, password or one-time code wrong.' },
    FORBIDDEN: { description: '403. A policy rule denies it; exception names the rule.' },
    QUOTA_EXCEEDED: { description: '403. A quota would be exceeded; the message tells resource, requested, used and limit.' },
    LIMIT_EXCEEDED: { description: '403. A fixed limit would be exceeded: disk devices, zero-disk flavor with image boot.' },
    NOT_FOUND: { description: '404. The object does not exist or the caller may not know that it does.' },
    CONFLICT: { description: '409. Clash with another object or a concurrent change.' },
    ALREADY_EXISTS: { description: '409. An object of that name or id exists.' },
    IN_USE: { description: '409. The object is used by another one, so it cannot be deleted or taken.' },
    INVALID_STATE: { description: '409. vm state, task state or status does not allow the action.' },
    LOCKED: { description: '409. The server is locked and the caller is no admin.' },
    NOT_READY: { description: '409. The server has no host yet, or has never been launched.' },
    HOST_DOWN: { description: '409. The compute service needed for the action is down.' },
    AMBIGUOUS_NETWORK: { description: '409. Several networks are possible and none was chosen.' },
    GENERATION_MISMATCH: { description: '409. expectedGeneration is not the current one; extensions.currentGeneration tells it.' },
    NOT_CANCELLABLE: { description: '409. The operation is over or past the point where it can stop.' },
    IDEMPOTENCY_KEY_REUSED: { description: '409. The idempotency key was used with different input.' },
    GONE: { description: '410. The event cursor or upload session has expired.' },
    RATE_LIMITED: { description: '429. Request budget used up; extensions.retryAfterSeconds.' },
    INTERNAL: { description: '500. Unexpected failure; details only in the log.' },
    NOT_IMPLEMENTED: { description: '501. The hypervisor driver or this deployment lacks the feature.' },
    CELL_UNAVAILABLE: { description: '503. The cell that holds the object does not answer.' },
    UNAVAILABLE: { description: '503. A service needed for the answer does not answer.' },
    NO_VALID_HOST: { description: 'Later. No host passed prefilters, filters and claims.' },
    RETRIES_EXHAUSTED: { description: 'Later. All chosen hosts failed to build the server.' },
    BUILD_FAILED: { description: 'Later. The build failed and another host would not help.' },
    IMAGE_REJECTED: { description: 'Later. The image failed signature, certificate, checksum or format checks.' },
    HOST_REFUSED: { description: 'Later. The chosen host could not give the resources or feature after all.' },
    GUEST_ERROR: { description: 'Later. Hypervisor, guest or guest agent refused or failed.' },
    TIMED_OUT: { description: 'Later. A deadline passed: build, network plug, reimage, volume.' },
    CANCELLED: { description: 'Later. Cancelled by request.' },
  },
})

@ObjectType({ description: 'What a code means to a client.', simpleResolvers: true })
export class ErrorCodeInfo {
  @Field(() => ErrorCode)
  code!: ErrorCode
  @Field(() => Int, { description: 'Status a REST gateway would answer; 500 for codes that only come later in an operation.' })
  httpStatus!: number
  @Field(() => String)
  description!: string
  @Field(() => Boolean, { description: 'True when the same request may succeed a little later.' })
  retryable!: boolean
  @Field(() => Boolean, { description: 'True when the code appears only in Operation.error or a fault.' })
  asynchronous!: boolean
}

@ObjectType({ description: 'An error inside a result, where the request as a whole succeeded.', simpleResolvers: true })
export class ErrorDetail {
  @Field(() => ErrorCode)
  code!: ErrorCode
  @Field(() => String)
  message!: string
  @Field(() => String, { nullable: true, description: 'Nova exception class name.' })
  exception!: string | null
  @Field(() => [String], { nullable: true, description: 'Path of the input field at fault.' })
  field!: string[] | null
}
