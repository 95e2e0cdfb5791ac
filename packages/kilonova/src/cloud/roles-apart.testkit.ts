/** A cloud whose roles share nothing but PostgreSQL and Redis, as in processes of their own, but in one process: cheap, and all of it in sight. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '@kilonova/runtime/logger'
import type { Telemetry } from '@kilonova/runtime/observability/telemetry'
import pg from 'pg'
import { Cloud } from './cloud.js'
import { TestClient, until } from './cloud.testkit.js'
import { type CloudConfig, cloudOptions } from './cloud-config.js'
import { DataFolder } from './data-folder.js'
import { type CloudRole, cloudRoles, deploymentOf } from './deployment.js'
import { newAdmin, seedCloud } from './seed.js'

export const apartIsPossible = process.env.KILONOVA_TEST_POSTGRES !== undefined && process.env.KILONOVA_TEST_REDIS !== undefined

export interface ApartOptions {
  log: (role: CloudRole) => Logger
  telemetry: (role: CloudRole) => Telemetry
  hosts?: number
}

export class RolesApart {
  readonly clouds = new Map<CloudRole, Cloud>()
  readonly #folder = mkdtempSync(join(tmpdir(), 'kilonova-apart-'))
  readonly #prefix = `k${process.pid}a${Math.random().toString(36).slice(2, 8)}`
  admin!: TestClient

  private constructor() {}

  static async start(options: ApartOptions): Promise<RolesApart> {
    const apart = new RolesApart()
    await apart.#start(options)
    return apart
  }

  part(role: CloudRole): Cloud {
    const found = this.clouds.get(role)
    if (found === undefined) throw new Error(`${role} does not run`)
    return found
  }

  async #start({ log, telemetry, hosts = 1 }: ApartOptions): Promise<void> {
    const config = Object.fromEntries(Object.entries(cloudOptions).map(([group, schema]) => [group, schema.parse({})])) as CloudConfig
    Object.assign(config.fake, { prepare_ms: 0, spawn_ms: 0, power_ms: 0 })
    config.scheduler.discover_hosts_in_cells_interval = 0.2
    const data = DataFolder.open(this.#folder)
    const db = await this.#databases('create')
    for (const role of cloudRoles) {
      const flags = { roles: [role], name: role, db, bus: process.env.KILONOVA_TEST_REDIS ?? null }
      const cloud = await Cloud.open({
        data,
        config,
        deployment: deploymentOf(flags, config, data),
        host: '127.0.0.1',
        port: 0,
        driver: { kind: 'fake', hosts },
        version: 'test',
        log: log(role),
        telemetry: telemetry(role),
      })
      this.clouds.set(role, cloud)
    }
    const first = newAdmin()
    const network = { name: 'private', cidr: '10.98.0.0/20', mtu: 1500, networkType: 'LOCAL' as const, dnsServers: [] }
    await seedCloud(this.part('api').plane, first, async () => network)
    const all = [...this.clouds.values()]
    await Promise.all(all.map((cloud) => cloud.listen()))
    await Promise.all(all.map((cloud) => cloud.start()))
    await until(
      'readiness of every role',
      async () => (await Promise.all(all.map((cloud) => fetch(`${cloud.url}/readyz`)))).every((answer) => answer.ok),
      (ready) => ready,
    )
    const { url } = this.part('api')
    const { login } = await new TestClient(url, null).ask<{ login: { session: { accessToken: string } } }>(
      'mutation ($input: LoginInput!) { login(input: $input) { session { accessToken } } }',
      { input: { username: first.username, password: first.password.reveal() } },
    )
    this.admin = new TestClient(url, login.session.accessToken)
  }

  async destroy(): Promise<void> {
    // Those that are asked end after those that ask.
    for (const role of ['api', 'console-proxy', 'compute', 'scheduler', 'conductor'] as const) await this.clouds.get(role)?.stop()
    rmSync(this.#folder, { recursive: true, force: true })
    await this.#databases('drop')
  }

  async #databases(what: 'create' | 'drop'): Promise<string> {
    const base = process.env.KILONOVA_TEST_POSTGRES ?? ''
    const client = new pg.Client({ connectionString: base })
    await client.connect()
    for (const name of ['api', 'cell0', 'cell1']) {
      const database = `${this.#prefix}_${name}`
      await client.query(what === 'create' ? `create database ${database}` : `drop database if exists ${database} with (force)`)
    }
    await client.end()
    return base.replace(/\/[^/]*$/, `/${this.#prefix}`)
  }
}
