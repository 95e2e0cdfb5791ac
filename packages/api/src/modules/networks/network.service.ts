/** The embedded network service: networks with one subnet range each, ports and addresses for servers. */
import { randomBytes, randomUUID } from 'node:crypto'
import { CloudError } from '@kilonova/contract/errors'
import type { GuestInterface } from '@kilonova/contract/rpc/guest'
import ipaddr from 'ipaddr.js'
import type { Transaction } from 'kysely'
import { type Caller } from '../../caller.js'
import type { RequestedNetwork, UpCalls } from '../../conductor/up-calls.js'
import { type Database, isUniqueViolation, type Row } from '../../db/database.js'
import { listPage } from '../../db/list.js'
import { containsText, listFingerprint, type Page, type PageRequest } from '../../db/paging.js'
import { type OrderInput, resourceKeys } from '../../db/resource-order.js'
import type { ApiSchema } from '../../db/schemas.js'
import type { Policy } from '../../policy/policy.js'

export type NetworkRow = Row<ApiSchema, 'networks'>
export type SubnetRow = Row<ApiSchema, 'subnets'>
export type PortRow = Row<ApiSchema, 'ports'>

export interface NetworkFilterInput {
  search?: string | null
  status?: string[] | null
  shared?: boolean | null
  external?: boolean | null
  tags?: string[] | null
  projectId?: string | null
  allProjects?: boolean | null
}

export interface NetworkServiceOptions {
  db: Database<ApiSchema>
  policy: Policy
  maxPageSize: number
}

export class NetworkService {
  readonly #options: NetworkServiceOptions

  constructor(options: NetworkServiceOptions) {
    this.#options = options
  }

