/** The drivers of `quota.driver` beside Nova's own tables: no limits at all, and unified limits of the identity service. */
import { setProjectLimit, setRegisteredLimit, unifiedLimits } from '@kilonova/api/manage/unified-limits'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialects, TestCloud } from './cloud.testkit.js'
import { create, createServerDocument, serverInput, untilStatus } from './proof.testkit.js'

const updateDocument =
  'mutation ($input: UpdateQuotaSetInput!) { updateQuotaSet(input: $input) { quotaSet { generation items { resource limit isOverride } } } }'
const deleteDocument = 'mutation ($input: DeleteQuotaSetInput!) { deleteQuotaSet(input: $input) { quotaSet { generation } } }'
const classDocument = 'mutation ($input: UpdateQuotaClassSetInput!) { updateQuotaClassSet(input: $input) { quotaClassSet { generation } } }'
const limitsDocument = '{ limits { items { resource limit inUse isOverride } } }'
interface Limits {
  limits: { items: { resource: string; limit: number; inUse: number; isOverride: boolean }[] }
}
const keyDocument = 'mutation ($input: ImportKeypairInput!) { importKeypair(input: $input) { keypair { name } } }'
const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE5Xc0pYxkKAZ9fGqVPuWWkuHbVqUHBhJoUxDCPUEX2b test'

describe('C-QTA-8 without limits (NoopQuotaDriver)', () => {
  let test: TestCloud
  beforeAll(async () => {
    test = await TestCloud.start({
      config: { quota: { driver: 'nova.quota.NoopQuotaDriver', instances: 0, key_pairs: 0, metadata_items: 0 } },
    })
  })
  afterAll(() => test?.destroy())

  it('refuses nothing, shows -1 everywhere, and stores no limit', async () => {
    const imageId = await test.image()
    const { client, projectId } = await test.user('member')
    const metadata = [{ key: 'a', value: '1' }]
    const { servers } = await create(client, serverInput(imageId, 'many', { minCount: 21, metadata }))
    expect(servers).toHaveLength(21)
    await client.ask(keyDocument, { input: { name: 'key', publicKey } })
    await test.admin.ask(updateDocument, { input: { projectId, limits: [{ resource: 'SERVERS', limit: 1 }] } })
    const { limits } = await client.ask<Limits>(limitsDocument)
    expect(limits.items.every((item) => item.limit === -1 && !item.isOverride)).toBe(true)
    expect(limits.items.find((item) => item.resource === 'SERVERS')?.inUse).toBe(21)
  })
})

