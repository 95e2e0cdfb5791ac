/** Quota sets through the API: where limits come from, what may be set, who may, and what is refused above them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialects, type TestClient, TestCloud, until } from './cloud.testkit.js'
import { create, createServerDocument, remove, serverInput, untilStatus } from './proof.testkit.js'

interface Item {
  resource: string
  limit: number
  inUse: number
  reserved: number
  isOverride: boolean
}
interface Set {
  projectId: string
  user: { id: string } | null
  items: Item[]
  generation: number
}

const fields = 'projectId user { id } generation items { resource limit inUse reserved isOverride }'
const classFields = 'className generation items { resource limit inUse isOverride }'
const updateDocument = `mutation ($input: UpdateQuotaSetInput!) { updateQuotaSet(input: $input) { quotaSet { ${fields} } } }`
const deleteDocument = `mutation ($input: DeleteQuotaSetInput!) { deleteQuotaSet(input: $input) { quotaSet { ${fields} } } }`
const classDocument = `mutation ($input: UpdateQuotaClassSetInput!) { updateQuotaClassSet(input: $input) { quotaClassSet { ${classFields} } } }`
const showDocument = `query ($projectId: ID!, $userId: ID) { quotaSet(projectId: $projectId, userId: $userId) { ${fields} } }`
const keyDocument = 'mutation ($input: ImportKeypairInput!) { importKeypair(input: $input) { keypair { name } } }'
const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE5Xc0pYxkKAZ9fGqVPuWWkuHbVqUHBhJoUxDCPUEX2b test'

const limitsOf = (set: { items: Item[] }): Record<string, number> =>
  Object.fromEntries(set.items.map((item) => [item.resource, item.limit]))
const usedOf = (set: { items: Item[] }): Record<string, number> => Object.fromEntries(set.items.map((item) => [item.resource, item.inUse]))
const overrides = (set: { items: Item[] }): string[] => set.items.filter((item) => item.isOverride).map((item) => item.resource)
const nobodyId = '99999999-9999-4999-8999-999999999999'

const byDefault = { SERVERS: 10, CORES: 20, RAM_MB: 51200, METADATA_ITEMS: 128, KEY_PAIRS: 100 }

describe.each(dialects)('quotas on %s', (dialect) => {
  let test: TestCloud
  let imageId: string
  let owner: { client: TestClient; userId: string; projectId: string }
  beforeAll(async () => {
    test = await TestCloud.start({ dialect })
    imageId = await test.image()
    owner = await test.user('member')
  })
  afterAll(() => test?.destroy())

  const update = async (input: object): Promise<Set> =>
    (await test.admin.ask<{ updateQuotaSet: { quotaSet: Set } }>(updateDocument, { input })).updateQuotaSet.quotaSet
  const reset = async (input: object): Promise<Set> =>
    (await test.admin.ask<{ deleteQuotaSet: { quotaSet: Set } }>(deleteDocument, { input })).deleteQuotaSet.quotaSet
  const limits = async (client: TestClient): Promise<Set> => (await client.ask<{ limits: Set }>(`{ limits { ${fields} } }`)).limits
  const show = async (projectId: string, userId?: string): Promise<Set> =>
    (await test.admin.ask<{ quotaSet: Set }>(showDocument, { projectId, userId })).quotaSet

  it('C-QTA-3 T10 D-QTA-1 begins with the options, seen by everybody', async () => {
    const { quotaDefaults } = await owner.client.ask<{ quotaDefaults: Set }>(`{ quotaDefaults { ${classFields} } }`)
    expect(limitsOf(quotaDefaults)).toEqual(byDefault)
    expect(overrides(quotaDefaults)).toEqual([])
    const mine = await limits(owner.client)
    expect(mine).toMatchObject({ projectId: owner.projectId, user: null, generation: 1 })
    expect(limitsOf(mine)).toEqual(byDefault)
  })

  it('D-QTA-4 C-QTA-1 shows what is in use, reserves nothing, and gives back what is deleted', async () => {
    const { client, projectId } = await test.user('member')
    const { servers } = await create(client, serverInput(imageId, 'used', { minCount: 2, flavorId: '1' }))
    const used = { SERVERS: 2, CORES: 2, RAM_MB: 1024, METADATA_ITEMS: 0, KEY_PAIRS: 0 }
    expect(usedOf(await limits(client))).toEqual(used)
    for (const { id } of servers) await untilStatus(client, id, 'ACTIVE')
    const set = await show(projectId)
    expect(usedOf(set)).toEqual(used)
    expect(set.items.every((item) => item.reserved === 0)).toBe(true)
    for (const { id } of servers) await remove(client, id)
    await until(
      'the resources',
      () => limits(client),
      (now) => Object.values(usedOf(now)).every((inUse) => inUse === 0),
    )
  })

  it('C-QTA-2 looks for a limit in the project, then in the default class, then in the options', async () => {
    const { projectId } = await test.user('member')
    const input = (limit: number) => ({ limits: [{ resource: 'KEY_PAIRS', limit }] })
    const { updateQuotaClassSet } = await test.admin.ask<{ updateQuotaClassSet: { quotaClassSet: Set } }>(classDocument, {
      input: { ...input(50), expectedGeneration: 1 },
    })
    expect(updateQuotaClassSet.quotaClassSet.generation).toBe(2)
    expect(overrides(updateQuotaClassSet.quotaClassSet)).toEqual(['KEY_PAIRS'])
    const { quotaClassSet } = await test.admin.ask<{ quotaClassSet: Set }>(`{ quotaClassSet { ${classFields} } }`)
    expect(limitsOf(quotaClassSet)).toEqual({ ...byDefault, KEY_PAIRS: 50 })
    expect(limitsOf(await show(projectId))).toEqual({ ...byDefault, KEY_PAIRS: 50 })
    const own = await update({ projectId, ...input(7) })
    expect({ limit: limitsOf(own).KEY_PAIRS, own: overrides(own), generation: own.generation }).toEqual({
      limit: 7,
      own: ['KEY_PAIRS'],
      generation: 2,
    })
    const back = await reset({ projectId })
    expect({ limit: limitsOf(back).KEY_PAIRS, own: overrides(back), generation: back.generation }).toEqual({
      limit: 50,
      own: [],
      generation: 3,
    })
    await test.admin.ask(classDocument, { input: input(byDefault.KEY_PAIRS) })
  })

  it('C-QTA-6 keeps the other limits, and notices a change it has not seen', async () => {
    const { projectId } = await test.user('member')
    await update({ projectId, limits: [{ resource: 'SERVERS', limit: 3 }], expectedGeneration: 1 })
    const both = await update({ projectId, limits: [{ resource: 'CORES', limit: -1 }], expectedGeneration: 2 })
    expect(limitsOf(both)).toEqual({ ...byDefault, SERVERS: 3, CORES: -1 })
    const stale = await test.admin.refused(updateDocument, {
      input: { projectId, limits: [{ resource: 'SERVERS', limit: 4 }], expectedGeneration: 2 },
    })
    expect(stale).toMatchObject({ code: 'GENERATION_MISMATCH', fields: ['input.expectedGeneration'], currentGeneration: 3 })
    expect(limitsOf(await show(projectId)).SERVERS).toBe(3)
    const staleClass = await test.admin.refused(classDocument, {
      input: { limits: [{ resource: 'SERVERS', limit: 4 }], expectedGeneration: 999 },
    })
    expect(staleClass.code).toBe('GENERATION_MISMATCH')
    expect(limitsOf(await limits(owner.client)).SERVERS).toBe(10)
  })

  it.each([
    ['a limit below -1', [{ resource: 'SERVERS', limit: -2 }], ['input.limits.0.limit']],
    [
      'a resource twice',
      [
        { resource: 'SERVERS', limit: 1 },
        { resource: 'SERVERS', limit: 2 },
      ],
      ['input.limits.1.resource'],
    ],
  ])('D-QTA-6 refuses %s', async (_what, wanted, atFault) => {
    for (const document of [updateDocument, classDocument]) {
      const input = document === updateDocument ? { projectId: owner.projectId, limits: wanted } : { limits: wanted }
      expect(await test.admin.refused(document, { input })).toMatchObject({ code: 'BAD_USER_INPUT', fields: atFault })
    }
    expect(overrides(await show(owner.projectId))).toEqual([])
  })

  it('D-QTA-6 D-QTA-2 D-QTA-3 refuses what is too large for a limit, and resources that are not limited here', async () => {
    for (const limit of [
      { resource: 'SERVERS', limit: 2147483648 },
      { resource: 'FIXED_IPS', limit: 1 },
      { resource: 'INJECTED_FILES', limit: 1 },
    ]) {
      const refused = await test.admin.refused(updateDocument, { input: { projectId: owner.projectId, limits: [limit] } })
      expect(refused.code).toBe('BAD_USER_INPUT')
    }
  })

  it('C-QTA-6 refuses limits below the use unless forced, and stores none of a set with a fault', async () => {
    const { client, projectId } = await test.user('member')
    await create(client, serverInput(imageId, 'in-use', { minCount: 2, flavorId: '1' }))
    const wanted = [
      { resource: 'KEY_PAIRS', limit: 1 },
      { resource: 'SERVERS', limit: 1 },
      { resource: 'RAM_MB', limit: 1023 },
      { resource: 'CORES', limit: 2 },
    ]
    const refused = await test.admin.refused(updateDocument, { input: { projectId, limits: wanted } })
    expect(refused).toMatchObject({ code: 'BAD_USER_INPUT', fields: ['input.limits.1.limit', 'input.limits.2.limit'] })
    expect(refused.message).toContain('SERVERS must be at least 2')
    expect(refused.message).toContain('RAM_MB must be at least 1024')
    expect(overrides(await show(projectId))).toEqual([])
    const forced = await update({ projectId, limits: wanted, force: true })
    expect(limitsOf(forced)).toEqual({ ...byDefault, KEY_PAIRS: 1, SERVERS: 1, RAM_MB: 1023, CORES: 2 })
    const full = await client.refused(createServerDocument, { input: serverInput(imageId, 'no-room') })
    expect(full).toMatchObject({
      code: 'QUOTA_EXCEEDED',
      exception: 'TooManyInstances',
      exceeded: [
        { resource: 'SERVERS', requested: 1, inUse: 2, limit: 1 },
        { resource: 'CORES', requested: 1, inUse: 2, limit: 2 },
        { resource: 'RAM_MB', requested: 128, inUse: 1024, limit: 1023 },
      ],
    })
    expect(full.message).toBe(
      'Quota exceeded for instances, cores, ram: Requested 1, 1, 128, but already used 2, 2, 1024 of 1, 2, 1023 instances, cores, ram',
    )
    const { servers } = await client.ask<{ servers: { nodes: { name: string }[] } }>('{ servers { nodes { name } } }')
    expect(servers.nodes.map((server) => server.name).sort()).toEqual(['in-use-1', 'in-use-2'])
  })

  it('C-QTA-6 keeps limits of users within the project’s, also when forced, and the project’s above theirs', async () => {
    const { projectId, userId } = await test.user('member')
    const other = await test.user('member', projectId)
    const servers = (limit: number) => ({ limits: [{ resource: 'SERVERS', limit }] })
    const set = await update({ projectId, userId, ...servers(6) })
    expect(set.user).toEqual({ id: userId })
    expect(overrides(set)).toEqual(['SERVERS'])
    for (const limit of [5, -1]) {
      for (const force of [false, true]) {
        const refused = await test.admin.refused(updateDocument, { input: { projectId, userId: other.userId, ...servers(limit), force } })
        expect(refused).toMatchObject({ code: 'BAD_USER_INPUT', fields: ['input.limits.0.limit'] })
        expect(refused.message).toContain('leaves 4')
      }
    }
    await update({ projectId, userId: other.userId, ...servers(4) })
    // Its own limit is not counted against a user.
    await update({ projectId, userId, ...servers(5) })
    const low = await test.admin.refused(updateDocument, { input: { projectId, ...servers(8) } })
    expect(low).toMatchObject({ code: 'BAD_USER_INPUT', fields: ['input.limits.0.limit'] })
    expect(low.message).toContain('at least 9')
    // Limits that are not shared are not divided.
    await update({ projectId, userId, limits: [{ resource: 'KEY_PAIRS', limit: 100 }] })
    await update({ projectId, userId: other.userId, limits: [{ resource: 'KEY_PAIRS', limit: 100 }] })
    expect(overrides(await reset({ projectId, userId }))).toEqual([])
    expect(overrides(await show(projectId, other.userId))).toEqual(['SERVERS', 'KEY_PAIRS'])
    await reset({ projectId })
    expect(overrides(await show(projectId, other.userId))).toEqual([])
  })

  it('C-QTA-5 C-QTA-7 counts a user with limits of its own beside the project', async () => {
    const { client, projectId, userId } = await test.user('member')
    const { client: other } = await test.user('member', projectId)
    await update({ projectId, userId, limits: [{ resource: 'SERVERS', limit: 1 }] })
    await create(client, serverInput(imageId, 'mine'))
    const refused = await client.refused(createServerDocument, { input: serverInput(imageId, 'mine too') })
    expect(refused).toMatchObject({
      code: 'QUOTA_EXCEEDED',
      exceeded: [{ resource: 'SERVERS', requested: 1, inUse: 1, limit: 1 }],
    })
    await create(other, serverInput(imageId, 'theirs', { minCount: 9 }))
    const full = await other.refused(createServerDocument, { input: serverInput(imageId, 'theirs too') })
    expect(full).toMatchObject({ exceeded: [{ resource: 'SERVERS', requested: 1, inUse: 10, limit: 10 }] })
    expect(usedOf(await show(projectId, userId)).SERVERS).toBe(1)
    expect(await limits(client)).toMatchObject({ user: null })
    await update({ projectId, limits: [{ resource: 'SERVERS', limit: 100 }] })
    const bound = await limits(client)
    expect(bound.user).toEqual({ id: userId })
    expect(bound.items.find((item) => item.resource === 'SERVERS')).toMatchObject({ limit: 1, inUse: 1 })
  })

  it('A-ACT-42 refuses more metadata items than a server may have', async () => {
    const { client, projectId } = await test.user('member')
    await update({ projectId, limits: [{ resource: 'METADATA_ITEMS', limit: 1 }] })
    const metadata = [
      { key: 'a', value: '1' },
      { key: 'b', value: '2' },
    ]
    const refused = await client.refused(createServerDocument, { input: serverInput(imageId, 'm', { metadata }) })
    expect(refused).toMatchObject({
      code: 'QUOTA_EXCEEDED',
      exception: 'MetadataLimitExceeded',
      fields: ['input.metadata'],
      exceeded: [{ resource: 'METADATA_ITEMS', requested: 2, inUse: 0, limit: 1 }],
    })
    await create(client, serverInput(imageId, 'm', { metadata: metadata.slice(1) }))
  })

  it('A-ACT-42 refuses more key pairs than a user may have, however many come at once', async () => {
    const { client, projectId } = await test.user('member')
    await update({ projectId, limits: [{ resource: 'KEY_PAIRS', limit: 2 }] })
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) => client.raw(keyDocument, { input: { name: `key-${index}`, publicKey } })),
    )
    expect(answers.filter((answer) => answer.errors === undefined)).toHaveLength(2)
    expect(await client.refused(keyDocument, { input: { name: 'one-more', publicKey } })).toMatchObject({
      code: 'QUOTA_EXCEEDED',
      exception: 'KeypairLimitExceeded',
      exceeded: [{ resource: 'KEY_PAIRS', requested: 1, inUse: 2, limit: 2 }],
    })
  })

  it('C-QTA-6 refuses projects, users and classes that do not exist', async () => {
    const wanted = [{ resource: 'SERVERS', limit: 1 }]
    const unknownProject = { code: 'INVALID_REFERENCE', exception: 'ProjectNotFound', fields: ['input.projectId'] }
    const unknownUser = { code: 'INVALID_REFERENCE', exception: 'UserNotFound', fields: ['input.userId'] }
    const { projectId } = owner
    expect(await test.admin.refused(updateDocument, { input: { projectId: nobodyId, limits: wanted } })).toMatchObject(unknownProject)
    expect(await test.admin.refused(deleteDocument, { input: { projectId: nobodyId } })).toMatchObject(unknownProject)
    expect(await test.admin.refused(updateDocument, { input: { projectId, userId: nobodyId, limits: wanted } })).toMatchObject(unknownUser)
    expect(await test.admin.refused(deleteDocument, { input: { projectId, userId: nobodyId } })).toMatchObject(unknownUser)
    expect(await test.admin.refused(showDocument, { projectId: nobodyId })).toMatchObject({ ...unknownProject, fields: ['projectId'] })
    const limitsOfNobody = await test.admin.refused('query ($id: ID) { limits(projectId: $id) { generation } }', { id: nobodyId })
    expect(limitsOfNobody).toMatchObject({ code: 'INVALID_REFERENCE', fields: ['projectId'] })
    const otherClass = { code: 'BAD_USER_INPUT', fields: ['input.className'] }
    expect(await test.admin.refused(classDocument, { input: { className: 'gold', limits: wanted } })).toMatchObject(otherClass)
    expect(await test.admin.refused('{ quotaClassSet(className: "gold") { generation } }')).toMatchObject({ code: 'BAD_USER_INPUT' })
  })

  it('D-POL-T160 D-POL-T168 lets members look at their project only, and administrators change', async () => {
    const stranger = await test.user('member')
    const reader = await test.user('reader', owner.projectId)
    const { projectId } = owner
    await reader.client.ask(showDocument, { projectId })
    const { viewer } = await reader.client.ask<{ viewer: { projects: { quotaSet: { projectId: string } | null }[] } }>(
      '{ viewer { projects { quotaSet { projectId } } } }',
    )
    expect(viewer.projects).toEqual([{ quotaSet: { projectId } }])
    // The answer is the same whether the project exists or not.
    for (const id of [projectId, nobodyId]) {
      expect(await stranger.client.refused(showDocument, { projectId: id })).toMatchObject({ code: 'FORBIDDEN' })
      const refused = await stranger.client.refused('query ($id: ID) { limits(projectId: $id) { generation } }', { id })
      expect(refused).toMatchObject({ code: 'FORBIDDEN', exception: 'PolicyNotAuthorized' })
      expect(refused.message).toContain('os_compute_api:limits:other_project')
    }
    const wanted = [{ resource: 'SERVERS', limit: 100 }]
    for (const [document, input, rule] of [
      [updateDocument, { projectId, limits: wanted }, 'os_compute_api:os-quota-sets:update'],
      [deleteDocument, { projectId }, 'os_compute_api:os-quota-sets:delete'],
      [classDocument, { limits: wanted }, 'os_compute_api:os-quota-class-sets:update'],
    ] as const) {
      const refused = await owner.client.refused(document, { input })
      expect(refused.code).toBe('FORBIDDEN')
      expect(refused.message).toContain(rule)
    }
    expect((await owner.client.refused('{ quotaClassSet { generation } }')).code).toBe('FORBIDDEN')
    for (const query of ['{ limits { generation } }', '{ quotaDefaults { generation } }']) {
      expect((await test.nobody.refused(query)).code).toBe('UNAUTHENTICATED')
    }
    const ofOther = await test.admin.ask<{ limits: Set }>(`query ($id: ID) { limits(projectId: $id) { ${fields} } }`, { id: projectId })
    expect(ofOther.limits.projectId).toBe(projectId)
  })

  it('answers a repeated update from its retry key, and refuses the key for another', async () => {
    const { projectId } = await test.user('member')
    const input = { projectId, limits: [{ resource: 'SERVERS', limit: 5 }], idempotencyKey: `quota-${projectId}` }
    const first = await update(input)
    expect(await update(input)).toEqual(first)
    const reused = await test.admin.refused(updateDocument, { input: { ...input, limits: [{ resource: 'SERVERS', limit: 6 }] } })
    expect(reused.code).toBe('IDEMPOTENCY_KEY_REUSED')
  })

  it('forgets the limits of a project and of a user that are deleted', async () => {
    const { projectId, userId } = await test.user('member')
    await update({ projectId, limits: [{ resource: 'SERVERS', limit: 5 }] })
    await update({ projectId, userId, limits: [{ resource: 'SERVERS', limit: 5 }] })
    const rows = async () => {
      const { read } = test.cloud.plane.api
      const ofProject = await read.selectFrom('quotas').select('resource').where('project_id', '=', projectId).execute()
      const ofUser = await read.selectFrom('project_user_quotas').select('resource').where('user_id', '=', userId).execute()
      return [ofProject.length, ofUser.length]
    }
    expect(await rows()).toEqual([1, 1])
    await test.admin.ask('mutation ($id: ID!) { deleteUser(input: { userId: $id }) { deletedId } }', { id: userId })
    expect(await rows()).toEqual([1, 0])
    await test.admin.ask('mutation ($id: ID!) { deleteProject(input: { projectId: $id }) { deletedId } }', { id: projectId })
    expect(await rows()).toEqual([0, 0])
  })
})
