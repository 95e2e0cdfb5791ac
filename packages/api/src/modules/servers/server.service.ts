/** Servers: lists, single servers, and the actions that act on an existing one. */
import { randomUUID } from 'node:crypto'
import { CloudError } from '@kilonova/contract/errors'
import { description, hostname, name as validName } from '@kilonova/contract/inputs'
import type { OperationKind } from '@kilonova/contract/operations'
import { agentService, agentTopic, type ConsoleTypeName } from '@kilonova/contract/rpc/agent'
import { consoleRecheckTopic } from '@kilonova/contract/rpc/conductor'
import { refuseAction, type ServerAction, serverActions, type TaskState, type VmState } from '@kilonova/contract/server-states'
import { BusUnavailableError, type MessageBus } from '@kilonova/runtime/bus/bus'
import { openTransaction } from '@kilonova/runtime/transaction-scope'
import { z } from 'zod'
import { type Caller, isAdmin } from '../../caller.js'
import { type Cell, cell0Id } from '../../cells/cells.service.js'
import {
  changeInstance,
  type InstanceChange,
  type InstanceRow,
  instanceEvents,
  instanceNotFound,
  type NewInstance,
} from '../../cells/instance.store.js'
import { actionSagaId, beginDelete } from '../../conductor/begin-delete.js'
import { deleteBuriedRow } from '../../conductor/lost-actions.js'
import { SagaStore } from '../../conductor/saga-store.js'
import type { PowerTaskKind } from '../../conductor/tasks/power.task.js'
import type { Database } from '../../db/database.js'
import { listFingerprint, type Page, type PageRequest } from '../../db/paging.js'
import { type OrderInput, sortKeys } from '../../db/resource-order.js'
import type { ApiSchema, CellSchema } from '../../db/schemas.js'
import { Outbox } from '../../events/outbox.js'
import { parseInput } from '../../parse-input.js'
import { forbidden, type Policy } from '../../policy/policy.js'
import type { ConsoleTokens } from '../consoles/console-tokens.js'
import type { HypervisorService, NodeRecord } from '../hypervisors/hypervisor.service.js'
import type { IdempotencyService } from '../idempotency/idempotency.service.js'
import { generationMismatch, refuseStale } from '../identity/identity.service.js'
import { type NewOperation, newOperation, operationBegun } from '../operations/operation.store.js'
import type { ServerFilterInput } from './server.query.js'
import type { FoundServer, ServerRepository } from './server.repository.js'

export interface ServerServiceOptions {
  api: Database<ApiSchema>
  apiOutbox: Outbox<ApiSchema>
  repository: ServerRepository
  policy: Policy
  idempotency: IdempotencyService
  hypervisors: HypervisorService
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
  HOST: 'host',
  HYPERVISOR_HOSTNAME: 'node',
}
const adminSortKeys: readonly string[] = ['HOST', 'HYPERVISOR_HOSTNAME']

const updateServer = z.object({
  serverId: z.string(),
  name: validName.nullish(),
  description: description.nullish(),
  hostname: hostname.nullish(),
  accessIpV4: z.ipv4('That is not an IPv4 address.').nullish(),
  accessIpV6: z.ipv6('That is not an IPv6 address.').nullish(),
  diskConfig: z.enum(['AUTO', 'MANUAL']).nullish(),
  expectedGeneration: z.number().int().nullish(),
  idempotencyKey: z.string().nullish(),
})

const powerActions = {
  START: { kind: 'START', saga: 'start', task: 'powering-on', mutation: 'startServer' },
  STOP: { kind: 'STOP', saga: 'stop', task: 'powering-off', mutation: 'stopServer' },
  REBOOT_SOFT: { kind: 'REBOOT', saga: 'reboot_soft', task: 'rebooting', mutation: 'rebootServer' },
  REBOOT_HARD: { kind: 'REBOOT', saga: 'reboot_hard', task: 'rebooting_hard', mutation: 'rebootServer' },
} as const satisfies Partial<Record<ServerAction, { kind: OperationKind; saga: PowerTaskKind; task: TaskState; mutation: string }>>
export type PowerAction = keyof typeof powerActions

