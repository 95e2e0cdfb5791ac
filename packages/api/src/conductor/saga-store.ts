/** Rows of the sagas of one database: leases, progress, and who may change what. */
import type { ErrorReport } from '@kilonova/contract/errors'
import { currentWork } from '@kilonova/runtime/observability/work-context'
import type { Transaction } from 'kysely'
import type { Database, Row } from '../db/database.js'
import type { SharedSchema } from '../db/schemas.js'
import type { SagaFailure } from './saga.js'

export type SagaRow = Row<SharedSchema, 'sagas'>
export type SagaDirection = 'forward' | 'backward'

export interface NewSaga {
  id: string
  kind: string
  operationId: string
  serverId: string | null
  projectId: string | null
  requestId: string | null
  fence: number
  state: unknown
}

export const leaseMs = 30_000

/** Changes of one step; absent columns stay. */
export type SagaChange = Partial<
  Pick<
    SagaRow,
    | 'direction'
    | 'step'
    | 'attempt'
    | 'fence'
    | 'state'
    | 'failure'
    | 'waiting_for'
    | 'waiting_since'
    | 'deadline_at'
    | 'wake_at'
    | 'tries'
    | 'lease_owner'
    | 'lease_until'
  >
>

/** The row was changed by somebody else: this runner must stop. */
export class SagaLostError extends Error {
  override name = 'SagaLostError'
}

export class SagaStore<Schema> {
  readonly #database: Database<SharedSchema>
  readonly #kinds: readonly string[]

  /** @param kinds what the owner can run; of other sagas it takes no lease. */
  constructor(
    database: Database<Schema>,
    readonly owner: string,
    kinds: readonly string[] = [],
  ) {
    this.#database = database as unknown as Database<SharedSchema>
    this.#kinds = kinds
  }

  get database(): Database<SharedSchema> {
    return this.#database
  }

  /** Writes a new saga in the caller's transaction; a second time it changes nothing and answers false. */
  async insert(trx: Transaction<Schema>, saga: NewSaga): Promise<boolean> {
    const { now } = this.#database
    const result = await (trx as unknown as Transaction<SharedSchema>)
      .insertInto('sagas')
      .values({
        id: saga.id,
        kind: saga.kind,
        operation_id: saga.operationId,
        server_id: saga.serverId,
        project_id: saga.projectId,
        request_id: saga.requestId,
        traceparent: currentWork().traceparent,
        direction: 'forward',
        step: 0,
        attempt: 1,
        fence: saga.fence,
        state: JSON.stringify(saga.state),
        wake_at: now,
        lease_until: 0,
        created_at: now,
        updated_at: now,
      })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .executeTakeFirst()
    return Number(result.numInsertedOrUpdatedRows ?? 0) > 0
  }

  /** Takes the lease if it is free, expired or our own. */
  async acquire(id: string): Promise<SagaRow | null> {
    return this.#database.transaction(async (trx) => {
      const { now } = this.#database
      const row = await trx
        .updateTable('sagas')
        .set((eb) => ({
          lease_owner: this.owner,
          lease_until: eb(now, '+', leaseMs),
          row_version: eb('row_version', '+', 1),
        }))
        .where('id', '=', id)
        .where('kind', 'in', this.#kinds)
        .where((eb) => eb.or([eb('lease_owner', 'is', null), eb('lease_until', '<=', now), eb('lease_owner', '=', this.owner)]))
        .returningAll()
        .executeTakeFirst()
      return row ?? null
    })
  }

  /** Records progress if nobody else has touched the row since it was read; answers the row as it is now. */
  async update(trx: Transaction<Schema>, row: SagaRow, change: SagaChange): Promise<SagaRow> {
    const updated = await (trx as unknown as Transaction<SharedSchema>)
      .updateTable('sagas')
      .set({ ...change, row_version: row.row_version + 1, updated_at: this.#database.now })
      .where('id', '=', row.id)
      .where('row_version', '=', row.row_version)
      .returningAll()
      .executeTakeFirst()
    if (updated === undefined) throw new SagaLostError(`saga ${row.id} was changed by another conductor`)
    return updated
  }

  async remove(trx: Transaction<Schema>, row: SagaRow): Promise<void> {
    const result = await (trx as unknown as Transaction<SharedSchema>)
      .deleteFrom('sagas')
      .where('id', '=', row.id)
      .where('row_version', '=', row.row_version)
      .executeTakeFirst()
    if (Number(result.numDeletedRows) === 0) throw new SagaLostError(`saga ${row.id} was changed by another conductor`)
  }

  async find(id: string): Promise<SagaRow | null> {
    return (await this.#database.read.selectFrom('sagas').selectAll().where('id', '=', id).executeTakeFirst()) ?? null
  }

  /** Asks the other sagas of a server to stop; answers how many are still alive. */
  async cancelOthers(serverId: string, exceptId: string): Promise<string[]> {
    return this.#database.transaction(async (trx) => {
      const others = await trx.selectFrom('sagas').select('id').where('server_id', '=', serverId).where('id', '!=', exceptId).execute()
      if (others.length > 0) {
        await trx
          .updateTable('sagas')
          .set((eb) => ({ cancel_requested: 1, wake_at: 0, row_version: eb('row_version', '+', 1) }))
          .where('server_id', '=', serverId)
          .where('id', '!=', exceptId)
          .where('cancel_requested', '=', 0)
          .execute()
      }
      return others.map((row) => row.id)
    })
  }

  /** Sagas that may run now: due and not held by a living conductor. */
  async due(exceptIds: ReadonlySet<string>): Promise<string[]> {
    const { now } = this.#database
    const rows = await this.#database.read
      .selectFrom('sagas')
      .select('id')
      .where('wake_at', '<=', now)
      .where('kind', 'in', this.#kinds)
      .where((eb) => eb.or([eb('lease_owner', 'is', null), eb('lease_until', '<=', now), eb('lease_owner', '=', this.owner)]))
      .orderBy('wake_at')
      .limit(500)
      .execute()
    return rows.map((row) => row.id).filter((id) => !exceptIds.has(id))
  }

  async renewLeases(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    const { now } = this.#database
    await this.#database.transaction(async (trx) => {
      await trx
        .updateTable('sagas')
        .set((eb) => ({ lease_until: eb(now, '+', leaseMs) }))
        .where('lease_owner', '=', this.owner)
        .where('id', 'in', [...ids])
        .execute()
    })
  }

  /** Sagas of the owner's kinds that have not ended. */
  async countByKind(): Promise<Map<string, number>> {
    const rows = await this.#database.read
      .selectFrom('sagas')
      .select((eb) => ['kind', eb.fn.countAll<number>().as('alive')])
      .where('kind', 'in', this.#kinds)
      .groupBy('kind')
      .execute()
    return new Map(rows.map((row) => [row.kind, Number(row.alive)]))
  }

  async aliveFor(serverIds: readonly string[]): Promise<Set<string>> {
    if (serverIds.length === 0) return new Set()
    const rows = await this.#database.read
      .selectFrom('sagas')
      .select('server_id')
      .where('server_id', 'in', [...serverIds])
      .execute()
    return new Set(rows.map((row) => row.server_id).filter((id): id is string => id !== null))
  }
}

export const parseFailure = (row: SagaRow): SagaFailure | null => (row.failure === null ? null : (JSON.parse(row.failure) as SagaFailure))

export const failureOf = (report: ErrorReport, step: string, hostAtFault: boolean): SagaFailure => ({
  ...report,
  step,
  hostAtFault,
})
