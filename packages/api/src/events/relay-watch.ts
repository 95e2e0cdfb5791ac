/** What can be seen of the way of events from outside: what waits, how long it waited, how far the log has come. */
import type { Clock } from '@kilonova/runtime/clock'
import type { Metrics } from '@kilonova/runtime/observability/metrics'
import type { CellsService } from '../cells/cells.service.js'
import type { Database } from '../db/database.js'
import type { ApiSchema, SharedSchema } from '../db/schemas.js'

export interface RelayWatchOptions {
  metrics: Metrics
  api: Database<ApiSchema>
  cells: CellsService
  clock: Clock
}

export class RelayWatch {
  readonly #options: RelayWatchOptions
  readonly #lag
  readonly #waiting
  readonly #oldest
  readonly #position

  constructor(options: RelayWatchOptions) {
    this.#options = options
    const { metrics } = options
    this.#lag = metrics.histogram(
      'kilonova_relay_lag_seconds',
      'From a change to its event in the log, for the oldest event of each batch.',
      ['database'],
    )
    this.#waiting = metrics.gauge('kilonova_outbox_waiting', 'Events that wait in the outbox of a database.', ['database'])
    this.#oldest = metrics.gauge('kilonova_outbox_oldest_seconds', 'Age of the oldest event that waits in the outbox of a database.', [
      'database',
    ])
    this.#position = metrics.gauge('kilonova_event_log_position', 'Position of the newest event in the log.')
  }

  /** Looks when metrics are read. Answers how to end that. */
  start(): () => void {
    return this.#options.metrics.onScrape(() => this.#look())
  }

  relayed(database: string, oldestAt: number): void {
    this.#lag.observe({ database }, Math.max(this.#options.clock.now() - oldestAt, 0) / 1000)
  }

  async #look(): Promise<void> {
    const { api, cells } = this.#options
    this.#waiting.reset()
    this.#oldest.reset()
    const known = await cells.all()
    const sources = [api as unknown as Database<SharedSchema>, ...known.map((cell) => cell.database as unknown as Database<SharedSchema>)]
    await Promise.all([this.#lookAtLog(), ...sources.map((source) => this.#lookAt(source))])
  }

  async #lookAt(source: Database<SharedSchema>): Promise<void> {
    const row = await source.read
      .selectFrom('outbox')
      .select((eb) => [eb.fn.countAll<number>().as('waiting'), eb(source.now, '-', eb.fn.min('occurred_at')).as('age_ms')])
      .executeTakeFirstOrThrow()
    const database = source.name
    this.#waiting.set({ database }, Number(row.waiting))
    this.#oldest.set({ database }, Math.max(Number(row.age_ms ?? 0), 0) / 1000)
  }

  async #lookAtLog(): Promise<void> {
    const row = await this.#options.api.read
      .selectFrom('event_log')
      .select((eb) => eb.fn.max('position').as('position'))
      .executeTakeFirst()
    this.#position.set(Number(row?.position ?? 0))
  }
}