export class ServerService {
  readonly #options: ServerServiceOptions

  constructor(options: ServerServiceOptions) {
    this.#options = options
  }

  /** A server the caller may see, or null. */
  async server(caller: Caller, id: string): Promise<FoundServer | null> {
    const found = await this.#options.repository.find(id, isAdmin(caller) ? null : (caller.projectId ?? ''))
    if (found === null || !this.#options.policy.allows('os_compute_api:servers:show', caller, targetOf(found.row))) return null
    return found
  }

  /** Servers by id that the caller may see; for fields that lead to servers. */
  async visibleById(caller: Caller, ids: readonly string[]): Promise<Map<string, FoundServer>> {
    const found = await this.#options.repository.findMany(ids)
    for (const [id, { row }] of found) {
      if (!this.#options.policy.allows('os_compute_api:servers:show', caller, targetOf(row))) found.delete(id)
    }
    return found
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

  /** What the caller may do with a server now, with the reason and code where it may not. */
  allowedActions(
    caller: Caller,
    row: InstanceRow,
  ): { action: ServerAction; allowed: boolean; reason: string | null; errorCode: string | null }[] {
    return (Object.keys(serverActions) as ServerAction[]).map((action) => {
      const refusal = this.#refusal(caller, action, row)
      return { action, allowed: refusal === null, reason: refusal?.message ?? null, errorCode: refusal?.code ?? null }
    })
  }

  async update(caller: Caller, raw: unknown): Promise<FoundServer> {
    const input = parseInput(updateServer, raw)
    const found = await this.#require(caller, input.serverId, 'UPDATE')
    const values: InstanceChange = {
      ...(input.name == null ? {} : { display_name: input.name }),
      ...(input.description === undefined ? {} : { display_description: input.description }),
      ...(input.hostname == null ? {} : { hostname: input.hostname }),
      ...(input.accessIpV4 === undefined ? {} : { access_ip_v4: input.accessIpV4 }),
      ...(input.accessIpV6 === undefined ? {} : { access_ip_v6: input.accessIpV6 }),
      ...(input.diskConfig == null ? {} : { disk_config: input.diskConfig }),
    }
    await this.#options.idempotency.run(caller, {
      mutation: 'updateServer',
      key: input.idempotencyKey,
      input: raw,
      choose: () => ({ serverId: input.serverId }),
      work: async (refs, done) => {
        refuseStale(found.row.generation, input.expectedGeneration)
        await this.#applyUpdate(caller, input.serverId, values, found.row, input.expectedGeneration ?? null)
        await this.#options.api.transaction((trx) => done(trx, refs))
        return refs
      },
    })
    return this.#options.repository.require(input.serverId, null)
  }

  /** Start, stop and reboot: the first write is a compare-and-swap on the task state; the loser gets INVALID_STATE. */
  async power(
    caller: Caller,
    action: PowerAction,
    raw: { serverId: string; idempotencyKey?: string | null },
  ): Promise<{ operationId: string }> {
    const shape = powerActions[action]
    return this.#options.idempotency.run(caller, {
      mutation: shape.mutation,
      key: raw.idempotencyKey,
      input: { ...raw, action },
      choose: () => ({ operationId: randomUUID() }),
      work: async (refs, done) => {
        // Begun before a crash: the retry answers what is under way.
        if (!(await this.#hasBegun(raw, refs.operationId))) {
          const found = await this.#require(caller, raw.serverId, action)
          await this.#begin(caller, found, action, refs.operationId)
        }
        await this.#options.api.transaction((trx) => done(trx, refs))
        return refs
      },
    })
  }

