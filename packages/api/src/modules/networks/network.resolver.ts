import { Arg, Args, ArgsType, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql'
import { mapPage } from '../../db/paging.js'
import { ResourceOrder } from '../../graphql/common.types.js'
import { connectionOf, listArgs } from '../../graphql/connection.js'
import type { RequestContext } from '../../graphql/context.js'
import { Policy } from '../../graphql/policy-directive.js'
import { BigInteger } from '../../graphql/scalars.js'
import { NetworkFilter } from './network.inputs.js'
import { addressCount, type NetworkRow, type SubnetRow } from './network.service.js'
import { Network, Subnet } from './network.types.js'

const NetworkConnection = connectionOf(() => Network, 'Network', 'networks')
@ArgsType()
class NetworkArgs extends listArgs(
  () => NetworkFilter,
  () => ResourceOrder,
) {}

const toNetwork = (row: NetworkRow): Network => ({
  id: row.id,
  name: row.name,
  description: row.description,
  status: row.status === 'ACTIVE' ? 'ACTIVE' : 'DOWN',
  adminStateUp: row.admin_state_up === 1,
  shared: row.shared === 1,
  external: row.external === 1,
  mtu: row.mtu,
  portSecurityEnabled: false,
  availabilityZones: [],
  networkType: row.network_type === 'LOCAL' ? 'LOCAL' : 'FLAT',
  projectId: row.project_id,
  tags: JSON.parse(row.tags) as string[],
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  generation: row.generation,
})

const toSubnet = (row: SubnetRow): Subnet => ({
  id: row.id,
  name: row.name,
  description: null,
  networkId: row.network_id,
  cidr: row.cidr,
  ipVersion: row.ip_version,
  gatewayIp: row.gateway_ip,
  dhcpEnabled: row.dhcp_enabled === 1,
  dnsServers: JSON.parse(row.dns_servers) as string[],
  allocationPools: [{ start: row.pool_start, end: row.pool_end }],
  totalAddresses: addressCount(row),
  projectId: row.project_id,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  generation: 1,
})

@Resolver(() => Subnet)
export class SubnetResolver {
  @FieldResolver(() => Network)
  async network(@Root() subnet: Subnet, @Ctx() { services, caller }: RequestContext): Promise<Network | null> {
    const row = await services.networks.network(caller, subnet.networkId)
    return row === null ? null : toNetwork(row)
  }
  @FieldResolver(() => BigInteger)
  async usedAddresses(@Root() subnet: Subnet, @Ctx() context: RequestContext): Promise<number> {
    return (await context.usedAddresses.load(subnet.id)) ?? 0
  }
}

@Resolver(() => Network)
export class NetworkResolver {
  @FieldResolver(() => [Subnet])
  async subnets(@Root() network: Network, @Ctx() context: RequestContext): Promise<Subnet[]> {
    return ((await context.subnets.load(network.id)) ?? []).map(toSubnet)
  }

  @Policy('network:get_network')
  @Query(() => Network, { nullable: true, description: 'One network, null if unknown or not visible.' })
  async network(
    @Arg('id', () => ID, { description: 'Network id.' }) id: string,
    @Ctx() { services, caller }: RequestContext,
  ): Promise<Network | null> {
    const row = await services.networks.network(caller, id)
    return row === null ? null : toNetwork(row)
  }

  @Policy('network:get_network')
  @Query(() => NetworkConnection, { description: 'Networks the project can use.' })
  async networks(@Args(() => NetworkArgs) args: NetworkArgs, @Ctx() { services, caller }: RequestContext) {
    return new NetworkConnection(mapPage(await services.networks.networks(caller, args), toNetwork))
  }
}
