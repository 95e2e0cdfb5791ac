/**
 * What the conductor role runs: the super-conductor on the API database, a conductor for each cell with hosts, the relay of events,
 * and what looks after actions that were cut short and hosts that are new. Any number of conductor processes share the work.
 */
import { conductorService, conductorTopic } from '@kilonova/contract/rpc/conductor'
import { eventLogTopic, outboxTopic } from '@kilonova/contract/rpc/notices'
import type { MessageBus, Subscription } from '@kilonova/runtime/bus/bus'
import type { Clock } from '@kilonova/runtime/clock'
import type { Logger } from '@kilonova/runtime/logger'
import type { Telemetry } from '@kilonova/runtime/observability/telemetry'
import type { Cell, CellsService } from '../cells/cells.service.js'
import type { ApiConfig } from '../config.js'
import type { Database } from '../db/database.js'
import type { ApiSchema, CellSchema } from '../db/schemas.js'
import { Outbox } from '../events/outbox.js'
import { EventRelay } from '../events/relay.js'
import type { PlacementService } from '../placement/placement.service.js'
import type { SchedulerService } from '../scheduler/scheduler.service.js'
import type { CellContext } from './cell-context.js'
import { type ConductorOptions, conductorHandlers } from './conductor.service.js'
import { LostActions } from './lost-actions.js'
import type { SagaDefinition } from './saga.js'
import { SagaEngine } from './saga-engine.js'
import type { SagaQueue } from './saga-queue.js'
import { buildTask } from './tasks/build.task.js'
import { buildOnHostTask } from './tasks/build-on-host.task.js'
import { deleteTask } from './tasks/delete.task.js'
import { pauseTask, pauseTaskKinds } from './tasks/pause.task.js'
import { powerTask } from './tasks/power.task.js'
import type { UpCalls } from './up-calls.js'

/** Answers the definition to run in place of the given one. */
// biome-ignore lint/suspicious/noExplicitAny: a wrapper works on definitions of any state
export type WrapSaga = <Schema>(definition: SagaDefinition<any, Schema>) => SagaDefinition<any, Schema>

export interface ConductorsOptions {
  api: Database<ApiSchema>
  apiOutbox: Outbox<ApiSchema>
  cells: CellsService
  /** Those with hosts. */
  hostCells: readonly Cell[]
  apiQueue: SagaQueue<ApiSchema>
  cellQueue: (cellId: string) => SagaQueue<CellSchema>
  consoleTokensOf: (cellId: string) => ConductorOptions['consoleTokens']
  stopServer: (cell: Cell, serverId: string) => Promise<void>
  discoverHosts: () => Promise<string[]>
  /** Done from time to time beside the discovery of hosts. */
  housekeeping: () => Promise<void>
  scheduler: SchedulerService
  placement: PlacementService
  upCalls: UpCalls
  publisherId: string
  config: ApiConfig
  ownerName: string
  /** No other process begins actions: whatever was begun before this start is nobody's. */
  alone: boolean
  bus: MessageBus
  clock: Clock
  log: Logger
  telemetry: Telemetry
  wrap: WrapSaga
}

export class Conductors {
  readonly superEngine: SagaEngine<ApiSchema>
  readonly cellEngines = new Map<string, SagaEngine<CellSchema>>()
  readonly #options: ConductorsOptions
  readonly #relay: EventRelay
  readonly #lostActions: LostActions
  readonly #stop = new AbortController()
  readonly #subscriptions: Subscription[] = []
  #background: Promise<unknown> | undefined

