/** Puts the control plane of one process together: databases, services, and the roles it was asked for. */
import { eventLogTopic, outboxTopic } from '@kilonova/contract/rpc/notices'
import { schedulerService, schedulerTopic } from '@kilonova/contract/rpc/scheduler'
import type { MessageBus, Subscription } from '@kilonova/runtime/bus/bus'
import type { Clock } from '@kilonova/runtime/clock'
import type { Logger } from '@kilonova/runtime/logger'
import type { Telemetry } from '@kilonova/runtime/observability/telemetry'
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
import { AuditService } from './modules/audit/audit.service.js'
import { ConsoleTokens } from './modules/consoles/console-tokens.js'
import { FlavorService } from './modules/flavors/flavor.service.js'
import { ComputeServices } from './modules/hypervisors/compute-services.js'
import { HypervisorService } from './modules/hypervisors/hypervisor.service.js'
import { IdempotencyService } from './modules/idempotency/idempotency.service.js'
import { ApplicationCredentialService } from './modules/identity/application-credential.service.js'
import { GrantService } from './modules/identity/grant.service.js'
import { IdentityService } from './modules/identity/identity.service.js'
import { LiveLogins } from './modules/identity/live-logins.js'
import { ProjectService } from './modules/identity/project.service.js'
import { RightsLog } from './modules/identity/rights-log.js'
import { SessionService } from './modules/identity/session.service.js'
import { ImageService } from './modules/images/image.service.js'
import { ImageStore } from './modules/images/image.store.js'
import { KeypairService } from './modules/keypairs/keypair.service.js'
import { NetworkService } from './modules/networks/network.service.js'
import { OperationService } from './modules/operations/operation.service.js'
import { OperationCancel } from './modules/operations/operation-cancel.js'
import { readAuditPeriod } from './modules/quotas/audit-period.js'
import { limitSourceFor } from './modules/quotas/quota.limits.js'
import { QuotaService } from './modules/quotas/quota.service.js'
import { usageCounterFor } from './modules/quotas/quota.usage.js'
import { QuotaSetService } from './modules/quotas/quota-set.service.js'
import { UsageService } from './modules/quotas/usage.service.js'
import { UsageAuditService } from './modules/quotas/usage-audit.service.js'
import { UsageAuditor } from './modules/quotas/usage-auditor.js'
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
  telemetry: Telemetry
  /** Address under which agents reach the image endpoint. */
  internalUrl: () => string
  publicUrl: () => string
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
  const { config, bus, box, clock, log, ownerName, roles, telemetry } = options
  const { metrics } = telemetry
  const { api, cells: openCells } = await openDatabases(options, log, metrics)
  const hostCells = openCells.filter((cell) => cell.id !== cell0Id)
  const wrap: WrapSaga = options.wrapSaga ?? ((definition) => definition)
  const cells = new CellsService({ api, timeoutSeconds: config.api.cell_timeout, log, metrics })
  for (const cell of openCells) cells.adopt(cell)
  const publisherId = `nova-api:${ownerName}`
  const apiOutbox = new Outbox(api, publisherId)
  const policy = new Policy(config.oslo_policy.policy_file, log)
  const idempotency = new IdempotencyService(api, box)
  const maxPageSize = config.api.max_limit
  const placement = new PlacementService(api)
  const rights = new RightsLog({ db: api, bus, clock, log })
  const sessions = new SessionService({
    db: api,
    clock,
    accessTokenSeconds: config.identity.access_token_seconds,
    refreshTokenSeconds: config.identity.refresh_token_seconds,
    loginAttempts: config.identity.login_attempts,
    loginWindowSeconds: config.identity.login_window_seconds,
    passwordExpiresDays: config.identity.password_expires_days,
    rights,
  })
  const liveLogins = new LiveLogins({ db: api, log, rights })
  policy.onChange(() => {
    rights.everythingChanged()
    liveLogins.endAll('The policy has changed: connect again')
  })
  const identityOptions = { db: api, policy, idempotency, sessions, rights, maxPageSize }
  const identity = new IdentityService(identityOptions)
  const projects = new ProjectService(identityOptions, identity)
  const grants = new GrantService(identityOptions, identity)
  const credentials = new ApplicationCredentialService(identityOptions)
  const flavors = new FlavorService({ db: api, cells, outbox: apiOutbox, policy, idempotency, maxPageSize })
  const auditPeriod = readAuditPeriod(config.DEFAULT.instance_usage_audit_period) ?? { unit: 'month' as const, offset: 1 }
  const usageAuditor = new UsageAuditor({ api, cells, period: auditPeriod, owner: ownerName, publisherId, log })
  const quotaLimits = limitSourceFor(config.quota.driver, config.quota)
  const quotaUsage = usageCounterFor(config.quota, cells)
  const quotas = new QuotaService({ db: api, limits: quotaLimits, usage: quotaUsage, recheck: config.quota.recheck_quota })
  const quotaSets = new QuotaSetService({ db: api, policy, idempotency, limits: quotaLimits, usage: quotaUsage })
  const keypairs = new KeypairService({
    db: api,
    outbox: apiOutbox,
    policy,
    idempotency,
    maxPageSize,
    quotas,
    generation: config.api.keypair_generation,
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
  const localScheduler = localDecider(schedulerSetup, hypervisors.hostStates, { telemetry, log: log.child({ part: 'scheduler' }) })
  const operations = new OperationService({ db: api, policy, maxPageSize })
  const repository = new ServerRepository(api, cells)
  const imageStore = new ImageStore(options.imageFolder)
  await imageStore.prepare()

  const apiQueue = new SagaQueue<ApiSchema>({ database: api, name: 'api', bus })
  const cellQueues = new Map(openCells.map(({ id, database }) => [id, new SagaQueue<CellSchema>({ database, name: id, bus })]))
  const cellQueue = (cellId: string): SagaQueue<CellSchema> => known(cellQueues, cellId)
  const wakeCell = (cellId: string, sagaId: string): void => cellQueue(cellId).wake(sagaId)
  const cancels = new OperationCancel({
    api,
    cells,
    policy,
    idempotency,
    operations,
    wakeApi: (sagaId) => apiQueue.wake(sagaId),
    wakeCell,
  })

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
    log: log.child({ part: 'api' }),
    telemetry,
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
        loginAllows: async ({ rule, loginSessionId, userId, projectId, serverProjectId }) => {
          const caller = await sessions.callerIn(loginSessionId, projectId)
          const target = { project_id: serverProjectId, user_id: userId }
          return caller !== null && caller.userId === userId && policy.allows(rule, caller, target)
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
    quotas,
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
      forceConfigDrive: config.DEFAULT.force_config_drive,
    },
  })
  const audit = new AuditService({ db: api, policy, log, maxPageSize, retentionDays: config.audit.retention_days })
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
        housekeeping: async () => {
          await idempotency.purge()
          if (config.DEFAULT.instance_usage_audit) await usageAuditor.run()
        },
        scheduler: new SchedulerService({
          decider: roles.has('scheduler') ? localScheduler : remoteDecider(bus),
          placement,
          maxAttempts: config.scheduler.max_attempts,
          clock,
          metrics,
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
        telemetry,
        wrap,
      })
    : null
  const subscriptions: Subscription[] = []
  let policyWatch: NodeJS.Timeout | undefined

  const services: Services = {
    config,
    version: options.version,
    policy,
    sessions,
    liveLogins,
    identity,
    projects,
    grants,
    credentials,
    flavors,
    keypairs,
    images,
    networks,
    hypervisors,
    computeServices: new ComputeServices({ api, cells, hypervisors, placement, policy, idempotency, publisherId }),
    operations,
    cancels,
    servers,
    createServer,
    quotaSets,
    usage: new UsageService({ api, cells, policy, maxPageSize }),
    usageAudits: new UsageAuditService({ api, cells, policy, period: auditPeriod, isEnabled: config.DEFAULT.instance_usage_audit }),
    placement,
    schedulerSetup,
    events,
    audit,
    box,
    publicUrl: options.publicUrl,
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
        await rights.start()
        policyWatch = setInterval(() => policy.refresh(), 1000).unref()
        await events.start()
        const position = metrics.gauge('kilonova_event_stream_position', 'Position up to which this process has read the event log.')
        metrics.onScrape(() => position.set(events.position))
        await endpoints.publish(options.internalUrl())
      }
    },
    async stop() {
      await Promise.all(subscriptions.map((subscription) => subscription.close()))
      await conductors?.stop()
      await imageEngine.stop()
      clearInterval(policyWatch)
      await rights.stop()
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
