import { Field, ID, ObjectType } from 'type-graphql'
import { ErrorDetail } from '../../graphql/common.types.js'
import { OperationPayload } from '../../graphql/operation-payload.js'
import { Operation } from '../operations/operation.types.js'
import { Server } from './server.types.js'

@ObjectType({ description: 'Result of pauseServer.', simpleResolvers: true, implements: OperationPayload })
export class PauseServerPayload extends OperationPayload {
  @Field(() => Server)
  server!: Server
}

@ObjectType({ description: 'Result of unpauseServer.', simpleResolvers: true, implements: OperationPayload })
export class UnpauseServerPayload extends OperationPayload {
  @Field(() => Server)
  server!: Server
}

@ObjectType({ description: 'Result of suspendServer.', simpleResolvers: true, implements: OperationPayload })
export class SuspendServerPayload extends OperationPayload {
  @Field(() => Server)
  server!: Server
}

@ObjectType({ description: 'Result of resumeServer.', simpleResolvers: true, implements: OperationPayload })
export class ResumeServerPayload extends OperationPayload {
  @Field(() => Server)
  server!: Server
}

@ObjectType({ description: 'Result of lockServer.', simpleResolvers: true, implements: OperationPayload })
export class LockServerPayload extends OperationPayload {
  @Field(() => Server)
  server!: Server
}

@ObjectType({ description: 'Result of unlockServer.', simpleResolvers: true, implements: OperationPayload })
export class UnlockServerPayload extends OperationPayload {
  @Field(() => Server)
  server!: Server
}

@ObjectType({ description: 'Result of resetServerState.', simpleResolvers: true, implements: OperationPayload })
export class ResetServerStatePayload extends OperationPayload {
  @Field(() => Server)
  server!: Server
}

@ObjectType({ description: 'Result of setServerMetadata.', simpleResolvers: true })
export class SetServerMetadataPayload {
  @Field(() => Server)
  server!: Server
}

@ObjectType({ description: 'Result of replaceServerMetadata.', simpleResolvers: true })
export class ReplaceServerMetadataPayload {
  @Field(() => Server)
  server!: Server
}

@ObjectType({ description: 'Result of deleteServerMetadata.', simpleResolvers: true })
export class DeleteServerMetadataPayload {
  @Field(() => Server)
  server!: Server
}

@ObjectType({ description: 'Result of addServerTags.', simpleResolvers: true })
export class AddServerTagsPayload {
  @Field(() => Server)
  server!: Server
}

@ObjectType({ description: 'Result of replaceServerTags.', simpleResolvers: true })
export class ReplaceServerTagsPayload {
  @Field(() => Server)
  server!: Server
}

@ObjectType({ description: 'Result of removeServerTags.', simpleResolvers: true })
export class RemoveServerTagsPayload {
  @Field(() => Server)
  server!: Server
}

@ObjectType({ description: 'Result of clearServerTags.', simpleResolvers: true })
export class ClearServerTagsPayload {
  @Field(() => Server)
  server!: Server
}

@ObjectType({ description: 'What became of one server of a bulk request.', simpleResolvers: true })
export class BulkItemResult {
  @Field(() => ID)
  serverId!: string
  @Field(() => Boolean, { description: 'Whether the action was taken on.' })
  accepted!: boolean
  @Field(() => ErrorDetail, { nullable: true, description: 'Set when refused.' })
  error!: ErrorDetail | null
  @Field(() => Operation, {
    nullable: true,
    description: 'Set when accepted, but for changes of tags and metadata: those are done at once.',
  })
  operation!: Operation | null
}

@ObjectType({ description: 'Result of bulkServerAction.', simpleResolvers: true, implements: OperationPayload })
export class BulkServerActionPayload extends OperationPayload {
  @Field(() => [BulkItemResult])
  results!: BulkItemResult[]
}
