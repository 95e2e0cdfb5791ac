/** Kill -9 in the middle of builds and deletes, with real processes: after the next start everything is finished or unwound. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cell0Id } from '@kilonova/api/cells/cells.service'
import { Database } from '@kilonova/api/db/database'
import type { ApiSchema, CellSchema } from '@kilonova/api/db/schemas'
import { audit, type Finding } from '@kilonova/api/manage/auditor'
import { createLogger } from '@kilonova/runtime/logger'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cell1Id } from './cloud.js'
import { TestClient, until } from './cloud.testkit.js'
import { create, serverInput, show } from './proof.testkit.js'

const root = join(import.meta.dirname, '../../../..')
const hosts = 3

/** `kilonova up` as a process of its own. */
class RunningCloud {
  #child: ChildProcess | undefined
  url = ''

  constructor(readonly folder: string) {}

  async up(): Promise<void> {
    const args = ['up', '--driver', 'fake', '--hosts', String(hosts), '--data', this.folder, '--port', '0', '--no-install']
    const child = spawn(process.execPath, [join(root, 'packages/kilonova/dist/main.js'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => {
      said += String(chunk)
    })
    this.url = await new Promise<string>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        said += String(chunk)
        const url = /Kilonova is up: (\S+)/.exec(said)?.[1]
        if (url !== undefined) resolve(url)
      })
      child.once('exit', (code) => reject(new Error(`up ended with ${code}: ${said}`)))
    })
  }

  /** Nothing is told to the process, nothing is flushed. */
  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await gone
  }
}

/** Reads the databases and the hosts' files of a stopped cloud. */
async function auditFolder(folder: string): Promise<Finding[]> {
  const log = createLogger('silent')
  const open = <Schema>(name: string) => new Database<Schema>({ url: `sqlite://${join(folder, 'db', `${name}.db`)}`, name, log })
  const api = open<ApiSchema>('api')
  const cells = [
    { id: cell0Id, database: open<CellSchema>('cell0') },
    { id: cell1Id, database: open<CellSchema>('cell1') },
  ]
  const present = (host: string): string[] => {
    const guests = join(folder, 'hosts', host, 'guests')
    return existsSync(guests) ? readdirSync(guests).map((name) => name.replace(/\.json.*$/, '')) : []
  }
  try {
    return await audit({
      api,
      cells,
      hosts: readdirSync(join(folder, 'hosts')).map((host) => ({ host, present: present(host) })),
      imageFiles: readdirSync(join(folder, 'images')),
      quiet: true,
    })
  } finally {
    for (const { database } of cells) await database.close()
    await api.close()
  }
}

