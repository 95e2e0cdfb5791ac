import { Arg, Args, ArgsType, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql'
import { mapPage } from '../../db/paging.js'
import { ResourceOrder } from '../../graphql/common.types.js'
import { connectionOf, listArgs } from '../../graphql/connection.js'
import type { RequestContext } from '../../graphql/context.js'
import { Policy } from '../../graphql/policy-directive.js'
import { visibleProject } from '../../graphql/visible-project.js'
import type { ResourceAmounts } from '../../placement/placement.service.js'
import { Project } from '../identity/identity.types.js'
import { ServerArgs, ServerConnection } from '../servers/server.resolver.js'
import { toServer } from '../servers/server.view.js'
import * as inputs from './hypervisor.inputs.js'
import { binaryNames, type NodeRecord, type ServiceRecord, statusOf } from './hypervisor.service.js'
import * as types from './hypervisor.types.js'

const { ComputeService, HostUsage, Hypervisor } = types
type ComputeService = types.ComputeService
type Hypervisor = types.Hypervisor
type HostUsage = types.HostUsage

const HypervisorConnection = connectionOf(() => Hypervisor, 'Hypervisor', 'hypervisors')
const ComputeServiceConnection = connectionOf(() => ComputeService, 'ComputeService', 'services')
@ArgsType()
class HypervisorArgs extends listArgs(
  () => inputs.HypervisorFilter,
  () => ResourceOrder,
) {}
@ArgsType()
class ComputeServiceArgs extends listArgs(
  () => inputs.ComputeServiceFilter,
  () => ResourceOrder,
) {}

type HypervisorNode = Hypervisor & { node: NodeRecord }
/** Whose row it is; null but for PROJECT. */
type UsageNode = HostUsage & { projectId: string | null }
type ServiceNode = ComputeService & { service: ServiceRecord }

export const toHypervisor = (node: NodeRecord): HypervisorNode => ({
  id: node.uuid,
  hypervisorHostname: node.hypervisor_hostname,
  state: node.service.up ? 'UP' : 'DOWN',
  status: node.service.disabled === 1 ? 'DISABLED' : 'ENABLED',
  hostIp: node.host_ip,
  hypervisorType: node.hypervisor_type === 'FAKE' ? 'FAKE' : 'QEMU',
  hypervisorVersion: node.hypervisor_version,
  availabilityZone: null,
  node,
})

const toService = (service: ServiceRecord, zone: string): ServiceNode => ({
  id: service.id,
  binary: (binaryNames[service.binary] ?? 'COMPUTE') as types.ServiceBinary,
  host: service.host,
  zone,
  status: statusOf(service),
  state: !service.known ? null : service.up ? 'UP' : 'DOWN',
  disabledReason: service.disabled_reason,
  forcedDown: service.known ? service.forced_down === 1 : null,
  version: service.known ? service.version : null,
  lastSeenAt: service.known ? service.last_seen_at : null,
  updatedAt: service.known ? service.updated_at : null,
  generation: service.generation,
  service,
})

@Resolver(() => ComputeService)
export class ComputeServiceResolver {
  @FieldResolver(() => [Hypervisor])
  async hypervisors(@Root() { service }: ServiceNode, @Ctx() context: RequestContext): Promise<Hypervisor[]> {
    if (service.binary !== 'nova-compute') return []
    const node = await context.nodesByHost.load(service.host)
    return node === null ? [] : [toHypervisor(node)]
  }

  @Policy('os_compute_api:os-services:list')
  @Query(() => ComputeServiceConnection, { description: 'Services; API processes are not listed.' })
  async computeServices(@Args(() => ComputeServiceArgs) args: ComputeServiceArgs, @Ctx() { services, caller }: RequestContext) {
    const page = await services.hypervisors.services(caller, args)
    return new ComputeServiceConnection(mapPage(page, (service) => toService(service, services.hypervisors.zoneOf(service))))
  }

  @Policy('os_compute_api:os-services:list')
  @Query(() => ComputeService, { nullable: true, description: 'One service, null if unknown.' })
  async computeService(
    @Arg('id', () => ID, { description: 'Service id.' }) id: string,
    @Ctx() { services, caller }: RequestContext,
  ): Promise<ServiceNode | null> {
    const service = await services.hypervisors.computeService(caller, id)
    return service === null ? null : toService(service, services.hypervisors.zoneOf(service))
  }

  @Policy('os_compute_api:os-services:update')
  @Mutation(() => types.UpdateComputeServicePayload, {
    description:
      'Enable, disable with reason, force down, or clear that. Only compute agents. Errors: BAD_USER_INPUT (reason without DISABLED, nothing to do, other program).',
  })
  async updateComputeService(
    @Arg('input', () => inputs.UpdateComputeServiceInput, { description: 'Input.' }) input: inputs.UpdateComputeServiceInput,
    @Ctx() { services, caller }: RequestContext,
  ): Promise<types.UpdateComputeServicePayload> {
    const service = await services.computeServices.update(caller, input)
    return { service: toService(service, services.hypervisors.zoneOf(service)) }
  }

  @Policy('os_compute_api:os-services:delete')
  @Mutation(() => types.DeleteComputeServicePayload, {
    description: 'Remove a retired host with its providers and mapping. Errors: IN_USE (servers, builds).',
  })
  async deleteComputeService(
    @Arg('input', () => inputs.DeleteComputeServiceInput, { description: 'Input.' }) input: inputs.DeleteComputeServiceInput,
    @Ctx() { services, caller }: RequestContext,
  ): Promise<types.DeleteComputeServicePayload> {
    return { deletedId: await services.computeServices.remove(caller, input) }
  }
}

@Resolver(() => Hypervisor)
export class HypervisorResolver {
  @FieldResolver(() => ComputeService)
  service(@Root() { node }: HypervisorNode, @Ctx() { services }: RequestContext): ServiceNode {
    return toService(node.service, services.hypervisors.zoneOf(node.service))
  }

  @FieldResolver(() => String, { nullable: true })
  availabilityZone(@Root() { node }: HypervisorNode, @Ctx() { services }: RequestContext): string {
    return services.hypervisors.zoneOf(node.service)
  }

  @Policy('os_compute_api:os-hypervisors:uptime', 'HIDE')
  @FieldResolver(() => String, { nullable: true, description: 'Null if the driver cannot tell or the host is down.' })
  async uptime(@Root() { node }: HypervisorNode, @Ctx() { services }: RequestContext): Promise<string | null> {
    return node.service.up ? services.hypervisors.uptime(node.host) : null
  }

  @Policy('os_compute_api:os-hypervisors:servers', 'HIDE')
  @FieldResolver(() => ServerConnection, { nullable: true })
  async servers(@Root() { node }: HypervisorNode, @Args(() => ServerArgs) args: ServerArgs, @Ctx() { services, caller }: RequestContext) {
    const filter = { allProjects: true, ...args.filter, hypervisorHostname: node.hypervisor_hostname }
    return new ServerConnection(mapPage(await services.servers.servers(caller, { ...args, filter }), toServer))
  }

  @Policy('os_compute_api:os-hosts:show', 'HIDE')
  @FieldResolver(() => [HostUsage], { nullable: true })
  async usage(@Root() { node }: HypervisorNode, @Ctx() context: RequestContext): Promise<UsageNode[] | null> {
    const provider = await context.providers.load(node.uuid)
    if (provider === null) return null
    type Amount = (inventory: { total: number; used: number; reserved: number }) => number
    const row = (scope: HostUsage['scope'], amount: Amount): UsageNode => {
      const of = (resourceClass: string): number => {
        const inventory = provider.inventories[resourceClass]
        return inventory === undefined ? 0 : amount(inventory)
      }
      return { scope, vcpus: of('VCPU'), ramMb: of('MEMORY_MB'), diskGb: of('DISK_GB'), projectId: null }
    }
    const projects = (await context.projectUse.load(node.uuid)) ?? new Map<string, ResourceAmounts>()
    return [
      row('TOTAL', ({ total }) => total),
      row('USED_NOW', ({ used, reserved }) => used + reserved),
      row('USED_MAX', ({ used }) => used),
      ...[...projects].map(([projectId, used]): UsageNode => {
        return { scope: 'PROJECT', vcpus: used.VCPU ?? 0, ramMb: used.MEMORY_MB ?? 0, diskGb: used.DISK_GB ?? 0, projectId }
      }),
    ]
  }

  @Policy('os_compute_api:os-hypervisors:show')
  @Query(() => Hypervisor, { nullable: true, description: 'One hypervisor, null if unknown.' })
  async hypervisor(
    @Arg('id', () => ID, { description: 'Compute node id.' }) id: string,
    @Ctx() { services, caller }: RequestContext,
  ): Promise<HypervisorNode | null> {
    const node = await services.hypervisors.hypervisor(caller, id)
    return node === null ? null : toHypervisor(node)
  }

  @Policy('os_compute_api:os-hypervisors:list-detail')
  @Query(() => HypervisorConnection, { description: 'Hypervisors whose host is mapped.' })
  async hypervisors(@Args(() => HypervisorArgs) args: HypervisorArgs, @Ctx() { services, caller }: RequestContext) {
    return new HypervisorConnection(mapPage(await services.hypervisors.hypervisors(caller, args), toHypervisor))
  }
}

@Resolver(() => HostUsage)
export class HostUsageResolver {
  @FieldResolver(() => Project, { nullable: true, description: 'For PROJECT.' })
  async project(@Root() { projectId }: UsageNode, @Ctx() context: RequestContext): Promise<Project | null> {
    return projectId === null ? null : visibleProject(context, projectId)
  }
}
