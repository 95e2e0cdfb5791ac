import type { SchedulingTrace as StoredTrace } from '@kilonova/contract/operations'
import { Arg, Args, ArgsType, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql'
import { mapPage } from '../../db/paging.js'
import { connectionOf, listArgs } from '../../graphql/connection.js'
import type { RequestContext } from '../../graphql/context.js'
import { Policy } from '../../graphql/policy-directive.js'
import { toProject, toUser } from '../identity/identity.resolver.js'
import { Project, User } from '../identity/identity.types.js'
import { toImage } from '../images/image.resolver.js'
import { Image } from '../images/image.types.js'
import { Server } from '../servers/server.types.js'
import { toServer } from '../servers/server.view.js'
import { OperationFilter, OperationOrder } from './operation.inputs.js'
import { Operation, OperationStep, SchedulingSummary, SchedulingTrace } from './operation.types.js'
import { type OperationNode, toOperation, toStep, toSummary } from './operation.view.js'
import { CancelOperationInput, CancelOperationPayload } from './operation-cancel.types.js'

export const OperationConnection = connectionOf(() => Operation, 'Operation', 'operations')
@ArgsType()
export class OperationArgs extends listArgs(
  () => OperationFilter,
  () => OperationOrder,
) {}

@Resolver(() => Operation)
export class OperationResolver {
  @FieldResolver(() => [OperationStep])
  async steps(@Root() { row }: OperationNode, @Ctx() context: RequestContext): Promise<OperationStep[]> {
    return ((await context.steps.load(row.id)) ?? []).map((step) => toStep(step, row.project_id))
  }

  @FieldResolver(() => User, { nullable: true, description: 'Who asked; null for work the system began itself.' })
  async user(@Root() { row }: OperationNode, @Ctx() context: RequestContext): Promise<User | null> {
    const user = row.user_id === null ? null : await context.users.load(row.user_id)
    return user === null ? null : toUser(user)
  }

  @FieldResolver(() => Project, { nullable: true })
  async project(@Root() { row }: OperationNode, @Ctx() context: RequestContext): Promise<Project | null> {
    const project = await context.projects.load(row.project_id)
    return project === null ? null : toProject(project)
  }

  @FieldResolver(() => Server, { nullable: true, description: 'Server acted on; null for other objects, parents and purged servers.' })
  async server(@Root() { row }: OperationNode, @Ctx() context: RequestContext): Promise<Server | null> {
    const found = row.server_id === null ? null : await context.servers.load(row.server_id)
    return found === null ? null : toServer(found)
  }

  @FieldResolver(() => Image, { nullable: true, description: 'Objects made or changed, for example the image of a snapshot.' })
  async image(@Root() { row }: OperationNode, @Ctx() context: RequestContext): Promise<Image | null> {
    const image = row.image_id === null ? null : await context.images.load(row.image_id)
    return image === null ? null : toImage(image)
  }

  @FieldResolver(() => Boolean, { description: 'Whether cancelOperation would be accepted now.' })
  async cancellable(@Root() { row }: OperationNode, @Ctx() context: RequestContext): Promise<boolean> {
    if (row.finished_at !== null) return false
    return (await context.cancellable.load(row.id)) ?? false
  }

  @FieldResolver(() => Operation, { nullable: true, description: 'Operation this one is a part of (multi-create, bulk, drain).' })
  async parent(@Root() { row }: OperationNode, @Ctx() context: RequestContext): Promise<OperationNode | null> {
    const parent = row.parent_id === null ? null : await context.operations.load(row.parent_id)
    return parent === null ? null : toOperation(parent)
  }

  @FieldResolver(() => OperationConnection)
  async children(
    @Root() { row }: OperationNode,
    @Args(() => OperationArgs) args: OperationArgs,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return new OperationConnection(mapPage(await services.operations.operations(caller, args, { parentId: row.id }), toOperation))
  }

  @FieldResolver(() => SchedulingSummary, {
    nullable: true,
    description: 'How hosts were chosen, for everyone: filter names and numbers, no host names.',
  })
  schedulingSummary(@Root() { row }: OperationNode): SchedulingSummary | null {
    return toSummary(row)
  }

  @Policy('os_compute_api:os-instance-actions:events', 'HIDE')
  @FieldResolver(() => SchedulingTrace, { nullable: true, description: 'The same with hosts, weights and reasons.' })
  schedulingTrace(@Root() { row }: OperationNode): SchedulingTrace | null {
    return row.trace === null ? null : (JSON.parse(row.trace) as StoredTrace)
  }

  @Policy('cloud:operations:cancel')
  @Mutation(() => CancelOperationPayload, {
    description: 'Ask a running or queued operation to stop. Errors: NOT_CANCELLABLE.',
  })
  async cancelOperation(
    @Arg('input', () => CancelOperationInput, { description: 'Input.' }) input: CancelOperationInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { operation: toOperation(await services.cancels.cancel(caller, input)) }
  }

  @Policy('os_compute_api:os-instance-actions:show')
  @Query(() => Operation, { nullable: true, description: 'One operation, null if unknown or not visible.' })
  async operation(
    @Arg('id', () => ID, { description: 'Operation id.' }) id: string,
    @Ctx() { services, caller }: RequestContext,
  ): Promise<OperationNode | null> {
    const row = await services.operations.operation(caller, id)
    return row === null ? null : toOperation(row)
  }

  @Policy('os_compute_api:os-instance-actions:list')
  @Query(() => OperationConnection, { description: 'Operations of the current project.' })
  async operations(@Args(() => OperationArgs) args: OperationArgs, @Ctx() { services, caller }: RequestContext) {
    return new OperationConnection(mapPage(await services.operations.operations(caller, args), toOperation))
  }
}
