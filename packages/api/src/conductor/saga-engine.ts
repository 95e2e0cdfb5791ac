/**
 * Drives the sagas of one database: takes leases, runs steps, records progress after each, unwinds, resumes after a crash.
 * Progress, the change a step makes in the same database, and the events that tell of it are one transaction.
 */
import { CloudError, isErrorCode, toErrorReport } from '@kilonova/contract/errors'
import type { WorkKey } from '@kilonova/contract/rpc/agent'
import type { WorkOutcome } from '@kilonova/contract/rpc/conductor'
import { BusUnavailableError } from '@kilonova/runtime/bus/bus'
import type { Clock } from '@kilonova/runtime/clock'
import type { Logger } from '@kilonova/runtime/logger'
import type { Telemetry } from '@kilonova/runtime/observability/telemetry'
import { leaveWork } from '@kilonova/runtime/observability/work-context'
import { leaveTransactionScope } from '@kilonova/runtime/transaction-scope'
import type { Database } from '../db/database.js'
import type { Outbox, OutboxEntry } from '../events/outbox.js'
import { type Commit, type SagaFailure, type SagaState, type StepOutcome, WorkFailedError } from './saga.js'
import { type AnyDefinition, type AnyStep, pivotOf, runOf, stateOf, stepEvents, stepOf, workKeyOf, workKeyText } from './saga-reading.js'
import { failureOf, parseFailure, type SagaChange, SagaLostError, type SagaRow, SagaStore } from './saga-store.js'
import { SagaWatch } from './saga-watch.js'

export interface SagaEngineOptions<Schema> {
  database: Database<Schema>
  outbox: Outbox<Schema>
  /** Stable over restarts, so that a restarted conductor takes its own leases back at once. */
  owner: string
  definitions: readonly AnyDefinition<Schema>[]
  clock: Clock
  log: Logger
  telemetry: Telemetry
  /** Pause before an unanswered request to an agent is repeated. */
  resendMs?: number
  pollMs?: number
}

const maxBackoffMs = 30_000
const renewMs = 10_000

export class SagaEngine<Schema> {
  readonly store: SagaStore<Schema>
  readonly #database: Database<Schema>
  readonly #outbox: Outbox<Schema>
  readonly #definitions: Map<string, AnyDefinition<Schema>>
  readonly #clock: Clock
  readonly #log: Logger
  readonly #watch: SagaWatch<Schema>
  readonly #resendMs: number
  readonly #pollMs: number
  readonly #running = new Map<string, Promise<void>>()
  /** Poked while running: look once more. */
  readonly #again = new Set<string>()
  readonly #stop = new AbortController()
  #poller: Promise<void> | undefined
  #unwatch = (): void => {}

