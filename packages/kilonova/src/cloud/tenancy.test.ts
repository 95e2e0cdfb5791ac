/** What belongs to another project does not exist for a caller; and no number of parallel requests goes above a quota. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialects, type TestClient, TestCloud } from './cloud.testkit.js'
import { auditCloud, createActive, createServerDocument, serverInput, untilStatus } from './proof.testkit.js'

describe.each(dialects)('tenancy on %s', (dialect) => {
  let test: TestCloud
  let owner: { client: TestClient; userId: string; projectId: string }
  let stranger: { client: TestClient; userId: string; projectId: string }
  let serverId: string
  let privateImage: string
  let operationId: string
  beforeAll(async () => {
    test = await TestCloud.start({ dialect })
    const imageId = await test.image()
    owner = await test.user('member')
    stranger = await test.user('member')
    serverId = await createActive(owner.client, serverInput(imageId, 'private'))
    const made = await owner.client.ask<{ createImage: { image: { id: string } } }>(
      'mutation { createImage(input: { name: "mine", diskFormat: RAW }) { image { id } } }',
    )
    privateImage = made.createImage.image.id
    const { operations } = await owner.client.ask<{ operations: { nodes: { id: string }[] } }>('{ operations(first: 1) { nodes { id } } }')
    operationId = operations.nodes[0]?.id ?? ''
  })
  afterAll(() => test?.destroy())

  it.each([
    ['server', () => serverId],
    ['image', () => privateImage],
    ['operation', () => operationId],
  ])('shows a %s to its own project and to administrators, and nobody else', async (field, id) => {
    const document = `query ($id: ID!) { ${field}(id: $id) { id } }`
    expect(await owner.client.ask(document, { id: id() })).toEqual({ [field]: { id: id() } })
    expect(await test.admin.ask(document, { id: id() })).toEqual({ [field]: { id: id() } })
    expect(await stranger.client.ask(document, { id: id() })).toEqual({ [field]: null })
  })

  it.each([
    ['startServer', 'serverId', '', () => serverId],
    ['stopServer', 'serverId', '', () => serverId],
    ['rebootServer', 'serverId', ', type: SOFT', () => serverId],
    ['deleteServer', 'serverId', '', () => serverId],
    ['updateServer', 'serverId', ', name: "taken"', () => serverId],
    ['createConsole', 'serverId', ', type: SERIAL', () => serverId],
    ['deleteImage', 'imageId', '', () => privateImage],
    ['createImageUpload', 'imageId', '', () => privateImage],
    ['createImageDownload', 'imageId', '', () => privateImage],
  ])('answers %s on what is not one’s own as on what does not exist', async (mutation, field, more, id) => {
    const ask = (value: string) =>
      stranger.client.refused(`mutation ($id: ID!) { ${mutation}(input: { ${field}: $id${more} }) { __typename } }`, { id: value })
    const others = await ask(id())
    const unknown = await ask('99999999-9999-4999-8999-999999999999')
    expect(others.code).toBe('NOT_FOUND')
    expect({ ...unknown, message: '', requestId: '' }).toEqual({ ...others, message: '', requestId: '' })
    expect(others.message.replace(id(), 'X')).toBe(unknown.message.replace('99999999-9999-4999-8999-999999999999', 'X'))
  })

  it('keeps lists, counts and look-ups to one’s own project', async () => {
    const lists = '{ servers { nodes { id } totalCount } operations { nodes { id } totalCount } }'
    const empty = { nodes: [], totalCount: 0 }
    expect(await stranger.client.ask(lists)).toEqual({ servers: empty, operations: empty })
    for (const filter of [{ allProjects: true }, { projectId: owner.projectId }]) {
      const refused = await stranger.client.refused('query ($filter: ServerFilter) { servers(filter: $filter) { nodes { id } } }', {
        filter,
      })
      expect(refused.code).toBe('FORBIDDEN')
    }
    const { images } = await stranger.client.ask<{ images: { nodes: { id: string }[] } }>('{ images { nodes { id } } }')
    expect(images.nodes.map((image) => image.id)).not.toContain(privateImage)
  })

  it('does not build from an image of another project', async () => {
    const refused = await stranger.client.refused(createServerDocument, { input: serverInput(privateImage, 'stolen') })
    expect(refused).toMatchObject({ code: 'INVALID_REFERENCE', fields: ['input.imageId'] })
  })

  it('lets a reader look and change nothing', async () => {
    const reader = await test.user('reader', owner.projectId)
    expect(await reader.client.ask('query ($id: ID!) { server(id: $id) { id host } }', { id: serverId })).toEqual({
      server: { id: serverId, host: null },
    })
    const refused = await reader.client.refused('mutation ($id: ID!) { stopServer(input: { serverId: $id }) { operation { id } } }', {
      id: serverId,
    })
    expect(refused.code).toBe('FORBIDDEN')
  })
})

describe.each(dialects)('A-ACT-42 quotas on %s', (dialect) => {
  let test: TestCloud
  let imageId: string
  beforeAll(async () => {
    test = await TestCloud.start({ dialect })
    imageId = await test.image()
    for (const [id, vcpus, ramMb] of [
      ['wide', 7, 128],
      ['tall', 1, 20000],
    ] as const) {
      await test.admin.ask('mutation ($input: CreateFlavorInput!) { createFlavor(input: $input) { flavor { id } } }', {
        input: { id, name: id, vcpus, ramMb, diskGb: 1 },
      })
    }
  })
  afterAll(() => test?.destroy())

  it.each([
    ['instances', '0', 10],
    ['cores', 'wide', 2],
    ['ram', 'tall', 2],
  ])('of %s hold however many requests come at once', async (resource, flavorId, fits) => {
    const { client } = await test.user('member')
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        client.raw<{ createServer: { server: { id: string } } }>(createServerDocument, {
          input: serverInput(imageId, `q-${index}`, { flavorId }),
        }),
      ),
    )
    const made = answers.flatMap((answer) => (answer.errors === undefined ? [answer.data.createServer.server.id] : []))
    const errors = answers.flatMap((answer) => answer.errors ?? [])
    expect(made).toHaveLength(fits)
    for (const error of errors) {
      expect(error.extensions.code).toBe('QUOTA_EXCEEDED')
      expect(error.message).toContain(resource)
    }
    for (const id of made) await untilStatus(client, id, 'ACTIVE')
    const [first = ''] = made
    await client.ask('mutation ($id: ID!) { deleteServer(input: { serverId: $id }) { deletedId } }', { id: first })
    await untilStatus(client, first, 'GONE')
    expect(await auditCloud(test)).toEqual([])
    await client.ask(createServerDocument, { input: serverInput(imageId, 'again', { flavorId }) })
  })

  it('admit as many of minCount to maxCount as fit, and none when minCount does not', async () => {
    const { client } = await test.user('member')
    const { createServer } = await client.ask<{ createServer: { servers: { id: string }[] } }>(createServerDocument, {
      input: serverInput(imageId, 'some', { minCount: 2, maxCount: 30 }),
    })
    expect(createServer.servers).toHaveLength(10)
    const { client: other } = await test.user('member')
    const refused = await other.refused(createServerDocument, { input: serverInput(imageId, 'all', { minCount: 11, maxCount: 30 }) })
    expect(refused.code).toBe('QUOTA_EXCEEDED')
    expect(await other.ask('{ servers { totalCount } }')).toEqual({ servers: { totalCount: 0 } })
  })
})
