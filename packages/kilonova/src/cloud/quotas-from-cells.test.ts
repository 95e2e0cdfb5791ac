/** With quota.count_usage_from_placement off, what counts is what the cells hold. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialects, type TestClient, TestCloud } from './cloud.testkit.js'
import { create, createServerDocument, remove, serverInput, untilStatus } from './proof.testkit.js'

const limitsDocument = '{ limits { items { resource inUse } } }'

describe.each(dialects)('usage counted from the cells on %s', (dialect) => {
  let test: TestCloud
  let imageId: string
  beforeAll(async () => {
    test = await TestCloud.start({ dialect, config: { quota: { count_usage_from_placement: false } } })
    imageId = await test.image()
    await test.admin.ask('mutation ($input: CreateFlavorInput!) { createFlavor(input: $input) { flavor { id } } }', {
      input: { id: 'wide', name: 'wide', vcpus: 7, ramMb: 256, diskGb: 1 },
    })
  })
  afterAll(() => test?.destroy())

  const used = async (client: TestClient): Promise<Record<string, number>> => {
    const { limits } = await client.ask<{ limits: { items: { resource: string; inUse: number }[] } }>(limitsDocument)
    return Object.fromEntries(limits.items.filter((item) => item.inUse > 0).map((item) => [item.resource, item.inUse]))
  }

  it('C-QTA-4 holds however many requests come at once, and gives back what is deleted', async () => {
    const { client } = await test.user('member')
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        client.raw<{ createServer: { server: { id: string } } }>(createServerDocument, {
          input: serverInput(imageId, `c-${index}`, { flavorId: 'wide' }),
        }),
      ),
    )
    const made = answers.flatMap((answer) => (answer.errors === undefined ? [answer.data.createServer.server.id] : []))
    expect(made).toHaveLength(2)
    expect(await used(client)).toEqual({ SERVERS: 2, CORES: 14, RAM_MB: 512 })
    for (const id of made) await untilStatus(client, id, 'ACTIVE')
    expect(await used(client)).toEqual({ SERVERS: 2, CORES: 14, RAM_MB: 512 })
    expect((await client.refused(createServerDocument, { input: serverInput(imageId, 'more', { flavorId: 'wide' }) })).message).toBe(
      'Quota exceeded for cores: Requested 7, but already used 14 of 20 cores',
    )
    const [first = ''] = made
    await remove(client, first)
    expect(await used(client)).toEqual({ SERVERS: 1, CORES: 7, RAM_MB: 256 })
    await create(client, serverInput(imageId, 'again', { flavorId: 'wide' }))
  })

  it('A-CELL-37 counts the cores of a server that never had a host, unlike placement', async () => {
    const { client, projectId } = await test.user('member')
    await test.admin.ask('mutation ($input: CreateFlavorInput!) { createFlavor(input: $input) { flavor { id } } }', {
      input: { id: 'huge', name: 'huge', vcpus: 1, ramMb: 50_000, diskGb: 1_000_000 },
    })
    const { server } = await create(client, serverInput(imageId, 'nowhere', { flavorId: 'huge' }))
    await untilStatus(client, server.id, 'ERROR')
    expect(await used(client)).toEqual({ SERVERS: 1, CORES: 1, RAM_MB: 50_000 })
    expect(await test.cloud.plane.services.placement.usageOf(projectId)).toEqual({})
    await remove(client, server.id)
    expect(await used(client)).toEqual({})
  })
})
