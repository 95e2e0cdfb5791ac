/** deleteServer: from any state and any place a server can be in (D-ACT-2, A-ACT-41). */
import { randomUUID } from 'node:crypto'
import { CloudError } from '@kilonova/contract/errors'
import { consoleRecheckTopic } from '@kilonova/contract/rpc/conductor'
import type { MessageBus } from '@kilonova/runtime/bus/bus'
import { openTransaction } from '@kilonova/runtime/transaction-scope'
import type { Caller } from '../../caller.js'
import { type Cell, cell0Id } from '../../cells/cells.service.js'
import { type InstanceRow, instanceEvents } from '../../cells/instance.store.js'
import { actionSagaId, beginDelete } from '../../conductor/begin-delete.js'
import { deleteBuriedRow } from '../../conductor/lost-actions.js'
import type { Database } from '../../db/database.js'
import type { ApiSchema } from '../../db/schemas.js'
import type { Outbox } from '../../events/outbox.js'
import type { IdempotencyService } from '../idempotency/idempotency.service.js'
import { type NewOperation, newOperation, operationBegun } from '../operations/operation.store.js'
import type { GuestActions } from './guest-actions.js'
import type { ServerGuard } from './server-guard.js'

export interface ServerDeletionOptions {
  api: Database<ApiSchema>
  apiOutbox: Outbox<ApiSchema>
  guard: ServerGuard
  actions: GuestActions
  idempotency: IdempotencyService
  bus: MessageBus
  publisherId: string
  /** Runs a saga that was written to a cell. */
  pokeCell: (cellId: string, sagaId: string) => void
  /** Runs sagas of the API database again that were asked to stop. */
  pokeApi: (sagaId: string) => void
}

export class ServerDeletion {
  readonly #options: ServerDeletionOptions

  constructor(options: ServerDeletionOptions) {
    this.#options = options
  }

  /** Answers the operation; `gone`: the server had no host yet and is no more. */
  async run(caller: Caller, raw: { serverId: string; idempotencyKey?: string | null }): Promise<{ operationId: string; gone: number }> {
    return this.#options.idempotency.run(caller, {
      mutation: 'deleteServer',
      key: raw.idempotencyKey,
      input: raw,
      choose: () => ({ operationId: randomUUID() as string, gone: 0 }),
      work: async (refs, done) => {
        const made = await this.begin(caller, raw.serverId, refs.operationId, raw.idempotencyKey != null)
        await this.#options.api.transaction((trx) => done(trx, made))
        return made
      },
    })
  }

  /** Begins the deletion under an operation id chosen before, or answers the operation of one that runs already. */
  async begin(caller: Caller, serverId: string, operationId: string, mayBeRepeat: boolean): Promise<{ operationId: string; gone: number }> {
    const { actions, bus, guard } = this.#options
    // The build may move the server into its cell between our look and our write: look again then.
    for (let attempt = 1; attempt <= 20; attempt++) {
      // Begun before a crash and finished since.
      if (mayBeRepeat && (await guard.server(caller, serverId)) === null && (await actions.hasBegun(serverId, operationId))) {
        return { operationId, gone: 1 }
      }
      const found = await guard.require(caller, serverId, 'DELETE')
      const outcome =
        found.cell === null
          ? await this.#deleteWaiting(caller, found.row, operationId)
          : found.cell.id === cell0Id
            ? await this.#deleteBuried(caller, found.row, found.cell, operationId)
            : await this.#deleteInCell(caller, found.row, found.cell, operationId)
      if (outcome === 'look again') {
        await new Promise((resolve) => setImmediate(resolve))
        continue
      }
      await bus.fanout(consoleRecheckTopic, { serverId })
      return { operationId: outcome.operationId, gone: outcome.gone ? 1 : 0 }
    }
    throw new CloudError('CONFLICT', `Server ${serverId} changes too quickly; try again.`)
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
        .where('state', 'in', ['QUEUED', 'RUNNING'])
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
}
