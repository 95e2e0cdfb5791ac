/** Actions that a server's host carries out: start, stop, reboot, pause, unpause, suspend, resume (D-ACT-6…13). */
import { randomUUID } from 'node:crypto'
import { CloudError } from '@kilonova/contract/errors'
import type { OperationKind } from '@kilonova/contract/operations'
import { type ServerAction, serverActions, type TaskState, type VmState } from '@kilonova/contract/server-states'
import type { Caller } from '../../caller.js'
import type { Cell } from '../../cells/cells.service.js'
import { changeInstance, type InstanceChange, type InstanceRow, instanceEvents } from '../../cells/instance.store.js'
import { actionSagaId } from '../../conductor/begin-delete.js'
import { SagaStore } from '../../conductor/saga-store.js'
import type { PauseTaskKind } from '../../conductor/tasks/pause.task.js'
import type { PowerTaskKind } from '../../conductor/tasks/power.task.js'
import type { Database } from '../../db/database.js'
import type { ApiSchema, CellSchema } from '../../db/schemas.js'
import { Outbox } from '../../events/outbox.js'
import type { IdempotencyService } from '../idempotency/idempotency.service.js'
import { newOperation, operationBegun } from '../operations/operation.store.js'
import type { FoundServer, ServerRepository } from './server.repository.js'
import type { ServerGuard } from './server-guard.js'

export interface GuestActionsOptions {
  api: Database<ApiSchema>
  apiOutbox: Outbox<ApiSchema>
  repository: ServerRepository
  guard: ServerGuard
  idempotency: IdempotencyService
  publisherId: string
  /** Runs a saga that was written to a cell. */
  pokeCell: (cellId: string, sagaId: string) => void
}

interface Shape {
  kind: OperationKind
  saga: PowerTaskKind | PauseTaskKind
  task: TaskState
  mutation: string
}
const shapes = {
  START: { kind: 'START', saga: 'start', task: 'powering-on', mutation: 'startServer' },
  STOP: { kind: 'STOP', saga: 'stop', task: 'powering-off', mutation: 'stopServer' },
  REBOOT_SOFT: { kind: 'REBOOT', saga: 'reboot_soft', task: 'rebooting', mutation: 'rebootServer' },
  REBOOT_HARD: { kind: 'REBOOT', saga: 'reboot_hard', task: 'rebooting_hard', mutation: 'rebootServer' },
  PAUSE: { kind: 'PAUSE', saga: 'pause', task: 'pausing', mutation: 'pauseServer' },
  UNPAUSE: { kind: 'UNPAUSE', saga: 'unpause', task: 'unpausing', mutation: 'unpauseServer' },
  SUSPEND: { kind: 'SUSPEND', saga: 'suspend', task: 'suspending', mutation: 'suspendServer' },
  RESUME: { kind: 'RESUME', saga: 'resume', task: 'resuming', mutation: 'resumeServer' },
} as const satisfies Partial<Record<ServerAction, Shape>>
export type GuestAction = keyof typeof shapes
export const isGuestAction = (action: ServerAction): action is GuestAction => Object.hasOwn(shapes, action)
export const operationKindOf = (action: GuestAction): OperationKind => shapes[action].kind

export class GuestActions {
  readonly #options: GuestActionsOptions

  constructor(options: GuestActionsOptions) {
    this.#options = options
  }

