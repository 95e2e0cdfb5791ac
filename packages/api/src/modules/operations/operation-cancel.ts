/**
 * cancelOperation: asks the saga of an operation to stop, wherever it runs. What was done so far is unwound and the operation ends as
 * CANCELLED; past the point of no return it is refused. A parent passes the wish on to its children.
 */
import { CloudError } from '@kilonova/contract/errors'
import { finishedStates, type OperationState } from '@kilonova/contract/operations'
import type { Transaction } from 'kysely'
import type { Caller } from '../../caller.js'
import type { Cell, CellsService } from '../../cells/cells.service.js'
import { canBeCancelled, cancelLimits } from '../../conductor/cancellable.js'
import type { SagaRow } from '../../conductor/saga-store.js'
import type { Database } from '../../db/database.js'
import type { ApiSchema, SharedSchema } from '../../db/schemas.js'
import type { Policy } from '../../policy/policy.js'
import type { IdempotencyService } from '../idempotency/idempotency.service.js'
import type { OperationService } from './operation.service.js'
import type { OperationRow } from './operation.store.js'

export interface OperationCancelOptions {
  api: Database<ApiSchema>
  cells: CellsService
  policy: Policy
  idempotency: IdempotencyService
  operations: OperationService
  /** A saga may run now: of the API database, or of a cell. */
  wakeApi: (sagaId: string) => void
  wakeCell: (cellId: string, sagaId: string) => void
}

interface Place {
  database: Database<SharedSchema>
  wake: (sagaId: string) => void
}

const cancelRule = 'cloud:operations:cancel'
const maxTries = 20
const isFinished = (row: OperationRow): boolean => finishedStates.includes(row.state as OperationState)
const isParent = (row: OperationRow): boolean => row.kind === 'BULK' || (row.kind === 'CREATE' && row.server_id === null)

export class OperationCancel {
  readonly #options: OperationCancelOptions

  constructor(options: OperationCancelOptions) {
    this.#options = options
  }

