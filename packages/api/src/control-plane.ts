/** Puts the control plane of one deployment together: databases, services, conductors, scheduler, gateway. */

import { type ConsoleRecheck, conductorService, conductorTopic, consoleRecheckTopic } from '@kilonova/contract/rpc/conductor'
import type { MessageBus } from '@kilonova/runtime/bus/bus'
import type { Clock } from '@kilonova/runtime/clock'
import type { Logger } from '@kilonova/runtime/logger'
import type { SecretBox } from '@kilonova/runtime/secrets'
import type { Cell } from './cells/cells.service.js'
import { CellsService, cell0Id } from './cells/cells.service.js'
import type { CellContext } from './conductor/cell-context.js'
import { conductorHandlers } from './conductor/conductor.service.js'
import { LostActions } from './conductor/lost-actions.js'
import type { SagaDefinition } from './conductor/saga.js'
import { SagaEngine } from './conductor/saga-engine.js'
import { buildTask } from './conductor/tasks/build.task.js'
import { buildOnHostTask } from './conductor/tasks/build-on-host.task.js'
import { deleteTask } from './conductor/tasks/delete.task.js'
import { importImageTask } from './conductor/tasks/import-image.task.js'
import { powerTask } from './conductor/tasks/power.task.js'
import type { ApiConfig } from './config.js'
import { Database } from './db/database.js'
import { migrate } from './db/migrator.js'
import type { ApiSchema, CellSchema } from './db/schemas.js'
import { EventHub } from './events/event-hub.js'
import { Outbox } from './events/outbox.js'
import { EventRelay } from './events/relay.js'
import { ConsoleTokens } from './modules/consoles/console-tokens.js'
import { FlavorService } from './modules/flavors/flavor.service.js'
import { HypervisorService } from './modules/hypervisors/hypervisor.service.js'
import { IdempotencyService } from './modules/idempotency/idempotency.service.js'
import { IdentityService } from './modules/identity/identity.service.js'
import { SessionService } from './modules/identity/session.service.js'
import { ImageService } from './modules/images/image.service.js'
import { ImageStore } from './modules/images/image.store.js'
import { KeypairService } from './modules/keypairs/keypair.service.js'
import { NetworkService } from './modules/networks/network.service.js'
import { OperationService } from './modules/operations/operation.service.js'
import { QuotaService } from './modules/quotas/quota.service.js'
import { CreateServer } from './modules/servers/create-server.js'
import { ServerRepository } from './modules/servers/server.repository.js'
import { ServerService } from './modules/servers/server.service.js'
import { PlacementService } from './placement/placement.service.js'
import { Policy } from './policy/policy.js'
import { SchedulerService } from './scheduler/scheduler.service.js'
import { configuredSetup } from './scheduler/setup.js'
import type { Services } from './services.js'

export interface ControlPlaneOptions {
  apiUrl: string
  /** cell0 first, then the cells with hosts. */
  cells: { id: string; name: string; url: string; transportUrl: string }[]
  imageFolder: string
  config: ApiConfig
  version: string
  /** Stable over restarts: leases of this name are taken back at once. */
  ownerName: string
  bus: MessageBus
  box: SecretBox
  clock: Clock
  log: Logger
  /** Address under which agents reach the image endpoint. */
  internalUrl: () => string
  publicUrl: () => string
  /** For tests of the tasks: lays faults over their steps. */
  wrapSaga?: WrapSaga
}

/** Answers the definition to run in place of the given one. */
// biome-ignore lint/suspicious/noExplicitAny: a wrapper works on definitions of any state
export type WrapSaga = <Schema>(definition: SagaDefinition<any, Schema>) => SagaDefinition<any, Schema>

export interface ControlPlane {
  services: Services
  api: Database<ApiSchema>
  cells: CellsService
  superEngine: SagaEngine<ApiSchema>
  cellEngines: Map<string, SagaEngine<CellSchema>>
  start(): Promise<void>
  stop(): Promise<void>
}

/** Opens and migrates the databases. Answers what was applied, for the log. */
async function openDatabases(options: ControlPlaneOptions) {
  const { log } = options
  const api = new Database<ApiSchema>({ url: options.apiUrl, name: 'api', log })
  const applied = await migrate(api, 'api')
  const cells: Cell[] = []
  for (const cell of options.cells) {
    const database = new Database<CellSchema>({ url: cell.url, name: cell.name, log })
    applied.push(...(await migrate(database, 'cell')))
    cells.push({ id: cell.id, database })
  }
  const { now } = api
  await api.transaction(async (trx) => {
    for (const cell of options.cells) {
      const values = { name: cell.name, transport_url: cell.transportUrl, database_connection: cell.url, updated_at: now }
      await trx
        .insertInto('cell_mappings')
        .values({ uuid: cell.id, created_at: now, ...values })
        .onConflict((conflict) => conflict.column('uuid').doUpdateSet(values))
        .execute()
    }
  })
  if (applied.length > 0) log.info({ migrations: applied.length }, 'databases brought to this version')
  return { api, cells }
}

