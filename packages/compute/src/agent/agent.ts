/** The agent of one host: takes work from the cell's conductor, does it once, tells the outcome, keeps the host clean. */
import { randomUUID } from 'node:crypto'
import { CloudError, isErrorCode } from '@kilonova/contract/errors'
import { type AgentService, agentService, agentTopic, type WorkKey } from '@kilonova/contract/rpc/agent'
import { conductorService, conductorTopic, type WorkOutcome } from '@kilonova/contract/rpc/conductor'
import type { HandlersOf } from '@kilonova/contract/rpc/method'
import { BusUnavailableError, type MessageBus, type Subscription } from '@kilonova/runtime/bus/bus'
import type { Clock } from '@kilonova/runtime/clock'
import type { Logger } from '@kilonova/runtime/logger'
import type { Telemetry } from '@kilonova/runtime/observability/telemetry'
import { type Driver, DriverError } from '../driver.js'
import { ConsoleWaits } from '../drivers/console-wait.js'
import type { Journal } from '../journal/journal.js'
import { AgentWatch } from './agent-watch.js'

export interface AgentOptions {
  host: string
  cellId: string
  driver: Driver
  journal: Journal
  bus: MessageBus
  clock: Clock
  log: Logger
  telemetry: Telemetry
  settings: {
    reportIntervalSeconds: number
    /** 0 or less: no periodic look at power states. */
    syncPowerStateSeconds: number
    sweepSeconds: number
    /** Null: the cache is never cleaned. */
    imageCache: { everySeconds: number; minimumAgeSeconds: number } | null
  }
}

interface Running {
  keyText: string
  abort: AbortController
  done: Promise<void>
}

const keyTextOf = (key: WorkKey): string => `${key.sagaId}:${key.step}:${key.direction}:${key.attempt}`
/** An undo has nothing to bring back when the guest is gone or off meanwhile. */
async function orUndone(key: WorkKey, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (key.direction === 'backward' && error instanceof DriverError && error.leavesNothingToUndo) return
    throw error
  }
}

const journalKeptMs = 7 * 24 * 3600 * 1000

export class Agent {
  readonly #options: AgentOptions
  readonly #runId = randomUUID()
  /** What is being done, per server: one thing at a time. */
  readonly #running = new Map<string, Running>()
  readonly #stop = new AbortController()
  readonly #consoleWaits: ConsoleWaits
  readonly #watch: AgentWatch
  #unwatch = (): void => {}
  #subscription: Subscription | undefined
  #loops: Promise<void>[] = []

  constructor(options: AgentOptions) {
    this.#options = options
    this.#watch = new AgentWatch(options)
    this.#consoleWaits = new ConsoleWaits(options.clock, this.#stop.signal)
  }

  get host(): string {
    return this.#options.host
  }

  get driver(): Driver {
    return this.#options.driver
  }

  async start(): Promise<void> {
    const { bus, driver, host } = this.#options
    await driver.start()
    driver.onPowerState((serverId, state) => void this.#tellPowerState(serverId, state))
    this.#subscription = await bus.serve(agentTopic(host), agentService, this.#handlers())
    await this.#register()
    this.#unwatch = this.#watch.start()
    this.#loops = [this.#heartbeats(), this.#housekeeping()]
  }

  /** Stops taking work; guests run on. Work under way is left to the next run. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#unwatch()
    await this.#subscription?.close()
    for (const running of this.#running.values()) running.abort.abort()
    await Promise.allSettled([...this.#loops, ...[...this.#running.values()].map((running) => running.done)])
    await this.#options.driver.close()
  }

  /** Removes what is on the host but belongs to no server that should be here. Answers the servers it cleaned. */
  async sweep(): Promise<string[]> {
    const { bus, cellId, driver, host, journal, log, clock } = this.#options
    // First what is here, then what should be: a server that comes in between is not mistaken for a leftover.
    const present = await driver.presentServers()
    const { servers } = await bus.call(conductorTopic(cellId), conductorService.hostServers, { host })
    const wanted = new Set(servers.map((server) => server.serverId))
    const leftovers = present.filter((serverId) => !wanted.has(serverId) && !this.#running.has(serverId))
    for (const serverId of leftovers) {
      log.warn({ host, server: serverId }, 'removing what a deleted or moved server left on this host')
      await driver.destroy(serverId)
    }
    await journal.prune(new Set([...present, ...wanted]), journalKeptMs, clock.now())
    return leftovers
  }

  #handlers(): HandlersOf<AgentService> {
    const { driver } = this.#options
    const acting = this.#watch.actingDriver()
    return {
      prepareDisks: async (input) => this.#accept(input.key, (signal) => acting.prepareDisks(input.guest, signal)),
      discardDisks: async (input) => this.#accept(input.key, () => acting.discardDisks(input.key.serverId)),
      spawn: async (input) =>
        this.#accept(input.key, async (signal) => {
          await this.#requireStillWanted(input.key, signal)
          await acting.spawn(input.guest, signal)
        }),
      destroy: async (input) => this.#accept(input.key, () => acting.destroy(input.key.serverId)),
      powerOn: async (input) => this.#accept(input.key, () => acting.powerOn(input.key.serverId)),
      powerOff: async (input) => this.#accept(input.key, (signal) => acting.powerOff(input.key.serverId, input.timeoutSeconds, signal)),
      reboot: async (input) =>
        this.#accept(input.key, (signal) => acting.reboot(input.key.serverId, input.type, input.timeoutSeconds, signal)),
      pause: async ({ key }) => this.#accept(key, () => orUndone(key, () => acting.pause(key.serverId))),
      unpause: async ({ key }) => this.#accept(key, () => orUndone(key, () => acting.unpause(key.serverId))),
      suspend: async ({ key }) => this.#accept(key, () => orUndone(key, () => acting.suspend(key.serverId))),
      resume: async ({ key }) => this.#accept(key, () => orUndone(key, () => acting.resume(key.serverId))),
      powerState: async ({ serverId }) => ({ powerState: await driver.powerState(serverId) }),
      consoleLog: async ({ serverId, waitMs, ...cut }) =>
        this.#answer(() => this.#consoleWaits.read(cut.fromOffset, waitMs ?? 0, () => driver.consoleLog(serverId, cut))),
      consoleBytes: async ({ serverId, ...cut }) => {
        const { bytes, ...offsets } = await this.#answer(() => driver.consoleBytes(serverId, cut))
        return { base64: bytes.toString('base64'), ...offsets }
      },
      consoleTarget: async ({ serverId, type }) => ({ target: await this.#answer(() => driver.consoleTarget(serverId, type)) }),
      uptime: async () => ({ uptime: await driver.uptime() }),
    }
  }

  async #accept(key: WorkKey, act: (signal: AbortSignal) => Promise<void>): Promise<Record<string, never>> {
    this.#take(key, act)
    return {}
  }