  /** D-ACT-2. Answers the operation; `gone`: the server had no host yet and is no more. */
  async delete(caller: Caller, raw: { serverId: string; idempotencyKey?: string | null }): Promise<{ operationId: string; gone: number }> {
    return this.#options.idempotency.run(caller, {
      mutation: 'deleteServer',
      key: raw.idempotencyKey,
      input: raw,
      choose: () => ({ operationId: randomUUID() as string, gone: 0 }),
      work: async (refs, done) => {
        // The build may move the server into its cell between our look and our write: look again then.
        for (let attempt = 1; attempt <= 20; attempt++) {
          if ((await this.server(caller, raw.serverId)) === null && (await this.#hasBegun(raw, refs.operationId))) {
            // Begun before a crash and finished since.
            const made = { operationId: refs.operationId, gone: 1 }
            await this.#options.api.transaction((trx) => done(trx, made))
            return made
          }
          const found = await this.#require(caller, raw.serverId, 'DELETE')
          const outcome =
            found.cell === null
              ? await this.#deleteWaiting(caller, found.row, refs.operationId)
              : found.cell.id === cell0Id
                ? await this.#deleteBuried(caller, found.row, found.cell, refs.operationId)
                : await this.#deleteInCell(caller, found.row, found.cell, refs.operationId)
          if (outcome === 'look again') {
            await new Promise((resolve) => setImmediate(resolve))
            continue
          }
          const made = { operationId: outcome.operationId, gone: outcome.gone ? 1 : 0 }
          await this.#options.api.transaction((trx) => done(trx, made))
          await this.#options.bus.fanout(consoleRecheckTopic, { serverId: raw.serverId })
          return made
        }
        throw new CloudError('CONFLICT', `Server ${raw.serverId} changes too quickly; try again.`)
      },
    })
  }

  async consoleLog(caller: Caller, row: InstanceRow, cut: { tailLines: number | null; fromOffset: number | null }) {
    this.#options.policy.enforce('os_compute_api:os-console-output', caller, targetOf(row))
    const host = this.#readyHost(row)
    if (cut.tailLines !== null && cut.tailLines < 0) throw CloudError.badInput('tailLines', 'tailLines must not be negative.')
    if (cut.tailLines === 0) return { output: '', startOffset: 0, endOffset: 0, truncated: false }
    return this.#askAgent(host, () => this.#options.bus.call(agentTopic(host), agentService.consoleLog, { serverId: row.uuid, ...cut }))
  }

  /** Which consoles createConsole would accept on the server's host. */
  /** Consoles that the node of a server offers for it. */
  availableConsoles(row: InstanceRow, node: NodeRecord | null): ConsoleTypeName[] {
    if (row.host === null || row.vm_state === 'building') return []
    return node?.report_parsed.consoleTypes ?? []
  }

  async createConsole(
    caller: Caller,
    raw: { serverId: string; type: ConsoleTypeName; mode: 'CONTROL' | 'VIEW' },
  ): Promise<{ token: string; expiresAt: number }> {
    const found = await this.#require(caller, raw.serverId, 'CREATE_CONSOLE')
    const { row, cell } = found
    const host = this.#readyHost(row)
    if (cell === null) throw notReady(row)
    if (row.vm_state === 'stopped') {
      throw new CloudError('INVALID_STATE', `Cannot 'get console of' instance ${row.uuid} while it is in vm_state stopped`, {
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

  /** The system stops a server whose guest was found in another state (D-SYN-1). */
  async stopForSystem(cell: Cell, serverId: string): Promise<void> {
    const found = await this.#options.repository.find(serverId, null)
    if (found === null || found.cell?.id !== cell.id) return
    const { api, apiOutbox } = this.#options
    const operationId = randomUUID()
    const operation = { id: operationId, kind: 'STOP' as const, caller: null, projectId: found.row.project_id, serverId }
    const begun = await this.#beginInCell(null, found.row, cell, 'STOP', operationId, ['active', 'paused', 'stopped'])
    if (!begun) return
    await api.transaction(async (trx) => {
      await newOperation(trx, api, operation)
      await apiOutbox.append(trx, [operationBegun(operation)])
    })
    this.#options.pokeCell(cell.id, `act-${operationId}`)
  }

  async #begin(caller: Caller, found: FoundServer, action: PowerAction, operationId: string): Promise<void> {
    const { api, apiOutbox, pokeCell } = this.#options
    const { row, cell } = found
    if (cell === null) throw notReady(row)
    const operation = { id: operationId, kind: powerActions[action].kind, caller, projectId: row.project_id, serverId: row.uuid }
    await api.transaction(async (trx) => {
      await newOperation(trx, api, operation)
      await apiOutbox.append(trx, [operationBegun(operation)])
    })
    const rule = serverActions[action]
    const begun = await this.#beginInCell(caller, row, cell, action, operationId, rule.vmStates === 'any' ? [] : rule.vmStates)
    if (!begun) {
      await api.transaction(async (trx) => {
        await trx.deleteFrom('operations').where('id', '=', operationId).execute()
      })
      throw new CloudError('INVALID_STATE', `Cannot '${rule.verb}' instance ${row.uuid}: another action has begun.`, {
        exception: 'InstanceInvalidState',
      })
    }
    pokeCell(cell.id, `act-${operationId}`)
  }

  async #beginInCell(
    caller: Caller | null,
    row: InstanceRow,
    cell: Cell,
    action: PowerAction,
    operationId: string,
    vmStates: readonly VmState[],
  ): Promise<boolean> {
    const { database } = cell
    const shape = powerActions[action]
    const sagaId = `act-${operationId}`
    const values: InstanceChange = { task_state: shape.task, operation_id: operationId, fence: row.fence + 1 }
    const context = { operationId, requestId: caller?.requestId ?? null }
    return database.transaction(async (trx) => {
      const existing = await trx.selectFrom('sagas').select('id').where('id', '=', sagaId).executeTakeFirst()
      if (existing !== undefined) return true
      const changed = await changeInstance(trx, database.now, row.uuid, values, {
        vmStates,
        taskStates: row.task_state === null ? [null] : [null, row.task_state as TaskState],
      })
      if (changed === null || changed.host === null) return false
      await new SagaStore<CellSchema>(database, '').insert(trx, {
        id: sagaId,
        kind: shape.saga,
        operationId,
        serverId: row.uuid,
        projectId: row.project_id,
        requestId: context.requestId,
        fence: changed.fence,
        state: { host: changed.host },
      })
      // A hard reboot takes over from an action that hangs.
      if (row.task_state !== null) {
        await trx
          .updateTable('sagas')
          .set((eb) => ({ cancel_requested: 1, wake_at: 0, row_version: eb('row_version', '+', 1) }))
          .where('server_id', '=', row.uuid)
          .where('id', '!=', sagaId)
          .execute()
      }
      await new Outbox(database, this.#options.publisherId).append(trx, instanceEvents(changed, values, context))
      return true
    })
  }

  /** The server has no cell yet: its request is withdrawn and the build unwinds by itself. */
  async #deleteWaiting(caller: Caller, row: InstanceRow, operationId: string) {
    const { api, apiOutbox, pokeApi } = this.#options
    const operation = {
      id: operationId,
      kind: 'DELETE' as const,
      caller,
      projectId: row.project_id,
      serverId: row.uuid,
      state: 'SUCCEEDED' as const,
    }
    return api.transaction(async (trx) => {
      const claimed = await trx
        .updateTable('instance_mappings')
        .set({ queued_for_delete: 1 })
        .where('instance_uuid', '=', row.uuid)
        .where('cell_uuid', 'is', null)
        .returning('instance_uuid')
        .executeTakeFirst()
      if (claimed === undefined) return 'look again' as const
      await trx.deleteFrom('build_requests').where('instance_uuid', '=', row.uuid).execute()
      const sagas = await trx
        .updateTable('sagas')
        .set((eb) => ({ cancel_requested: 1, wake_at: 0, row_version: eb('row_version', '+', 1) }))
        .where('server_id', '=', row.uuid)
        .returning('id')
        .execute()
      for (const saga of sagas) openTransaction()?.afterCommit.push(() => pokeApi(saga.id))
      await newOperation(trx, api, operation)
      const deleted = { ...row, vm_state: 'deleted', deleted_at: row.updated_at }
      await apiOutbox.append(trx, [
        ...instanceEvents(
          deleted,
          { deleted_at: 0 },
          { operationId, requestId: caller.requestId },
          { eventType: 'instance.delete.end', phase: 'END' },
        ),
        operationBegun(operation),
      ])
      return { operationId, gone: true }
    })
  }

  /** Whether an earlier try with the same retry key has begun the action already: its operation is there, and so is its end or its saga. */
  async #hasBegun(raw: { serverId: string; idempotencyKey?: string | null }, operationId: string): Promise<boolean> {
    if (raw.idempotencyKey == null) return false
    const { api, repository } = this.#options
    const operation = await api.read.selectFrom('operations').select('state').where('id', '=', operationId).executeTakeFirst()
    if (operation === undefined) return false
    if (operation.state !== 'RUNNING') return true
    const cell = (await repository.find(raw.serverId, null))?.cell
    if (cell == null) return true
    const saga = await cell.database.read.selectFrom('sagas').select('id').where('id', '=', actionSagaId(operationId)).executeTakeFirst()
    return saga !== undefined
  }

  /** A server in cell0 has nothing on any host: it is deleted here. Cut short, it is taken up again as a lost action. */
  async #deleteBuried(caller: Caller, row: InstanceRow, cell: Cell, operationId: string) {
    const { api, apiOutbox, publisherId } = this.#options
    const operation = { id: operationId, kind: 'DELETE' as const, caller, projectId: row.project_id, serverId: row.uuid }
    await api.transaction((trx) => newOperation(trx, api, operation))
    await deleteBuriedRow(cell, publisherId, row.uuid, { operationId, requestId: caller.requestId })
    await this.#finishDelete({ ...operation, state: 'SUCCEEDED' as const }, apiOutbox)
    return { operationId, gone: true }
  }

  async #finishDelete(operation: NewOperation, outbox: Outbox<ApiSchema>): Promise<void> {
    const { api } = this.#options
    await api.transaction(async (trx) => {
      const { now } = api
      await trx
        .updateTable('instance_mappings')
        .set({ queued_for_delete: 1 })
        .where('instance_uuid', '=', operation.serverId ?? '')
        .execute()
      await trx
        .updateTable('operations')
        .set({ state: 'SUCCEEDED', progress: 100, finished_at: now, updated_at: now })
        .where('id', '=', operation.id)
        .where('state', '=', 'RUNNING')
        .execute()
      await outbox.append(trx, [operationBegun(operation)])
    })
  }

  async #deleteInCell(caller: Caller, row: InstanceRow, cell: Cell, operationId: string) {
    const { api, apiOutbox, publisherId, pokeCell } = this.#options
    // A second delete while deleting is ignored: it answers the operation that runs.
    const running = row.task_state === 'deleting' && row.operation_id !== null ? row.operation_id : null
    const id = running ?? operationId
    const operation = { id, kind: 'DELETE' as const, caller, projectId: row.project_id, serverId: row.uuid }
    await api.transaction(async (trx) => {
      await trx.updateTable('instance_mappings').set({ queued_for_delete: 1 }).where('instance_uuid', '=', row.uuid).execute()
      await newOperation(trx, api, operation)
      if (running === null) await apiOutbox.append(trx, [operationBegun(operation)])
    })
    const request = { serverId: row.uuid, operationId: id, projectId: row.project_id, requestId: caller.requestId }
    const deleting = await beginDelete(cell.database, publisherId, request)
    if (deleting === null) {
      // The build gave it up, or another request deleted it, since we looked.
      await this.#finishDelete({ ...operation, state: 'SUCCEEDED' as const }, apiOutbox)
      return { operationId: id, gone: true }
    }
    if (deleting !== id) await api.transaction((trx) => trx.deleteFrom('operations').where('id', '=', id).execute())
    pokeCell(cell.id, actionSagaId(deleting))
    return { operationId: deleting, gone: false }
  }

  async #applyUpdate(
    caller: Caller,
    serverId: string,
    values: InstanceChange,
    before: InstanceRow,
    expectedGeneration: number | null,
  ): Promise<void> {
    for (let attempt = 1; attempt <= 20; attempt++) {
      const found = await this.#options.repository.require(serverId, null)
      const done =
        found.cell === null
          ? await this.#updateWaiting(caller, serverId, values)
          : await this.#updateInCell(caller, found.cell, serverId, values, expectedGeneration)
      if (done) return
      if (expectedGeneration !== null) throw generationMismatch((await this.#options.repository.require(serverId, null)).row.generation)
      await new Promise((resolve) => setImmediate(resolve))
    }
    throw new CloudError('CONFLICT', `Server ${before.uuid} changes too quickly; try again.`)
  }

  async #updateWaiting(caller: Caller, serverId: string, values: InstanceChange): Promise<boolean> {
    const { api, apiOutbox } = this.#options
    return api.transaction(async (trx) => {
      const request = await trx.selectFrom('build_requests').select('instance').where('instance_uuid', '=', serverId).executeTakeFirst()
      const mapping = await trx.selectFrom('instance_mappings').select('cell_uuid').where('instance_uuid', '=', serverId).executeTakeFirst()
      if (request === undefined || mapping?.cell_uuid != null) return false
      const stored = JSON.parse(request.instance) as NewInstance
      const instance = { ...stored, ...values, generation: Number(stored.generation ?? 1) + 1 }
      await trx
        .updateTable('build_requests')
        .set({ instance: JSON.stringify(instance), updated_at: api.now })
        .where('instance_uuid', '=', serverId)
        .execute()
      await apiOutbox.append(
        trx,
        instanceEvents({ id: 0, ...instance } as InstanceRow, values, { operationId: null, requestId: caller.requestId }),
      )
      return true
    })
  }

  async #updateInCell(
    caller: Caller,
    cell: Cell,
    serverId: string,
    values: InstanceChange,
    expectedGeneration: number | null,
  ): Promise<boolean> {
    const { database } = cell
    return database.transaction(async (trx) => {
      const changed = await changeInstance(trx, database.now, serverId, values, {
        taskStates: 'any',
        generation: expectedGeneration ?? undefined,
      })
      if (changed === null) return false
      await new Outbox(database, this.#options.publisherId).append(
        trx,
        instanceEvents(changed, values, { operationId: null, requestId: caller.requestId }),
      )
      return true
    })
  }

  /** The server, if the caller may do this to it now. */
  async #require(caller: Caller, serverId: string, action: ServerAction): Promise<FoundServer> {
    const found = await this.server(caller, serverId)
    if (found === null) throw instanceNotFound(serverId)
    const refusal = this.#refusal(caller, action, found.row)
    if (refusal !== null) throw refusal
    return found
  }

  #refusal(caller: Caller, action: ServerAction, row: InstanceRow): CloudError | null {
    const rule = serverActions[action]
    if (!this.#options.policy.allows(rule.policy as Parameters<Policy['allows']>[0], caller, targetOf(row))) return forbidden(rule.policy)
    const refusal = refuseAction(
      action,
      {
        uuid: row.uuid,
        vmState: row.vm_state as VmState,
        taskState: row.task_state as TaskState | null,
        host: row.host,
        launched: row.launched_at !== null,
        locked: row.locked === 1,
      },
      isAdmin(caller),
    )
    return refusal === null ? null : new CloudError(refusal.code, refusal.message, { exception: refusal.exception })
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

export const targetOf = (row: InstanceRow) => ({ project_id: row.project_id, user_id: row.user_id })

const notReady = (row: InstanceRow): CloudError =>
  new CloudError('NOT_READY', `Instance ${row.uuid} is not ready`, { exception: 'InstanceNotReady' })
