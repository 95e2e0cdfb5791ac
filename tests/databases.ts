/** Starts a PostgreSQL and a Redis of the tests' own, on free ports and in a private folder, when they are installed. */
import { execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

function postgresBinaries(): string | null {
  const root = '/usr/lib/postgresql'
  if (!existsSync(root)) return null
  const newest = readdirSync(root).sort((a, b) => Number(b) - Number(a))[0]
  const folder = newest === undefined ? '' : join(root, newest, 'bin')
  return existsSync(join(folder, 'initdb')) ? folder : null
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })

/** PostgreSQL refuses to run as root. */
function asServerUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const [, , uid, gid] = execFileSync('getent', ['passwd', 'postgres'], { encoding: 'utf8' }).split(':')
  return { uid: Number(uid), gid: Number(gid) }
}

export default async function setup(): Promise<() => Promise<void>> {
  const stops: (() => void)[] = []
  const binaries = postgresBinaries()
  if (binaries !== null) {
    const folder = mkdtempSync(join(tmpdir(), 'kilonova-pg-'))
    const user = asServerUser()
    if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid)
    const data = join(folder, 'data')
    const port = await freePort()
    const run = (program: string, args: string[]): void => {
      execFileSync(join(binaries, program), args, {
        ...user,
        cwd: folder,
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' },
      })
    }
    run('initdb', ['-D', data, '-A', 'trust', '-U', 'postgres', '--no-sync', '-E', 'UTF8'])
    const options = `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=300`
    run('pg_ctl', ['-D', data, '-l', join(folder, 'log'), '-o', options, '-w', 'start'])
    process.env.KILONOVA_TEST_POSTGRES = `postgres://postgres@127.0.0.1:${port}/postgres`
    stops.push(() => {
      run('pg_ctl', ['-D', data, '-m', 'immediate', '-w', 'stop'])
      rmSync(folder, { recursive: true, force: true })
    })
  }
  if (existsSync('/usr/bin/redis-server')) {
    const folder = mkdtempSync(join(tmpdir(), 'kilonova-redis-'))
    const port = await freePort()
    const redis = spawn(
      '/usr/bin/redis-server',
      ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'],
      {
        stdio: 'ignore',
      },
    )
    process.env.KILONOVA_TEST_REDIS = `redis://127.0.0.1:${port}`
    stops.push(() => {
      redis.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    })
  }
  return async () => {
    for (const stop of stops.reverse()) stop()
  }
}
