/** bulkServerAction: one action on many servers, one result each, under one parent operation. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialects, type TestClient, TestCloud, until } from './cloud.testkit.js'
import { auditCloud, create, createActive, remove, serverInput, settled, show, untilStatus } from './proof.testkit.js'

interface BulkAnswer {
  results: {
    serverId: string
    accepted: boolean
    error: { code: string; message: string; exception: string | null; field: string[] | null } | null
    operation: { id: string; kind: string; parent: { id: string } | null } | null
  }[]
  operation: { id: string; kind: string; state: string }
}
const document = `mutation ($input: BulkServerActionInput!) { bulkServerAction(input: $input) {
  results { serverId accepted error { code message exception field } operation { id kind parent { id } } } operation { id kind state }
} }`
const unknown = '00000000-0000-4000-8000-000000000000'

describe.each(dialects)('bulk actions on %s', (dialect) => {
  let test: TestCloud
  let imageId: string
  let member: TestClient
  let projectId: string
  beforeAll(async () => {
    test = await TestCloud.start({ dialect, hosts: 2, config: { quota: { instances: -1, cores: -1, ram: -1 } } })
    imageId = await test.image()
    ;({ client: member, projectId } = await test.user('member'))
  })
  afterAll(() => test?.destroy())

  const servers = async (count: number, name: string): Promise<string[]> => {
    const made = await create(member, serverInput(imageId, name, { minCount: count }))
    const ids = made.servers.map((server) => server.id)
    for (const id of ids) await untilStatus(member, id, 'ACTIVE')
    return ids
  }
  const bulk = async (input: object, client = member): Promise<BulkAnswer> =>
    (await client.ask<{ bulkServerAction: BulkAnswer }>(document, { input })).bulkServerAction
  const parent = async (id: string) => {
    const { operation } = await until(
      'the end of the parent',
      () =>
        member.ask<{
          operation: {
            state: string
            progressPercent: number
            error: { code: string; message: string } | null
            server: unknown
            children: { totalCount: number; nodes: { kind: string; state: string; serverId: string }[] }
          }
        }>(
          `query ($id: ID!) { operation(id: $id) { state progressPercent error { code message } server { id }
            children { totalCount nodes { kind state serverId } } } }`,
          { id },
        ),
      ({ operation: { state } }) => !['QUEUED', 'RUNNING'].includes(state),
    )
    return operation
  }
  const cleanUp = async (ids: readonly string[]): Promise<void> => {
    for (const id of ids) await remove(test.admin, id)
    expect(await auditCloud(test)).toEqual([])
  }

  it('does one action on each: a parent with one child per server', async () => {
    const ids = await servers(3, 'many')
    for (const [action, status] of [
      ['PAUSE', 'PAUSED'],
      ['UNPAUSE', 'ACTIVE'],
      ['SUSPEND', 'SUSPENDED'],
      ['RESUME', 'ACTIVE'],
      ['REBOOT_SOFT', 'ACTIVE'],
      ['REBOOT_HARD', 'ACTIVE'],
      ['STOP', 'SHUTOFF'],
      ['START', 'ACTIVE'],
    ] as const) {
      const { results, operation } = await bulk({ serverIds: ids, action })
      expect(operation).toMatchObject({ kind: 'BULK' })
      expect(results.map((result) => [result.serverId, result.accepted, result.error])).toEqual(ids.map((id) => [id, true, null]))
      const kind = action.replace(/_.*/, '')
      for (const result of results) expect(result.operation).toMatchObject({ kind, parent: { id: operation.id } })
      const ended = await parent(operation.id)
      expect(ended).toMatchObject({ state: 'SUCCEEDED', progressPercent: 100, error: null, server: null })
      expect(ended.children.nodes.map((child) => child.serverId).sort()).toEqual([...ids].sort())
      expect(ended.children.nodes.every((child) => child.kind === kind && child.state === 'SUCCEEDED')).toBe(true)
      for (const id of ids) await untilStatus(member, id, status)
    }
    const { operations } = await member.ask<{ operations: { nodes: { kind: string }[] } }>(
      '{ operations(filter: { kinds: [BULK, PAUSE] }) { nodes { kind } } }',
    )
    expect(new Set(operations.nodes.map(({ kind }) => kind)), 'children are shown below their parent').toEqual(new Set(['BULK']))
    await cleanUp(ids)
  })

  it('locks, forces states, writes metadata and tags, deletes', async () => {
    const ids = await servers(2, 'labelled')
    const look = async () =>
      (
        await member.ask<{ servers: { nodes: object[] } }>(
          'query ($ids: [ID!]) { servers(filter: { ids: $ids }) { nodes { locked lockedReason tags metadata { key value } status } } }',
          { ids },
        )
      ).servers.nodes
    const locked = await bulk({ serverIds: ids, action: 'LOCK', reason: 'together' })
    expect(await parent(locked.operation.id)).toMatchObject({ state: 'SUCCEEDED', children: { totalCount: 2 } })
    expect(await look()).toMatchObject([
      { locked: true, lockedReason: 'together' },
      { locked: true, lockedReason: 'together' },
    ])
    expect(await parent((await bulk({ serverIds: ids, action: 'UNLOCK' })).operation.id)).toMatchObject({ state: 'SUCCEEDED' })
    const tagged = await bulk({ serverIds: ids, action: 'CHANGE_TAGS', addTags: ['a', 'b'] })
    expect(tagged.results.map((result) => [result.accepted, result.operation])).toEqual([
      [true, null],
      [true, null],
    ])
    expect(await parent(tagged.operation.id)).toMatchObject({ state: 'SUCCEEDED', progressPercent: 100, children: { totalCount: 0 } })
    await bulk({ serverIds: ids, action: 'CHANGE_TAGS', addTags: ['c'], removeTags: ['a'] })
    await bulk({ serverIds: ids, action: 'CHANGE_METADATA', metadata: [{ key: 'k', value: 'v' }] })
    expect(await look()).toMatchObject(ids.map(() => ({ locked: false, tags: ['b', 'c'], metadata: [{ key: 'k', value: 'v' }] })))
    const forced = await bulk({ serverIds: ids, action: 'RESET_STATE', state: 'ERROR' }, test.admin)
    expect(forced.results.every((result) => result.accepted)).toBe(true)
    expect(await look()).toMatchObject([{ status: 'ERROR' }, { status: 'ERROR' }])
    const deleted = await bulk({ serverIds: ids, action: 'DELETE' })
    expect(await parent(deleted.operation.id)).toMatchObject({ state: 'SUCCEEDED', children: { totalCount: 2 } })
    for (const id of ids) expect(await show(member, id)).toBeNull()
    expect(await auditCloud(test)).toEqual([])
  })

  it('judges each server by its own mutation: refusals are results with the same error', async () => {
    const [active, stopped, held] = await servers(3, 'mixed')
    const { client: stranger } = await test.user('member')
    const foreign = await createActive(stranger, serverInput(imageId, 'foreign'))
    if (active === undefined || stopped === undefined || held === undefined) throw new Error('three servers')
    await bulk({ serverIds: [stopped], action: 'STOP' })
    await untilStatus(member, stopped, 'SHUTOFF')
    await bulk({ serverIds: [held], action: 'LOCK' })
    const { results, operation } = await bulk({ serverIds: [active, stopped, held, foreign, unknown], action: 'STOP' })
    expect(results.map((result) => [result.accepted, result.error?.code ?? null, result.operation === null])).toEqual([
      [true, null, false],
      [false, 'INVALID_STATE', true],
      [false, 'LOCKED', true],
      [false, 'NOT_FOUND', true],
      [false, 'NOT_FOUND', true],
    ])
    const single = await member.refused('mutation ($id: ID!) { stopServer(input: { serverId: $id }) { operation { id } } }', { id: held })
    expect(results[2]?.error).toMatchObject({ message: single.message, exception: single.exception })
    expect(await parent(operation.id)).toMatchObject({ state: 'SUCCEEDED', children: { totalCount: 1 } })
    const tags = await bulk({ serverIds: [active, stopped], action: 'CHANGE_TAGS', removeTags: ['missing'] })
    expect(tags.results.map((result) => result.error)).toMatchObject([
      { code: 'NOT_FOUND', field: ['input', 'removeTags', '0'] },
      { code: 'NOT_FOUND' },
    ])
    expect(await parent(tags.operation.id)).toMatchObject({ state: 'FAILED', error: { code: 'NOT_FOUND' } })
    const { client: reader } = await test.user('reader', projectId)
    const denied = await bulk({ serverIds: [active, stopped], action: 'START' }, reader)
    expect(denied.results.map((result) => result.error?.code)).toEqual(['FORBIDDEN', 'FORBIDDEN'])
    expect(await parent(denied.operation.id)).toMatchObject({
      state: 'FAILED',
      error: { code: 'FORBIDDEN', message: 'No server took the action.' },
      children: { totalCount: 0 },
    })
    const forced = await bulk({ serverIds: [active], action: 'RESET_STATE' })
    expect(forced.results[0]?.error).toMatchObject({ code: 'FORBIDDEN' })
    await remove(stranger, foreign)
    await cleanUp([active, stopped, held])
  })

  it('fails the parent when a child fails, and says how many', async () => {
    const ids = [await createActive(member, serverInput(imageId, 'fine')), await createActive(member, serverInput(imageId, 'fail-suspend'))]
    const { operation } = await bulk({ serverIds: ids, action: 'SUSPEND' })
    expect(await parent(operation.id)).toMatchObject({
      state: 'FAILED',
      error: { code: 'GUEST_ERROR', message: '1 of 2 actions failed.' },
    })
    await cleanUp(ids)
  })

  it('refuses bad input with its field, and begins nothing', async () => {
    const [id = ''] = await servers(1, 'untouched')
    const count = async () =>
      (await member.ask<{ operations: { totalCount: number } }>('{ operations { totalCount } }')).operations.totalCount
    const before = await count()
    for (const [input, field] of [
      [{ serverIds: [], action: 'STOP' }, 'input.serverIds'],
      [{ serverIds: Array.from({ length: 251 }, (_, index) => `s-${index}`), action: 'STOP' }, 'input.serverIds'],
      [{ serverIds: [id, id], action: 'STOP' }, 'input.serverIds.1'],
      [{ serverIds: [id], action: 'UPDATE' }, 'input.action'],
      [{ serverIds: [id], action: 'CREATE_CONSOLE' }, 'input.action'],
      [{ serverIds: [id], action: 'READ_CONSOLE_LOG' }, 'input.action'],
      [{ serverIds: [id], action: 'CHANGE_TAGS' }, 'input.addTags'],
      [{ serverIds: [id], action: 'CHANGE_TAGS', addTags: ['a/b'] }, 'input.addTags.0'],
      [{ serverIds: [id], action: 'CHANGE_METADATA' }, 'input.metadata'],
      [{ serverIds: [id], action: 'STOP', reason: 'why' }, 'input.reason'],
      [{ serverIds: [id], action: 'LOCK', reason: '' }, 'input.reason'],
      [{ serverIds: [id], action: 'LOCK', state: 'ERROR' }, 'input.state'],
    ] as const) {
      expect(await member.refused(document, { input }), JSON.stringify(input).slice(0, 80)).toMatchObject({
        code: 'BAD_USER_INPUT',
        fields: [field],
      })
    }
    expect(await count()).toBe(before)
    await cleanUp([id])
  })

  it('answers the same to the same retry key, also when the service was stopped before it answered', async () => {
    const ids = await servers(3, 'retried')
    const [first = ''] = ids
    await bulk({ serverIds: [first], action: 'STOP' })
    await untilStatus(member, first, 'SHUTOFF')
    const input = { serverIds: ids, action: 'STOP', idempotencyKey: `bulk-${dialect}` }
    const answer = await bulk(input)
    expect(answer.results.map((result) => result.accepted)).toEqual([false, true, true])
    await parent(answer.operation.id)
    expect(await bulk(input)).toMatchObject({ results: answer.results, operation: { id: answer.operation.id } })
    await settled(test)
    await test.cloud.plane.api.transaction((trx) =>
      trx.updateTable('idempotency_keys').set({ state: 'pending' }).where('key', '=', input.idempotencyKey).execute(),
    )
    expect(await bulk(input)).toMatchObject({ results: answer.results, operation: { id: answer.operation.id } })
    expect(await parent(answer.operation.id)).toMatchObject({ state: 'SUCCEEDED', children: { totalCount: 2 } })
    expect((await member.refused(document, { input: { ...input, action: 'START' } })).code).toBe('IDEMPOTENCY_KEY_REUSED')
    await cleanUp(ids)
  })

  it('takes 100 servers at once', async () => {
    const ids = await servers(100, 'crowd')
    const { results, operation } = await bulk({ serverIds: ids, action: 'PAUSE' })
    expect(results.filter((result) => result.accepted)).toHaveLength(100)
    expect(await parent(operation.id)).toMatchObject({ state: 'SUCCEEDED', children: { totalCount: 100 } })
    const deleted = await bulk({ serverIds: ids, action: 'DELETE' })
    expect(await parent(deleted.operation.id)).toMatchObject({ state: 'SUCCEEDED' })
    expect(await auditCloud(test)).toEqual([])
  })
})
