/** Puts the control plane of one process together: databases, services, and the roles it was asked for. */
import { type ConsoleRecheck, consoleRecheckTopic } from '@kilonova/contract/rpc/conductor'
import { eventLogTopic, outboxTopic } from '@kilonova/contract/rpc/notices'
import { schedulerService, schedulerTopic } from '@kilonova/contract/rpc/scheduler'
import type { MessageBus, Subscription } from '@kilonova/runtime/bus/bus'
import type { Clock } from '@kilonova/runtime/clock'
import type { Logger } from '@kilonova/runtime/logger'
import type { SecretBox } from '@kilonova/runtime/secrets'
import { CellsService, cell0Id } from './cells/cells.service.js'
import { Conductors, type WrapSaga } from './conductor/conductors.js'
import { SagaEngine } from './conductor/saga-engine.js'
import { SagaQueue } from './conductor/saga-queue.js'
import { importImageTask } from './conductor/tasks/import-image.task.js'
import type { ApiConfig } from './config.js'
import type { Database } from './db/database.js'
import { type DatabaseAddresses, openDatabases } from './db/open-databases.js'
import type { ApiSchema, CellSchema } from './db/schemas.js'
import { Endpoints } from './endpoints.js'
import { EventHub } from './events/event-hub.js'
import { Outbox } from './events/outbox.js'
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
import { localDecider, remoteDecider, schedulerHandlers } from './scheduler/decider.js'
import { SchedulerService } from './scheduler/scheduler.service.js'
import { configuredSetup } from './scheduler/setup.js'
import type { Services } from './services.js'

/** The parts of the control plane that a process may run. */
export const planeRoles = ['api', 'scheduler', 'conductor'] as const
export type PlaneRole = (typeof planeRoles)[number]

export interface ControlPlaneOptions extends DatabaseAddresses {
  roles: ReadonlySet<PlaneRole>
  imageFolder: string
  config: ApiConfig
  version: string
  /** Differs between processes and is stable over restarts: leases of this name are taken back at once. */
  ownerName: string
  bus: MessageBus
  box: SecretBox
  clock: Clock
  log: Logger
  /** Address under which agents reach the image endpoint. */
  internalUrl: () => string
  publicUrl: () => string
  /** Address under which browsers reach the console proxy. */
  consoleUrl: () => string
  /** For tests of the tasks: lays faults over their steps. */
  wrapSaga?: WrapSaga
}

export interface ControlPlane {
  services: Services
  api: Database<ApiSchema>
  cells: CellsService
  start(): Promise<void>
  stop(): Promise<void>
}

export async function openControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { config, bus, box, clock, log, ownerName, roles } = options
  const { api, cells: openCells } = await openDatabases(options, log)
  const hostCells = openCells.filter((cell) => cell.id !== cell0Id)
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
  const schedulerSetup = configuredSetup(config.filter_scheduler)
  const localScheduler = localDecider(schedulerSetup, hypervisors.hostStates)
  const quotas = new QuotaService(api, config.quota)
  const operations = new OperationService({ db: api, policy, maxPageSize })
  const repository = new ServerRepository(api, cells)
  const imageStore = new ImageStore(options.imageFolder)
  await imageStore.prepare()

  const apiQueue = new SagaQueue<ApiSchema>({ database: api, name: 'api', bus })
  const cellQueues = new Map(openCells.map(({ id, database }) => [id, new SagaQueue<CellSchema>({ database, name: id, bus })]))
  const cellQueue = (cellId: string): SagaQueue<CellSchema> => known(cellQueues, cellId)
  const wakeCell = (cellId: string, sagaId: string): void => cellQueue(cellId).wake(sagaId)

  const endpoints = new Endpoints(api, config.api.internal_url)
  const images: ImageService = new ImageService({
    db: api,
    store: imageStore,
    outbox: apiOutbox,
    policy,
    idempotency,
    box,
    sagas: apiQueue,
    baseUrl: roles.has('api') ? options.internalUrl : () => endpoints.internalUrl(),
    maxPageSize,
    maxSizeBytes: config.image_store.max_size_gb * 2 ** 30,
    uploadSeconds: config.image_store.upload_seconds,
  })
  // Runs where the image store is.
  const imageEngine = new SagaEngine<ApiSchema>({
    database: api,
    outbox: apiOutbox,
    owner: `image:${ownerName}`,
    clock,
    log,
    definitions: [wrap<ApiSchema>(importImageTask(api, imageStore))],
  })
  const consoleTokens = new Map(
    hostCells.map(({ id, database }) => [
      id,
      new ConsoleTokens({
        database,
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
      }),
    ]),
  )
  const consoleTokensOf = (cellId: string): ConsoleTokens => known(consoleTokens, cellId)
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
    pokeCell: wakeCell,
    pokeApi: (sagaId) => apiQueue.wake(sagaId),
    consoleTokensOf,
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
    sagas: apiQueue,
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
  const conductors = roles.has('conductor')
    ? new Conductors({
        api,
        apiOutbox,
        cells,
        hostCells,
        apiQueue,
        cellQueue,
        consoleTokensOf,
        stopServer: (cell, serverId) => servers.stopForSystem(cell, serverId),
        discoverHosts: () => hypervisors.discoverHosts(),
        housekeeping: () => idempotency.purge(),
        scheduler: new SchedulerService({
          decider: roles.has('scheduler') ? localScheduler : remoteDecider(bus),
          placement,
          maxAttempts: config.scheduler.max_attempts,
          clock,
        }),
        placement,
        upCalls: { placement, networks, images },
        publisherId,
        config,
        ownerName,
        alone: planeRoles.every((role) => roles.has(role)),
        bus,
        clock,
        log,
        wrap,
      })
    : null
  const subscriptions: Subscription[] = []

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
    schedulerSetup,
    events,
    box,
    publicUrl: options.publicUrl,
    consoleUrl: options.consoleUrl,
  }
  return {
    services,
    api,
    cells,
    async start() {
      const tell = oneAtATime(() => bus.fanout(outboxTopic, {}))
      for (const database of [api, ...openCells.map((cell) => cell.database)]) database.onOutbox(tell)
      if (roles.has('scheduler')) {
        subscriptions.push(await bus.serve(schedulerTopic, schedulerService, schedulerHandlers(localScheduler)))
      }
      await conductors?.start()
      if (roles.has('api')) {
        imageEngine.start()
        subscriptions.push(await apiQueue.feed(imageEngine))
        subscriptions.push(await bus.listen(eventLogTopic, () => events.poke()))
        await events.start()
        await endpoints.publish(options.internalUrl())
      }
    },
    async stop() {
      await Promise.all(subscriptions.map((subscription) => subscription.close()))
      await conductors?.stop()
      await imageEngine.stop()
      await events.stop()
      await cells.close()
      await api.close()
    },
  }
}

function known<T>(map: ReadonlyMap<string, T>, cellId: string): T {
  const found = map.get(cellId)
  if (found === undefined) throw new Error(`no cell ${cellId} in this deployment`)
  return found
}

/** Does it now, and once more after it has ended if it was asked for meanwhile. */
function oneAtATime(work: () => Promise<void>): () => void {
  let running = false
  let again = false
  const run = async (): Promise<void> => {
    running = true
    do {
      again = false
      await work()
    } while (again)
    running = false
  }
  return () => {
    again = true
    if (!running) void run()
  }
}
