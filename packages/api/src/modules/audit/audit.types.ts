/** What clients see of the audit log, and what they ask it. */
import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql'
import { ErrorCode, SortDirection } from '../../graphql/common.types.js'
import { DateTime, IPAddress, JsonValue } from '../../graphql/scalars.js'
import { AuthMethod } from '../identity/identity.types.js'

export const AuditResult = {
  SUCCESS: 'SUCCESS',
  DENIED: 'DENIED',
  ERROR: 'ERROR',
} as const
export type AuditResult = (typeof AuditResult)[keyof typeof AuditResult]
registerEnumType(AuditResult, {
  name: 'AuditResult',
  description: 'How a request ended.',
  valuesConfig: {
    SUCCESS: { description: 'Done or accepted.' },
    DENIED: { description: 'Refused by policy.' },
    ERROR: { description: 'Refused or failed otherwise.' },
  },
})

@ObjectType({ description: 'One recorded mutation (or sensitive read). Append-only.', simpleResolvers: true })
export class AuditEntry {
  @Field(() => ID)
  id!: string
  @Field(() => DateTime)
  occurredAt!: number
  @Field(() => String)
  requestId!: string
  @Field(() => ID, { nullable: true })
  userId!: string | null
  @Field(() => ID, { nullable: true })
  projectId!: string | null
  @Field(() => AuthMethod, { nullable: true })
  authMethod!: AuthMethod | null
  @Field(() => ID, { nullable: true })
  applicationCredentialId!: string | null
  @Field(() => IPAddress, { nullable: true })
  clientAddress!: string | null
  @Field(() => String, { description: 'Root field, for example deleteServer.' })
  field!: string
  @Field(() => JsonValue, { nullable: true, description: 'Input with secrets blanked.' })
  input!: unknown
  @Field(() => AuditResult)
  result!: AuditResult
  @Field(() => ErrorCode, { nullable: true })
  errorCode!: ErrorCode | null
  @Field(() => [ID], { description: 'Ids of the objects touched.' })
  targetIds!: string[]
}

@InputType({ description: 'Which entries.' })
export class AuditFilter {
  @Field(() => ID, { nullable: true, description: 'By this user.' })
  userId?: string | null
  @Field(() => ID, { nullable: true, description: 'In this project.' })
  projectId?: string | null
  @Field(() => [String], { nullable: true, description: 'These root fields.' })
  fields?: string[] | null
  @Field(() => [AuditResult], { nullable: true, description: 'These outcomes.' })
  results?: AuditResult[] | null
  @Field(() => ID, { nullable: true, description: 'Touching this object.' })
  targetId?: string | null
  @Field(() => String, { nullable: true, description: 'Of this request.' })
  requestId?: string | null
  @Field(() => DateTime, { nullable: true, description: 'At or after.' })
  since?: number | null
  @Field(() => DateTime, { nullable: true, description: 'At or before.' })
  until?: number | null
}

@InputType({ description: 'Order of events and audit entries; absent: newest first.' })
export class TimeOrder {
  @Field(() => SortDirection, { description: 'Direction of time.', defaultValue: 'DESC' })
  direction!: SortDirection
}
