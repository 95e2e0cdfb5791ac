/** A whole cloud inside a test: real databases, fake hypervisors, real HTTP. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { WrapSaga } from '@kilonova/api/conductor/conductors'
import { createLogger, type Logger } from '@kilonova/runtime/logger'
import type { Telemetry } from '@kilonova/runtime/observability/telemetry'
import pg from 'pg'
import { Cloud } from './cloud.js'
import { type CloudConfig, cloudOptions } from './cloud-config.js'
import { DataFolder } from './data-folder.js'
import { cloudRoles, deploymentOf } from './deployment.js'
import { type FirstStart, newAdmin, seedCloud } from './seed.js'

export type Dialect = 'sqlite' | 'postgres'

/** Both where PostgreSQL is installed; CI installs it, and fails when it is missing. */
export const dialects: Dialect[] = process.env.KILONOVA_TEST_POSTGRES === undefined ? ['sqlite'] : ['sqlite', 'postgres']

export interface TestCloudOptions {
  dialect?: Dialect
  hosts?: number
  /** Options by group, laid over the defaults. */
  config?: { [G in keyof CloudConfig]?: Partial<CloudConfig[G]> }
  log?: Logger
  telemetry?: Telemetry
  /** Redis that carries the bus; absent: everything stays in the process. */
  bus?: string
  /** Lays faults over the steps of sagas. */
  wrapSaga?: WrapSaga
}

interface GraphQLAnswer<T> {
  data: T
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string; exception: string | null; fields: string[] } }[]
}

/** Talks to a cloud as one user. */
export class TestClient {
  constructor(
    readonly url: string,
    readonly token: string | null,
  ) {}

  async raw<T>(query: string, variables: Record<string, unknown> = {}, headers: Record<string, string> = {}): Promise<GraphQLAnswer<T>> {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(this.token === null ? {} : { authorization: `Bearer ${this.token}` }),
        ...headers,
      },
      body: JSON.stringify({ query, variables }),
    })
    return (await response.json()) as GraphQLAnswer<T>
  }

  /** The data; an error fails the test. */
  async ask<T>(query: string, variables: Record<string, unknown> = {}): Promise<T> {
    const answer = await this.raw<T>(query, variables)
    if (answer.errors !== undefined) throw new Error(JSON.stringify(answer.errors, null, 1))
    return answer.data
  }

  /** The code of the first error; no error fails the test. */
  async refused(
    query: string,
    variables: Record<string, unknown> = {},
  ): Promise<{ code: string; message: string; fields: string[]; exception: string | null }> {
    const answer = await this.raw<unknown>(query, variables)
    const [error] = answer.errors ?? []
    if (error === undefined) throw new Error(`expected an error, got ${JSON.stringify(answer.data)}`)
    return { message: error.message, ...error.extensions }
  }
}