  get #db(): Database<ApiSchema> {
    return this.#options.db
  }

  async network(caller: Caller, id: string): Promise<NetworkRow | null> {
    const { policy } = this.#options
    policy.enforce('network:get_network', caller)
    const row = await this.#db.read.selectFrom('networks').selectAll().where('id', '=', id).executeTakeFirst()
    if (row === undefined) return null
    const target = { project_id: row.project_id, user_id: caller.userId }
    return row.shared === 1 || policy.allows('network:get_network', caller, target) ? row : null
  }

  async networks(
    caller: Caller,
    request: PageRequest & { filter?: NetworkFilterInput | null; orderBy?: OrderInput[] | null },
  ): Promise<Page<NetworkRow>> {
    this.#options.policy.enforce('network:get_network', caller)
    const { filter } = request
    let query = this.#visible(caller, filter?.allProjects === true, filter?.projectId ?? null)
    if (filter?.search) {
      const text = filter.search
      query = query.where((eb) => eb.or([containsText('name', text), containsText('id', text)]))
    }
    if (filter?.status != null) query = query.where('status', 'in', filter.status)
    if (filter?.shared != null) query = query.where('shared', '=', filter.shared ? 1 : 0)
    if (filter?.external != null) query = query.where('external', '=', filter.external ? 1 : 0)
    for (const tag of filter?.tags ?? []) query = query.where('tags', 'like', `%${JSON.stringify(tag)}%`)
    const { keys } = resourceKeys(request.orderBy, {
      ID: 'id',
      NAME: 'name',
      CREATED_AT: 'created_at',
      UPDATED_AT: 'updated_at',
      STATUS: 'status',
    })
    return listPage(this.#db, query, request, {
      keys,
      fingerprint: listFingerprint('networks', caller.projectId, filter ?? null, request.orderBy ?? null),
      maximum: this.#options.maxPageSize,
      toNode: (row) => row,
    })
  }

  /** Networks a project may put servers on: its own and shared ones that are up, not external. */
  async usableBy(projectId: string): Promise<NetworkRow[]> {
    return this.#db.read
      .selectFrom('networks')
      .selectAll()
      .where('admin_state_up', '=', 1)
      .where('external', '=', 0)
      .where((eb) => eb.or([eb('project_id', '=', projectId), eb('shared', '=', 1)]))
      .orderBy('created_at')
      .execute()
  }

  async subnetsOf(networkIds: readonly string[]): Promise<Map<string, SubnetRow[]>> {
    const rows = await this.#db.read
      .selectFrom('subnets')
      .selectAll()
      .where('network_id', 'in', [...networkIds])
      .orderBy('created_at')
      .execute()
    const subnets = new Map<string, SubnetRow[]>()
    for (const row of rows) subnets.set(row.network_id, [...(subnets.get(row.network_id) ?? []), row])
    return subnets
  }

  async usedAddresses(subnetIds: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.#db.read
      .selectFrom('ip_allocations')
      .select(['subnet_id', (eb) => eb.fn.countAll<number>().as('used')])
      .where('subnet_id', 'in', [...subnetIds])
      .groupBy('subnet_id')
      .execute()
    return new Map(rows.map((row) => [row.subnet_id, Number(row.used)]))
  }

  /** INVALID_REFERENCE or IN_USE when an address cannot be had; checked again when it is taken. */
  async checkFixedIp(networkId: string, address: string, field: string): Promise<void> {
    const subnets = (await this.subnetsOf([networkId])).get(networkId) ?? []
    const subnet = subnets.find((candidate) => inSubnet(candidate, address))
    if (subnet === undefined || address === subnet.gateway_ip) {
      throw CloudError.invalidReference(
        field,
        `Fixed IP address ${address} is not in a subnet of network ${networkId}.`,
        'FixedIpNotFoundForNetwork',
      )
    }
    const taken = await this.#db.read
      .selectFrom('ip_allocations')
      .select('port_id')
      .where('subnet_id', '=', subnet.id)
      .where('ip_address', '=', address)
      .executeTakeFirst()
    if (taken !== undefined) throw addressInUse(address, field)
  }

  /** Makes the ports of a server. A second time it answers those that exist: device and position are unique. */
  readonly allocate: UpCalls['networks']['allocate'] = async (server, networks) => {
    const interfaces: GuestInterface[] = []
    for (const [position, wanted] of networks.entries()) {
      const port = await this.#portFor(server, wanted, position)
      interfaces.push(await this.#describe(port))
    }
    return interfaces
  }

  readonly release: UpCalls['networks']['release'] = async (serverId) => {
    await this.#db.transaction(async (trx) => {
      const ports = await trx.deleteFrom('ports').where('device_id', '=', serverId).returning('id').execute()
      if (ports.length > 0)
        await trx
          .deleteFrom('ip_allocations')
          .where(
            'port_id',
            'in',
            ports.map((port) => port.id),
          )
          .execute()
    })
  }

  /** A network with its subnet, as the first start makes it. Answers false when one of that name exists. */
  async createDefault(network: {
    name: string
    projectId: string
    cidr: string
    mtu: number
    networkType: 'FLAT' | 'LOCAL'
    dnsServers: string[]
  }): Promise<boolean> {
    const [base, prefix] = ipaddr.parseCIDR(network.cidr)
    if (base.kind() !== 'ipv4') throw new Error('the default network is an IPv4 network')
    const first = ipaddr.IPv4.networkAddressFromCIDR(network.cidr)
    const last = ipaddr.IPv4.broadcastAddressFromCIDR(network.cidr)
    const { now } = this.#db
    return this.#db.transaction(async (trx) => {
      const existing = await trx.selectFrom('networks').select('id').where('name', '=', network.name).executeTakeFirst()
      if (existing !== undefined) return false
      const networkId = randomUUID()
      await trx
        .insertInto('networks')
        .values({
          id: networkId,
          name: network.name,
          description: 'Made at the first start.',
          status: 'ACTIVE',
          shared: 1,
          mtu: network.mtu,
          network_type: network.networkType,
          project_id: network.projectId,
          tags: '[]',
          created_at: now,
          updated_at: now,
        })
        .execute()
      await trx
        .insertInto('subnets')
        .values({
          id: randomUUID(),
          network_id: networkId,
          name: network.name,
          cidr: `${first}/${prefix}`,
          ip_version: 4,
          gateway_ip: addressAt(first.toString(), 1),
          dns_servers: JSON.stringify(network.dnsServers),
          pool_start: addressAt(first.toString(), 10),
          pool_end: addressAt(last.toString(), -1),
          project_id: network.projectId,
          created_at: now,
          updated_at: now,
        })
        .execute()
      return true
    })
  }

  async #portFor(server: Parameters<UpCalls['networks']['allocate']>[0], wanted: RequestedNetwork, position: number): Promise<PortRow> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#db.transaction((trx) => this.#makePort(trx, server, wanted, position))
      } catch (error) {
        // Somebody took the same address or MAC between our look and our write.
        if (!isUniqueViolation(error) || attempt >= 20) throw error
      }
    }
  }

  async #makePort(
    trx: Transaction<ApiSchema>,
    server: Parameters<UpCalls['networks']['allocate']>[0],
    wanted: RequestedNetwork,
    position: number,
  ): Promise<PortRow> {
    const { now } = this.#db
    const existing = await trx
      .selectFrom('ports')
      .selectAll()
      .where('device_id', '=', server.id)
      .where('position', '=', position)
      .executeTakeFirst()
    if (existing !== undefined) {
      if (existing.host === server.host) return existing
      return trx
        .updateTable('ports')
        .set({ host: server.host, updated_at: now })
        .where('id', '=', existing.id)
        .returningAll()
        .executeTakeFirstOrThrow()
    }
    const subnets = await trx.selectFrom('subnets').selectAll().where('network_id', '=', wanted.networkId).orderBy('created_at').execute()
    const port = await trx
      .insertInto('ports')
      .values({
        id: randomUUID(),
        network_id: wanted.networkId,
        project_id: server.projectId,
        mac_address: randomMac(),
        device_id: server.id,
        device_owner: `compute:${server.availabilityZone}`,
        host: server.host,
        tag: wanted.tag,
        position,
        status: 'ACTIVE',
        created_at: now,
        updated_at: now,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    const { fixedIp } = wanted
    const subnet = fixedIp === null ? subnets[0] : subnets.find((candidate) => inSubnet(candidate, fixedIp))
    if (subnet !== undefined) {
      const address = fixedIp ?? (await freeAddress(trx, subnet))
      if (fixedIp !== null) {
        const taken = await trx
          .selectFrom('ip_allocations')
          .select('port_id')
          .where('subnet_id', '=', subnet.id)
          .where('ip_address', '=', fixedIp)
          .executeTakeFirst()
        if (taken !== undefined) throw addressInUse(fixedIp, 'input.networks')
      }
      await trx.insertInto('ip_allocations').values({ subnet_id: subnet.id, ip_address: address, port_id: port.id }).execute()
    }
    return port
  }

  async #describe(port: PortRow): Promise<GuestInterface> {
    const network = await this.#db.read.selectFrom('networks').selectAll().where('id', '=', port.network_id).executeTakeFirstOrThrow()
    const rows = await this.#db.read
      .selectFrom('ip_allocations')
      .innerJoin('subnets', 'subnets.id', 'ip_allocations.subnet_id')
      .select(['ip_address', 'ip_version', 'cidr', 'gateway_ip', 'dns_servers'])
      .where('port_id', '=', port.id)
      .orderBy('ip_address')
      .execute()
    return {
      portId: port.id,
      networkId: network.id,
      networkName: network.name,
      macAddress: port.mac_address,
      mtu: network.mtu,
      tag: port.tag,
      addresses: rows.map((row) => ({
        ipAddress: row.ip_address,
        version: row.ip_version === 6 ? 6 : 4,
        cidr: row.cidr,
        gatewayIp: row.gateway_ip,
        dnsServers: JSON.parse(row.dns_servers) as string[],
      })),
    }
  }

  #visible(caller: Caller, all = false, projectId: string | null = null) {
    const { policy } = this.#options
    const query = this.#db.read.selectFrom('networks').selectAll()
    if (all || (projectId !== null && projectId !== caller.projectId)) {
      policy.enforce('cloud:networks:all_projects', caller)
      return projectId === null ? query : query.where('project_id', '=', projectId)
    }
    return query.where((eb) => eb.or([eb('project_id', '=', caller.projectId ?? ''), eb('shared', '=', 1)]))
  }
}