  constructor(options: ConductorsOptions) {
    this.#options = options
    const { api, bus, cells, clock, config, log, ownerName, publisherId } = options
    const wakeCell = (cellId: string, sagaId: string): void => options.cellQueue(cellId).wake(sagaId)
    this.superEngine = new SagaEngine<ApiSchema>({
      database: api,
      outbox: options.apiOutbox,
      owner: `super-conductor:${ownerName}`,
      clock,
      log: log.child({ part: 'super-conductor' }),
      telemetry: options.telemetry,
      definitions: [
        buildTask({
          api,
          cells,
          placement: options.placement,
          scheduler: options.scheduler,
          defaultZone: config.DEFAULT.default_availability_zone,
          publisherId,
          pokeCell: wakeCell,
        }),
      ].map(options.wrap<ApiSchema>),
    })
    const onAppended = (): void => void bus.fanout(eventLogTopic, {})
    this.#relay = new EventRelay({ api, cells, owner: `relay:${ownerName}`, clock, log, metrics: options.telemetry.metrics, onAppended })
    this.#lostActions = new LostActions({ api, cells, publisherId, pokeCell: wakeCell, clock, log })
    for (const cell of options.hostCells) this.cellEngines.set(cell.id, this.#engineOf(cell))
  }

  async start(): Promise<void> {
    const { alone, api, apiQueue, bus, cellQueue } = this.#options
    const openedAt = await api.readClock()
    for (const [cellId, engine] of this.cellEngines) {
      engine.start()
      this.#subscriptions.push(await cellQueue(cellId).feed(engine))
    }
    this.superEngine.start()
    this.#subscriptions.push(await apiQueue.feed(this.superEngine))
    this.#subscriptions.push(await bus.listen(outboxTopic, () => this.#relay.poke()))
    this.#relay.start()
    for (const cell of this.#options.hostCells) await this.#serve(cell)
    this.#background = Promise.all([this.#discover(), this.#lostActions.run(openedAt, alone, this.#stop.signal)])
  }

  /** Ends after the steps that run now. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#subscriptions.map((subscription) => subscription.close()))
    await this.#background
    await this.superEngine.stop()
    for (const engine of this.cellEngines.values()) await engine.stop()
    await this.#relay.stop()
  }

  #contextOf(cell: Cell): CellContext {
    const { bus, clock, config, log, upCalls } = this.#options
    return {
      cellId: cell.id,
      database: cell.database,
      bus,
      clock,
      log,
      upCalls,
      settings: {
        serviceDownSeconds: config.DEFAULT.service_down_time,
        buildTimeoutSeconds: config.DEFAULT.instance_build_timeout || 86400,
        shutdownTimeoutSeconds: config.DEFAULT.shutdown_timeout,
        maxAttempts: config.scheduler.max_attempts,
      },
    }
  }

  #engineOf(cell: Cell): SagaEngine<CellSchema> {
    const { clock, log, ownerName, telemetry, wrap } = this.#options
    const context = this.#contextOf(cell)
    const engine: SagaEngine<CellSchema> = new SagaEngine<CellSchema>({
      database: cell.database,
      outbox: new Outbox(cell.database, `nova-conductor:${ownerName}`),
      owner: `conductor:${ownerName}`,
      clock,
      log: log.child({ part: 'conductor' }),
      telemetry,
      definitions: [
        buildOnHostTask(context),
        deleteTask({ context, sagas: () => engine.store, poke: (sagaId) => engine.poke(sagaId) }),
        powerTask(context, 'start'),
        powerTask(context, 'stop'),
        powerTask(context, 'reboot_soft'),
        powerTask(context, 'reboot_hard'),
        ...pauseTaskKinds.map((kind) => pauseTask(context, kind)),
      ].map(wrap<CellSchema>),
    })
    return engine
  }

  async #serve(cell: Cell): Promise<void> {
    const { bus, consoleTokensOf, log, ownerName, stopServer } = this.#options
    const engine = this.cellEngines.get(cell.id)
    if (engine === undefined) throw new Error(`no engine for cell ${cell.id}`)
    const handlers = conductorHandlers({
      context: this.#contextOf(cell),
      engine,
      outbox: new Outbox(cell.database, `nova-conductor:${ownerName}`),
      consoleTokens: consoleTokensOf(cell.id),
      stopServer: async (serverId, reason) => {
        log.warn({ server: serverId, reason }, 'power states differ: stopping the server')
        await stopServer(cell, serverId)
      },
    })
    this.#subscriptions.push(await bus.serve(conductorTopic(cell.id), conductorService, handlers))
  }

  async #discover(): Promise<void> {
    const { clock, config, discoverHosts, housekeeping, log } = this.#options
    const seconds = config.scheduler.discover_hosts_in_cells_interval
    if (seconds <= 0) return
    while (!this.#stop.signal.aborted) {
      try {
        const found = await discoverHosts()
        if (found.length > 0) log.info({ hosts: found.length }, 'hosts mapped')
        await housekeeping()
      } catch (error) {
        log.error({ err: error }, 'host discovery failed')
      }
      await clock.sleep(seconds * 1000, this.#stop.signal)
    }
  }
}