  /** For each operation whether cancelling it would be accepted now; the number of statements does not depend on how many there are. */
  async cancellable(caller: Caller, ids: readonly string[]): Promise<Map<string, boolean>> {
    const { cells, operations } = this.#options
    const rows = [...(await operations.visibleById(caller, ids)).values()].filter((row) => !isFinished(row) && this.#may(caller, row))
    const leaves = new Map(rows.filter((row) => !isParent(row)).map((row) => [row.id, row.id]))
    for (const child of await this.#openChildren(rows.filter(isParent).map((row) => row.id))) leaves.set(child.id, child.parent_id ?? '')
    const answer = new Map(ids.map((id) => [id, false]))
    if (leaves.size === 0) return answer
    const { answers } = await cells.scatter(await cells.withHosts(), (cell) => sagasOf(placeOf(cell), [...leaves.keys()]))
    const sagas = [...(await sagasOf(this.#apiPlace(), [...leaves.keys()])), ...answers.flatMap(({ value }) => value)]
    for (const saga of sagas) if (canBeCancelled(saga)) answer.set(leaves.get(saga.operation_id) ?? '', true)
    return answer
  }

  async cancel(caller: Caller, raw: { operationId: string; idempotencyKey?: string | null }): Promise<OperationRow> {
    const { api, idempotency } = this.#options
    await this.#require(caller, raw.operationId)
    await idempotency.run(caller, {
      mutation: 'cancelOperation',
      key: raw.idempotencyKey,
      input: raw,
      choose: () => ({ operationId: raw.operationId }),
      work: async (refs, done) => {
        const row = await this.#require(caller, raw.operationId)
        // Asked for by an earlier try with this key, and stopped since.
        const isStopped = raw.idempotencyKey != null && row.state === 'CANCELLED'
        if (!isStopped && !(await this.#stop(row))) {
          throw new CloudError('NOT_CANCELLABLE', `Operation ${row.id} is over or past the point where it can stop.`, {
            exception: 'OperationNotCancellable',
          })
        }
        await api.transaction((trx) => done(trx, refs))
        return refs
      },
    })
    return this.#require(caller, raw.operationId)
  }

  async #require(caller: Caller, id: string): Promise<OperationRow> {
    const row = await this.#options.operations.operation(caller, id)
    if (row === null) throw CloudError.notFound('Operation', id)
    this.#options.policy.enforce(cancelRule, caller, { project_id: row.project_id, user_id: row.user_id })
    return row
  }

  async #stop(row: OperationRow): Promise<boolean> {
    if (isFinished(row)) return false
    if (!isParent(row)) return this.#stopOne(row)
    const stopped = await Promise.all((await this.#openChildren([row.id])).map((child) => this.#stopOne(child)))
    return stopped.includes(true)
  }

  /** True: its saga will unwind. A build is looked for again while it moves from the API database into its cell. */
  async #stopOne(row: OperationRow): Promise<boolean> {
    for (let attempt = 1; attempt <= maxTries; attempt++) {
      const place = await this.#cellPlace(row)
      const inCell = place === null ? 'absent' : await ask(place, row.id)
      if (inCell === 'asked' || inCell === 'too late') return inCell === 'asked'
      const inApi = await ask(this.#apiPlace(), row.id)
      if (inApi === 'asked') return true
      const isMoving = inApi === 'too late' && row.kind === 'CREATE'
      if (!isMoving && (inApi === 'too late' || row.state !== 'QUEUED')) return false
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    return false
  }

  async #openChildren(parentIds: readonly string[]): Promise<OperationRow[]> {
    if (parentIds.length === 0) return []
    const rows = await this.#options.api.read
      .selectFrom('operations')
      .selectAll()
      .where('parent_id', 'in', [...parentIds])
      .execute()
    return rows.filter((row) => !isFinished(row))
  }

  #may(caller: Caller, row: OperationRow): boolean {
    return this.#options.policy.allows(cancelRule, caller, { project_id: row.project_id, user_id: row.user_id })
  }

  #apiPlace(): Place {
    return { database: this.#options.api as unknown as Database<SharedSchema>, wake: this.#options.wakeApi }
  }

  async #cellPlace(row: OperationRow): Promise<Place | null> {
    const { api, cells, wakeCell } = this.#options
    if (row.server_id === null) return null
    const mapping = await api.read
      .selectFrom('instance_mappings')
      .select('cell_uuid')
      .where('instance_uuid', '=', row.server_id)
      .executeTakeFirst()
    if (mapping?.cell_uuid == null) return null
    const cell = await cells.get(mapping.cell_uuid)
    return { ...placeOf(cell), wake: (sagaId) => wakeCell(cell.id, sagaId) }
  }
}

const placeOf = (cell: Cell): Place => ({ database: cell.database as unknown as Database<SharedSchema>, wake: () => {} })

const sagasOf = (place: Place, operationIds: readonly string[]): Promise<SagaRow[]> =>
  place.database.read
    .selectFrom('sagas')
    .selectAll()
    .where('operation_id', 'in', [...operationIds])
    .execute()

/** Compare-and-swap on the very state that was looked at: a runner that has gone on meanwhile is looked at again. */
async function ask(place: Place, operationId: string): Promise<'asked' | 'too late' | 'absent'> {
  for (let attempt = 1; attempt <= maxTries; attempt++) {
    const [saga] = await sagasOf(place, [operationId])
    if (saga === undefined) return 'absent'
    if (saga.cancel_requested === 1 && (cancelLimits[saga.kind] ?? 0) !== 0) return 'asked'
    if (!canBeCancelled(saga)) return 'too late'
    const changed = await place.database.transaction((trx: Transaction<SharedSchema>) =>
      trx
        .updateTable('sagas')
        .set({ cancel_requested: 1, wake_at: 0, row_version: saga.row_version + 1 })
        .where('id', '=', saga.id)
        .where('row_version', '=', saga.row_version)
        .executeTakeFirst(),
    )
    if (Number(changed.numUpdatedRows) === 0) continue
    place.wake(saga.id)
    return 'asked'
  }
  return 'too late'
}