export async function openControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { config, bus, box, clock, log, ownerName } = options
  const { api, cells: openCells } = await openDatabases(options)
  const openedAt = await api.readClock()
  const wrap: WrapSaga = options.wrapSaga ?? ((definition) => definition)
  const cells = new CellsService({ api, timeoutSeconds: config.api.cell_timeout, log })
  for (const cell of openCells) cells.adopt(cell)
  const publisherId = `nova-api:${ownerName}`
  const apiOutbox = new Outbox(api, publisherId)
  const policy = new Policy(config.oslo_policy.policy_file, log)
  const idempotency = new IdempotencyService(api, box)
  const maxPageSize = config.api.max_limit
  const placement = new PlacementService(api)
  const sessions = new SessionService({
    db: api,
    clock,
    accessTokenSeconds: config.identity.access_token_seconds,
    refreshTokenSeconds: config.identity.refresh_token_seconds,
    loginAttempts: config.identity.login_attempts,
    loginWindowSeconds: config.identity.login_window_seconds,
    onEnded: (sessionIds) => void bus.fanout(consoleRecheckTopic, { sessionIds } satisfies ConsoleRecheck),
    onRightsChanged: () => void bus.fanout(consoleRecheckTopic, { all: true } satisfies ConsoleRecheck),
  })
  const identity = new IdentityService({ db: api, policy, idempotency, sessions, maxPageSize })
  const flavors = new FlavorService({ db: api, outbox: apiOutbox, policy, idempotency, maxPageSize })
  const keypairs = new KeypairService({
    db: api,
    outbox: apiOutbox,
    policy,
    idempotency,
    maxPageSize,
    keyPairLimit: config.quota.key_pairs,
  })
  const networks = new NetworkService({ db: api, policy, maxPageSize })
  const hypervisors = new HypervisorService({
    api,
    cells,
    placement,
    policy,
    bus,
    log,
    serviceDownSeconds: config.DEFAULT.service_down_time,
    defaultZone: config.DEFAULT.default_availability_zone,
    maxPageSize,
  })
  const scheduler = new SchedulerService({
    setup: configuredSetup(config.filter_scheduler),
    placement,
    loadHosts: hypervisors.hostStates,
    maxAttempts: config.scheduler.max_attempts,
    clock,
  })
  const quotas = new QuotaService(api, config.quota)
  const operations = new OperationService({ db: api, policy, maxPageSize })
  const repository = new ServerRepository(api, cells)
  const imageStore = new ImageStore(options.imageFolder)
  await imageStore.prepare()

  const cellEngines = new Map<string, SagaEngine<CellSchema>>()
  const consoleTokens = new Map<string, ConsoleTokens>()
  const pokeCell = (cellId: string, sagaId: string): void => cellEngines.get(cellId)?.poke(sagaId)

  const images: ImageService = new ImageService({
    db: api,
    store: imageStore,
    outbox: apiOutbox,
    policy,
    idempotency,
    box,
    sagas: () => superEngine,
    baseUrl: options.internalUrl,
    maxPageSize,
    maxSizeBytes: config.image_store.max_size_gb * 2 ** 30,
    uploadSeconds: config.image_store.upload_seconds,
  })
  const superEngine: SagaEngine<ApiSchema> = new SagaEngine<ApiSchema>({
    database: api,
    outbox: apiOutbox,
    owner: `super-conductor:${ownerName}`,
    clock,
    log,
    definitions: [
      buildTask({
        api,
        cells,
        placement,
        scheduler,
        defaultZone: config.DEFAULT.default_availability_zone,
        publisherId,
        pokeCell,
      }),
      importImageTask(api, imageStore),
    ].map(wrap<ApiSchema>),
  })
  const servers: ServerService = new ServerService({
    api,
    apiOutbox,
    repository,
    policy,
    idempotency,
    hypervisors,
    bus,
    publisherId,
    maxPageSize,
    pokeCell,
    pokeApi: (sagaId) => superEngine.poke(sagaId),
    consoleTokensOf: (cellId) => {
      const tokens = consoleTokens.get(cellId)
      if (tokens === undefined) throw new Error(`no conductor for cell ${cellId} in this process`)
      return tokens
    },
  })
  const createServer = new CreateServer({
    db: api,
    outbox: apiOutbox,
    policy,
    idempotency,
    box,
    flavors,
    images,
    keypairs,
    networks,
    hypervisors,
    quotas,
    sagas: () => superEngine,
    settings: {
      defaultZone: config.DEFAULT.default_availability_zone,
      scheduleZone: config.DEFAULT.default_schedule_zone,
      passwordLength: config.DEFAULT.password_length,
      showPassword: config.api.enable_instance_password,
      metadataItems: config.quota.metadata_items,
      forceConfigDrive: config.DEFAULT.force_config_drive,
    },
  })
  const events = new EventHub({ api, clock, log, retentionSeconds: config.notifications.event_retention_seconds })
  const relay = new EventRelay({ api, cells, owner: `relay:${ownerName}`, clock, log, onAppended: () => events.poke() })
  const lostActions = new LostActions({ api, cells, publisherId, pokeCell, clock, log })
  const stop = new AbortController()
  let background: Promise<unknown> | undefined

  const startConductor = async (cell: Cell): Promise<void> => {
    const context: CellContext = {
      cellId: cell.id,
      database: cell.database,
      bus,
      clock,
      log,
      upCalls: { placement, networks, images },
      settings: {
        serviceDownSeconds: config.DEFAULT.service_down_time,
        buildTimeoutSeconds: config.DEFAULT.instance_build_timeout || 86400,
        shutdownTimeoutSeconds: config.DEFAULT.shutdown_timeout,
        maxAttempts: config.scheduler.max_attempts,
      },
    }
    const outbox = new Outbox(cell.database, `nova-conductor:${ownerName}`)
    const engine: SagaEngine<CellSchema> = new SagaEngine<CellSchema>({
      database: cell.database,
      outbox,
      owner: `conductor:${ownerName}`,
      clock,
      log,
      definitions: [
        buildOnHostTask(context),
        deleteTask({ context, sagas: () => engine.store, poke: (sagaId) => engine.poke(sagaId) }),
        powerTask(context, 'start'),
        powerTask(context, 'stop'),
        powerTask(context, 'reboot_soft'),
        powerTask(context, 'reboot_hard'),
      ].map(wrap<CellSchema>),
    })
    cellEngines.set(cell.id, engine)
    const tokens = new ConsoleTokens({
      database: cell.database,
      bus,
      log,
      ttlSeconds: config.consoleauth.token_ttl,
      loginAllows: async ({ loginSessionId, userId, projectId, serverProjectId }) => {
        const standing = await sessions.standing(loginSessionId)
        if (standing === null || standing.userId !== userId) return false
        const caller = {
          ...standing,
          projectId,
          requestId: '',
          userName: '',
          sessionId: loginSessionId,
          sessionExpiresAt: 0,
          clientAddress: '',
        }
        const roles = await sessions.rolesOf(userId, projectId)
        return policy.allows('os_compute_api:os-remote-consoles', { ...caller, roles }, { project_id: serverProjectId, user_id: userId })
      },
    })
    consoleTokens.set(cell.id, tokens)
    engine.start()
    await bus.serve(
      conductorTopic(cell.id),
      conductorService,
      conductorHandlers({
        context,
        engine,
        outbox,
        consoleTokens: tokens,
        stopServer: async (serverId, reason) => {
          log.warn({ server: serverId, reason }, 'power states differ: stopping the server')
          await servers.stopForSystem(cell, serverId)
        },
      }),
    )
  }

  const discoverAlways = async (): Promise<void> => {
    const seconds = config.scheduler.discover_hosts_in_cells_interval
    if (seconds <= 0) return
    while (!stop.signal.aborted) {
      try {
        const found = await hypervisors.discoverHosts()
        if (found.length > 0) log.info({ hosts: found.length }, 'hosts mapped')
        await idempotency.purge()
      } catch (error) {
        log.error({ err: error }, 'host discovery failed')
      }
      await clock.sleep(seconds * 1000, stop.signal)
    }
  }

  const services: Services = {
    config,
    version: options.version,
    policy,
    sessions,
    identity,
    flavors,
    keypairs,
    images,
    networks,
    hypervisors,
    operations,
    servers,
    createServer,
    placement,
    scheduler,
    events,
    box,
    publicUrl: options.publicUrl,
  }
  return {
    services,
    api,
    cells,
    superEngine,
    cellEngines,
    async start() {
      for (const cell of openCells) if (cell.id !== cell0Id) await startConductor(cell)
      superEngine.start()
      await relay.start()
      await events.start()
      background = Promise.all([discoverAlways(), lostActions.run(openedAt, stop.signal)])
    },
    async stop() {
      stop.abort()
      await background
      await superEngine.stop()
      for (const engine of cellEngines.values()) await engine.stop()
      await relay.stop()
      await events.stop()
      await cells.close()
      await api.close()
    },
  }
}