  constructor(options: SagaEngineOptions<Schema>) {
    this.#database = options.database
    this.#outbox = options.outbox
    this.#definitions = new Map(options.definitions.map((definition) => [definition.kind, definition]))
    const kinds = [...this.#definitions.keys()]
    this.store = new SagaStore(options.database, options.owner, kinds)
    this.#watch = new SagaWatch({ ...options, store: this.store, kinds })
    this.#clock = options.clock
    this.#log = options.log
    this.#resendMs = options.resendMs ?? 5000
    this.#pollMs = options.pollMs ?? 1000
  }

  start(): void {
    this.#poller = this.#poll()
    this.#unwatch = this.#watch.start()
  }

  /** Stops after the steps that run now; unfinished sagas stay in the database. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#unwatch()
    await this.#poller
    await Promise.allSettled([...this.#running.values()])
  }

  /** Runs a saga if it is due; never waits. */
  poke(id: string): void {
    if (this.#stop.signal.aborted) return
    if (this.#running.has(id)) {
      this.#again.add(id)
      return
    }
    const run = leaveTransactionScope(() => leaveWork(() => this.#run(id)))
      .catch((error: unknown) => this.#log.error({ err: error, saga: id }, 'saga runner failed'))
      .finally(() => {
        this.#watch.forget(id)
        this.#running.delete(id)
        if (this.#again.delete(id)) this.poke(id)
      })
    this.#running.set(id, run)
  }

  /** An agent's report. Reports that nobody waits for any more are acknowledged and dropped. */
  async report(key: WorkKey, outcome: WorkOutcome): Promise<void> {
    const row = await this.store.find(key.sagaId)
    if (row === null || row.waiting_for !== workKeyText(key)) return
    const run = this.#inTurn(key.sagaId, () => this.#takeReport(key, outcome))
    await run
  }

  /** Whether a piece of work is still what its saga wants. */
  async wants(key: WorkKey): Promise<boolean> {
    const row = await this.store.find(key.sagaId)
    return row !== null && row.waiting_for === workKeyText(key) && row.cancel_requested === 0
  }

  /** Waits for the runner of a saga to pause, then does `work` in its place, then lets it go on. */
  async #inTurn(id: string, work: () => Promise<void>): Promise<void> {
    let current = this.#running.get(id)
    while (current !== undefined) {
      await current
      current = this.#running.get(id)
    }
    const mine = leaveTransactionScope(work)
    const settled = mine
      .catch(() => undefined)
      .finally(() => {
        this.#running.delete(id)
        this.#again.delete(id)
        this.poke(id)
      })
    this.#running.set(id, settled)
    await mine
  }

  async #takeReport(key: WorkKey, outcome: WorkOutcome): Promise<void> {
    const row = await this.store.find(key.sagaId)
    if (row === null || row.waiting_for !== workKeyText(key)) return
    const definition = this.#definition(row)
    const step = stepOf(definition, row)
    const lease: SagaChange = { lease_owner: this.store.owner, waiting_for: null, deadline_at: null, wake_at: 0 }
    try {
      if (outcome.kind === 'failed') {
        const code = isErrorCode(outcome.error.code) ? outcome.error.code : 'INTERNAL'
        throw new WorkFailedError({ ...outcome.error, code }, outcome.hostAtFault)
      }
      const run = runOf(definition, row)
      const taken = row.direction === 'forward' ? (step.onReport?.(run, outcome.result) ?? {}) : {}
      await this.#stepDone(definition, row, taken.patch, taken.commit, lease)
    } catch (error) {
      if (error instanceof SagaLostError) {
        // Somebody asked it to stop meanwhile; that runner sees the step as unfinished and unwinds it.
        return
      }
      await this.#failed(definition, row, error, lease)
    }
  }

  async #poll(): Promise<void> {
    let renewAt = this.#clock.monotonic() + renewMs
    while (!this.#stop.signal.aborted) {
      try {
        for (const id of await this.store.due(new Set(this.#running.keys()))) this.poke(id)
        if (this.#clock.monotonic() >= renewAt) {
          renewAt = this.#clock.monotonic() + renewMs
          await this.store.renewLeases([...this.#running.keys()])
        }
      } catch (error) {
        this.#log.error({ err: error }, 'looking for sagas failed')
      }
      await this.#clock.sleep(this.#pollMs, this.#stop.signal)
    }
  }

  async #run(id: string): Promise<void> {
    let row = await this.store.acquire(id)
    while (row !== null && !this.#stop.signal.aborted) {
      const next: SagaRow = row
      row = await this.#watch.forRequest(next, () => this.#advanceOrFail(this.#definition(next), next))
    }
  }

  async #advanceOrFail(definition: AnyDefinition<Schema>, row: SagaRow): Promise<SagaRow | null> {
    try {
      return await this.#advance(definition, row)
    } catch (error) {
      // Changed under us (a request to stop): look at it afresh.
      if (error instanceof SagaLostError) return this.store.acquire(row.id)
      return this.#failed(definition, row, error, {})
    }
  }

  /** One step. Answers the row to go on with, or null when there is nothing to do now. */
  async #advance(definition: AnyDefinition<Schema>, row: SagaRow): Promise<SagaRow | null> {
    const pivot = pivotOf(definition)
    if (row.cancel_requested === 1 && row.direction === 'forward' && row.step < pivot) {
      const failure = failureOf({ code: 'CANCELLED', message: 'Cancelled by request.' }, stepOf(definition, row).name, false)
      return this.#turnBack(definition, row, failure, {})
    }
    if (row.waiting_for !== null) {
      const now = await this.#database.readClock()
      if (row.deadline_at !== null && row.deadline_at <= now) {
        const timedOut = new WorkFailedError({ code: 'TIMED_OUT', message: 'The host did not answer in time.' }, true)
        return this.#failed(definition, row, timedOut, { waiting_for: null, deadline_at: null })
      }
      if (row.wake_at > now) return null
    } else if (row.tries > 0 && row.wake_at > (await this.#database.readClock())) {
      return null
    }
    if (row.direction === 'backward' && row.step < 0) return this.#unwound(definition, row)
    const step = stepOf(definition, row)
    return this.#watch.step(row, step.name, () => this.#perform(definition, row, step))
  }

  async #perform(definition: AnyDefinition<Schema>, row: SagaRow, step: AnyStep<Schema>): Promise<SagaRow | null> {
    const run = runOf(definition, row)
    const outcome: StepOutcome<SagaState, Schema> =
      row.direction === 'forward' ? await step.action(run) : step.undo === undefined ? { kind: 'done' } : await step.undo(run)
    if (outcome.kind === 'done') return this.#stepDone(definition, row, outcome.patch, outcome.commit, {})
    if (outcome.kind === 'later') {
      await this.#save(row, await this.#released(outcome.afterMs), [])
      this.#pokeAfter(row.id, outcome.afterMs)
      return null
    }
    const key = workKeyOf(row, step.name)
    const first = row.waiting_for === null
    const now = await this.#database.readClock()
    await this.#save(
      row,
      {
        waiting_for: workKeyText(key),
        waiting_since: first ? now : row.waiting_since,
        deadline_at: first ? now + outcome.timeoutSeconds * 1000 : row.deadline_at,
        wake_at: now + this.#resendMs,
        lease_owner: null,
        lease_until: 0,
      },
      first ? stepEvents(definition, row, this.#clock.now(), 'begun') : [],
      first ? outcome.commit : undefined,
    )
    try {
      await outcome.send(key)
    } catch (error) {
      // The agent may be away for a moment; the request is repeated until the deadline.
      this.#log.debug({ err: error, saga: row.id, step: step.name }, 'agent not reached')
    }
    return null
  }

  async #stepDone(
    definition: AnyDefinition<Schema>,
    row: SagaRow,
    patch: Partial<SagaState> | undefined,
    commit: Commit<Schema> | undefined,
    change: SagaChange,
  ): Promise<SagaRow | null> {
    const state = patch === undefined ? row.state : JSON.stringify({ ...stateOf(definition, row), ...patch })
    const events = stepEvents(definition, row, this.#clock.now(), 'ended')
    this.#watch.ended(row, stepOf(definition, row).name, 'done')
    if (row.direction === 'backward') {
      return this.#save(row, { ...change, state, step: row.step - 1, tries: 0, waiting_for: null, deadline_at: null }, [], commit)
    }
    if (row.step + 1 < definition.steps.length) {
      return this.#save(row, { ...change, state, step: row.step + 1, tries: 0, waiting_for: null, deadline_at: null }, events, commit)
    }
    const finish = definition.finish(runOf(definition, { ...row, state }))
    await this.#database.transaction(async (trx) => {
      const told = [...events]
      if (commit !== undefined) told.push(...(await commit(trx)))
      told.push(...(await finish(trx)))
      await this.store.remove(trx, row)
      await this.#outbox.append(trx, told)
    })
    return null
  }

  async #failed(definition: AnyDefinition<Schema>, row: SagaRow, error: unknown, change: SagaChange): Promise<SagaRow | null> {
    const pivot = pivotOf(definition)
    const stepName = definition.steps[Math.max(row.step, 0)]?.name ?? ''
    const known = error instanceof WorkFailedError || error instanceof CloudError
    // A bus that is away decides nothing: the step waits for it, on either side of the pivot.
    const turnsBack = row.direction === 'forward' && row.step < pivot && !(error instanceof BusUnavailableError)
    this.#watch.ended(row, stepName, turnsBack ? 'failed' : 'again')
    if (turnsBack) {
      if (!known) this.#log.error({ err: error, saga: row.id, kind: row.kind, step: stepName }, 'saga step failed')
      const report = error instanceof WorkFailedError ? error.report : toErrorReport(error)
      const hostAtFault = error instanceof WorkFailedError ? error.hostAtFault : false
      return this.#turnBack(definition, row, failureOf(report, stepName, hostAtFault), change)
    }
    // Past the pivot, or unwinding: it must succeed at last.
    const tries = row.tries + 1
    const pauseMs = Math.min(50 * 2 ** Math.min(tries, 16), maxBackoffMs)
    this.#log.warn(
      { err: error, saga: row.id, kind: row.kind, step: stepName, direction: row.direction, tries },
      'saga step is tried again',
    )
    try {
      await this.#save(row, { ...change, ...(await this.#released(pauseMs)), tries, waiting_for: null, deadline_at: null }, [])
    } catch (lost) {
      if (!(lost instanceof SagaLostError)) throw lost
    }
    this.#pokeAfter(row.id, pauseMs)
    return null
  }

  async #turnBack(definition: AnyDefinition<Schema>, row: SagaRow, failure: SagaFailure, change: SagaChange): Promise<SagaRow> {
    return this.#save(
      row,
      {
        ...change,
        direction: 'backward',
        failure: JSON.stringify(failure),
        tries: 0,
        waiting_for: null,
        deadline_at: null,
        wake_at: 0,
        lease_owner: this.store.owner,
      },
      stepEvents(definition, row, this.#clock.now(), 'ended', failure),
    )
  }

