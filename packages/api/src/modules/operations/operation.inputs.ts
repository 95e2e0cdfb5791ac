import { Field, ID, InputType, registerEnumType } from 'type-graphql'
import { SortDirection } from '../../graphql/common.types.js'
import { Policy } from '../../graphql/policy-directive.js'
import { DateTime } from '../../graphql/scalars.js'
import { OperationKind, OperationState } from '../../modules/operations/operation.types.js'

export const OperationSortKey = {
  CREATED_AT: 'CREATED_AT',
  UPDATED_AT: 'UPDATED_AT',
  KIND: 'KIND',
} as const
export type OperationSortKey = (typeof OperationSortKey)[keyof typeof OperationSortKey]
registerEnumType(OperationSortKey, {
  name: 'OperationSortKey',
  description: 'Sort keys of operations.',
  valuesConfig: {
    CREATED_AT: { description: 'By creation.' },
    UPDATED_AT: { description: 'By last change.' },
    KIND: { description: 'By kind.' },
  },
})

@InputType({ description: 'Sort order of operations; absent: CREATED_AT DESC.' })
export class OperationOrder {
  @Field(() => OperationSortKey, { description: 'Sort key.' })
  key!: OperationSortKey
  @Field(() => SortDirection, { description: 'Direction.', defaultValue: 'DESC' })
  direction!: SortDirection
}

@InputType({ description: 'Which operations.' })
export class OperationFilter {
  @Field(() => ID, { nullable: true, description: 'Of this server, also a deleted one.' })
  serverId?: string | null
  @Field(() => [OperationKind], { nullable: true, description: 'Of these kinds.' })
  kinds?: OperationKind[] | null
  @Field(() => [OperationState], { nullable: true, description: 'In these states.' })
  states?: OperationState[] | null
  @Field(() => String, { nullable: true, description: 'Started by this request.' })
  requestId?: string | null
  @Field(() => ID, { nullable: true, description: 'Started by this user.' })
  userId?: string | null
  @Policy('os_compute_api:servers:detail:get_all_tenants')
  @Field(() => ID, { nullable: true, description: 'Of another project; admins only.' })
  projectId?: string | null
  @Policy('os_compute_api:servers:detail:get_all_tenants')
  @Field(() => Boolean, { nullable: true, description: 'Of all projects.' })
  allProjects?: boolean | null
  @Field(() => DateTime, { nullable: true, description: 'Changed at or after.' })
  changedSince?: number | null
  @Field(() => DateTime, { nullable: true, description: 'Changed at or before; not earlier than changedSince.' })
  changedBefore?: number | null
  @Field(() => Boolean, { nullable: true, description: 'Only those without parent (default) or all.', defaultValue: true })
  topLevelOnly?: boolean | null
}
