import { Arg, Args, ArgsType, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql'
import { mapPage } from '../../db/paging.js'
import { ResourceOrder } from '../../graphql/common.types.js'
import { connectionOf, listArgs } from '../../graphql/connection.js'
import type { RequestContext } from '../../graphql/context.js'
import { Policy } from '../../graphql/policy-directive.js'
import { ServerArgs, ServerConnection } from '../servers/server.resolver.js'
import { toServer } from '../servers/server.view.js'
import { ComputeServiceFilter, HypervisorFilter } from './hypervisor.inputs.js'
import { binaryNames, type NodeRecord, type ServiceRecord } from './hypervisor.service.js'
import { ComputeService, HostUsage, Hypervisor, type ServiceBinary } from './hypervisor.types.js'

const HypervisorConnection = connectionOf(() => Hypervisor, 'Hypervisor', 'hypervisors')
const ComputeServiceConnection = connectionOf(() => ComputeService, 'ComputeService', 'services')
@ArgsType()
class HypervisorArgs extends listArgs(
  () => HypervisorFilter,
  () => ResourceOrder,
) {}
@ArgsType()
class ComputeServiceArgs extends listArgs(
  () => ComputeServiceFilter,
  () => ResourceOrder,
) {}

type HypervisorNode = Hypervisor & { node: NodeRecord }
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
  binary: (binaryNames[service.binary] ?? 'COMPUTE') as ServiceBinary,
  host: service.host,
  zone,
  status: service.disabled === 1 ? 'DISABLED' : 'ENABLED',
  state: service.up ? 'UP' : 'DOWN',
  disabledReason: service.disabled_reason,
  forcedDown: service.forced_down === 1,
  version: service.version,
  lastSeenAt: service.last_seen_at,
  updatedAt: service.updated_at,
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
  async usage(@Root() { node }: HypervisorNode, @Ctx() context: RequestContext): Promise<HostUsage[] | null> {
    const provider = await context.providers.load(node.uuid)
    if (provider === null) return null
    const row = (scope: HostUsage['scope'], pick: 'total' | 'used'): HostUsage => ({
      scope,
      vcpus: provider.inventories.VCPU?.[pick] ?? 0,
      ramMb: provider.inventories.MEMORY_MB?.[pick] ?? 0,
      diskGb: provider.inventories.DISK_GB?.[pick] ?? 0,
    })
    return [row('TOTAL', 'total'), row('USED_MAX', 'used')]
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
