import { Field, ID, InputType, Int, registerEnumType } from 'type-graphql'
import { MetadataItemInput } from '../../graphql/common.types.js'
import { ServerAction } from './server.enums.js'

export const ResettableState = {
  ACTIVE: 'ACTIVE',
  ERROR: 'ERROR',
} as const
export type ResettableState = (typeof ResettableState)[keyof typeof ResettableState]
registerEnumType(ResettableState, {
  name: 'ResettableState',
  description: 'State to force.',
  valuesConfig: {
    ACTIVE: { description: 'vm state ACTIVE.' },
    ERROR: { description: 'vm state ERROR.' },
  },
})

@InputType({ description: 'Which server.' })
export class PauseServerInput {
  @Field(() => ID, { description: 'Server.' })
  serverId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Which server.' })
export class UnpauseServerInput {
  @Field(() => ID, { description: 'Server.' })
  serverId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Which server.' })
export class SuspendServerInput {
  @Field(() => ID, { description: 'Server.' })
  serverId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Which server.' })
export class ResumeServerInput {
  @Field(() => ID, { description: 'Server.' })
  serverId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Which server, why.' })
export class LockServerInput {
  @Field(() => ID, { description: 'Server.' })
  serverId!: string
  @Field(() => String, { nullable: true, description: '1-255 characters.' })
  reason?: string | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Which server.' })
export class UnlockServerInput {
  @Field(() => ID, { description: 'Server.' })
  serverId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'State to force.' })
export class ResetServerStateInput {
  @Field(() => ID, { description: 'Server.' })
  serverId!: string
  @Field(() => ResettableState, { description: 'New state.', defaultValue: 'ERROR' })
  state!: ResettableState
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Items to write.' })
export class SetServerMetadataInput {
  @Field(() => ID, { description: 'Server.' })
  serverId!: string
  @Field(() => [MetadataItemInput], { description: 'Items.' })
  metadata!: MetadataItemInput[]
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'All items.' })
export class ReplaceServerMetadataInput {
  @Field(() => ID, { description: 'Server.' })
  serverId!: string
  @Field(() => [MetadataItemInput], { description: 'Items.' })
  metadata!: MetadataItemInput[]
  @Field(() => Int, { nullable: true, description: 'Generation read.' })
  expectedGeneration?: number | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Items to delete.' })
export class DeleteServerMetadataInput {
  @Field(() => ID, { description: 'Server.' })
  serverId!: string
  @Field(() => [String], { description: 'Keys.' })
  keys!: string[]
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Tags to add.' })
export class AddServerTagsInput {
  @Field(() => ID, { description: 'Server.' })
  serverId!: string
  @Field(() => [String], { description: 'Tags.' })
  tags!: string[]
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'All tags.' })
export class ReplaceServerTagsInput {
  @Field(() => ID, { description: 'Server.' })
  serverId!: string
  @Field(() => [String], { description: 'Tags.' })
  tags!: string[]
  @Field(() => Int, { nullable: true, description: 'Generation read.' })
  expectedGeneration?: number | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Tags to remove.' })
export class RemoveServerTagsInput {
  @Field(() => ID, { description: 'Server.' })
  serverId!: string
  @Field(() => [String], { description: 'Tags.' })
  tags!: string[]
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Which server.' })
export class ClearServerTagsInput {
  @Field(() => ID, { description: 'Server.' })
  serverId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'One action on many servers.' })
export class BulkServerActionInput {
  @Field(() => [ID], { description: 'Servers, 1-250, no duplicates.' })
  serverIds!: string[]
  @Field(() => ServerAction, { description: 'Action.' })
  action!: ServerAction
  @Field(() => String, { nullable: true, description: 'For LOCK.' })
  reason?: string | null
  @Field(() => [String], { nullable: true, description: 'For CHANGE_TAGS: tags to add.' })
  addTags?: string[] | null
  @Field(() => [String], { nullable: true, description: 'For CHANGE_TAGS: tags to remove.' })
  removeTags?: string[] | null
  @Field(() => [MetadataItemInput], { nullable: true, description: 'For CHANGE_METADATA: items to write.' })
  metadata?: MetadataItemInput[] | null
  @Field(() => ResettableState, { nullable: true, description: 'For RESET_STATE.' })
  state?: ResettableState | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}