  /** The first write is a compare-and-swap on the task state; the loser gets INVALID_STATE. */
  async run(
    caller: Caller,
    action: GuestAction,
    raw: { serverId: string; idempotencyKey?: string | null },
  ): Promise<{ operationId: string }> {
    return this.#options.idempotency.run(caller, {
      mutation: shapes[action].mutation,
      key: raw.idempotencyKey,
      input: { ...raw, action },
      choose: () => ({ operationId: randomUUID() as string }),
      work: async (refs, done) => {
        await this.begin(caller, action, raw.serverId, refs.operationId, raw.idempotencyKey != null)
        await this.#options.api.transaction((trx) => done(trx, refs))
        return refs
      },
    })
  }

  /** Begins an action under an operation id chosen before; refused, it leaves no operation. */
  async begin(caller: Caller, action: GuestAction, serverId: string, operationId: string, mayBeRepeat: boolean): Promise<void> {
    // Begun before a crash: the retry answers what is under way.
    if (mayBeRepeat && (await this.hasBegun(serverId, operationId))) return
    const found = await this.#options.guard.require(caller, serverId, action)
    await this.#begin(caller, found, action, operationId)
  }

  /** Whether an earlier try has begun the action already: its operation is there, and so is its end or its saga. */
  async hasBegun(serverId: string, operationId: string): Promise<boolean> {
    const { api, repository } = this.#options
    const operation = await api.read.selectFrom('operations').select('state').where('id', '=', operationId).executeTakeFirst()
    if (operation === undefined) return false
    if (operation.state !== 'RUNNING' && operation.state !== 'QUEUED') return true
    const cell = (await repository.find(serverId, null))?.cell
    if (cell == null) return true
    const saga = await cell.database.read.selectFrom('sagas').select('id').where('id', '=', actionSagaId(operationId)).executeTakeFirst()
    return saga !== undefined
  }

  /** The system stops a server whose guest was found in another state (D-SYN-1). */
  async stopForSystem(cell: Cell, serverId: string): Promise<void> {
    const { api, apiOutbox, pokeCell, repository } = this.#options
    const found = await repository.find(serverId, null)
    if (found === null || found.cell?.id !== cell.id) return
    const operationId = randomUUID()
    const operation = { id: operationId, kind: 'STOP' as const, caller: null, projectId: found.row.project_id, serverId }
    const begun = await this.#beginInCell(null, found.row, cell, 'STOP', operationId, ['active', 'paused', 'stopped'])
    if (!begun) return
    await api.transaction(async (trx) => {
      await newOperation(trx, api, operation)
      await apiOutbox.append(trx, [operationBegun(operation)])
    })
    pokeCell(cell.id, actionSagaId(operationId))
  }

  async #begin(caller: Caller, found: FoundServer, action: GuestAction, operationId: string): Promise<void> {
    const { api, apiOutbox, pokeCell } = this.#options
    const { row, cell } = found
    if (cell === null) throw notReady(row)
    const operation = { id: operationId, kind: shapes[action].kind, caller, projectId: row.project_id, serverId: row.uuid }
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
    pokeCell(cell.id, actionSagaId(operationId))
  }

  async #beginInCell(
    caller: Caller | null,
    row: InstanceRow,
    cell: Cell,
    action: GuestAction,
    operationId: string,
    vmStates: readonly VmState[],
  ): Promise<boolean> {
    if (row.host === null) return false
    const { database } = cell
    const { host } = row
    const shape = shapes[action]
    const sagaId = actionSagaId(operationId)
    const values: InstanceChange = { task_state: shape.task, operation_id: operationId, fence: row.fence + 1 }
    const context = { operationId, requestId: caller?.requestId ?? null }
    return database.transaction(async (trx) => {
      const existing = await trx.selectFrom('sagas').select('id').where('id', '=', sagaId).executeTakeFirst()
      if (existing !== undefined) return true
      const changed = await changeInstance(trx, database.now, row.uuid, values, {
        vmStates,
        taskStates: row.task_state === null ? [null] : [null, row.task_state as TaskState],
      })
      if (changed === null) return false
      await new SagaStore<CellSchema>(database, '').insert(trx, {
        id: sagaId,
        kind: shape.saga,
        operationId,
        serverId: row.uuid,
        projectId: row.project_id,
        requestId: context.requestId,
        fence: changed.fence,
        state: { host: changed.host ?? host },
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
}

export const notReady = (row: InstanceRow): CloudError =>
  new CloudError('NOT_READY', `Instance ${row.uuid} is not ready`, { exception: 'InstanceNotReady' })
