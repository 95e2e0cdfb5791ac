/** A cloud whose roles are processes of their own, on PostgreSQL and Redis, behind a proxy that joins API and consoles under one address. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { freePort, OwnPostgres, OwnRedis } from '../../packages/runtime/src/database-servers.testkit.js'

const main = join(import.meta.dirname, '../../packages/kilonova/dist/main.js')

export class CloudApart {
  readonly #folder = mkdtempSync(join(tmpdir(), 'kilonova-apart-'))
  readonly #processes = new Map<string, { child: ChildProcess; args: string[] }>()
  readonly #ends: (() => unknown)[] = []
  url = ''
  password = ''

  static async start(): Promise<CloudApart> {
    const cloud = new CloudApart()
    const postgres = await OwnPostgres.start()
    cloud.#ends.push(() => postgres.remove())
    const redis = await OwnRedis.start()
    cloud.#ends.push(() => redis.remove())
    const maker = new pg.Client({ connectionString: postgres.url() })
    await maker.connect()
    for (const name of ['api', 'cell0', 'cell1']) await maker.query(`create database kn_${name}`)
    await maker.end()
    const [api, consoles, door] = [await freePort(), await freePort(), await freePort()]
    cloud.url = `http://127.0.0.1:${door}`
    writeFileSync(join(cloud.#folder, 'kilonova.yaml'), `api:\n  public_urls: ['${cloud.url}']\nDEFAULT:\n  report_interval: 1\n`)
    const proxy = joining(door, (path) => (path.startsWith('/console/ws/') ? consoles : api))
    cloud.#ends.push(() => proxy.close())
    const bus = ['--driver', 'fake', '--data', cloud.#folder, '--no-install', '--bus', redis.url]
    const both = [...bus, '--db', postgres.url('kn')]
    await Promise.all([
      cloud.#run('api', [...both, '--role', 'api', '--port', String(api)]),
      cloud.#run('scheduler', [...both, '--role', 'scheduler', '--port', '0']),
      cloud.#run('conductor', [...both, '--role', 'conductor', '--port', '0']),
      cloud.#run('console-proxy', [...bus, '--role', 'console-proxy', '--port', String(consoles)]),
      ...['host-1', 'host-2', 'host-3'].map((host) =>
        cloud.#run(host, [...bus, '--role', 'compute', '--name', host, '--hosts', '1', '--port', '0']),
      ),
    ])
    cloud.password = (JSON.parse(readFileSync(join(cloud.#folder, 'admin.json'), 'utf8')) as { password: string }).password
    return cloud
  }

  /** Kills a process without a warning and starts it again. */
  async restart(name: string): Promise<void> {
    const found = this.#processes.get(name)
    if (found === undefined) throw new Error(`no process ${name}`)
    const gone = once(found.child, 'exit')
    found.child.kill('SIGKILL')
    await gone
    await this.#run(name, found.args)
  }

  async purge(): Promise<void> {
    for (const { child } of this.#processes.values()) {
      const gone = once(child, 'exit')
      if (child.kill('SIGKILL')) await gone
    }
    for (const end of this.#ends.reverse()) await end()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #run(name: string, args: string[]): Promise<void> {
    const child = spawn(process.execPath, [main, 'up', ...args])
    this.#processes.set(name, { child, args })
    let output = ''
    return new Promise((resolve, reject) => {
      const read = (chunk: Buffer): void => {
        output += chunk.toString('utf8')
        if (output.includes('Kilonova is up')) resolve()
      }
      child.stdout.on('data', read)
      child.stderr.on('data', read)
      child.once('exit', (code) => reject(new Error(`${name} ended with ${code}:\n${output}`)))
    })
  }
}

/** Looks at the first line of each connection, as much of a reverse proxy as this test needs: browsers open a new one per WebSocket. */
function joining(port: number, portOf: (path: string) => number): Server {
  return createServer((client) => {
    client.on('error', () => {})
    client.once('data', (first) => {
      const path = first.toString('latin1').split(' ')[1] ?? '/'
      const server = connect(portOf(path), '127.0.0.1')
      server.on('error', () => client.destroy())
      server.on('close', () => client.destroy())
      client.on('close', () => server.destroy())
      server.write(first)
      client.pipe(server).pipe(client)
    })
  }).listen(port, '127.0.0.1')
}