const addressInUse = (address: string, field: string): CloudError =>
  new CloudError('IN_USE', `Fixed IP address ${address} is already in use.`, { exception: 'FixedIpAlreadyInUse', fields: [field] })

function inSubnet(subnet: SubnetRow, address: string): boolean {
  const parsed = ipaddr.parse(address)
  const [base, prefix] = ipaddr.parseCIDR(subnet.cidr)
  return parsed.kind() === base.kind() && parsed.match(base, prefix)
}

const toNumber = (address: string): number =>
  ipaddr.IPv4.parse(address)
    .toByteArray()
    .reduce((sum, byte) => sum * 256 + byte, 0)
const toAddress = (value: number): string => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
const addressAt = (address: string, offset: number): string => toAddress(toNumber(address) + offset)

export const addressCount = (subnet: SubnetRow): number => toNumber(subnet.pool_end) - toNumber(subnet.pool_start) + 1

/** The lowest address of the pool that nobody has. */
async function freeAddress(trx: Transaction<ApiSchema>, subnet: SubnetRow): Promise<string> {
  const rows = await trx.selectFrom('ip_allocations').select('ip_address').where('subnet_id', '=', subnet.id).execute()
  const taken = new Set(rows.map((row) => row.ip_address))
  const end = toNumber(subnet.pool_end)
  for (let value = toNumber(subnet.pool_start); value <= end; value++) {
    const address = toAddress(value)
    if (!taken.has(address) && address !== subnet.gateway_ip) return address
  }
  throw new CloudError('CONFLICT', `No address is left in subnet ${subnet.cidr}.`, { exception: 'NoMoreFixedIps' })
}

/** Neutron's default prefix, then random. */
function randomMac(): string {
  return ['fa', '16', '3e', ...[...randomBytes(3)].map((byte) => byte.toString(16).padStart(2, '0'))].join(':')
}
