/** Servers: lists, single servers and their consoles. What changes them is in the services it is put together from. */
import { CloudError } from '@kilonova/contract/errors'
import { agentService, agentTopic, type ConsoleTypeName } from '@kilonova/contract/rpc/agent'
import type { ServerAction } from '@kilonova/contract/server-states'
import { BusUnavailableError, type MessageBus } from '@kilonova/runtime/bus/bus'
import type { Caller } from '../../caller.js'
import type { Cell } from '../../cells/cells.service.js'
import type { InstanceRow } from '../../cells/instance.store.js'
import type { Database } from '../../db/database.js'
import { listFingerprint, type Page, type PageRequest } from '../../db/paging.js'
import { type OrderInput, sortKeys } from '../../db/resource-order.js'
import type { ApiSchema } from '../../db/schemas.js'
import type { Outbox } from '../../events/outbox.js'
import type { Policy } from '../../policy/policy.js'
import { type ConsoleTokens, isOff } from '../consoles/console-tokens.js'
import type { HypervisorService, NodeRecord } from '../hypervisors/hypervisor.service.js'
import type { IdempotencyService } from '../idempotency/idempotency.service.js'
import type { QuotaService } from '../quotas/quota.service.js'
import { BulkActions } from './bulk-actions.js'
import { GuestActions, notReady } from './guest-actions.js'
import { RecordActions } from './record-actions.js'
import type { ServerFilterInput } from './server.query.js'
import type { FoundServer, ServerRepository } from './server.repository.js'
import { ServerChanges } from './server-changes.js'
import { ServerDeletion } from './server-deletion.js'
import { ServerGuard, targetOf } from './server-guard.js'
import { ServerLabels } from './server-labels.js'

export interface ServerServiceOptions {
  api: Database<ApiSchema>
  apiOutbox: Outbox<ApiSchema>
  repository: ServerRepository
  policy: Policy
  idempotency: IdempotencyService
  hypervisors: HypervisorService
  quotas: Pick<QuotaService, 'checkMetadataItems'>
  bus: MessageBus
  publisherId: string
  maxPageSize: number
  consoleTokensOf: (cellId: string) => ConsoleTokens
  /** Runs a saga that was written to a cell. */
  pokeCell: (cellId: string, sagaId: string) => void
  /** Runs sagas of the API database again that were asked to stop. */
  pokeApi: (sagaId: string) => void
}

const columns: Record<string, string> = {
  NAME: 'display_name',
  ID: 'uuid',
  DESCRIPTION: 'display_description',
  HOSTNAME: 'hostname',
  CREATED_AT: 'created_at',
  UPDATED_AT: 'updated_at',
  LAUNCHED_AT: 'launched_at',
  TERMINATED_AT: 'terminated_at',
  VM_STATE: 'vm_state',
  TASK_STATE: 'task_state',
  POWER_STATE: 'power_state',
  PROGRESS: 'progress',
  AVAILABILITY_ZONE: 'availability_zone',
  CONFIG_DRIVE: 'config_drive',
  DISK_CONFIG: 'disk_config',
  IMAGE_ID: 'image_id',
  FLAVOR_ID: 'flavor_id',
  KEY_NAME: 'key_name',
  ROOT_DEVICE_NAME: 'root_device_name',
  LAUNCH_INDEX: 'launch_index',
  ACCESS_IP_V4: 'access_ip_v4',
  ACCESS_IP_V6: 'access_ip_v6',
  USER_ID: 'user_id',
  PROJECT_ID: 'project_id',
  LOCKED: 'locked',
  HOST: 'host',
  HYPERVISOR_HOSTNAME: 'node',
}
const adminSortKeys: readonly string[] = ['HOST', 'HYPERVISOR_HOSTNAME']

export class ServerService {
  readonly #options: ServerServiceOptions
  readonly #guard: ServerGuard
  /** Start, stop, reboot, pause, unpause, suspend, resume. */
  readonly actions: GuestActions
  readonly deletion: ServerDeletion
  /** Names, metadata and tags. */
  readonly labels: ServerLabels
  /** Lock, unlock and forced states. */
  readonly records: RecordActions
  readonly bulk: BulkActions

