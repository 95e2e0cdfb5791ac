/** Hosts: services, compute nodes, and the picture of them the scheduler decides on. */

import { createHash } from 'node:crypto'
import { agentService, agentTopic } from '@kilonova/contract/rpc/agent'
import type { NodeReport } from '@kilonova/contract/rpc/conductor'
import type { MessageBus } from '@kilonova/runtime/bus/bus'
import type { Logger } from '@kilonova/runtime/logger'
import { sql } from 'kysely'
import { type Caller } from '../../caller.js'
import type { Cell, CellsService } from '../../cells/cells.service.js'
import type { Database, Row } from '../../db/database.js'
import { listFingerprint, type Page, type PageRequest, pageInMemory } from '../../db/paging.js'
import { type OrderInput, sortKeys } from '../../db/resource-order.js'
import type { ApiSchema, CellSchema } from '../../db/schemas.js'
import type { PlacementService } from '../../placement/placement.service.js'
import type { Policy } from '../../policy/policy.js'
import type { HostState } from '../../scheduler/host-state.js'

export interface ServiceRecord extends Row<CellSchema, 'services'> {
  up: boolean
  cellId: string
  /** False: its cell does not answer, and nothing is known but host and program. */
  known: boolean
}
export interface NodeRecord extends Row<CellSchema, 'compute_nodes'> {
  service: ServiceRecord
  report_parsed: NodeReport
}

export interface HypervisorFilterInput {
  hypervisorHostname?: string | null
  host?: string | null
  state?: string | null
  status?: string | null
  availabilityZone?: string | null
  hypervisorType?: string | null
}
export interface ServiceFilterInput {
  host?: string | null
  binary?: string | null
  status?: string[] | null
  state?: string | null
  zone?: string | null
  forcedDown?: boolean | null
}

export interface HypervisorServiceOptions {
  api: Database<ApiSchema>
  cells: CellsService
  placement: PlacementService
  policy: Policy
  bus: MessageBus
  log: Logger
  serviceDownSeconds: number
  defaultZone: string
  maxPageSize: number
}

export const binaryNames: Record<string, string> = {
  'nova-compute': 'COMPUTE',
  'nova-conductor': 'CONDUCTOR',
  'nova-scheduler': 'SCHEDULER',
  'nova-consoleproxy': 'CONSOLE_PROXY',
}

export class HypervisorService {
  readonly #options: HypervisorServiceOptions

  constructor(options: HypervisorServiceOptions) {
    this.#options = options
  }