  async #unwound(definition: AnyDefinition<Schema>, row: SagaRow): Promise<SagaRow | null> {
    const failure = parseFailure(row) ?? failureOf({ code: 'INTERNAL', message: 'An unexpected error happened.' }, '', false)
    const after = await definition.unwound(runOf(definition, row), failure, row.cancel_requested === 1)
    if (after.kind === 'end') {
      await this.#database.transaction(async (trx) => {
        const told = await after.commit(trx)
        await this.store.remove(trx, row)
        await this.#outbox.append(trx, told)
      })
      return null
    }
    const state = JSON.stringify({ ...stateOf(definition, row), ...after.patch })
    return this.#save(
      row,
      {
        direction: 'forward',
        step: 0,
        attempt: row.attempt + 1,
        fence: row.fence + 1,
        state,
        failure: null,
        tries: 0,
        waiting_for: null,
        deadline_at: null,
        wake_at: 0,
      },
      [],
      after.commit,
    )
  }

  async #save(row: SagaRow, change: SagaChange, events: OutboxEntry[], commit?: Commit<Schema>): Promise<SagaRow> {
    return this.#database.transaction(async (trx) => {
      const updated = await this.store.update(trx, row, change)
      const told = commit === undefined ? events : [...events, ...(await commit(trx))]
      await this.#outbox.append(trx, told)
      return updated
    })
  }

  async #released(afterMs: number): Promise<SagaChange> {
    return { wake_at: (await this.#database.readClock()) + afterMs, lease_owner: null, lease_until: 0 }
  }

  #pokeAfter(id: string, ms: number): void {
    void this.#clock.sleep(ms, this.#stop.signal).then(() => this.poke(id))
  }

  #definition(row: SagaRow): AnyDefinition<Schema> {
    const definition = this.#definitions.get(row.kind)
    if (definition === undefined) throw new Error(`no saga of kind ${row.kind}`)
    return definition
  }
}
