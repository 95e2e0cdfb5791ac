/** One process of a cloud: opens what its roles need, starts them, ends them in order. All roles together are the all-in-one. */
import { createHash } from 'node:crypto'
import type { WrapSaga } from '@kilonova/api/conductor/conductors'
import { type ControlPlane, openControlPlane } from '@kilonova/api/control-plane'
import { Agent } from '@kilonova/compute/agent/agent'
import { allocationOf } from '@kilonova/compute/config'
import type { Driver } from '@kilonova/compute/driver'
import { FakeDriver } from '@kilonova/compute/drivers/fake/fake.driver'
import { Journal } from '@kilonova/compute/journal/journal'
import { ConsoleProxy, type ConsoleProxyOptions } from '@kilonova/console-proxy/console-proxy'
import type { MessageBus } from '@kilonova/runtime/bus/bus'
import { InProcessBus } from '@kilonova/runtime/bus/in-process.bus'
import { ObservedBus } from '@kilonova/runtime/bus/observed.bus'
import { RedisBus } from '@kilonova/runtime/bus/redis.bus'
import { systemClock } from '@kilonova/runtime/clock'
import type { Logger } from '@kilonova/runtime/logger'
import { quietTelemetry, type Telemetry } from '@kilonova/runtime/observability/telemetry'
import { SecretBox } from '@kilonova/runtime/secrets'
import type { FastifyInstance } from 'fastify'
import type { CloudConfig } from './cloud-config.js'
import { type DataFolder, OperatorError } from './data-folder.js'
import { cell1Id, type Deployment, isWhole, planeRolesOf } from './deployment.js'
import { type Readiness, whatIsMissing } from './readiness.js'
import { buildHttpServer } from './server.js'

export interface CloudOptions {
  data: DataFolder
  config: CloudConfig
  deployment: Deployment
  host: string
  port: number
  /** Of the compute role. */
  driver: { kind: 'fake'; hosts: number } | { kind: 'libvirt'; make: (agent: { host: string; nodeId: string }) => Driver }
  version: string
  log: Logger
  /** Absent: nobody traces, and only who reads /metrics counts. */
  telemetry?: Telemetry
  wrapSaga?: WrapSaga
}