  /** Services of all cells; of a cell that does not answer, what its mapped hosts tell. */
  async allServices(): Promise<{ services: ServiceRecord[]; isPartial: boolean }> {
    const { api, cells } = this.#options
    const { answers, missing } = await cells.scatter(await cells.withHosts(), (cell) => this.#servicesOf(cell))
    const services = answers.flatMap(({ value }) => value)
    if (missing.length === 0) return { services, isPartial: false }
    const hosts = await api.read.selectFrom('host_mappings').selectAll().where('cell_uuid', 'in', missing).execute()
    return { services: [...services, ...hosts.map(unknownService)], isPartial: true }
  }

  /** One service, null if unknown. */
  async computeService(caller: Caller, id: string): Promise<ServiceRecord | null> {
    this.#options.policy.enforce('os_compute_api:os-services:list', caller)
    return this.serviceById(id)
  }

  async serviceById(id: string): Promise<ServiceRecord | null> {
    const { services } = await this.allServices()
    return services.find((service) => service.id === id) ?? null
  }

  /** Compute nodes whose host is mapped. */
  async allNodes(): Promise<{ nodes: NodeRecord[]; isPartial: boolean }> {
    const { api, cells } = this.#options
    const mapped = new Set((await api.read.selectFrom('host_mappings').select('host').execute()).map((row) => row.host))
    const { answers, missing } = await cells.scatter(await cells.withHosts(), async (cell) => {
      const services = new Map(
        (await this.#servicesOf(cell)).filter((service) => service.binary === 'nova-compute').map((service) => [service.host, service]),
      )
      const rows = await cell.database.read.selectFrom('compute_nodes').selectAll().execute()
      return rows.flatMap((row): NodeRecord[] => {
        const service = services.get(row.host)
        return service === undefined || !mapped.has(row.host)
          ? []
          : [{ ...row, service, report_parsed: JSON.parse(row.report) as NodeReport }]
      })
    })
    return { nodes: answers.flatMap(({ value }) => value), isPartial: missing.length > 0 }
  }

  /** What the scheduler decides on. Hosts of disabled cells and hosts that are not mapped are left out. */
  readonly hostStates = async (): Promise<HostState[]> => {
    const { cells, placement, defaultZone } = this.#options
    const disabled = new Set((await cells.mappings()).filter((mapping) => mapping.disabled === 1).map((mapping) => mapping.uuid))
    const [{ nodes }, providers] = await Promise.all([this.allNodes(), placement.snapshot()])
    const byId = new Map(providers.map((provider) => [provider.providerId, provider]))
    return nodes.flatMap((node): HostState[] => {
      const provider = byId.get(node.uuid)
      if (provider === undefined || disabled.has(node.service.cellId)) return []
      return [
        {
          host: node.host,
          node: node.hypervisor_hostname,
          nodeId: node.uuid,
          cellId: node.service.cellId,
          serviceEnabled: node.service.disabled === 0,
          serviceUp: node.service.up,
          disabledReason: node.service.disabled_reason,
          availabilityZones: [defaultZone],
          hypervisorType: node.hypervisor_type,
          hypervisorVersion: node.hypervisor_version,
          supportedInstances: node.report_parsed.supportedInstances,
          provider,
        },
      ]
    })
  }

  /** Maps hosts that have registered with a cell but are not known above (A-CELL-17). Answers the new ones. */
  async discoverHosts(): Promise<string[]> {
    const { api, cells } = this.#options
    const known = new Set((await api.read.selectFrom('host_mappings').select('host').execute()).map((row) => row.host))
    const { answers } = await cells.scatter(await cells.withHosts(), ({ database }) =>
      database.read.selectFrom('compute_nodes').select('host').distinct().execute(),
    )
    const found = answers.flatMap(({ cell, value }) =>
      value.filter((row) => !known.has(row.host)).map((row) => ({ host: row.host, cell_uuid: cell.id })),
    )
    if (found.length === 0) return []
    await api.transaction(async (trx) => {
      await trx
        .insertInto('host_mappings')
        .values(found.map((row) => ({ ...row, created_at: api.now })))
        .onConflict((conflict) => conflict.column('host').doNothing())
        .execute()
    })
    return found.map((row) => row.host)
  }

  async hypervisors(
    caller: Caller,
    request: PageRequest & { filter?: HypervisorFilterInput | null; orderBy?: OrderInput[] | null },
  ): Promise<Page<NodeRecord>> {
    this.#options.policy.enforce('os_compute_api:os-hypervisors:list-detail', caller)
    const { filter } = request
    const { nodes, isPartial } = await this.allNodes()
    const wanted = nodes.filter(
      (node) =>
        (filter?.hypervisorHostname == null || node.hypervisor_hostname.toLowerCase().includes(filter.hypervisorHostname.toLowerCase())) &&
        (filter?.host == null || node.host === filter.host) &&
        (filter?.state == null || (node.service.up ? 'UP' : 'DOWN') === filter.state) &&
        (filter?.status == null || (node.service.disabled === 1 ? 'DISABLED' : 'ENABLED') === filter.status) &&
        (filter?.availabilityZone == null || filter.availabilityZone === this.#options.defaultZone) &&
        (filter?.hypervisorType == null || node.hypervisor_type === filter.hypervisorType),
    )
    const columns = { ID: 'uuid', NAME: 'hypervisor_hostname', CREATED_AT: 'created_at', UPDATED_AT: 'updated_at' }
    return pageInMemory(wanted, request, {
      keys: sortKeys(request.orderBy, columns, { key: 'NAME', direction: 'ASC' }, 'uuid'),
      fingerprint: listFingerprint('hypervisors', filter ?? null, request.orderBy ?? null),
      maximum: this.#options.maxPageSize,
      toNode: (row) => row,
      isPartial,
    })
  }

  async hypervisor(caller: Caller, id: string): Promise<NodeRecord | null> {
    if (!this.#options.policy.allows('os_compute_api:os-hypervisors:show', caller))
      this.#options.policy.enforce('os_compute_api:os-hypervisors:show', caller)
    const { nodes } = await this.allNodes()
    return nodes.find((node) => node.uuid === id) ?? null
  }

  async services(
    caller: Caller,
    request: PageRequest & { filter?: ServiceFilterInput | null; orderBy?: OrderInput[] | null },
  ): Promise<Page<ServiceRecord>> {
    this.#options.policy.enforce('os_compute_api:os-services:list', caller)
    const { filter } = request
    const { services, isPartial } = await this.allServices()
    const wanted = services.filter(
      (service) =>
        (filter?.host == null || service.host === filter.host) &&
        (filter?.binary == null || binaryNames[service.binary] === filter.binary) &&
        (filter?.status == null || filter.status.includes(statusOf(service))) &&
        (filter?.state == null || (service.known && (service.up ? 'UP' : 'DOWN') === filter.state)) &&
        (filter?.zone == null || this.zoneOf(service) === filter.zone) &&
        (filter?.forcedDown == null || (service.known && (service.forced_down === 1) === filter.forcedDown)),
    )
    const columns = { ID: 'id', NAME: 'host', CREATED_AT: 'created_at', UPDATED_AT: 'updated_at' }
    return pageInMemory(wanted, request, {
      keys: sortKeys(request.orderBy, columns, { key: 'NAME', direction: 'ASC' }),
      fingerprint: listFingerprint('services', filter ?? null, request.orderBy ?? null),
      maximum: this.#options.maxPageSize,
      toNode: (row) => row,
      isPartial,
    })
  }

  zoneOf(service: Pick<ServiceRecord, 'binary'>): string {
    return service.binary === 'nova-compute' ? this.#options.defaultZone : 'internal'
  }

  /** Null if the driver cannot tell or the host is down. */
  async uptime(host: string): Promise<string | null> {
    try {
      return (await this.#options.bus.call(agentTopic(host), agentService.uptime, {}, { timeoutMs: 3000 })).uptime
    } catch (error) {
      this.#options.log.debug({ err: error, host }, 'uptime is not known')
      return null
    }
  }

  async #servicesOf(cell: Cell): Promise<ServiceRecord[]> {
    const { database } = cell
    const rows = await database.read
      .selectFrom('services')
      .selectAll()
      .select((eb) => eb(database.now, '-', eb.ref('last_seen_at')).as('silent_ms'))
      .orderBy(sql`host`)
      .execute()
    return rows.map(({ silent_ms, ...row }) => ({
      ...row,
      up: row.forced_down === 0 && Number(silent_ms) < this.#options.serviceDownSeconds * 1000,
      cellId: cell.id,
      known: true,
    }))
  }
}

export const statusOf = (service: ServiceRecord): 'ENABLED' | 'DISABLED' | 'UNKNOWN' =>
  !service.known ? 'UNKNOWN' : service.disabled === 1 ? 'DISABLED' : 'ENABLED'

/** A host that is known from its mapping only. Its id stays the same from one answer to the next. */
function unknownService({ host, cell_uuid, created_at }: Row<ApiSchema, 'host_mappings'>): ServiceRecord {
  const digits = createHash('sha256').update(`${cell_uuid} ${host}`).digest('hex')
  return {
    id: [digits.slice(0, 8), digits.slice(8, 12), `8${digits.slice(13, 16)}`, `8${digits.slice(17, 20)}`, digits.slice(20, 32)].join('-'),
    binary: 'nova-compute',
    host,
    cellId: cell_uuid,
    known: false,
    up: false,
    disabled: 0,
    disabled_reason: null,
    forced_down: 0,
    version: 0,
    run_id: null,
    last_seen_at: 0,
    generation: 0,
    created_at,
    updated_at: created_at,
  }
}
