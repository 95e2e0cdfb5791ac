/**
 * The error vocabulary of the cloud: codes that clients may rely on, and the one error class that services throw.
 * A code is frozen once published; `httpStatus` is what Nova's REST API answers for the same situation.
 */
export interface ErrorCodeInfo {
  readonly httpStatus: number
  readonly description: string
  /** True when the same request may succeed a little later. */
  readonly retryable: boolean
  /** True when the code appears only in an operation's error or a fault, never as the answer to a request. */
  readonly asynchronous: boolean
}

const sync = (httpStatus: number, description: string, retryable = false): ErrorCodeInfo => ({
  httpStatus,
  description,
  retryable,
  asynchronous: false,
})
const later = (description: string, retryable = false): ErrorCodeInfo => ({
  httpStatus: 500,
  description,
  retryable,
  asynchronous: true,
})

export const errorCodes = {
  BAD_USER_INPUT: sync(400, 'An input value breaks a rule: type, length, pattern, range, unknown key, bad filter.'),
  CURSOR_INVALID: sync(400, 'A cursor is malformed or belongs to another filter or order.'),
  INVALID_REFERENCE: sync(400, 'An object named in the input does not exist, is not visible, or is in no state to be used.'),
  FLAVOR_IMAGE_CONFLICT: sync(400, 'Flavor and image ask for contradicting or impossible things.'),
  OPERATION_NOT_SUPPORTED: sync(400, 'This server or image can never take part in the action.'),
  QUERY_TOO_COMPLEX: sync(400, 'The document is too deep, too wide or too expensive.'),
  UNAUTHENTICATED: sync(401, 'No token, or an invalid or expired one.'),
  INVALID_CREDENTIALS: sync(401, 'User name or password wrong.'),
  FORBIDDEN: sync(403, 'A policy rule denies it; exception names the rule.'),
  QUOTA_EXCEEDED: sync(403, 'A quota would be exceeded; the message tells resource, requested, used and limit.'),
  LIMIT_EXCEEDED: sync(403, 'A fixed limit would be exceeded.'),
  NOT_FOUND: sync(404, 'The object does not exist or the caller may not know that it does.'),
  CONFLICT: sync(409, 'Clash with another object or a concurrent change.'),
  ALREADY_EXISTS: sync(409, 'An object of that name or id exists.'),
  IN_USE: sync(409, 'The object is used by another one, so it cannot be deleted or taken.'),
  INVALID_STATE: sync(409, 'vm state, task state or status does not allow the action.'),
  LOCKED: sync(409, 'The server is locked and the caller is no admin.'),
  NOT_READY: sync(409, 'The server has no host yet, or has never been launched.', true),
  HOST_DOWN: sync(409, 'The compute service needed for the action is down.', true),
  AMBIGUOUS_NETWORK: sync(409, 'Several networks are possible and none was chosen.'),
  GENERATION_MISMATCH: sync(409, 'expectedGeneration is not the current one; extensions.currentGeneration tells it.'),
  NOT_CANCELLABLE: sync(409, 'The operation is over or past the point where it can stop.'),
  IDEMPOTENCY_KEY_REUSED: sync(409, 'The idempotency key was used with different input.'),
  GONE: sync(410, 'The event cursor or upload session has expired.'),
  RATE_LIMITED: sync(429, 'Request budget used up; extensions.retryAfterSeconds.', true),
  INTERNAL: sync(500, 'Unexpected failure; details only in the log.'),
  NOT_IMPLEMENTED: sync(501, 'The hypervisor driver or this deployment lacks the feature.'),
  CELL_UNAVAILABLE: sync(503, 'The cell that holds the object does not answer.', true),
  UNAVAILABLE: sync(503, 'A service needed for the answer does not answer.', true),
  NO_VALID_HOST: later('No host passed prefilters, filters and claims.', true),
  RETRIES_EXHAUSTED: later('All chosen hosts failed to build the server.', true),
  BUILD_FAILED: later('The build failed and another host would not help.'),
  IMAGE_REJECTED: later('The image failed checksum or format checks.'),
  HOST_REFUSED: later('The chosen host could not give the resources or feature after all.', true),
  GUEST_ERROR: later('Hypervisor, guest or guest agent refused or failed.', true),
  TIMED_OUT: later('A deadline passed.', true),
  CANCELLED: later('Cancelled by request.'),
} as const satisfies Record<string, ErrorCodeInfo>

export type ErrorCode = keyof typeof errorCodes

export const isErrorCode = (value: unknown): value is ErrorCode => typeof value === 'string' && Object.hasOwn(errorCodes, value)

export interface CloudErrorOptions {
  /** Nova's exception class name, for clients that know it. */
  exception?: string
  /** Paths of the input fields at fault, for example `input.name`. */
  fields?: string[]
  /** Further values for `extensions`, for example `currentGeneration`. Never secrets. */
  extra?: Record<string, unknown>
  /** What really happened; goes to the log, never to a client. */
  cause?: unknown
}

/** An error whose message is safe to show to the caller. Everything else becomes INTERNAL at the edge. */
export class CloudError extends Error {
  readonly code: ErrorCode
  readonly exception: string | undefined
  readonly fields: string[]
  readonly extra: Record<string, unknown>

  constructor(code: ErrorCode, message: string, options: CloudErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CloudError'
    this.code = code
    this.exception = options.exception
    this.fields = options.fields ?? []
    this.extra = options.extra ?? {}
  }

  static notFound(kind: string, id: string, exception = `${kind.replaceAll(' ', '')}NotFound`): CloudError {
    return new CloudError('NOT_FOUND', `${kind} ${id} could not be found.`, { exception })
  }

  static badInput(field: string, message: string, exception = 'ValidationError'): CloudError {
    return new CloudError('BAD_USER_INPUT', message, { exception, fields: [field] })
  }

  static invalidReference(field: string, message: string, exception?: string): CloudError {
    return new CloudError('INVALID_REFERENCE', message, { exception, fields: [field] })
  }
}

/** The error as it travels over the bus, into a saga row or a fault. `details` is for admins and logs only. */
export interface ErrorReport {
  code: ErrorCode
  message: string
  exception?: string | undefined
  details?: string | undefined
}

/** Turns anything thrown into a report whose message may be shown; unknown errors keep their text for admins only. */
export function toErrorReport(error: unknown, fallback: ErrorCode = 'INTERNAL'): ErrorReport {
  if (error instanceof CloudError) {
    const cause = error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : undefined
    return { code: error.code, message: error.message, exception: error.exception, details: cause }
  }
  const details = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { code: fallback, message: 'An unexpected error happened.', details }
}