/** The same host keeps the same id over restarts: it names the compute node and its resource provider. */
const nodeIdOf = (cloudId: string, host: string): string => {
  const hex = createHash('sha256').update(`${cloudId} ${host}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

interface CloudParts {
  plane: ControlPlane | null
  bus: MessageBus
  http: FastifyInstance
  agents: Agent[]
  readiness: Readiness
  telemetry: Telemetry
}

export class Cloud {
  readonly agents: Agent[]
  readonly bus: MessageBus
  readonly http: FastifyInstance
  readonly #plane: ControlPlane | null
  readonly #options: CloudOptions
  readonly #readiness: Readiness
  readonly #telemetry: Telemetry
  #url = ''

  private constructor(options: CloudOptions, parts: CloudParts) {
    this.#options = options
    this.#plane = parts.plane
    this.bus = parts.bus
    this.http = parts.http
    this.agents = parts.agents
    this.#readiness = parts.readiness
    this.#telemetry = parts.telemetry
  }

  get url(): string {
    return this.#url
  }

  /** Throws in a process without a role of the control plane. */
  get plane(): ControlPlane {
    if (this.#plane === null) throw new Error('this process runs no role of the control plane')
    return this.#plane
  }

  static async open(options: CloudOptions): Promise<Cloud> {
    const { config, data, deployment, log } = options
    const { roles } = deployment
    const { telemetry = quietTelemetry() } = options
    const bus = new ObservedBus(await openBus(options), telemetry)
    let self: Cloud | undefined
    const url = (): string => self?.url ?? ''
    const publicUrl = (): string => config.api.public_urls[0] ?? url()
    const allowedOrigins = (): string[] => [
      ...config.api.public_urls.map((publicOrigin) => new URL(publicOrigin).origin),
      ...localOrigins(url()),
    ]
    let plane: ControlPlane | null = null
    try {
      const planeRoles = planeRolesOf(roles)
      if (planeRoles.size > 0) {
        plane = await openControlPlane({
          ...deployment.databases,
          roles: planeRoles,
          imageFolder: data.file('images'),
          config,
          version: options.version,
          ownerName: deployment.name,
          bus,
          box: new SecretBox(data.key),
          clock: systemClock,
          log,
          telemetry,
          internalUrl: url,
          publicUrl,
          ...(options.wrapSaga === undefined ? {} : { wrapSaga: options.wrapSaga }),
        })
      }
      const agents = roles.has('compute') ? agentsOf(options, bus, telemetry) : []
      const readiness: Readiness = { started: false, stopping: false }
      const http = await buildHttpServer({
        plane: roles.has('api') ? plane : null,
        consoleProxy: roles.has('console-proxy') ? consoleProxyOf({ bus, allowedOrigins, log, telemetry }) : null,
        cloudId: data.cloudId,
        trustedProxies: config.api.trusted_proxies,
        log,
        telemetry,
        metricsNetworks: config.metrics.allowed_networks,
        allowedOrigins,
        notReady: () => whatIsMissing({ readiness, roles, plane, bus }),
      })
      self = new Cloud(options, { plane, bus, http, agents, readiness, telemetry })
      return self
    } catch (error) {
      await plane?.stop().catch((secondary: unknown) => log.error({ err: secondary }, 'closing the databases after a failed start'))
      await bus.close()
      await telemetry.tracing.close()
      throw error
    }
  }

  /** Takes the port. Throws OperatorError when it cannot be had. */
  async listen(): Promise<void> {
    const { host, port } = this.#options
    try {
      await this.http.listen({ host, port })
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EADDRINUSE') throw new OperatorError(`Port ${port} on ${host} is taken. Choose another with --port.`)
      if (code === 'EACCES') throw new OperatorError(`Port ${port} on ${host} may not be used by this user. Choose another with --port.`)
      if (code === 'EADDRNOTAVAIL') throw new OperatorError(`This machine has no address ${host}. Choose another with --host.`)
      throw error
    }
    const address = this.http.server.address()
    const actualPort = typeof address === 'object' && address !== null ? address.port : port
    this.#url = `http://${host.includes(':') ? `[${host}]` : host}:${actualPort}`
  }

  /** Starts every role; the port must have been taken. */
  async start(): Promise<void> {
    const { deployment, log } = this.#options
    await this.#plane?.start()
    await Promise.all(this.agents.map((agent) => agent.start()))
    if (isWhole(deployment.roles)) await this.plane.services.hypervisors.discoverHosts()
    this.#readiness.started = true
    log.info({ url: this.#url, roles: [...deployment.roles], hosts: this.agents.length }, 'every role is running')
  }

  /** Takes no more requests, gives those under way their time, then ends the roles. Guests run on. */
  async stop(): Promise<void> {
    const { config, log } = this.#options
    this.#readiness.stopping = true
    const { server } = this.http
    // A connection that has had its answer must not be kept for the next request.
    const release = setInterval(() => server.closeIdleConnections(), 100)
    const cut = setTimeout(() => {
      log.warn('requests are cut off: they took longer than graceful_shutdown_timeout')
      server.closeAllConnections()
    }, config.DEFAULT.graceful_shutdown_timeout * 1000)
    await this.http.close()
    clearInterval(release)
    clearTimeout(cut)
    await Promise.all(this.agents.map((agent) => agent.stop()))
    await this.#plane?.stop()
    await this.bus.close()
    await this.#telemetry.tracing.close()
  }
}

async function openBus({ data, deployment, log }: CloudOptions): Promise<MessageBus> {
  if (deployment.busUrl === null) return new InProcessBus(log)
  try {
    return await RedisBus.connect({ url: deployment.busUrl, log, prefix: `kilonova:${data.shortId}` })
  } catch (error) {
    throw new OperatorError(`The bus cannot be reached: ${(error as Error).message}`)
  }
}

function consoleProxyOf(options: Pick<ConsoleProxyOptions, 'bus' | 'allowedOrigins' | 'log'> & { telemetry: Telemetry }): ConsoleProxy {
  const { bus, allowedOrigins, log, telemetry } = options
  const proxy = new ConsoleProxy({ bus, cellIds: [cell1Id], allowedOrigins, log: log.child({ part: 'console-proxy' }) })
  const open = telemetry.metrics.gauge('kilonova_console_sessions_open', 'Consoles that are open.')
  telemetry.metrics.onScrape(() => open.set(proxy.openSessions))
  return proxy
}

function agentsOf(options: CloudOptions, bus: MessageBus, telemetry: Telemetry): Agent[] {
  const { data, config, deployment, log, driver } = options
  const make = (host: string, made: Driver): Agent =>
    new Agent({
      host,
      cellId: cell1Id,
      driver: made,
      journal: new Journal(data.file('hosts', host, 'journal')),
      bus,
      clock: systemClock,
      log: log.child({ part: 'agent' }),
      telemetry,
      settings: {
        reportIntervalSeconds: config.DEFAULT.report_interval,
        syncPowerStateSeconds: config.DEFAULT.sync_power_state_interval,
        sweepSeconds: config.compute.sweep_interval,
        imageCache: imageCacheOf(config),
      },
    })
  if (driver.kind === 'libvirt') {
    const host = deployment.name
    return [make(host, driver.make({ host, nodeId: nodeIdOf(data.cloudId, host) }))]
  }
  const prefix = isWhole(deployment.roles) ? 'fake' : deployment.name
  return Array.from({ length: driver.hosts }, (_unused, index) => {
    const host = `${prefix}-${String(index + 1).padStart(3, '0')}`
    const { fake } = config
    return make(
      host,
      new FakeDriver({
        host,
        nodeId: nodeIdOf(data.cloudId, host),
        folder: data.file('hosts', host, 'guests'),
        clock: systemClock,
        capacity: { vcpus: fake.vcpus, memoryMb: fake.memory_mb, diskGb: fake.disk_gb },
        delays: { prepareDisks: fake.prepare_ms, spawn: fake.spawn_ms, power: fake.power_ms },
        allocation: allocationOf(config.compute),
      }),
    )
  })
}

function imageCacheOf({ image_cache: options }: CloudConfig) {
  const { manager_interval: interval, remove_unused_base_images: enabled } = options
  if (interval < 0 || !enabled) return null
  return { everySeconds: interval === 0 ? 60 : interval, minimumAgeSeconds: options.remove_unused_original_minimum_age_seconds }
}

/** Browsers on this machine may use any of its names for a loopback address. */
function localOrigins(url: string): string[] {
  if (url === '') return []
  const { hostname: name, port, origin } = new URL(url)
  const loopback = ['127.0.0.1', 'localhost', '[::1]', '0.0.0.0']
  return loopback.includes(name) ? [origin, `http://127.0.0.1:${port}`, `http://localhost:${port}`] : [origin]
}