  async #answer<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      if (error instanceof DriverError) throw new CloudError(error.code, error.message, { exception: error.exception, cause: error })
      throw error
    }
  }

  /** Admits work to the journal and does it after, or instead of, what is being done for the server. */
  #take(key: WorkKey, act: (signal: AbortSignal) => Promise<void>): void {
    const { host, journal, log } = this.#options
    const keyText = keyTextOf(key)
    const current = this.#running.get(key.serverId)
    if (current?.keyText === keyText) return
    const admission = journal.admit(key)
    if (admission.kind === 'refuse') {
      log.warn({ host, server: key.serverId, step: key.step, reason: admission.reason }, 'old work refused')
      return
    }
    if (admission.kind === 'repeat') {
      void this.#report(key, admission.outcome)
      return
    }
    // Newer work on the same server ends the older: an undo, or a delete.
    current?.abort.abort()
    const abort = new AbortController()
    const done = (current?.done ?? Promise.resolve()).then(async () => {
      const outcome = await this.#watch.work(key, () => this.#outcomeOf(key, () => act(abort.signal)))
      if (this.#running.get(key.serverId)?.keyText === keyText) this.#running.delete(key.serverId)
      // The agent stops in the middle: the next run does it again.
      if (this.#stop.signal.aborted && outcome.kind === 'failed') return
      journal.record(key, outcome)
      await this.#report(key, outcome)
    })
    this.#running.set(key.serverId, { keyText, abort, done })
    done.catch((error: unknown) => log.error({ err: error, host, server: key.serverId }, 'work could not be recorded'))
  }

  async #outcomeOf(key: WorkKey, act: () => Promise<void>): Promise<WorkOutcome> {
    const { host, log } = this.#options
    try {
      await act()
      return { kind: 'done', result: {} }
    } catch (error) {
      log.warn({ err: error, host, server: key.serverId, step: key.step, direction: key.direction }, 'work failed')
      if (error instanceof DriverError) {
        const details = error.cause instanceof Error ? error.cause.message : undefined
        return {
          kind: 'failed',
          error: { code: error.code, message: error.message, exception: error.exception, details },
          hostAtFault: error.hostAtFault,
        }
      }
      if (error instanceof CloudError && isErrorCode(error.code)) {
        return { kind: 'failed', error: { code: error.code, message: error.message, exception: error.exception }, hostAtFault: false }
      }
      const details = error instanceof Error ? (error.stack ?? error.message) : String(error)
      return {
        kind: 'failed',
        error: { code: 'INTERNAL', message: 'An unexpected error happened on the host.', details },
        hostAtFault: true,
      }
    }
  }

  /** Tells the conductor until it has heard. */
  async #report(key: WorkKey, outcome: WorkOutcome): Promise<void> {
    const { bus, cellId, clock, host, log } = this.#options
    for (let tries = 1; !this.#stop.signal.aborted; tries++) {
      try {
        await bus.call(conductorTopic(cellId), conductorService.report, { key, host, outcome })
        if (outcome.kind === 'failed') this.#options.journal.heard(key)
        return
      } catch (error) {
        log.debug({ err: error, host, server: key.serverId, tries }, 'the conductor did not take a report')
        // It asks again by itself; a few tries save it the wait.
        if (tries >= 10) return
        await clock.sleep(Math.min(100 * 2 ** tries, 5000), this.#stop.signal)
      }
    }
  }

  /** A late message must not start a guest that nobody waits for. While nobody can say, it waits too. */
  async #requireStillWanted(key: WorkKey, signal: AbortSignal): Promise<void> {
    const { bus, cellId, clock, host } = this.#options
    for (let tries = 1; !signal.aborted && !this.#stop.signal.aborted; tries++) {
      try {
        const { wanted } = await bus.call(conductorTopic(cellId), conductorService.authorize, { key, host })
        if (wanted) return
        break
      } catch (error) {
        if (!(error instanceof BusUnavailableError)) throw error
        await clock.sleep(Math.min(100 * 2 ** tries, 5000), signal)
      }
    }
    throw new DriverError('CANCELLED', 'The guest is not wanted any more.', { hostAtFault: false })
  }

  async #register(): Promise<void> {
    const { bus, cellId, clock, driver, host, log } = this.#options
    const node = await driver.node()
    for (let tries = 1; !this.#stop.signal.aborted; tries++) {
      try {
        await bus.call(conductorTopic(cellId), conductorService.register, { node, agentRunId: this.#runId })
        break
      } catch (error) {
        log.warn({ err: error, host, tries }, 'the conductor does not answer; trying again')
        await clock.sleep(Math.min(100 * 2 ** tries, 10_000), this.#stop.signal)
      }
    }
  }

  async #heartbeats(): Promise<void> {
    const { bus, cellId, clock, host, log, settings } = this.#options
    while (!this.#stop.signal.aborted) {
      await clock.sleep(settings.reportIntervalSeconds * 1000, this.#stop.signal)
      if (this.#stop.signal.aborted) return
      try {
        const { known } = await bus.call(conductorTopic(cellId), conductorService.heartbeat, { host, agentRunId: this.#runId })
        if (!known) await this.#register()
      } catch (error) {
        log.warn({ err: error, host }, 'heartbeat failed')
      }
    }
  }

  async #housekeeping(): Promise<void> {
    const { clock, host, log, settings } = this.#options
    const chores: { everySeconds: number; dueAt: number; work: () => Promise<unknown> }[] = [
      { everySeconds: settings.sweepSeconds, dueAt: 0, work: () => this.sweep() },
    ]
    if (settings.syncPowerStateSeconds > 0) {
      chores.push({ everySeconds: settings.syncPowerStateSeconds, dueAt: 0, work: () => this.#syncPowerStates() })
    }
    const { imageCache } = settings
    if (imageCache !== null) {
      chores.push({ everySeconds: imageCache.everySeconds, dueAt: 0, work: () => this.#cleanImages(imageCache.minimumAgeSeconds) })
    }
    while (!this.#stop.signal.aborted) {
      for (const chore of chores) {
        const now = clock.monotonic()
        if (now < chore.dueAt) continue
        chore.dueAt = now + chore.everySeconds * 1000
        try {
          await chore.work()
        } catch (error) {
          log.warn({ err: error, host }, 'housekeeping failed; it is tried again')
          chore.dueAt = Math.min(chore.dueAt, now + 10_000)
        }
      }
      const next = Math.min(...chores.map((chore) => chore.dueAt))
      await clock.sleep(Math.max(next - clock.monotonic(), 100), this.#stop.signal)
    }
  }

  /** C-IMC-2. While a guest is here that the conductor does not name, nobody knows which image it needs. */
  async #cleanImages(minimumAgeSeconds: number): Promise<void> {
    const { bus, cellId, driver, host } = this.#options
    const present = await driver.presentServers()
    const { servers } = await bus.call(conductorTopic(cellId), conductorService.hostServers, { host })
    const named = new Set(servers.map((server) => server.serverId))
    if (present.some((serverId) => !named.has(serverId))) return
    const used = servers.flatMap((server) => (server.imageId === null ? [] : [server.imageId]))
    await driver.cleanImages([...new Set(used)], minimumAgeSeconds)
  }

  /** D-SYN-1: tells the conductor the state of every guest it believes to be here. */
  async #syncPowerStates(): Promise<void> {
    const { bus, cellId, driver, host } = this.#options
    const { servers } = await bus.call(conductorTopic(cellId), conductorService.hostServers, { host })
    for (const server of servers) {
      if (server.sagaAlive || server.taskState !== null) continue
      await this.#tellPowerState(server.serverId, await driver.powerState(server.serverId))
    }
  }

  async #tellPowerState(serverId: string, powerState: number): Promise<void> {
    const { bus, cellId, host, log } = this.#options
    if (this.#running.has(serverId)) return
    try {
      await bus.cast(conductorTopic(cellId), conductorService.powerStateChanged, { host, serverId, powerState })
    } catch (error) {
      log.debug({ err: error, host, server: serverId }, 'power state not told')
    }
  }
}
