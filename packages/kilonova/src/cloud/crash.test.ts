/** Kill -9 in the middle of builds and deletes, with real processes: after the next start everything is finished or unwound. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Database } from '@kilonova/api/db/database'
import type { ApiSchema } from '@kilonova/api/db/schemas'
import { createLogger } from '@kilonova/runtime/logger'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestClient, until } from './cloud.testkit.js'
import { create, serverInput, show } from './proof.testkit.js'
import { auditFolder, build, RunningProcess, signInAsAdmin, smallImage, sqliteUrls } from './running-process.testkit.js'

const hosts = 3

describe('kill -9', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kilonova-crash-'))
  const cloud = new RunningProcess(['--driver', 'fake', '--hosts', String(hosts), '--data', folder, '--port', '0'])
  let token = ''
  let imageId = ''
  const client = () => new TestClient(cloud.url, token)

  beforeAll(async () => {
    build()
    mkdirSync(folder, { recursive: true })
    // Long enough that a kill falls into each step, short enough to do it often.
    writeFileSync(join(folder, 'kilonova.yaml'), 'fake:\n  prepare_ms: 60\n  spawn_ms: 60\n  power_ms: 30\n')
    await cloud.up()
    token = (await signInAsAdmin(cloud.url, folder)).token ?? ''
    imageId = await smallImage(client())
  })
  afterAll(async () => {
    await cloud.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

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

  const actives = async (count: number, name: string): Promise<string[]> => {
    const made = await create(client(), serverInput(imageId, name, { minCount: count }))
    const ids = made.servers.map((server) => server.id)
    await untilAll(ids, 'ACTIVE')
    return ids
  }
  const untilAll = async (ids: readonly string[], status: string): Promise<void> => {
    for (const id of ids) {
      await until(
        `${status} of ${id}`,
        () => show(client(), id),
        (seen) => seen?.status === status && seen.taskState === null,
      )
    }
  }

  it.each([
    [0, 'pauseServer', 'PAUSED'],
    [9, 'suspendServer', 'SUSPENDED'],
    [25, 'pauseServer', 'PAUSED'],
    [40, 'suspendServer', 'SUSPENDED'],
  ] as const)(
    '%i ms after %s began at all steps: each retried key leads to one operation, done or cancelled',
    async (ms, mutation, status) => {
      const ids = await actives(8, `crash-${mutation}-${ms}`)
      const request = (id: string) => async () =>
        (
          await client().ask<Record<string, { operation: { id: string } }>>(
            `mutation ($input: ${status === 'PAUSED' ? 'Pause' : 'Suspend'}ServerInput!) { ${mutation}(input: $input) { operation { id } } }`,
            { input: { serverId: id, idempotencyKey: `${mutation}-${id}` } },
          )
        )[mutation]?.operation.id
      await beginAndKill(ids.map(request), 7, ms)
      await cloud.up()
      for (const id of ids) {
        const operationId = await request(id)()
        const { operations } = await until(
          'the end',
          () =>
            client().ask<{ operations: { nodes: { id: string; kind: string; state: string }[] } }>(
              'query ($id: ID!) { operations(filter: { serverId: $id }) { nodes { id kind state } } }',
              { id },
            ),
          ({ operations: { nodes } }) => nodes.every(({ state }) => !['QUEUED', 'RUNNING'].includes(state)),
        )
        const begun = operations.nodes.filter(({ kind }) => kind !== 'CREATE')
        expect(begun).toMatchObject([{ id: operationId }])
        // What had not reached its cell when the process died was taken back, and says so.
        await untilAll([id], begun[0]?.state === 'SUCCEEDED' ? status : 'ACTIVE')
      }
      await nothingLeft()
    },
  )

  it.each([15, 60, 140])(
    '%i ms after a bulk action began: the retried key tells of each server whether it was done or cancelled',
    async (ms) => {
      const ids = await actives(8, `crash-bulk-${ms}`)
      const request = async () =>
        (
          await client().ask<{
            bulkServerAction: { operation: { id: string }; results: { serverId: string; operation: { id: string } }[] }
          }>(
            `mutation ($input: BulkServerActionInput!) { bulkServerAction(input: $input) {
            operation { id } results { serverId operation { id } }
          } }`,
            { input: { serverIds: ids, action: 'PAUSE', idempotencyKey: `bulk-${ms}` } },
          )
        ).bulkServerAction
      await beginAndKill([request], 0, ms)
      await cloud.up()
      const { operation, results } = await request()
      const ended = async (id: string) =>
        (
          await until(
            'the end',
            () =>
              client().ask<{ operation: { state: string; children: { totalCount: number } } }>(
                'query ($id: ID!) { operation(id: $id) { state children { totalCount } } }',
                { id },
              ),
            ({ operation: { state } }) => !['QUEUED', 'RUNNING'].includes(state),
          )
        ).operation
      const parent = await ended(operation.id)
      const states = await Promise.all(results.map(async (result) => (await ended(result.operation.id)).state))
      expect(parent).toEqual({ state: states.includes('CANCELLED') ? 'CANCELLED' : 'SUCCEEDED', children: { totalCount: 8 } })
      // What had not reached its cell when the process died was taken back, and says so.
      for (const [index, state] of states.entries()) {
        expect(['SUCCEEDED', 'CANCELLED']).toContain(state)
        await untilAll([results[index]?.serverId ?? ''], state === 'SUCCEEDED' ? 'PAUSED' : 'ACTIVE')
      }
      await nothingLeft()
    },
  )

  it('takes up a delete that was an operation but no saga yet, without anybody asking again', async () => {
    const { server } = await create(client(), serverInput(imageId, 'half deleted'))
    await until(
      'ACTIVE',
      () => show(client(), server.id),
      (seen) => seen?.status === 'ACTIVE',
    )
    await cloud.kill('SIGKILL')
    const api = new Database<ApiSchema>({ url: sqliteUrls(folder)('api'), name: 'api', log: createLogger('silent') })
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
