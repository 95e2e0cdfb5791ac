import { Arg, Args, ArgsType, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql'
import { isAdmin } from '../../caller.js'
import { instanceNotFound } from '../../cells/instance.store.js'
import { mapPage } from '../../db/paging.js'
import type { ErrorCode } from '../../graphql/common.types.js'
import { connectionOf, listArgs } from '../../graphql/connection.js'
import type { RequestContext } from '../../graphql/context.js'
import { Policy } from '../../graphql/policy-directive.js'
import { Base64, BigInteger } from '../../graphql/scalars.js'
import { ConsoleType } from '../consoles/console.types.js'
import { toFlavor } from '../flavors/flavor.resolver.js'
import { Flavor } from '../flavors/flavor.types.js'
import { toHypervisor } from '../hypervisors/hypervisor.resolver.js'
import { Hypervisor } from '../hypervisors/hypervisor.types.js'
import { toProject, toUser } from '../identity/identity.resolver.js'
import { Project, User } from '../identity/identity.types.js'
import { toImage } from '../images/image.resolver.js'
import { Image } from '../images/image.types.js'
import { OperationArgs, OperationConnection } from '../operations/operation.resolver.js'
import { Operation } from '../operations/operation.types.js'
import { requireOperation, toOperation } from '../operations/operation.view.js'
import { HostStatus } from './server.enums.js'
import * as inputs from './server.inputs.js'
import * as types from './server.types.js'
import { type ServerNode, toServer } from './server.view.js'

const { Server, ServerFlavor, ServerFault, ActionPermission, ConsoleLog } = types
type Server = types.Server
export const ServerConnection = connectionOf(() => Server, 'Server', 'servers')
@ArgsType()
export class ServerArgs extends listArgs(
  () => inputs.ServerFilter,
  () => inputs.ServerOrder,
) {}

export async function requireServer(context: RequestContext, id: string): Promise<ServerNode> {
  const found = await context.services.servers.server(context.caller, id)
  if (found === null) throw instanceNotFound(id)
  return toServer(found)
}

@Resolver(() => ServerFlavor)
export class ServerFlavorResolver {
  @FieldResolver(() => Flavor, { nullable: true, description: 'The flavor of today; null once deleted or not visible.' })
  async current(@Root() flavor: types.ServerFlavor & { flavorId: string }, @Ctx() context: RequestContext): Promise<Flavor | null> {
    const row = await context.flavors.load(flavor.flavorId)
    return row === null ? null : toFlavor(row)
  }
}

@Resolver(() => ServerFault)
export class ServerFaultResolver {
  @FieldResolver(() => String, { nullable: true, description: 'Hidden from non-admins when code is 500.' })
  details(@Root() fault: types.ServerFault & { details: string | null }, @Ctx() { caller }: RequestContext): string | null {
    return fault.code === 500 && !isAdmin(caller) ? null : fault.details
  }
}

@Resolver(() => Server)
export class ServerResolver {
  @FieldResolver(() => Project, { nullable: true })
  async project(@Root() server: Server, @Ctx() context: RequestContext): Promise<Project | null> {
    const row = await context.projects.load(server.projectId)
    return row === null ? null : toProject(row)
  }

  @FieldResolver(() => User, { nullable: true })
  async user(@Root() server: Server, @Ctx() context: RequestContext): Promise<User | null> {
    const row = await context.users.load(server.userId)
    return row === null ? null : toUser(row)
  }

  @FieldResolver(() => Image, { nullable: true, description: 'Image it was built from; null when the image is gone.' })
  async image(@Root() server: Server, @Ctx() context: RequestContext): Promise<Image | null> {
    const row = server.imageId === null ? null : await context.images.load(server.imageId)
    return row === null ? null : toImage(row)
  }

  @Policy('os_compute_api:os-hypervisors:show', 'HIDE')
  @FieldResolver(() => Hypervisor, { nullable: true })
  async hypervisor(@Root() server: Server, @Ctx() context: RequestContext): Promise<Hypervisor | null> {
    const node = server.host === null ? null : await context.nodesByHost.load(server.host)
    return node === null ? null : toHypervisor(node)
  }

  @Policy('os_compute_api:servers:show:host_status', 'HIDE')
  @FieldResolver(() => HostStatus, { nullable: true, description: 'Null without host.' })
  async hostStatus(@Root() server: Server, @Ctx() context: RequestContext): Promise<HostStatus | null> {
    if (server.host === null) return null
    const node = await context.nodesByHost.load(server.host)
    if (node === null) return 'UNKNOWN'
    if (node.service.forced_down === 1) return 'DOWN'
    if (node.service.disabled === 1) return 'MAINTENANCE'
    return node.service.up ? 'UP' : 'UNKNOWN'
  }

  @Policy('os_compute_api:os-extended-server-attributes', 'HIDE')
  @FieldResolver(() => Base64, { nullable: true })
  userData(@Root() { found }: ServerNode, @Ctx() { services }: RequestContext): string | null {
    return found.row.user_data === null ? null : services.box.unseal(found.row.user_data).reveal()
  }

  @FieldResolver(() => [ActionPermission], {
    description: 'What the caller may do now, one entry per ServerAction, from state, lock and policy.',
  })
  allowedActions(@Root() { found }: ServerNode, @Ctx() { services, caller }: RequestContext): types.ActionPermission[] {
    return services.servers.allowedActions(caller, found.row).map((entry) => ({ ...entry, errorCode: entry.errorCode as ErrorCode | null }))
  }

  @FieldResolver(() => Operation, { nullable: true, description: 'The unfinished operation with a task state, if any.' })
  async currentOperation(@Root() { found }: ServerNode, @Ctx() context: RequestContext): Promise<Operation | null> {
    const row = found.row.operation_id === null ? null : await context.operations.load(found.row.operation_id)
    return row === null ? null : toOperation(row)
  }

  @Policy('os_compute_api:os-instance-actions:list', 'HIDE')
  @FieldResolver(() => OperationConnection, { nullable: true })
  async operations(@Root() server: Server, @Args(() => OperationArgs) args: OperationArgs, @Ctx() context: RequestContext) {
    const { services, caller } = context
    if (args.after == null && args.filter == null && args.orderBy == null) {
      const newest = await context.newestOperations(args.first).load(server.id)
      if (newest !== null) return new OperationConnection(mapPage(newest, toOperation))
    }
    return new OperationConnection(mapPage(await services.operations.operations(caller, args, { serverId: server.id }), toOperation))
  }

  @FieldResolver(() => [ConsoleType], { description: 'Consoles that createConsole would accept on its host.' })
  async availableConsoles(@Root() { found }: ServerNode, @Ctx() context: RequestContext): Promise<ConsoleType[]> {
    const { row } = found
    return context.services.servers.availableConsoles(row, row.host === null ? null : await context.nodesByHost.load(row.host))
  }

  @Policy('os_compute_api:os-console-output')
  @FieldResolver(() => ConsoleLog, {
    nullable: true,
    description: 'Read from the host now. Errors: NOT_READY, NOT_FOUND (no console), NOT_IMPLEMENTED.',
  })
  consoleLog(
    @Root() { found }: ServerNode,
    @Arg('tailLines', () => Int, { nullable: true, description: 'Last lines only; absent: all that is kept.' }) tailLines: number | null,
    @Arg('fromOffset', () => BigInteger, { nullable: true, description: 'Bytes from this offset on, to continue.' }) fromOffset:
      | number
      | null,
    @Ctx() { services, caller }: RequestContext,
  ): Promise<types.ConsoleLog> {
    return services.servers.consoleLog(caller, found.row, { tailLines: tailLines ?? null, fromOffset: fromOffset ?? null })
  }

  @Policy('os_compute_api:servers:show')
  @Query(() => Server, { nullable: true, description: 'One server, null if unknown or not visible.' })
  async server(
    @Arg('id', () => ID, { description: 'Server id.' }) id: string,
    @Ctx() { services, caller }: RequestContext,
  ): Promise<ServerNode | null> {
    const found = await services.servers.server(caller, id)
    return found === null ? null : toServer(found)
  }

  @Policy('os_compute_api:servers:detail')
  @Query(() => ServerConnection, {
    description: 'Servers of the current project, at most 1000 a page. Errors: CURSOR_INVALID, FORBIDDEN (admin-only filter or sort).',
  })
  async servers(@Args(() => ServerArgs) args: ServerArgs, @Ctx() { services, caller }: RequestContext) {
    return new ServerConnection(mapPage(await services.servers.servers(caller, args), toServer))
  }

  @Policy('os_compute_api:servers:create')
  @Mutation(() => types.CreateServerPayload, {
    description:
      'Create one or several servers. Answers once the request is stored; the rest is the operation. Errors: INVALID_REFERENCE (image, flavor, network, key, zone, host), FLAVOR_IMAGE_CONFLICT, QUOTA_EXCEEDED, LIMIT_EXCEEDED, IN_USE (address), AMBIGUOUS_NETWORK, FORBIDDEN (hosts). Later: NO_VALID_HOST, RETRIES_EXHAUSTED, BUILD_FAILED, IMAGE_REJECTED, HOST_REFUSED, TIMED_OUT.',
  })
  async createServer(
    @Arg('input', () => inputs.CreateServerInput, { description: 'Input.' }) input: inputs.CreateServerInput,
    @Ctx() context: RequestContext,
  ) {
    const { services, caller } = context
    const created = await services.createServer.run(caller, input)
    const found = await services.servers.visibleById(caller, created.serverIds)
    const servers = created.serverIds.flatMap((id) => found.get(id) ?? []).map(toServer)
    // A retry after the servers were deleted has nothing left to show.
    if (servers.length === 0) throw instanceNotFound(created.serverIds[0] ?? '')
    return { ...created, server: servers[0], servers, operation: await requireOperation(context, created.operationId) }
  }

  @Policy('os_compute_api:servers:update')
  @Mutation(() => types.UpdateServerPayload, {
    description: 'Change names, texts and access addresses; also before the server is scheduled.',
  })
  async updateServer(
    @Arg('input', () => inputs.UpdateServerInput, { description: 'Input.' }) input: inputs.UpdateServerInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { server: toServer(await services.servers.labels.update(caller, input)) }
  }

  @Policy('os_compute_api:servers:delete')
  @Mutation(() => types.DeleteServerPayload, {
    description: 'Delete from any state. Cleans up centrally when the host is down. Errors: LOCKED, CONFLICT.',
  })
  async deleteServer(
    @Arg('input', () => inputs.DeleteServerInput, { description: 'Input.' }) input: inputs.DeleteServerInput,
    @Ctx() context: RequestContext,
  ) {
    const { services, caller } = context
    const { operationId } = await services.servers.deletion.run(caller, input)
    const found = await services.servers.server(caller, input.serverId)
    return {
      deletedId: input.serverId,
      server: found === null ? null : toServer(found),
      operation: await requireOperation(context, operationId),
    }
  }

  @Policy('os_compute_api:servers:start')
  @Mutation(() => types.StartServerPayload, { description: 'Power on. From STOPPED. Errors: INVALID_STATE, LOCKED, NOT_READY.' })
  async startServer(
    @Arg('input', () => inputs.StartServerInput, { description: 'Input.' }) input: inputs.StartServerInput,
    @Ctx() context: RequestContext,
  ) {
    const { operationId } = await context.services.servers.actions.run(context.caller, 'START', input)
    return { server: await requireServer(context, input.serverId), operation: await requireOperation(context, operationId) }
  }

  @Policy('os_compute_api:servers:stop')
  @Mutation(() => types.StopServerPayload, {
    description: 'Orderly shutdown, then power off. From ACTIVE, ERROR. Errors: INVALID_STATE, LOCKED, NOT_READY.',
  })
  async stopServer(
    @Arg('input', () => inputs.StopServerInput, { description: 'Input.' }) input: inputs.StopServerInput,
    @Ctx() context: RequestContext,
  ) {
    const { operationId } = await context.services.servers.actions.run(context.caller, 'STOP', input)
    return { server: await requireServer(context, input.serverId), operation: await requireOperation(context, operationId) }
  }

  @Policy('os_compute_api:servers:reboot')
  @Mutation(() => types.RebootServerPayload, {
    description:
      'Reboot. SOFT from ACTIVE; HARD from ACTIVE, STOPPED, PAUSED, SUSPENDED, ERROR, also during another reboot, pause, unpause, suspend or resume. Errors: INVALID_STATE, LOCKED.',
  })
  async rebootServer(
    @Arg('input', () => inputs.RebootServerInput, { description: 'Input.' }) input: inputs.RebootServerInput,
    @Ctx() context: RequestContext,
  ) {
    const action = input.type === 'HARD' ? 'REBOOT_HARD' : 'REBOOT_SOFT'
    const { operationId } = await context.services.servers.actions.run(context.caller, action, input)
    return { server: await requireServer(context, input.serverId), operation: await requireOperation(context, operationId) }
  }
}
