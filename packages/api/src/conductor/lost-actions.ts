/**
 * An action is first an operation in the API database and then a saga in the server's cell. A crash between the two leaves an
 * operation that nobody works on: a deletion is begun again, every other action ends as cancelled, because nothing of it has happened.
 */
import { finishedStates, type OperationState } from '@kilonova/contract/operations'
import type { Clock } from '@kilonova/runtime/clock'
import type { Logger } from '@kilonova/runtime/logger'
import { type Cell, type CellsService, cell0Id } from '../cells/cells.service.js'
import { changeInstance, type InstanceChange, instanceEvents } from '../cells/instance.store.js'
import type { Database, Row } from '../db/database.js'
import type { ApiSchema } from '../db/schemas.js'
import { projectParent } from '../events/operation-projection.js'
import { operationUpdate } from '../events/operation-update.js'
import { Outbox } from '../events/outbox.js'
import { actionSagaId, beginDelete } from './begin-delete.js'

export interface LostActionsOptions {
  api: Database<ApiSchema>
  cells: CellsService
  publisherId: string
  pokeCell: (cellId: string, sagaId: string) => void
  clock: Clock
  log: Logger
}

type OperationRow = Row<ApiSchema, 'operations'>

const actionKinds = ['DELETE', 'START', 'STOP', 'REBOOT', 'PAUSE', 'UNPAUSE', 'SUSPEND', 'RESUME', 'LOCK', 'UNLOCK', 'RESET_STATE']
const everyMs = 60_000
/** Far longer than a request takes from its operation to its saga. */
const graceMs = 30_000

export class LostActions {
  readonly #options: LostActionsOptions

  constructor(options: LostActionsOptions) {
    this.#options = options
  }

  /** First what an earlier run left, then now and then what others left. `alone`: everything begun before `openedAt` is nobody's. */
  async run(openedAt: number, alone: boolean, stop: AbortSignal): Promise<void> {
    const { api, clock, log } = this.#options
    let before = alone ? openedAt : openedAt - graceMs
    while (!stop.aborted) {
      try {
        await this.takeUp(before)
      } catch (error) {
        log.error({ err: error }, 'looking for lost actions failed')
      }
      await clock.sleep(everyMs, stop)
      if (!stop.aborted) before = (await api.readClock()) - graceMs
    }
  }

  /** Looks at the unfinished actions begun before a time of the database's clock; answers those it took up. */
  async takeUp(before: number): Promise<string[]> {
    const { api, log } = this.#options
    const open = await api.read
      .selectFrom('operations')
      .selectAll()
      .where('state', 'in', ['QUEUED', 'RUNNING'])
      .where('kind', 'in', actionKinds)
      .where('server_id', 'is not', null)
      .where('created_at', '<', before)
      .execute()
    const taken: string[] = []
    for (const operation of open) {
      const cell = await this.#cellOf(operation.server_id ?? '')
      if (cell === null || (await this.#isAlive(operation, cell))) continue
      log.warn({ operation: operation.id, kind: operation.kind, server: operation.server_id }, 'taking up an action that was cut short')
      if (operation.kind === 'DELETE') await this.#deleteAgain(operation, cell)
      else await this.#cancel(operation)
      taken.push(operation.id)
    }
    await this.#settleParents(before)
    return taken
  }

  /** A bulk action that was cut short when nothing below it was left to tell of its end. */
  async #settleParents(before: number): Promise<void> {
    const { api } = this.#options
    const parents = await api.read
      .selectFrom('operations')
      .select('id')
      .where('kind', '=', 'BULK')
      .where('state', '=', 'RUNNING')
      .where('created_at', '<', before)
      .execute()
    for (const { id } of parents) await api.transaction((trx) => projectParent(trx, api.now, id))
  }

  /** The order matters: a saga that ends writes its event, the event reaches the operation before it leaves the outbox. */
  async #isAlive(operation: OperationRow, cell: Cell): Promise<boolean> {
    const { read } = cell.database
    const saga = await read.selectFrom('sagas').select('id').where('operation_id', '=', operation.id).executeTakeFirst()
    if (saga !== undefined) return true
    const told = await read.selectFrom('outbox').select('id').where('operation_id', '=', operation.id).executeTakeFirst()
    if (told !== undefined) return true
    const now = await this.#options.api.read.selectFrom('operations').select('state').where('id', '=', operation.id).executeTakeFirst()
    return now === undefined || finishedStates.includes(now.state as OperationState)
  }

  async #deleteAgain(operation: OperationRow, cell: Cell): Promise<void> {
    const { api, publisherId, pokeCell } = this.#options
    const serverId = operation.server_id ?? ''
    if (cell.id === cell0Id) {
      await deleteBuriedRow(cell, publisherId, serverId, { operationId: operation.id, requestId: operation.request_id })
    } else {
      const request = { serverId, operationId: operation.id, projectId: operation.project_id, requestId: operation.request_id }
      if ((await beginDelete(cell.database, publisherId, request)) === operation.id) {
        pokeCell(cell.id, actionSagaId(operation.id))
        return
      }
    }
    await api.transaction(async (trx) => {
      await trx.updateTable('instance_mappings').set({ queued_for_delete: 1 }).where('instance_uuid', '=', serverId).execute()
      await new Outbox(api, publisherId).append(trx, [operationUpdate(referenceOf(operation), { state: 'SUCCEEDED', progress: 100 })])
    })
  }

  async #cancel(operation: OperationRow): Promise<void> {
    const { api, publisherId } = this.#options
    const error = { code: 'CANCELLED', message: 'The service was stopped before the action began; nothing was done.' }
    await api.transaction((trx) =>
      new Outbox(api, publisherId).append(trx, [operationUpdate(referenceOf(operation), { state: 'CANCELLED', error })]),
    )
  }

  async #cellOf(serverId: string): Promise<Cell | null> {
    const { api, cells } = this.#options
    const mapping = await api.read
      .selectFrom('instance_mappings')
      .select('cell_uuid')
      .where('instance_uuid', '=', serverId)
      .executeTakeFirst()
    return mapping?.cell_uuid == null ? null : cells.get(mapping.cell_uuid)
  }
}

const referenceOf = (operation: OperationRow) => ({
  operationId: operation.id,
  projectId: operation.project_id,
  requestId: operation.request_id,
})

/** A server in cell0 has nothing on any host: its row is all there is. */
export async function deleteBuriedRow(
  cell: Cell,
  publisherId: string,
  serverId: string,
  context: { operationId: string; requestId: string | null },
): Promise<void> {
  const { database } = cell
  const values: InstanceChange = { vm_state: 'deleted', task_state: null, terminated_at: database.now, deleted_at: database.now }
  await database.transaction(async (trx) => {
    const changed = await changeInstance(trx, database.now, serverId, values)
    if (changed === null) return
    const told = instanceEvents(changed, values, context, { eventType: 'instance.delete.end', phase: 'END' })
    await new Outbox(database, publisherId).append(trx, told)
  })
}