describe.each(dialects)('unified limits on %s', (dialect) => {
  let test: TestCloud
  let imageId: string
  beforeAll(async () => {
    test = await TestCloud.start({
      dialect,
      config: { quota: { driver: 'nova.quota.UnifiedLimitsDriver', count_usage_from_placement: false } },
    })
    imageId = await test.image()
  })
  afterAll(() => test?.destroy())

  it('C-UNL-1 refuse everything that is not registered', async () => {
    const { client } = await test.user('member')
    const refused = await client.refused(createServerDocument, { input: serverInput(imageId, 'none') })
    expect(refused).toMatchObject({ code: 'QUOTA_EXCEEDED', exception: 'TooManyInstances' })
    expect(refused.message).toBe(
      'Quota exceeded for servers, class:VCPU, class:MEMORY_MB, class:DISK_GB: Requested 1, 1, 128, 1, but already used 0, 0, 0, 0 of 0, 0, 0, 0 servers, class:VCPU, class:MEMORY_MB, class:DISK_GB',
    )
    expect((await client.refused(keyDocument, { input: { name: 'key', publicKey } })).exception).toBe('KeypairLimitExceeded')
  })

  it('C-UNL-2 C-UNL-3 C-UNL-4 count servers and the classes they claim, under the registered names', async () => {
    const { api } = test.cloud.plane
    for (const [name, limit] of [
      ['servers', 3],
      ['class:VCPU', 100],
      ['class:MEMORY_MB', -1],
      ['class:DISK_GB', 100],
      ['server_metadata_items', 1],
      ['server_key_pairs', 1],
    ] as const) {
      await setRegisteredLimit(api, name, limit)
    }
    const { client, projectId } = await test.user('member')
    const { servers } = await create(client, serverInput(imageId, 'some', { minCount: 1, maxCount: 9 }))
    expect(servers).toHaveLength(3)
    for (const { id } of servers) await untilStatus(client, id, 'ACTIVE')
    expect((await client.refused(createServerDocument, { input: serverInput(imageId, 'more') })).message).toContain('used 3 of 3 servers')
    await setProjectLimit(api, projectId, 'servers', 4)
    const { limits } = await client.ask<Limits>(limitsDocument)
    expect(limits.items).toEqual([
      { resource: 'SERVERS', limit: 4, inUse: 3, isOverride: true },
      { resource: 'CORES', limit: 100, inUse: 3, isOverride: false },
      { resource: 'RAM_MB', limit: -1, inUse: 384, isOverride: false },
      { resource: 'METADATA_ITEMS', limit: 1, inUse: 0, isOverride: false },
      { resource: 'KEY_PAIRS', limit: 1, inUse: 0, isOverride: false },
    ])
    await create(client, serverInput(imageId, 'fourth'))
    await client.ask(keyDocument, { input: { name: 'key', publicKey } })
    expect((await client.refused(keyDocument, { input: { name: 'second', publicKey } })).code).toBe('QUOTA_EXCEEDED')
  })

  it('C-UNL-1 D-QTA-6 let updates and resets of quota sets pass, and store nothing', async () => {
    const { projectId, userId } = await test.user('member')
    const limits = [{ resource: 'SERVERS', limit: 1000 }]
    for (const input of [
      { projectId, limits },
      { projectId, userId, limits },
    ]) {
      const { updateQuotaSet } = await test.admin.ask<{ updateQuotaSet: { quotaSet: { generation: number; items: { limit: number }[] } } }>(
        updateDocument,
        { input },
      )
      expect(updateQuotaSet.quotaSet.generation).toBe(1)
      expect(updateQuotaSet.quotaSet.items[0]).toMatchObject({ resource: 'SERVERS', limit: 3, isOverride: false })
    }
    expect(await test.admin.ask(deleteDocument, { input: { projectId } })).toEqual({ deleteQuotaSet: { quotaSet: { generation: 1 } } })
    expect(await test.admin.ask(classDocument, { input: { limits } })).toEqual({
      updateQuotaClassSet: { quotaClassSet: { generation: 1 } },
    })
    const { read } = test.cloud.plane.api
    expect(await read.selectFrom('quotas').selectAll().where('project_id', '=', projectId).execute()).toEqual([])
    expect(await read.selectFrom('project_user_quotas').selectAll().execute()).toEqual([])
    expect(await read.selectFrom('quota_classes').selectAll().execute()).toEqual([])
  })

  it('are set by the operator: a project’s needs a registered one, which stays while it is used', async () => {
    const { api } = test.cloud.plane
    const { projectId } = await test.user('member')
    await expect(setRegisteredLimit(api, 'class:', 1)).rejects.toThrow('class:')
    await expect(setRegisteredLimit(api, 'servers', -2)).rejects.toThrow('-1')
    await expect(setProjectLimit(api, projectId, 'class:PCPU', 1)).rejects.toThrow('register')
    await expect(setProjectLimit(api, 'nobody', 'servers', 1)).rejects.toThrow('nobody')
    await setProjectLimit(api, projectId, 'servers', 7)
    await expect(setRegisteredLimit(api, 'servers', null)).rejects.toThrow('projects')
    expect((await unifiedLimits(api)).projects).toContainEqual({ projectId, name: 'servers', limit: 7 })
    await setProjectLimit(api, projectId, 'servers', null)
    expect((await unifiedLimits(api)).projects.filter((row) => row.projectId === projectId)).toEqual([])
    await setRegisteredLimit(api, 'class:PCPU', 5)
    await setRegisteredLimit(api, 'class:PCPU', null)
    expect((await unifiedLimits(api)).registered.map((row) => row.name)).not.toContain('class:PCPU')
  })
})
