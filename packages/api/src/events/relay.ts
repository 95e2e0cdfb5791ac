/**
 * The one relay of the deployment: takes events from the outbox of every database, appends each once to the event log of the API
 * database, which gives it its position, and carries what a cell did to an operation into that operation.
 */
import { operationProjection } from '@kilonova/contract/events'
import type { Clock } from '@kilonova/runtime/clock'
import type { Logger } from '@kilonova/runtime/logger'
import type { Metrics } from '@kilonova/runtime/observability/metrics'
import type { Transaction } from 'kysely'
import type { CellsService } from '../cells/cells.service.js'
import type { Database, Row } from '../db/database.js'
import { takeLease } from '../db/lease.js'
import type { ApiSchema, SharedSchema } from '../db/schemas.js'
import { projectOperations } from './operation-projection.js'
import { RelayWatch } from './relay-watch.js'

type OutboxRow = Row<SharedSchema, 'outbox'>

export interface RelayOptions {
  api: Database<ApiSchema>
  cells: CellsService
  owner: string
  clock: Clock
  log: Logger
  metrics: Metrics
  /** Told after each append. */
  onAppended: () => void
}

const batchSize = 500
const idlePollMs = 1000
const leaseSeconds = 15

export class EventRelay {
  readonly #options: RelayOptions
  readonly #stop = new AbortController()
  #wake = new AbortController()
  #loop: Promise<void> | undefined
  #holdsLeaseUntil = 0
  readonly #watch: RelayWatch
  #unwatch = (): void => {}

  constructor(options: RelayOptions) {
    this.#options = options
    this.#watch = new RelayWatch(options)
  }

  start(): void {
    this.#loop = this.#run()
    this.#unwatch = this.#watch.start()
  }

  /** Events may wait in an outbox. */
  poke(): void {
    this.#wake.abort()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.#wake.abort()
    this.#unwatch()
    await this.#loop
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#options
    while (!this.#stop.signal.aborted) {
      this.#wake = new AbortController()
      let moved = 0
      try {
        if (await this.#holdsLease()) moved = await this.relayOnce()
      } catch (error) {
        log.error({ err: error }, 'relaying events failed')
      }
      if (moved === 0) await clock.sleep(idlePollMs, this.#wake.signal)
    }
  }

  /** Carries one batch from every database; answers how many events. */
  async relayOnce(): Promise<number> {
    const { api, cells, log } = this.#options
    let moved = await this.#relayFrom(api as unknown as Database<SharedSchema>)
    for (const cell of await cells.all()) {
      try {
        moved += await this.#relayFrom(cell.database as unknown as Database<SharedSchema>)
      } catch (error) {
        log.error({ err: error, cell: cell.id }, 'a cell’s events cannot be read')
      }
    }
    return moved
  }

  async #relayFrom(source: Database<SharedSchema>): Promise<number> {
    const rows = await source.read.selectFrom('outbox').selectAll().orderBy('id').limit(batchSize).execute()
    const [oldest] = rows
    if (oldest === undefined) return 0
    const sameDatabase = (source as unknown) === this.#options.api
    await this.#options.api.transaction(async (trx) => {
      await this.#append(trx, rows)
      if (sameDatabase) await removeFrom(trx as unknown as Transaction<SharedSchema>, rows)
    })
    if (!sameDatabase) await source.transaction((trx) => removeFrom(trx, rows))
    this.#watch.relayed(source.name, oldest.occurred_at)
    this.#options.onAppended()
    return rows.length
  }

  /** A row that was appended before a crash is recognised by its event id and not applied again. */
  async #append(trx: Transaction<ApiSchema>, rows: OutboxRow[]): Promise<void> {
    const appended = await trx
      .insertInto('event_log')
      .values(rows.map(({ id: _id, projection: _projection, ...event }) => event))
      .onConflict((conflict) => conflict.column('event_id').doNothing())
      .returning('event_id')
      .execute()
    const isNew = new Set(appended.map((row) => row.event_id))
    const projections = rows
      .filter((row) => row.projection !== null && isNew.has(row.event_id))
      .map((row) => operationProjection.parse(JSON.parse(row.projection ?? '')))
    await projectOperations(trx, this.#options.api.now, projections)
  }

  async #holdsLease(): Promise<boolean> {
    const { api, owner, clock } = this.#options
    if (clock.monotonic() < this.#holdsLeaseUntil) return true
    const taken = await takeLease(api, 'event-relay', owner, leaseSeconds * 1000)
    if (taken) this.#holdsLeaseUntil = clock.monotonic() + (leaseSeconds * 1000) / 2
    return taken
  }
}

async function removeFrom(trx: Transaction<SharedSchema>, rows: OutboxRow[]): Promise<void> {
  await trx
    .deleteFrom('outbox')
    .where(
      'id',
      'in',
      rows.map((row) => row.id),
    )
    .execute()
}
