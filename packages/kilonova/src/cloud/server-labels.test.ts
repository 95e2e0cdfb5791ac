/** What owners write on servers: names (A-ACT-39), metadata (A-ACT-34, D-ACT-38), tags (A-ACT-35, D-ACT-39), and lists by them. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { dialects, type TestClient, TestCloud, until } from './cloud.testkit.js'
import { cell1Id } from './deployment.js'
import { create, createActive, serverInput, untilStatus } from './proof.testkit.js'

const shown = 'server { id name description metadata { key value } tags generation }'
const text = (length: number): string => 'x'.repeat(length)

describe.each(dialects)('labels on %s', (dialect) => {
  let test: TestCloud
  let imageId: string
  let member: TestClient
  let projectId: string
  let id: string
  beforeAll(async () => {
    test = await TestCloud.start({ dialect, hosts: 1, config: { quota: { metadata_items: 3, instances: -1, cores: -1, ram: -1 } } })
    imageId = await test.image()
    ;({ client: member, projectId } = await test.user('member'))
    id = await createActive(member, serverInput(imageId, 'labelled'))
  })
  afterAll(() => test?.destroy())
  beforeEach(async () => {
    await call('clearServerTags', {})
    await call('replaceServerMetadata', { metadata: [] })
  })

  interface Shown {
    id: string
    name: string
    description: string | null
    metadata: { key: string; value: string }[]
    tags: string[]
    generation: number
  }
  const documentOf = (mutation: string) =>
    `mutation ($input: ${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input!) { ${mutation}(input: $input) { ${shown} } }`
  async function call(mutation: string, input: object, client = member): Promise<Shown> {
    const answer = await client.ask<Record<string, { server: Shown }>>(documentOf(mutation), { input: { serverId: id, ...input } })
    const { server } = answer[mutation] ?? {}
    if (server === undefined) throw new Error(`no answer from ${mutation}`)
    return server
  }
  const refused = (mutation: string, input: object, client = member) =>
    client.refused(documentOf(mutation), { input: { serverId: id, ...input } })
  const items = (pairs: Record<string, string>) => Object.entries(pairs).map(([key, value]) => ({ key, value }))
  const inCell = async (values: object, serverId = id) => {
    const { database } = await test.cloud.plane.cells.get(cell1Id)
    await database.transaction((trx) => trx.updateTable('instances').set(values).where('uuid', '=', serverId).execute())
  }

  it('A-ACT-34 writes, replaces and deletes metadata', async () => {
    expect((await call('setServerMetadata', { metadata: items({ a: '1', 'b:c-d_e. f': '' }) })).metadata).toEqual(
      items({ a: '1', 'b:c-d_e. f': '' }),
    )
    expect((await call('setServerMetadata', { metadata: items({ a: '2' }) })).metadata).toEqual(items({ a: '2', 'b:c-d_e. f': '' }))
    expect((await call('replaceServerMetadata', { metadata: items({ z: '9' }) })).metadata).toEqual(items({ z: '9' }))
    expect((await call('deleteServerMetadata', { keys: ['z'] })).metadata).toEqual([])
  })

  it('A-GEN-7 refuses bad metadata with its field, and changes nothing', async () => {
    for (const [metadata, field] of [
      [items({ '': 'x' }), 'input.metadata.0.key'],
      [items({ ok: 'x', [text(256)]: 'x' }), 'input.metadata.1.key'],
      [items({ 'a/b': 'x' }), 'input.metadata.0.key'],
      [items({ ok: text(256) }), 'input.metadata.0.value'],
      [[...items({ twice: '1' }), ...items({ twice: '2' })], 'input.metadata.1.key'],
    ] as const) {
      for (const mutation of ['setServerMetadata', 'replaceServerMetadata']) {
        expect(await refused(mutation, { metadata })).toMatchObject({ code: 'BAD_USER_INPUT', fields: [field] })
      }
      const input = serverInput(imageId, 'refused', { metadata })
      const made = await member.refused('mutation ($input: CreateServerInput!) { createServer(input: $input) { server { id } } }', {
        input,
      })
      expect(made).toMatchObject({ code: 'BAD_USER_INPUT', fields: [field] })
    }
    expect(await refused('deleteServerMetadata', { keys: [] })).toMatchObject({ code: 'BAD_USER_INPUT', fields: ['input.keys'] })
    await call('setServerMetadata', { metadata: items({ there: '1' }) })
    expect(await refused('deleteServerMetadata', { keys: ['there', 'missing'] })).toMatchObject({
      code: 'NOT_FOUND',
      fields: ['input.keys.1'],
    })
    expect((await call('setServerMetadata', { metadata: [] })).metadata).toEqual(items({ there: '1' }))
  })

  it('A-ACT-42 counts what the server would have in the end against metadata_items', async () => {
    await call('setServerMetadata', { metadata: items({ a: '1', b: '2', c: '3' }) })
    await call('setServerMetadata', { metadata: items({ a: '4' }) })
    expect(await refused('setServerMetadata', { metadata: items({ d: '5' }) })).toMatchObject({
      code: 'QUOTA_EXCEEDED',
      exception: 'MetadataLimitExceeded',
      fields: ['input.metadata'],
    })
    expect(await refused('replaceServerMetadata', { metadata: items({ a: '', b: '', c: '', d: '' }) })).toMatchObject({
      code: 'QUOTA_EXCEEDED',
    })
    expect((await call('replaceServerMetadata', { metadata: items({ d: '6' }) })).metadata).toEqual(items({ d: '6' }))
  })

  it('A-ACT-35 adds, removes, replaces and clears tags', async () => {
    expect((await call('addServerTags', { tags: ['blue', 'größe', 'blue'] })).tags).toEqual(['blue', 'größe'])
    expect((await call('addServerTags', { tags: ['red', 'blue'] })).tags).toEqual(['blue', 'größe', 'red'])
    expect((await call('removeServerTags', { tags: ['blue'] })).tags).toEqual(['größe', 'red'])
    expect((await call('replaceServerTags', { tags: ['one', 'two', 'one'] })).tags).toEqual(['one', 'two'])
    expect((await call('clearServerTags', {})).tags).toEqual([])
  })

  it('A-ACT-35 refuses bad tags, too many tags and tags that are not there', async () => {
    for (const bad of ['', text(61), 'a/b', 'a,b']) {
      for (const mutation of ['addServerTags', 'replaceServerTags']) {
        expect(await refused(mutation, { tags: ['ok', bad] })).toMatchObject({ code: 'BAD_USER_INPUT', fields: ['input.tags.1'] })
      }
    }
    const fifty = Array.from({ length: 50 }, (_, index) => `tag-${index}`)
    expect((await call('addServerTags', { tags: fifty })).tags).toHaveLength(50)
    await call('addServerTags', { tags: fifty.slice(0, 10) })
    const tooMany = { code: 'LIMIT_EXCEEDED', exception: 'TagsLimitExceeded', fields: ['input.tags'] }
    expect(await refused('addServerTags', { tags: ['one more'] })).toMatchObject(tooMany)
    expect(await refused('replaceServerTags', { tags: [...fifty, 'one more'] })).toMatchObject(tooMany)
    expect(await refused('removeServerTags', { tags: ['tag-1', 'missing'] })).toMatchObject({ code: 'NOT_FOUND', fields: ['input.tags.1'] })
    expect((await call('addServerTags', { tags: ['tag-0'] })).tags).toHaveLength(50)
  })

  it('D-ACT-38 D-ACT-39 from ACTIVE, PAUSED, SUSPENDED, STOPPED in any task, and in no other state', async () => {
    for (const [vmState, allowed] of [
      ['active', true],
      ['paused', true],
      ['suspended', true],
      ['stopped', true],
      ['error', false],
      ['rescued', false],
    ] as const) {
      await inCell({ vm_state: vmState, task_state: 'rebooting' })
      const code = async (mutation: string, input: object) =>
        (await member.raw(documentOf(mutation), { input: { serverId: id, ...input } })).errors?.[0]?.extensions.code ?? 'done'
      const expected = allowed ? 'done' : 'INVALID_STATE'
      expect(await code('setServerMetadata', { metadata: items({ s: vmState }) }), vmState).toBe(expected)
      expect(await code('replaceServerTags', { tags: [vmState] }), vmState).toBe(expected)
    }
    await inCell({ vm_state: 'active', task_state: null })
    const { server } = await create(member, serverInput(imageId, 'slow-disk new'))
    expect(await refused('setServerMetadata', { serverId: server.id, metadata: [] })).toMatchObject({ code: 'INVALID_STATE' })
    expect(await refused('addServerTags', { serverId: server.id, tags: ['early'] })).toMatchObject({ code: 'INVALID_STATE' })
    // Names are changed at any time, also before the server has a host.
    expect((await call('updateServer', { serverId: server.id, name: 'slow-disk renamed' })).name).toBe('slow-disk renamed')
    await untilStatus(member, server.id, 'ACTIVE')
  })

  it('asks for a member of the project: others see nothing, readers may not', async () => {
    const { client: reader } = await test.user('reader', projectId)
    const { client: stranger } = await test.user('member')
    for (const [mutation, input] of [
      ['setServerMetadata', { metadata: [] }],
      ['replaceServerMetadata', { metadata: [] }],
      ['deleteServerMetadata', { keys: ['a'] }],
      ['addServerTags', { tags: ['a'] }],
      ['replaceServerTags', { tags: [] }],
      ['removeServerTags', { tags: ['a'] }],
      ['clearServerTags', {}],
      ['updateServer', { name: 'mine' }],
    ] as const) {
      expect(await refused(mutation, input, stranger), mutation).toMatchObject({ code: 'NOT_FOUND' })
      expect(await refused(mutation, input, reader), mutation).toMatchObject({ code: 'FORBIDDEN' })
    }
  })

  it('replaces only what the caller has read', async () => {
    const { generation } = await call('addServerTags', { tags: ['read'] })
    const replaced = await call('replaceServerTags', { tags: ['mine'], expectedGeneration: generation })
    expect(replaced.generation).toBe(generation + 1)
    for (const [mutation, input] of [
      ['replaceServerTags', { tags: [] }],
      ['replaceServerMetadata', { metadata: [] }],
      ['updateServer', { name: 'late' }],
    ] as const) {
      expect(await refused(mutation, { ...input, expectedGeneration: generation }), mutation).toMatchObject({
        code: 'GENERATION_MISMATCH',
        currentGeneration: generation + 1,
      })
    }
  })

  it('does a change once under one retry key, also when the service was stopped before it answered', async () => {
    await call('addServerTags', { tags: ['a', 'b'] })
    const input = { tags: ['a'], idempotencyKey: `once-${dialect}` }
    expect((await call('removeServerTags', input)).tags).toEqual(['b'])
    // As after a crash between the change and the record of the answer.
    await test.cloud.plane.api.transaction((trx) =>
      trx.updateTable('idempotency_keys').set({ state: 'pending' }).where('key', '=', input.idempotencyKey).execute(),
    )
    expect((await call('removeServerTags', input)).tags).toEqual(['b'])
    expect(await refused('removeServerTags', { ...input, tags: ['b'] })).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
  })

  it('A-ACT-39 updates what is given, clears what is null, refuses what is bad', async () => {
    const updated = await call('updateServer', { name: 'new name', description: 'text' })
    expect(updated).toMatchObject({ name: 'new name', description: 'text' })
    expect(await call('updateServer', { description: null })).toMatchObject({ name: 'new name', description: null })
    expect(await call('updateServer', {})).toMatchObject({ name: 'new name' })
    for (const [input, field] of [
      [{ name: ' blank' }, 'input.name'],
      [{ name: '' }, 'input.name'],
      [{ name: text(256) }, 'input.name'],
      [{ description: text(256) }, 'input.description'],
      [{ hostname: 'a' }, 'input.hostname'],
      [{ hostname: '-ab' }, 'input.hostname'],
      [{ accessIpV4: 'fe80::1' }, 'input.accessIpV4'],
      [{ accessIpV6: '10.0.0.1' }, 'input.accessIpV6'],
    ] as const) {
      expect(await refused('updateServer', input)).toMatchObject({ code: 'BAD_USER_INPUT', fields: [field] })
    }
  })

  it('A-MV-26 finds servers by all, any, not all and none of their tags, and by metadata', async () => {
    const { client } = await test.user('member')
    const named: Record<string, string> = {}
    for (const [name, tags] of [
      ['ab', ['a', 'b']],
      ['a', ['a']],
      ['none', []],
    ] as const) {
      const { server } = await create(client, serverInput(imageId, name, { tags, metadata: items({ role: name, 'k.x': '1' }) }))
      named[name] = server.id
      await untilStatus(client, server.id, 'ACTIVE')
    }
    const find = async (filter: object): Promise<string[]> => {
      const { servers } = await client.ask<{ servers: { nodes: { name: string }[] } }>(
        'query ($filter: ServerFilter!) { servers(filter: $filter, orderBy: [{ key: NAME, direction: ASC }]) { nodes { name } } }',
        { filter },
      )
      return servers.nodes.map((server) => server.name)
    }
    expect(await find({ tags: ['a', 'b'] })).toEqual(['ab'])
    expect(await find({ tagsAny: ['a', 'b'] })).toEqual(['a', 'ab'])
    expect(await find({ notTags: ['a', 'b'] })).toEqual(['a', 'none'])
    expect(await find({ notTagsAny: ['b'] })).toEqual(['a', 'none'])
    expect(await find({ tags: ['a'], notTagsAny: ['b'] })).toEqual(['a'])
    expect(await find({ metadata: items({ role: 'none', 'k.x': '1' }) })).toEqual(['none'])
    expect(await find({ metadata: items({ role: 'none', 'k.x': '2' }) })).toEqual([])
  })

  it('tells of the change by its fields', async () => {
    await call('setServerMetadata', { metadata: items({ told: '1' }) })
    await call('addServerTags', { tags: ['told'] })
    const fields = await until(
      'the events',
      async () => {
        const rows = await test.cloud.plane.api.read.selectFrom('event_log').select('payload').where('subject_id', '=', id).execute()
        return rows.flatMap((row) => (JSON.parse(row.payload) as { data: { changedFields: string[] } }).data.changedFields)
      },
      (seen) => seen.includes('metadata') && seen.includes('tags'),
    )
    expect(fields).toContain('name')
  })
})