  constructor(options: ServerServiceOptions) {
    this.#options = options
    this.#guard = new ServerGuard(options)
    const parts = { ...options, guard: this.#guard, changes: new ServerChanges(options) }
    this.actions = new GuestActions(parts)
    this.deletion = new ServerDeletion({ ...parts, actions: this.actions })
    this.labels = new ServerLabels(parts)
    this.records = new RecordActions(parts)
    this.bulk = new BulkActions({
      ...parts,
      actions: this.actions,
      deletion: this.deletion,
      labels: this.labels,
      records: this.records,
    })
  }

  /** A server the caller may see, or null. */
  async server(caller: Caller, id: string): Promise<FoundServer | null> {
    return this.#guard.server(caller, id)
  }

  /** What the caller may do with a server now, with the reason and code where it may not. */
  allowedActions(
    caller: Caller,
    row: InstanceRow,
  ): { action: ServerAction; allowed: boolean; reason: string | null; errorCode: string | null }[] {
    return this.#guard.allowedActions(caller, row)
  }

  /** The system stops a server whose guest was found in another state (D-SYN-1). */
  async stopForSystem(cell: Cell, serverId: string): Promise<void> {
    await this.actions.stopForSystem(cell, serverId)
  }

  /** Servers by id that the caller may see; for fields that lead to servers. */
  async visibleById(caller: Caller, ids: readonly string[]): Promise<Map<string, FoundServer>> {
    return this.#guard.visibleById(caller, ids)
  }

  async servers(
    caller: Caller,
    request: PageRequest & { filter?: ServerFilterInput | null; orderBy?: OrderInput[] | null },
  ): Promise<Page<FoundServer>> {
    const { policy, repository, maxPageSize } = this.#options
    policy.enforce('os_compute_api:servers:detail', caller)
    const filter = request.filter ?? {}
    const elsewhere = filter.allProjects === true || (filter.projectId != null && filter.projectId !== caller.projectId)
    if (elsewhere) policy.enforce('os_compute_api:servers:detail:get_all_tenants', caller)
    if (filter.status?.includes('DELETED') || request.orderBy?.some((order) => adminSortKeys.includes(order.key))) {
      policy.enforce('os_compute_api:servers:allow_all_filters', caller)
    }
    const projectId = filter.projectId ?? (filter.allProjects === true ? null : (caller.projectId ?? ''))
    const orderBy =
      request.orderBy != null && request.orderBy.length > 0 ? request.orderBy : [{ key: 'CREATED_AT', direction: 'DESC' as const }]
    return repository.list({
      ...request,
      filter,
      projectId,
      keys: sortKeys(orderBy, columns, { key: 'CREATED_AT', direction: 'DESC' }, 'uuid'),
      fingerprint: listFingerprint('servers', projectId, filter, orderBy),
      maximum: maxPageSize,
    })
  }

  async consoleLog(caller: Caller, row: InstanceRow, cut: { tailLines: number | null; fromOffset: number | null; waitMs?: number }) {
    this.#options.policy.enforce('os_compute_api:os-console-output', caller, targetOf(row))
    const host = this.#readyHost(row)
    if (cut.fromOffset !== null && cut.fromOffset < 0) throw CloudError.badInput('fromOffset', 'fromOffset must not be negative.')
    if (cut.tailLines !== null && cut.tailLines < 0) throw CloudError.badInput('tailLines', 'tailLines must not be negative.')
    if (cut.tailLines === 0) return { output: '', startOffset: 0, endOffset: 0, truncated: false }
    return this.#askAgent(host, () => this.#options.bus.call(agentTopic(host), agentService.consoleLog, { serverId: row.uuid, ...cut }))
  }

  /** Consoles that the node of a server offers for it. */
  availableConsoles(row: InstanceRow, node: NodeRecord | null): ConsoleTypeName[] {
    if (row.host === null || row.vm_state === 'building') return []
    return node?.report_parsed.consoleTypes ?? []
  }

  async createConsole(
    caller: Caller,
    raw: { serverId: string; type: ConsoleTypeName; mode: 'CONTROL' | 'VIEW' },
  ): Promise<{ token: string; expiresAt: number }> {
    const found = await this.#guard.require(caller, raw.serverId, 'CREATE_CONSOLE')
    const { row, cell } = found
    const host = this.#readyHost(row)
    if (cell === null) throw notReady(row)
    if (isOff(row.vm_state)) {
      throw new CloudError('INVALID_STATE', `Cannot 'get console of' instance ${row.uuid} while it is in vm_state ${row.vm_state}`, {
        exception: 'InstanceInvalidState',
      })
    }
    const available = this.availableConsoles(row, await this.#nodeOf(row))
    if (!available.includes(raw.type)) {
      throw new CloudError('OPERATION_NOT_SUPPORTED', `Unavailable console type ${raw.type}.`, {
        exception: 'ConsoleTypeUnavailable',
        fields: ['input.type'],
      })
    }
    await this.#askAgent(host, () =>
      this.#options.bus.call(agentTopic(host), agentService.consoleTarget, { serverId: row.uuid, type: raw.type }),
    )
    return this.#options.consoleTokensOf(cell.id).issue({
      serverId: row.uuid,
      userId: caller.userId,
      projectId: caller.projectId ?? '',
      loginSessionId: caller.sessionId,
      type: raw.type,
      mode: raw.mode,
    })
  }

  #readyHost(row: InstanceRow): string {
    if (row.host === null) throw notReady(row)
    return row.host
  }

  async #nodeOf(row: InstanceRow): Promise<NodeRecord | null> {
    const { nodes } = await this.#options.hypervisors.allNodes()
    return nodes.find((node) => node.host === row.host) ?? null
  }

  async #askAgent<T>(host: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof BusUnavailableError)) throw error
      throw new CloudError('HOST_DOWN', 'The compute service of the server does not answer.', {
        exception: 'ComputeServiceUnavailable',
        cause: new Error(`${host}: ${error.message}`),
      })
    }
  }
}
