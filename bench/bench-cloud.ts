/** A cloud to measure: whole in one process on SQLite, or its roles apart on a PostgreSQL and a Redis of its own. Simulated hosts whose work takes no time. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { freePort, OwnPostgres, OwnRedis } from '../packages/runtime/src/database-servers.testkit.ts'

const main = join(import.meta.dirname, '../packages/kilonova/dist/main.js')
const pollMs = 2

export class BenchCloud {
  readonly #folder = mkdtempSync(join(tmpdir(), 'kilonova-bench-'))
  readonly #processes = new Map<string, ChildProcess>()
  readonly #ends: (() => unknown)[] = []
  #url = ''
  #token = ''
  #made = 0
  #imageId = ''

  static async start({ hosts, apart, options = '' }: { hosts: number; apart: boolean; options?: string }): Promise<BenchCloud> {
    const cloud = new BenchCloud()
    writeFileSync(join(cloud.#folder, 'kilonova.yaml'), `fake:\n  prepare_ms: 0\n  spawn_ms: 0\n  power_ms: 0\n${options}`)
    const port = await freePort()
    cloud.#url = `http://127.0.0.1:${port}`
    const common = ['--driver', 'fake', '--data', cloud.#folder, '--no-install']
    if (!apart) await cloud.#run('cloud', [...common, '--hosts', String(hosts), '--port', String(port)])
    else {
      const postgres = await OwnPostgres.start()
      const redis = await OwnRedis.start()
      cloud.#ends.push(
        () => postgres.remove(),
        () => redis.remove(),
      )
      const maker = new pg.Client({ connectionString: postgres.url() })
      await maker.connect()
      for (const name of ['api', 'cell0', 'cell1']) await maker.query(`create database kn_${name}`)
      await maker.end()
      const bus = [...common, '--bus', redis.url]
      const both = [...bus, '--db', postgres.url('kn')]
      await cloud.#run('api', [...both, '--role', 'api', '--port', String(port)])
      await Promise.all([
        cloud.#run('scheduler', [...both, '--role', 'scheduler', '--port', '0']),
        cloud.#run('conductor', [...both, '--role', 'conductor', '--port', '0']),
        cloud.#run('compute', [...bus, '--role', 'compute', '--port', '0', '--hosts', String(hosts)]),
      ])
    }
    await cloud.#signIn()
    await cloud.#untilHosts(hosts)
    await cloud.#upload()
    return cloud
  }

  get url(): string {
    return this.#url
  }

  get token(): string {
    return this.#token
  }

  async ask<T>(query: string, variables: Record<string, unknown> = {}): Promise<T> {
    const response = await fetch(`${this.#url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(this.#token === '' ? {} : { authorization: `Bearer ${this.#token}` }) },
      body: JSON.stringify({ query, variables }),
    })
    const answer = (await response.json()) as { data: T; errors?: unknown }
    if (answer.errors !== undefined) throw new Error(JSON.stringify(answer.errors))
    return answer.data
  }

  async create(): Promise<string> {
    this.#made += 1
    const { createServer } = await this.ask<{ createServer: { server: { id: string } } }>(
      'mutation Create($input: CreateServerInput!) { createServer(input: $input) { server { id } } }',
      { input: { name: `bench-${this.#made}`, imageId: this.#imageId, flavorId: '0', networks: { mode: 'NONE' } } },
    )
    return createServer.server.id
  }

  async untilActive(id: string): Promise<void> {
    for (;;) {
      const { server } = await this.ask<{ server: { status: string } }>('query Status($id: ID!) { server(id: $id) { status } }', { id })
      if (server.status === 'ACTIVE') return
      if (server.status === 'ERROR') throw new Error(`${id} failed`)
      await new Promise((resolve) => setTimeout(resolve, pollMs))
    }
  }

  /** Launches so many servers, so many at once, each until it is ACTIVE. Answers servers per second. */
  async launchMany(count: number, atOnce: number): Promise<number> {
    const begun = performance.now()
    let left = count
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        while (left > 0) {
          left -= 1
          await this.untilActive(await this.create())
        }
      }),
    )
    return (count * 1000) / (performance.now() - begun)
  }

  get made(): number {
    return this.#made
  }

  /** CPU time of all processes so far, in ms (clock ticks of 10 ms). */
  cpuMs(): number {
    let ticks = 0
    for (const { pid } of this.#processes.values()) {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
      ticks += Number(fields[11]) + Number(fields[12])
    }
    return ticks * 10
  }

  /** Resident memory of each process, in MB. */
  memory(): string {
    return [...this.#processes]
      .map(([name, { pid }]) => {
        const kb = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
        return `${name} ${Math.round(kb / 1024)} MB`
      })
      .join(', ')
  }

  async end(): Promise<void> {
    for (const child of this.#processes.values()) {
      const gone = once(child, 'exit')
      if (child.kill('SIGKILL')) await gone
    }
    for (const end of this.#ends) await end()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #run(name: string, args: string[]): Promise<void> {
    const child = spawn(process.execPath, [main, 'up', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#processes.set(name, child)
    return new Promise((resolve, reject) => {
      let output = ''
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString('utf8')
        if (output.includes('Kilonova is up')) resolve()
      })
      child.once('exit', () => reject(new Error(output)))
    })
  }

  async #signIn(): Promise<void> {
    const { password } = JSON.parse(readFileSync(join(this.#folder, 'admin.json'), 'utf8')) as { password: string }
    const { login } = await this.ask<{ login: { session: { accessToken: string } } }>(
      'mutation ($input: LoginInput!) { login(input: $input) { session { accessToken } } }',
      { input: { username: 'admin', password } },
    )
    this.#token = login.session.accessToken
  }

  async #untilHosts(count: number): Promise<void> {
    for (;;) {
      const { hypervisors } = await this.ask<{ hypervisors: { totalCount: number } }>('{ hypervisors(first: 1) { totalCount } }')
      if (hypervisors.totalCount >= count) return
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  async #upload(): Promise<void> {
    const { createImage } = await this.ask<{ createImage: { image: { id: string } } }>(
      'mutation ($input: CreateImageInput!) { createImage(input: $input) { image { id } } }',
      { input: { name: 'bench', diskFormat: 'RAW', containerFormat: 'BARE' } },
    )
    const { id } = createImage.image
    const { createImageUpload } = await this.ask<{ createImageUpload: { upload: { id: string; url: string } } }>(
      'mutation ($input: CreateImageUploadInput!) { createImageUpload(input: $input) { upload { id url } } }',
      { input: { imageId: id, sizeBytes: '65536' } },
    )
    const put = await fetch(createImageUpload.upload.url, { method: 'PUT', body: Buffer.alloc(65_536, 1) })
    if (!put.ok) throw new Error(`upload: ${put.status}`)
    await this.ask('mutation ($input: FinalizeImageUploadInput!) { finalizeImageUpload(input: $input) { operation { id } } }', {
      input: { uploadId: createImageUpload.upload.id },
    })
    for (let status = ''; status !== 'ACTIVE'; ) {
      status = (await this.ask<{ image: { status: string } }>('query ($id: ID!) { image(id: $id) { status } }', { id })).image.status
    }
    this.#imageId = id
  }
}

export const quantile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(Math.floor(values.length * share), values.length - 1)] ?? Number.NaN