describe('kill -9', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kilonova-crash-'))
  const cloud = new RunningCloud(folder)
  let token = ''
  let imageId = ''
  const client = () => new TestClient(cloud.url, token)

  beforeAll(async () => {
    execFileSync(join(root, 'node_modules/.bin/tsc'), ['-b', 'packages/kilonova'], { cwd: root })
    mkdirSync(folder, { recursive: true })
    // Long enough that a kill falls into each step, short enough to do it often.
    writeFileSync(join(folder, 'kilonova.yaml'), 'fake:\n  prepare_ms: 60\n  spawn_ms: 60\n')
    await cloud.up()
    const { username, password } = JSON.parse(readFileSync(join(folder, 'admin.json'), 'utf8')) as { username: string; password: string }
    const { login } = await new TestClient(cloud.url, null).ask<{ login: { session: { accessToken: string } } }>(
      'mutation ($input: LoginInput!) { login(input: $input) { session { accessToken } } }',
      { input: { username, password } },
    )
    token = login.session.accessToken
    imageId = await anImage()
  })
  afterAll(async () => {
    await cloud.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  async function anImage(): Promise<string> {
    const { createImage } = await client().ask<{ createImage: { image: { id: string } } }>(
      'mutation { createImage(input: { name: "raw", diskFormat: RAW, visibility: PUBLIC }) { image { id } } }',
    )
    const { id } = createImage.image
    const { createImageUpload } = await client().ask<{ createImageUpload: { upload: { id: string; url: string } } }>(
      'mutation ($id: ID!) { createImageUpload(input: { imageId: $id }) { upload { id url } } }',
      { id },
    )
    await fetch(createImageUpload.upload.url, { method: 'PUT', body: new Uint8Array(4096).fill(7) })
    await client().ask('mutation ($id: ID!) { finalizeImageUpload(input: { uploadId: $id }) { image { id } } }', {
      id: createImageUpload.upload.id,
    })
    await until(
      'the image',
      () => client().ask<{ image: { status: string } }>('query ($id: ID!) { image(id: $id) { status } }', { id }),
      ({ image }) => image.status === 'ACTIVE',
    )
    return id
  }

  const running = async () => {
    const { operations } = await client().ask<{ operations: { nodes: { id: string; kind: string }[] } }>(
      '{ operations(first: 200, filter: { states: [RUNNING, QUEUED] }) { nodes { id kind } } }',
    )
    return operations.nodes
  }

  /** Stops in order, looks, starts again. */
  async function nothingLeft(): Promise<void> {
    await until('all operations', running, (open) => open.length === 0)
    await cloud.kill('SIGTERM')
    expect(await auditFolder(folder)).toEqual([])
    await cloud.up()
  }

  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
  /** Begins requests a little apart, so that one kill meets each at another step; answers lost in the kill are as good as none. */
  async function beginAndKill<T>(requests: (() => Promise<T>)[], apartMs: number, killAfterMs: number): Promise<void> {
    const answers: Promise<unknown>[] = []
    for (const request of requests) {
      answers.push(request().catch(() => null))
      await pause(apartMs)
    }
    await pause(killAfterMs)
    await cloud.kill('SIGKILL')
    await Promise.all(answers)
  }

  it.each([0, 7, 23, 61])('%i ms after builds began at all steps: each retried key leads to one server, finished', async (ms) => {
    const keys = Array.from({ length: 8 }, (_, index) => `build-${ms}-${index}`)
    const request = (key: string) => () => create(client(), serverInput(imageId, key, { idempotencyKey: key }))
    await beginAndKill(keys.map(request), 19, ms)
    await cloud.up()
    const ids = await Promise.all(keys.map(async (key) => (await request(key)()).server.id))
    expect(new Set(ids).size).toBe(keys.length)
    for (const id of ids) {
      const server = await until(
        id,
        () => show(client(), id),
        (seen) => ['ACTIVE', 'ERROR'].includes(seen?.status ?? ''),
      )
      expect(server?.status).toBe('ACTIVE')
    }
    const { servers } = await client().ask<{ servers: { nodes: { name: string }[] } }>('{ servers(first: 500) { nodes { name } } }')
    expect(servers.nodes.filter((server) => server.name.startsWith(`build-${ms}-`))).toHaveLength(keys.length)
    await nothingLeft()
  })

  it.each([0, 4, 11, 30])('%i ms after deletes began at all steps: every server is gone', async (ms) => {
    const { servers } = await client().ask<{ servers: { nodes: { id: string }[] } }>('{ servers(first: 500) { nodes { id } } }')
    const ids = servers.nodes.slice(0, 8).map((server) => server.id)
    expect(ids).toHaveLength(8)
    const request = (id: string) => () =>
      client().ask('mutation ($input: DeleteServerInput!) { deleteServer(input: $input) { deletedId operation { id } } }', {
        input: { serverId: id, idempotencyKey: `delete-${id}` },
      })
    await beginAndKill(ids.map(request), 3, ms)
    await cloud.up()
    for (const id of ids) await request(id)()
    for (const id of ids) {
      await until(
        `the end of ${id}`,
        () => show(client(), id),
        (server) => server === null,
      )
    }
    await nothingLeft()
  })

  it('takes up a delete that was an operation but no saga yet, without anybody asking again', async () => {
    const { server } = await create(client(), serverInput(imageId, 'half deleted'))
    await until(
      'ACTIVE',
      () => show(client(), server.id),
      (seen) => seen?.status === 'ACTIVE',
    )
    await cloud.kill('SIGKILL')
    const api = new Database<ApiSchema>({ url: `sqlite://${join(folder, 'db', 'api.db')}`, name: 'api', log: createLogger('silent') })
    await api.transaction(async (trx) => {
      await trx.updateTable('instance_mappings').set({ queued_for_delete: 1 }).where('instance_uuid', '=', server.id).execute()
      const made = await trx.selectFrom('operations').selectAll().where('server_id', '=', server.id).executeTakeFirstOrThrow()
      const cut = { kind: 'DELETE', state: 'RUNNING', progress: 0, trace: null, finished_at: null }
      await trx
        .insertInto('operations')
        .values({ ...made, ...cut, id: 'cut-short-delete' })
        .execute()
      await trx
        .insertInto('operations')
        .values({ ...made, ...cut, kind: 'STOP', id: 'cut-short-stop' })
        .execute()
    })
    await api.close()
    await cloud.up()
    await until(
      'the end',
      () => show(client(), server.id),
      (seen) => seen === null,
    )
    await nothingLeft()
    const state = async (id: string) =>
      (await client().ask<{ operation: { state: string } }>('query ($id: ID!) { operation(id: $id) { state } }', { id })).operation.state
    expect(await state('cut-short-delete')).toBe('SUCCEEDED')
    expect(await state('cut-short-stop')).toBe('CANCELLED')
  })
})