/** Waits for a level, never for a time: asks again until the answer is as wanted. */
export async function until<T>(what: string, ask: () => Promise<T>, wanted: (value: T) => boolean, timeoutMs = 20_000): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const value = await ask()
    if (wanted(value)) return value
    if (performance.now() > deadline) throw new Error(`gave up waiting for ${what}: ${JSON.stringify(value)}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

export class TestCloud {
  readonly folder: string
  readonly #options: TestCloudOptions
  readonly #databases: string[] = []
  readonly #prefix = `k${process.pid}x${Math.random().toString(36).slice(2, 8)}`
  cloud!: Cloud
  first: FirstStart | undefined
  admin!: TestClient

  private constructor(options: TestCloudOptions) {
    this.#options = options
    this.folder = mkdtempSync(join(tmpdir(), 'kilonova-test-'))
  }

  static async start(options: TestCloudOptions = {}): Promise<TestCloud> {
    const test = new TestCloud(options)
    await test.open()
    return test
  }

  /** Starts the cloud on the folder; again after `close`, as after a restart. */
  async open(): Promise<void> {
    const {
      bus = null,
      dialect = 'sqlite',
      hosts = 3,
      telemetry,
      log = createLogger(process.env.KILONOVA_TEST_LOG ?? 'silent'),
    } = this.#options
    const config = Object.fromEntries(
      Object.entries(cloudOptions).map(([group, schema]) => [
        group,
        schema.parse(this.#options.config?.[group as keyof CloudConfig] ?? {}),
      ]),
    ) as CloudConfig
    Object.assign(config.fake, { prepare_ms: 0, spawn_ms: 0, power_ms: 0, ...this.#options.config?.fake })
    const data = DataFolder.open(this.folder)
    const db = dialect === 'postgres' ? await this.#postgres() : null
    this.cloud = await Cloud.open({
      data,
      config,
      deployment: deploymentOf({ roles: cloudRoles, name: 'test', db, bus }, config, data),
      host: '127.0.0.1',
      port: 0,
      driver: { kind: 'fake', hosts },
      version: 'test',
      log,
      ...(telemetry === undefined ? {} : { telemetry }),
      ...(this.#options.wrapSaga === undefined ? {} : { wrapSaga: this.#options.wrapSaga }),
    })
    this.first ??= newAdmin()
    await seedCloud(this.cloud.plane, this.first, async () => ({
      name: 'private',
      cidr: '10.99.0.0/20',
      mtu: 1500,
      networkType: 'LOCAL',
      dnsServers: [],
    }))
    await this.cloud.listen()
    await this.cloud.start()
    this.admin = await this.signIn(this.first.username, this.first.password.reveal())
  }

  get url(): string {
    return this.cloud.url
  }

  get nobody(): TestClient {
    return new TestClient(this.url, null)
  }

  async signIn(username: string, password: string, projectId?: string): Promise<TestClient> {
    const { login } = await this.nobody.ask<{ login: { session: { accessToken: string } } }>(
      'mutation ($input: LoginInput!) { login(input: $input) { session { accessToken } } }',
      { input: { username, password, projectId } },
    )
    return new TestClient(this.url, login.session.accessToken)
  }

  /** A user with a role in a new project. */
  async user(role: 'reader' | 'member' | 'admin', project?: string): Promise<{ client: TestClient; userId: string; projectId: string }> {
    const suffix = Math.random().toString(36).slice(2, 10)
    const password = `password-${suffix}`
    const projectId =
      project ??
      (
        await this.admin.ask<{ createProject: { project: { id: string } } }>(
          'mutation ($input: CreateProjectInput!) { createProject(input: $input) { project { id } } }',
          { input: { name: `project-${suffix}` } },
        )
      ).createProject.project.id
    const { createUser } = await this.admin.ask<{ createUser: { user: { id: string } } }>(
      'mutation ($input: CreateUserInput!) { createUser(input: $input) { user { id } } }',
      { input: { name: `user-${suffix}`, password, defaultProjectId: projectId } },
    )
    const userId = createUser.user.id
    await this.admin.ask('mutation ($input: AssignRoleInput!) { assignRole(input: $input) { roleAssignment { role { id } } } }', {
      input: { userId, projectId, roleId: role },
    })
    return { client: await this.signIn(`user-${suffix}`, password, projectId), userId, projectId }
  }

  /** A public raw image with data. */
  async image(
    options: { name?: string; properties?: { key: string; value: string }[]; minRamMb?: number; minDiskGb?: number } = {},
  ): Promise<string> {
    const { createImage } = await this.admin.ask<{ createImage: { image: { id: string } } }>(
      'mutation ($input: CreateImageInput!) { createImage(input: $input) { image { id } } }',
      { input: { name: 'test image', diskFormat: 'RAW', visibility: 'PUBLIC', ...options } },
    )
    const imageId = createImage.image.id
    await this.upload(imageId, Buffer.alloc(65536, 'kilonova'))
    await until(
      'the image',
      () => this.admin.ask<{ image: { status: string } }>('query ($id: ID!) { image(id: $id) { status } }', { id: imageId }),
      ({ image }) => image.status === 'ACTIVE',
    )
    return imageId
  }

  /** Uploads bytes and finalizes; answers the operation. */
  async upload(imageId: string, bytes: Buffer): Promise<string> {
    const { createImageUpload } = await this.admin.ask<{ createImageUpload: { upload: { id: string; url: string } } }>(
      'mutation ($input: CreateImageUploadInput!) { createImageUpload(input: $input) { upload { id url } } }',
      { input: { imageId, sizeBytes: String(bytes.length) } },
    )
    const put = await fetch(createImageUpload.upload.url, { method: 'PUT', body: new Uint8Array(bytes) })
    if (!put.ok) throw new Error(await put.text())
    const { finalizeImageUpload } = await this.admin.ask<{ finalizeImageUpload: { operation: { id: string } } }>(
      'mutation ($input: FinalizeImageUploadInput!) { finalizeImageUpload(input: $input) { operation { id } } }',
      { input: { uploadId: createImageUpload.upload.id } },
    )
    return finalizeImageUpload.operation.id
  }

  /** Ends the processes' work in order; the folder stays for `open`. */
  async close(): Promise<void> {
    await this.cloud.stop()
  }

  async destroy(): Promise<void> {
    await this.close()
    rmSync(this.folder, { recursive: true, force: true })
    if (this.#databases.length > 0) {
      const client = new pg.Client({ connectionString: process.env.KILONOVA_TEST_POSTGRES })
      await client.connect()
      for (const name of this.#databases) await client.query(`drop database if exists ${name} with (force)`)
      await client.end()
    }
  }

  async #postgres(): Promise<string> {
    const base = process.env.KILONOVA_TEST_POSTGRES
    if (base === undefined) throw new Error('PostgreSQL is not installed')
    if (this.#databases.length === 0) {
      const client = new pg.Client({ connectionString: base })
      await client.connect()
      for (const name of ['api', 'cell0', 'cell1']) {
        const database = `${this.#prefix}_${name}`
        await client.query(`create database ${database}`)
        this.#databases.push(database)
      }
      await client.end()
    }
    return base.replace(/\/[^/]*$/, `/${this.#prefix}`)
  }
}
