import { Field, Int, ObjectType, registerEnumType } from 'type-graphql'
import { DateTime } from '../../graphql/scalars.js'

export const UsageAuditState = { NOT_RUN: 'NOT_RUN', RUNNING: 'RUNNING', DONE: 'DONE' } as const
export type UsageAuditState = (typeof UsageAuditState)[keyof typeof UsageAuditState]
registerEnumType(UsageAuditState, {
  name: 'UsageAuditState',
  description: 'Audit of a host.',
  valuesConfig: {
    NOT_RUN: { description: 'Not run.' },
    RUNNING: { description: 'Under way.' },
    DONE: { description: 'Done.' },
  },
})

@ObjectType({ description: 'One host in the audit.', simpleResolvers: true })
export class UsageAuditHost {
  @Field(() => String)
  host!: string
  @Field(() => UsageAuditState)
  state!: UsageAuditState
  @Field(() => String)
  message!: string
  @Field(() => Int)
  servers!: number
  @Field(() => Int)
  errors!: number
}

@ObjectType({ description: 'Result of the periodic usage audit, per compute host.', simpleResolvers: true })
export class UsageAudit {
  @Field(() => DateTime)
  periodStart!: number
  @Field(() => DateTime)
  periodEnd!: number
  @Field(() => String, { description: 'Overall text, for example: 12 of 12 hosts done. 0 errors.' })
  overallStatus!: string
  @Field(() => Int)
  totalServers!: number
  @Field(() => Int)
  totalErrors!: number
  @Field(() => [UsageAuditHost])
  hosts!: UsageAuditHost[]
}
