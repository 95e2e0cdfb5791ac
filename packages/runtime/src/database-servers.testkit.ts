/** A PostgreSQL and a Redis of the tests' own, on free ports and in private folders; a test may stop and start them. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'redis'

function postgresBinaries(): string | null {
  const root = '/usr/lib/postgresql'
  if (!existsSync(root)) return null
  const newest = readdirSync(root).sort((a, b) => Number(b) - Number(a))[0]
  const folder = newest === undefined ? '' : join(root, newest, 'bin')
  return existsSync(join(folder, 'initdb')) ? folder : null
}

export const postgresInstalled = postgresBinaries() !== null
export const redisInstalled = existsSync('/usr/bin/redis-server')

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** PostgreSQL refuses to run as root. */
function serverUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const [, , uid, gid] = execFileSync('getent', ['passwd', 'postgres'], { encoding: 'utf8' }).split(':')
  return { uid: Number(uid), gid: Number(gid) }
}

export class OwnPostgres {
  readonly #binaries: string
  readonly #folder: string
  readonly #user = serverUser()
  readonly #port: number

  private constructor(binaries: string, folder: string, port: number) {
    this.#binaries = binaries
    this.#folder = folder
    this.#port = port
  }

  static async start(): Promise<OwnPostgres> {
    const binaries = postgresBinaries()
    if (binaries === null) throw new Error('PostgreSQL is not installed')
    const postgres = new OwnPostgres(binaries, mkdtempSync(join(tmpdir(), 'kilonova-pg-')), await freePort())
    const { uid, gid } = postgres.#user
    if (uid !== undefined && gid !== undefined) chownSync(postgres.#folder, uid, gid)
    postgres.#run('initdb', ['-D', postgres.#data, '-A', 'trust', '-U', 'postgres', '--no-sync', '-E', 'UTF8'])
    postgres.start()
    return postgres
  }

  /** Address of a database of this server. */
  url(database = 'postgres'): string {
    return `postgres://postgres@127.0.0.1:${this.#port}/${database}`
  }

  start(): void {
    const options = `-p ${this.#port} -k ${this.#folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=300`
    this.#run('pg_ctl', ['-D', this.#data, '-l', join(this.#folder, 'log'), '-o', options, '-w', 'start'])
  }

  /** Cuts every connection, as a restart by the operator does. */
  stop(): void {
    this.#run('pg_ctl', ['-D', this.#data, '-m', 'immediate', '-w', 'stop'])
  }

  remove(): void {
    this.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #data(): string {
    return join(this.#folder, 'data')
  }

  #run(program: string, args: string[]): void {
    execFileSync(join(this.#binaries, program), args, {
      ...this.#user,
      cwd: this.#folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' },
    })
  }
}

/** Keeps nothing over a restart. */
export class OwnRedis {
  readonly #folder = mkdtempSync(join(tmpdir(), 'kilonova-redis-'))
  readonly port: number
  #process: ReturnType<typeof spawn> | undefined

  private constructor(port: number) {
    this.port = port
  }

  static async start(): Promise<OwnRedis> {
    const redis = new OwnRedis(await freePort())
    await redis.run()
    return redis
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  async run(): Promise<void> {
    const options = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#folder, '--save', '', '--appendonly', 'no']
    this.#process = spawn('/usr/bin/redis-server', options, { stdio: 'ignore' })
    await this.#connected(async () => {})
  }

  /** As if it had been emptied under everybody's feet. */
  async flush(): Promise<void> {
    await this.#connected((flushAll) => flushAll())
  }

  async kill(): Promise<void> {
    const ended = this.#process === undefined ? Promise.resolve() : once(this.#process, 'exit')
    this.#process?.kill('SIGKILL')
    await ended
    this.#process = undefined
  }

  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Waits until it answers. */
  async #connected(work: (flushAll: () => Promise<unknown>) => Promise<unknown>): Promise<void> {
    const client = createClient({ url: this.url, socket: { reconnectStrategy: () => 20 } })
    client.on('error', () => {})
    await client.connect()
    await work(() => client.flushAll())
    client.destroy()
  }
}
