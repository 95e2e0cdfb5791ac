/**
 * Every role as a process of its own on PostgreSQL and Redis: the launch story, kill -9 of each role while builds and deletes are at
 * all their steps, Redis emptied and restarted, PostgreSQL restarted. Nothing is lost, nothing is left over, no guest exists twice.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OwnPostgres, OwnRedis } from '@kilonova/runtime/database-servers.testkit'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import { TestClient, until } from './cloud.testkit.js'
import { create, serverInput, show, untilStatus } from './proof.testkit.js'
import { auditFolder, build, RunningProcess, signInAsAdmin, smallImage } from './running-process.testkit.js'

const hosts = ['host-1', 'host-2', 'host-3']
type Name = 'api' | 'scheduler' | 'conductor' | 'console-proxy' | (typeof hosts)[number]

const options = `
DEFAULT:
  report_interval: 1
scheduler:
  discover_hosts_in_cells_interval: 1
fake:
  prepare_ms: 60
  spawn_ms: 60
`

describe.skipIf(process.env.KILONOVA_TEST_POSTGRES === undefined || process.env.KILONOVA_TEST_REDIS === undefined)('roles apart', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kilonova-roles-'))
  const processes = new Map<Name, RunningProcess>()
  let postgres: OwnPostgres
  let redis: OwnRedis
  let imageId = ''
  let token = ''

  const part = (name: Name): RunningProcess => {
    const found = processes.get(name)
    if (found === undefined) throw new Error(`no process ${name}`)
    return found
  }
  const client = (): TestClient => new TestClient(part('api').url, token)

  beforeAll(async () => {
    build()
    ;[postgres, redis] = await Promise.all([OwnPostgres.start(), OwnRedis.start()])
    const maker = new pg.Client({ connectionString: postgres.url() })
    await maker.connect()
    for (const name of ['api', 'cell0', 'cell1']) await maker.query(`create database kn_${name}`)
    await maker.end()
    writeFileSync(join(folder, 'kilonova.yaml'), options)
    const common = ['--driver', 'fake', '--data', folder, '--port', '0', '--bus', redis.url]
    const database = ['--db', postgres.url('kn')]
    for (const role of ['api', 'scheduler', 'conductor']) {
      processes.set(role, new RunningProcess(['--role', role, '--name', 'one', ...database, ...common]))
    }
    processes.set('console-proxy', new RunningProcess(['--role', 'console-proxy', '--name', 'one', ...common]))
    for (const host of hosts) processes.set(host, new RunningProcess(['--role', 'compute', '--name', host, '--hosts', '1', ...common]))
    // All at once, as a machine that boots does: the databases are brought to this schema by one of them.
    await Promise.all([...processes.values()].map((running) => running.up()))
    const admin = await signInAsAdmin(part('api').url, folder)
    token = admin.token ?? ''
    await ready()
    imageId = await smallImage(admin)
  }, 120_000)
  afterAll(async () => {
    await Promise.all([...processes.values()].map((running) => running.kill('SIGKILL')))
    postgres?.remove()
    await redis?.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  const readyz = async (name: Name): Promise<{ status: number; missing: string[] }> => {
    const answer = await fetch(`${part(name).url}/readyz`)
    const { missing = [] } = (await answer.json()) as { missing?: string[] }
    return { status: answer.status, missing }
  }
  const ready = (): Promise<unknown> =>
    until(
      'readiness of every role',
      async () => (await Promise.all([...processes.keys()].map(readyz))).flatMap((answer) => answer.missing),
      (missing) => missing.length === 0,
      60_000,
    )

  const openOperations = async () => {
    const { operations } = await client().ask<{ operations: { nodes: { id: string; kind: string }[] } }>(
      '{ operations(first: 200, filter: { states: [RUNNING, QUEUED] }) { nodes { id kind } } }',
    )
    return operations.nodes
  }
  const nothingLeft = async (): Promise<void> => {
    await until('all operations', openOperations, (open) => open.length === 0, 60_000)
    await until(
      'a clean audit',
      () => auditFolder(folder, (name) => postgres.url(`kn_${name}`)),
      (findings) => findings.length === 0,
    )
  }
  const finished = (id: string) =>
    until(
      `the end of the build of ${id}`,
      () => show(client(), id),
      (server) => ['ACTIVE', 'ERROR'].includes(server?.status ?? '') && server?.taskState === null,
      60_000,
    )
  const gone = (id: string) =>
    until(
      `the end of ${id}`,
      () => show(client(), id),
      (server) => server === null,
      60_000,
    )
  const deleteServer = (id: string): Promise<unknown> =>
    client().ask('mutation ($input: DeleteServerInput!) { deleteServer(input: $input) { deletedId } }', {
      input: { serverId: id, idempotencyKey: `delete-${id}` },
    })

  /** Requests a little apart, so that one disturbance meets each at another step. */
  async function begin<T>(requests: (() => Promise<T>)[], apartMs: number): Promise<Promise<T | null>[]> {
    const answers: Promise<T | null>[] = []
    for (const request of requests) {
      answers.push(request().catch(() => null))
      await new Promise((resolve) => setTimeout(resolve, apartMs))
    }
    return answers
  }

  /** Builds and then deletes servers; the disturbance falls in the middle of both. */
  async function disturbed(label: string, disturbance: () => Promise<void>): Promise<void> {
    const keys = Array.from({ length: 5 }, (_unused, index) => `${label}-${index}`)
    const request = (key: string) => () => create(client(), serverInput(imageId, key, { idempotencyKey: key }))
    const building = await begin(keys.map(request), 30)
    await disturbance()
    await Promise.all(building)
    await ready()
    const ids = await Promise.all(keys.map(async (key) => (await request(key)()).server.id))
    expect(new Set(ids).size).toBe(keys.length)
    for (const id of ids) expect((await finished(id))?.status).toBe('ACTIVE')
    await nothingLeft()
    const deleting = await begin(
      ids.map((id) => () => deleteServer(id)),
      10,
    )
    await disturbance()
    await Promise.all(deleting)
    await ready()
    for (const id of ids) await deleteServer(id)
    for (const id of ids) await gone(id)
    await nothingLeft()
  }

  it('carry a server from its launch over its console to its end', async () => {
    const { server } = await create(client(), serverInput(imageId, 'apart'))
    const active = await untilStatus(client(), server.id, 'ACTIVE')
    expect(active?.host).toMatch(/^host-[123]-001$/)
    const { createConsole } = await client().ask<{ createConsole: { console: { token: string } } }>(
      'mutation ($id: ID!) { createConsole(input: { serverId: $id, type: SERIAL }) { console { token } } }',
      { id: server.id },
    )
    const socket = new WebSocket(`${part('console-proxy').url.replace('http', 'ws')}/console/ws/serial`, ['binary'])
    let heard = ''
    socket.on('open', () => socket.send(JSON.stringify({ token: createConsole.console.token })))
    socket.on('message', (data: Buffer) => {
      heard += data.toString('utf8')
      if (heard.includes('login:') && !heard.includes('echo me')) socket.send(Buffer.from('echo me\r'))
    })
    await until(
      'the echo of the guest',
      async () => heard,
      (text) => text.length > 0,
    )
    await deleteServer(server.id)
    await until(
      'the end of the console',
      async () => socket.readyState,
      (state) => state === WebSocket.CLOSED,
    )
    await gone(server.id)
    await nothingLeft()
  })

  it.each<Name>(['api', 'scheduler', 'conductor', 'host-1', 'console-proxy'])(
    'survive kill -9 of %s in the middle of builds and deletes',
    async (name) => {
      await disturbed(name, async () => {
        await part(name).kill('SIGKILL')
        await part(name).up()
      })
    },
    120_000,
  )

  it('lose nothing when Redis is emptied', () => disturbed('flushed', () => redis.flush()), 120_000)

  it('lose nothing when Redis restarts empty, and say meanwhile what is missing', async () => {
    await disturbed('redis', async () => {
      await redis.kill()
      await until(
        'the unready conductor',
        () => readyz('conductor'),
        ({ status, missing }) => status === 503 && missing.includes('the bus does not answer'),
      )
      await redis.run()
    })
  }, 180_000)

  it('lose nothing when PostgreSQL restarts', async () => {
    await disturbed('postgres', async () => {
      postgres.stop()
      await until(
        'the unready api',
        () => readyz('api'),
        ({ status, missing }) => status === 503 && missing.includes('the database api does not answer'),
      )
      postgres.start()
    })
  }, 180_000)

  it('end in order on SIGTERM, each with what is under way', async () => {
    const upload = await client().ask<{ createImage: { image: { id: string } } }>(
      'mutation { createImage(input: { name: "slow", diskFormat: RAW }) { image { id } } }',
    )
    const { createImageUpload } = await client().ask<{ createImageUpload: { upload: { id: string; url: string } } }>(
      'mutation ($id: ID!) { createImageUpload(input: { imageId: $id }) { upload { id url } } }',
      { id: upload.createImage.image.id },
    )
    let send: ReadableStreamDefaultController<Uint8Array> | undefined
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        send = controller
      },
    })
    send?.enqueue(new Uint8Array(1024))
    const put = fetch(createImageUpload.upload.url, { method: 'PUT', body, duplex: 'half' } as RequestInit)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const ended = part('api').kill('SIGTERM')
    await until(
      'the closed door',
      () =>
        fetch(`${part('api').url}/healthz`).then(
          () => true,
          () => false,
        ),
      (open) => !open,
    )
    send?.enqueue(new Uint8Array(1024))
    send?.close()
    expect((await put).status).toBeLessThan(300)
    await ended
    await part('api').up()
    await Promise.all(['scheduler', 'conductor', 'console-proxy', ...hosts].map((name) => part(name).kill('SIGTERM')))
  }, 60_000)
})
