/** What can be seen of sagas from outside: a span for every step, how long steps take and how they end, how many sagas are alive. */
import type { Clock } from '@kilonova/runtime/clock'
import type { Logger } from '@kilonova/runtime/logger'
import { secondsSince, slowBuckets } from '@kilonova/runtime/observability/metrics'
import type { Telemetry } from '@kilonova/runtime/observability/telemetry'
import { runWork } from '@kilonova/runtime/observability/work-context'
import type { SagaRow, SagaStore } from './saga-store.js'

export type StepEnd = 'done' | 'failed' | 'again'

export interface SagaWatchOptions<Schema> {
  telemetry: Telemetry
  store: SagaStore<Schema>
  kinds: readonly string[]
  clock: Clock
  log: Logger
}

export class SagaWatch<Schema> {
  readonly #options: SagaWatchOptions<Schema>
  readonly #steps
  readonly #alive
  /** When the steps that run here began, by saga. */
  readonly #begun = new Map<string, number>()

  constructor(options: SagaWatchOptions<Schema>) {
    this.#options = options
    const { metrics } = options.telemetry
    this.#steps = metrics.histogram(
      'kilonova_saga_step_seconds',
      'Steps of sagas until they were done, failed or had to be tried again, with the wait for a host.',
      ['kind', 'step', 'direction', 'outcome'],
      slowBuckets,
    )
    this.#alive = metrics.gauge('kilonova_sagas_alive', 'Sagas that have not ended, in the database: every process that counts sees all.', [
      'database',
      'kind',
    ])
  }

  /** Counts sagas when metrics are read. Answers how to end that. */
  start(): () => void {
    return this.#options.telemetry.metrics.onScrape(() => this.#count())
  }

  /** Whatever is done for a saga is done for the request that began it. */
  forRequest<T>(row: SagaRow, act: () => Promise<T>): Promise<T> {
    return runWork({ requestId: row.request_id, traceparent: row.traceparent }, act)
  }

  step<T>(row: SagaRow, name: string, act: () => Promise<T>): Promise<T> {
    if (!this.#begun.has(row.id)) this.#begun.set(row.id, performance.now())
    const attributes = {
      'kilonova.saga': row.id,
      'kilonova.direction': row.direction,
      'kilonova.attempt': row.attempt,
      ...(row.server_id === null ? {} : { 'kilonova.server': row.server_id }),
    }
    return this.#options.telemetry.tracing.span(`saga ${row.kind}.${name}`, 'internal', attributes, act)
  }

  /** The step has ended, here or on the host that was asked to do it. */
  ended(row: SagaRow, step: string, outcome: StepEnd): void {
    const { clock, log } = this.#options
    const begunHere = this.#begun.get(row.id)
    this.#begun.delete(row.id)
    const waited = row.waiting_for === null ? null : row.waiting_since
    const seconds = waited !== null ? Math.max(clock.now() - waited, 0) / 1000 : begunHere === undefined ? 0 : secondsSince(begunHere)
    const { direction, kind } = row
    this.#steps.observe({ kind, step, direction, outcome }, seconds)
    const { id: saga, server_id: server } = row
    log.debug({ saga, kind, step, direction, outcome, server, ms: Math.round(seconds * 1000) }, 'saga step ended')
  }

  /** Nothing runs here for the saga any more: it waits, or is another's. */
  forget(sagaId: string): void {
    this.#begun.delete(sagaId)
  }

  async #count(): Promise<void> {
    const { kinds, store } = this.#options
    const database = store.database.name
    for (const kind of kinds) this.#alive.remove({ database, kind })
    const counted = await store.countByKind()
    for (const kind of kinds) this.#alive.set({ database, kind }, counted.get(kind) ?? 0)
  }
}
