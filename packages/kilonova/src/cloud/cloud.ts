/** Runs every role of the cloud in this process. */
import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { cell0Id } from '@kilonova/api/cells/cells.service'
import { type ControlPlane, openControlPlane, type WrapSaga } from '@kilonova/api/control-plane'
import { Agent } from '@kilonova/compute/agent/agent'
import { allocationOf } from '@kilonova/compute/config'
import type { Driver } from '@kilonova/compute/driver'
import { FakeDriver } from '@kilonova/compute/drivers/fake/fake.driver'
import { Journal } from '@kilonova/compute/journal/journal'
import { InProcessBus } from '@kilonova/runtime/bus/in-process.bus'
import { systemClock } from '@kilonova/runtime/clock'
import type { Logger } from '@kilonova/runtime/logger'
import { SecretBox } from '@kilonova/runtime/secrets'
import type { FastifyInstance } from 'fastify'
import type { CloudConfig } from './cloud-config.js'
import { type DataFolder, OperatorError } from './data-folder.js'
import { buildHttpServer } from './server.js'

export interface CloudOptions {
  data: DataFolder
  config: CloudConfig
  host: string
  port: number
  driver: { kind: 'fake'; hosts: number } | { kind: 'libvirt'; make: (agent: { host: string; nodeId: string }) => Driver }
  version: string
  log: Logger
  /** Address of a database by its name (api, cell0, cell1); absent: SQLite files in the data folder. */
  databaseUrl?: (name: string) => string
  wrapSaga?: WrapSaga
}

export const cell1Id = '11111111-1111-4111-8111-111111111111'

/** The same host keeps the same id over restarts: it names the compute node and its resource provider. */
const nodeIdOf = (cloudId: string, host: string): string => {
  const hex = createHash('sha256').update(`${cloudId} ${host}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

export class Cloud {
  readonly plane: ControlPlane
  readonly agents: Agent[]
  readonly bus: InProcessBus
  readonly http: FastifyInstance
  readonly #options: CloudOptions
  #url = ''

  private constructor(options: CloudOptions, parts: { plane: ControlPlane; bus: InProcessBus; http: FastifyInstance; agents: Agent[] }) {
    this.#options = options
    this.plane = parts.plane
    this.bus = parts.bus
    this.http = parts.http
    this.agents = parts.agents
  }

  get url(): string {
    return this.#url
  }

  static async open(options: CloudOptions): Promise<Cloud> {
    const { data, config, log } = options
    const bus = new InProcessBus(log)
    let self: Cloud | undefined
    const url = (): string => self?.url ?? ''
    const publicUrl = (): string => config.api.public_urls[0] ?? url()
    const databaseUrl = options.databaseUrl ?? ((name: string): string => `sqlite://${data.file('db', `${name}.db`)}`)
    const plane = await openControlPlane({
      apiUrl: databaseUrl('api'),
      cells: [
        { id: cell0Id, name: 'cell0', url: databaseUrl('cell0'), transportUrl: 'none:///' },
        { id: cell1Id, name: 'cell1', url: databaseUrl('cell1'), transportUrl: 'in-process:///' },
      ],
      imageFolder: data.file('images'),
      config,
      version: options.version,
      ownerName: hostname(),
      bus,
      box: new SecretBox(data.key),
      clock: systemClock,
      log,
      internalUrl: url,
      publicUrl,
      ...(options.wrapSaga === undefined ? {} : { wrapSaga: options.wrapSaga }),
    })
    const agents = agentsOf(options, bus)
    const http = await buildHttpServer({
      plane,
      cloudId: data.cloudId,
      bus,
      consoleCellIds: [cell1Id],
      log,
      allowedOrigins: () => [...config.api.public_urls.map((publicOrigin) => new URL(publicOrigin).origin), ...localOrigins(url())],
      notReady: async () => {
        const states = await plane.services.hypervisors.hostStates()
        return states.some((state) => state.serviceUp) ? [] : ['no compute host has registered yet']
      },
    })
    self = new Cloud(options, { plane, bus, http, agents })
    return self
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
    await this.plane.start()
    await Promise.all(this.agents.map((agent) => agent.start()))
    await this.plane.services.hypervisors.discoverHosts()
    this.#options.log.info({ url: this.#url, hosts: this.agents.length }, 'every role is running')
  }

  async stop(): Promise<void> {
    await this.http.close()
    await Promise.all(this.agents.map((agent) => agent.stop()))
    await this.plane.stop()
    await this.bus.close()
  }
}

function agentsOf(options: CloudOptions, bus: InProcessBus): Agent[] {
  const { data, config, log, driver } = options
  const make = (host: string, made: Driver): Agent =>
    new Agent({
      host,
      cellId: cell1Id,
      driver: made,
      journal: new Journal(data.file('hosts', host, 'journal')),
      bus,
      clock: systemClock,
      log,
      settings: {
        reportIntervalSeconds: config.DEFAULT.report_interval,
        syncPowerStateSeconds: config.DEFAULT.sync_power_state_interval,
        sweepSeconds: config.compute.sweep_interval,
      },
    })
  if (driver.kind === 'libvirt') {
    const host = hostname()
    return [make(host, driver.make({ host, nodeId: nodeIdOf(data.cloudId, host) }))]
  }
  return Array.from({ length: driver.hosts }, (_unused, index) => {
    const host = `fake-${String(index + 1).padStart(3, '0')}`
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

/** Browsers on this machine may use any of its names for a loopback address. */
function localOrigins(url: string): string[] {
  if (url === '') return []
  const { hostname: name, port, origin } = new URL(url)
  const loopback = ['127.0.0.1', 'localhost', '[::1]', '0.0.0.0']
  return loopback.includes(name) ? [origin, `http://127.0.0.1:${port}`, `http://localhost:${port}`] : [origin]
}
