/** Image records and their data: rules of what they say, changes, protection, deactivation, and that checked bytes stay as they were. */
import { request } from 'node:http'
import { countStatements } from '@kilonova/api/db/database'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialects, type TestClient, TestCloud, until } from './cloud.testkit.js'
import { auditCloud, createActive, createServerDocument, serverInput } from './proof.testkit.js'

const fields =
  'id name status visibility protected hidden tags properties { key value } minRamMb minDiskGb generation sizeBytes hashValue projectId'
const createDocument = `mutation ($input: CreateImageInput!) { createImage(input: $input) { image { ${fields} } } }`
const updateDocument = `mutation ($input: UpdateImageInput!) { updateImage(input: $input) { image { ${fields} } } }`
const activeDocument = 'mutation ($input: SetImageActiveInput!) { setImageActive(input: $input) { image { status generation } } }'
const deleteDocument = 'mutation ($input: DeleteImageInput!) { deleteImage(input: $input) { deletedId } }'
const downloadDocument = 'mutation ($id: ID!) { createImageDownload(input: { imageId: $id }) { url } }'
const uploadDocument = 'mutation ($input: CreateImageUploadInput!) { createImageUpload(input: $input) { upload { id url state } } }'
const finalizeDocument = 'mutation ($id: ID!) { finalizeImageUpload(input: { uploadId: $id }) { operation { id } } }'
const cancelDocument = 'mutation ($id: ID!) { cancelImageUpload(input: { uploadId: $id }) { image { status } } }'

interface Image {
  id: string
  status: string
  hashValue: string | null
  generation: number
  tags: string[]
  properties: { key: string; value: string }[]
}
const unknown = '99999999-9999-4999-8999-999999999999'

describe.each(dialects)('images on %s', (dialect) => {
  let test: TestCloud
  let member: { client: TestClient; projectId: string }
  let imageId: string
  const create = async (client: TestClient, input: Record<string, unknown> = {}): Promise<Image> =>
    (await client.ask<{ createImage: { image: Image } }>(createDocument, { input: { name: 'image', diskFormat: 'RAW', ...input } }))
      .createImage.image
  const show = async (id: string): Promise<Image> =>
    (await test.admin.ask<{ image: Image }>(`query ($id: ID!) { image(id: $id) { ${fields} } }`, { id })).image
  /** With data, in the member's project. */
  const active = async (input: Record<string, unknown> = {}): Promise<Image> => {
    const { id } = await create(member.client, input)
    await test.upload(id, Buffer.alloc(65536, 'kilonova'))
    return until(
      'the image',
      () => show(id),
      ({ status }) => status === 'ACTIVE',
    )
  }
  const update = async (client: TestClient, input: Record<string, unknown>): Promise<Image> =>
    (await client.ask<{ updateImage: { image: Image } }>(updateDocument, { input })).updateImage.image
  const setActive = (client: TestClient, id: string, isActive: boolean) =>
    client.ask(activeDocument, { input: { imageId: id, active: isActive } })
  const openUpload = async (id: string, sizeBytes?: number) =>
    (
      await member.client.ask<{ createImageUpload: { upload: { id: string; url: string } } }>(uploadDocument, {
        input: { imageId: id, ...(sizeBytes === undefined ? {} : { sizeBytes: String(sizeBytes) }) },
      })
    ).createImageUpload.upload

  beforeAll(async () => {
    test = await TestCloud.start({ dialect })
    member = await test.user('member')
    imageId = (await active()).id
  })
  afterAll(() => test?.destroy())

  const list = (count: number) => Array.from({ length: count }, (_, index) => ({ key: `k${index}`, value: 'v' }))
  it.each([
    ['input.name', 'BAD_USER_INPUT', { name: '' }],
    ['input.name', 'BAD_USER_INPUT', { name: 'n'.repeat(256) }],
    ['input.id', 'BAD_USER_INPUT', { id: 'no-uuid' }],
    ['input.minRamMb', 'BAD_USER_INPUT', { minRamMb: -1 }],
    ['input.minDiskGb', 'BAD_USER_INPUT', { minDiskGb: -1 }],
    ['input.tags.0', 'BAD_USER_INPUT', { tags: [''] }],
    ['input.tags', 'LIMIT_EXCEEDED', { tags: list(129).map(({ key }) => key) }],
    ['input.properties', 'LIMIT_EXCEEDED', { properties: list(129) }],
    ['input.properties.0.key', 'BAD_USER_INPUT', { properties: [{ key: 'a/b', value: '1' }] }],
    ['input.properties.1.key', 'BAD_USER_INPUT', { properties: [...list(1), ...list(1)] }],
    ['input.properties.0.key', 'BAD_USER_INPUT', { properties: [{ key: 'os_glance_stage', value: '1' }] }],
    ['input.properties.0.key', 'BAD_USER_INPUT', { properties: [{ key: 'owner', value: 'me' }] }],
    ['input.properties.0.value', 'BAD_USER_INPUT', { properties: [{ key: 'my', value: 'v'.repeat(256) }] }],
    ['input.properties.1.value', 'BAD_USER_INPUT', { properties: [...list(1), { key: 'hw_disk_bus', value: 'nvme' }] }],
  ])('D-IMG-1: names %s when it is wrong (%s), and makes nothing', async (field, code, wrong) => {
    const before = await member.client.ask('{ images { totalCount } }')
    const refused = await member.client.refused(createDocument, { input: { name: 'wrong', diskFormat: 'RAW', ...wrong } })
    expect(refused).toMatchObject({ code, fields: [field] })
    expect(await member.client.ask('{ images { totalCount } }')).toEqual(before)
  })

  it('gives an id once', async () => {
    const { id } = await create(member.client)
    const refused = await member.client.refused(createDocument, { input: { name: 'again', diskFormat: 'RAW', id } })
    expect(refused).toMatchObject({ code: 'ALREADY_EXISTS', exception: 'ImageDuplicate', fields: ['input.id'] })
  })

  it('changes what is given, keeps the rest, and clears with null', async () => {
    const { id } = await create(member.client, {
      tags: ['one'],
      properties: [
        { key: 'os_type', value: 'linux' },
        { key: 'my', value: '1' },
      ],
    })
    const change = { name: 'new', protected: true, hidden: true, minRamMb: 64, minDiskGb: 2, tags: ['two', 'two', 'three'] }
    const properties = {
      setProperties: [
        { key: '__proto__', value: 'kept' },
        { key: 'my', value: '2' },
      ],
      removeProperties: ['os_type'],
    }
    expect(await update(member.client, { imageId: id, ...change, ...properties, expectedGeneration: 1 })).toMatchObject({
      ...change,
      tags: ['two', 'three'],
      properties: [
        { key: 'my', value: '2' },
        { key: '__proto__', value: 'kept' },
      ],
      generation: 2,
    })
    expect(await update(member.client, { imageId: id, protected: null })).toMatchObject({
      ...change,
      tags: ['two', 'three'],
      generation: 3,
    })
    expect(await update(member.client, { imageId: id, name: null, tags: null })).toMatchObject({ name: null, tags: [], minRamMb: 64 })
  })

  it.each([
    ['GENERATION_MISMATCH', 'input.expectedGeneration', { expectedGeneration: 7, name: 'x' }],
    ['BAD_USER_INPUT', 'input.setProperties.0.value', { setProperties: [{ key: 'hw_vif_model', value: 'abacus' }] }],
    ['BAD_USER_INPUT', 'input.removeProperties.0', { setProperties: [{ key: 'my', value: '1' }], removeProperties: ['my'] }],
    ['NOT_FOUND', 'input.removeProperties.1', { removeProperties: ['my', 'absent'] }],
    ['LIMIT_EXCEEDED', 'input.setProperties', { setProperties: list(128) }],
    ['BAD_USER_INPUT', 'input.minDiskGb', { minDiskGb: -2 }],
  ])('refuses a change with %s at %s, and changes nothing', async (code, field, change) => {
    const { id } = await create(member.client, { properties: [{ key: 'my', value: '1' }] })
    const before = await show(id)
    expect(await member.client.refused(updateDocument, { input: { imageId: id, ...change } })).toMatchObject({ code, fields: [field] })
    expect(await show(id)).toEqual(before)
  })

  it('keeps what many write at once', async () => {
    const { id } = await create(member.client)
    await Promise.all(list(8).map((item) => update(member.client, { imageId: id, setProperties: [item] })))
    expect((await show(id)).properties).toHaveLength(8)
    expect((await show(id)).generation).toBe(9)
  })

  it('makes and changes once for one retry key', async () => {
    const input = { name: 'retried', diskFormat: 'RAW', idempotencyKey: 'image-once' }
    const { createImage } = await member.client.ask<{ createImage: { image: Image } }>(createDocument, { input })
    expect(await member.client.ask(createDocument, { input })).toEqual({ createImage })
    const change = { imageId: createImage.image.id, name: 'changed', idempotencyKey: 'change-once' }
    await update(member.client, change)
    expect((await update(member.client, change)).generation).toBe(2)
    const refused = await member.client.refused(updateDocument, { input: { ...change, name: 'other' } })
    expect(refused.code).toBe('IDEMPOTENCY_KEY_REUSED')
  })

  it('leaves hidden images out of lists, and finds them by id and on request', async () => {
    const { id } = await create(member.client, { name: 'hideout' })
    await update(member.client, { imageId: id, hidden: true })
    const names = (hidden?: boolean) =>
      member.client.ask('query ($filter: ImageFilter) { images(filter: $filter) { nodes { id } } }', {
        filter: { name: 'hideout', ...(hidden === undefined ? {} : { hidden }) },
      })
    expect(await names()).toEqual({ images: { nodes: [] } })
    expect(await names(true)).toEqual({ images: { nodes: [{ id }] } })
    expect(await member.client.ask('query ($id: ID!) { image(id: $id) { hidden } }', { id })).toEqual({ image: { hidden: true } })
  })

  it('filters by tags and properties as they are written, and sorts', async () => {
    await create(member.client, { name: 'f-1', tags: ['a_b', 'x'], properties: [{ key: 'my', value: '100%' }], diskFormat: 'QCOW2' })
    await create(member.client, { name: 'f-2', tags: ['aXb'], properties: [{ key: 'xmy', value: '100%' }] })
    await create(member.client, { name: 'f-3', tags: ['A_B'], properties: [{ key: 'my', value: '100' }] })
    const names = async (filter: Record<string, unknown>, orderBy = [{ key: 'NAME', direction: 'ASC' }]): Promise<string> => {
      const { images } = await member.client.ask<{ images: { nodes: { name: string }[] } }>(
        'query ($filter: ImageFilter, $orderBy: [ImageOrder!]) { images(filter: $filter, orderBy: $orderBy) { nodes { name } } }',
        { filter: { name: 'f-', ...filter }, orderBy },
      )
      return images.nodes.map(({ name }) => name.slice(2)).join('')
    }
    expect(await names({})).toBe('123')
    expect(await names({}, [{ key: 'NAME', direction: 'DESC' }])).toBe('321')
    expect(
      await names({}, [
        { key: 'DISK_FORMAT', direction: 'ASC' },
        { key: 'CREATED_AT', direction: 'ASC' },
      ]),
    ).toBe('123')
    expect(await names({ tags: ['a_b'] })).toBe('1')
    expect(await names({ tags: ['a_b', 'y'] })).toBe('')
    expect(await names({ properties: [{ key: 'my', value: '100%' }] })).toBe('1')
    expect(await names({ diskFormat: 'QCOW2' })).toBe('1')
    expect(await names({ status: ['ACTIVE'] })).toBe('')
    expect(await names({ changedBefore: new Date(0).toISOString() })).toBe('')
    expect((await member.client.refused('{ images(after: "nonsense") { nodes { id } } }')).code).toBe('CURSOR_INVALID')
  })

  it('keeps a protected image until it is free', async () => {
    const { id } = await create(member.client, { protected: true })
    expect(await member.client.refused(deleteDocument, { input: { imageId: id } })).toMatchObject({
      code: 'CONFLICT',
      exception: 'ForbiddenImage',
    })
    await update(member.client, { imageId: id, protected: false })
    expect(await member.client.ask(deleteDocument, { input: { imageId: id } })).toEqual({ deleteImage: { deletedId: id } })
    expect((await member.client.refused(deleteDocument, { input: { imageId: id } })).code).toBe('NOT_FOUND')
  })

  it('D-IMG-58: refuses servers too small for what the image has come to need', async () => {
    const { id } = await active()
    await update(member.client, { imageId: id, minRamMb: 4096 })
    const refused = await member.client.refused(createServerDocument, { input: serverInput(id, 'small') })
    expect(refused.code).toBe('FLAVOR_IMAGE_CONFLICT')
    await update(member.client, { imageId: id, minRamMb: 64 })
    await createActive(member.client, serverInput(id, 'fits'))
  })

  it('A-LAUNCH-4: builds nothing from a deactivated image, not even from a copy on the host', async () => {
    const { id } = await active()
    await createActive(member.client, serverInput(id, 'before'))
    const { services } = test.cloud.plane
    const agentUrl = services.box.unseal((await services.images.forGuest(id)).url).reveal()
    const { createImageDownload } = await member.client.ask<{ createImageDownload: { url: string } }>(downloadDocument, { id })
    expect((await fetch(createImageDownload.url)).status).toBe(200)
    expect(await setActive(test.admin, id, false)).toMatchObject({ setImageActive: { image: { status: 'DEACTIVATED' } } })
    // Again is no error.
    await setActive(test.admin, id, false)

    expect(await member.client.refused(createServerDocument, { input: serverInput(id, 'after') })).toMatchObject({
      code: 'INVALID_REFERENCE',
      exception: 'ImageNotActive',
      fields: ['input.imageId'],
    })
    expect((await test.admin.refused(createServerDocument, { input: serverInput(id, 'after') })).code).toBe('INVALID_REFERENCE')
    await expect(services.images.forGuest(id)).rejects.toMatchObject({ code: 'BUILD_FAILED', exception: 'ImageNotActive' })
    // Tickets from before open nothing any more, an administrator's new one does.
    for (const url of [agentUrl, createImageDownload.url]) expect((await fetch(url)).status).toBe(404)
    expect((await member.client.refused(downloadDocument, { id })).code).toBe('INVALID_STATE')
    const forAdmin = await test.admin.ask<{ createImageDownload: { url: string } }>(downloadDocument, { id })
    expect((await fetch(forAdmin.createImageDownload.url)).status).toBe(200)
    expect(await auditCloud(test)).toEqual([])

    await setActive(test.admin, id, true)
    expect((await fetch(createImageDownload.url)).status).toBe(200)
    await createActive(member.client, serverInput(id, 'again'))
  })

  it('lets only administrators deactivate, and only what has data', async () => {
    const { id } = await create(member.client)
    expect((await member.client.refused(activeDocument, { input: { imageId, active: false } })).code).toBe('FORBIDDEN')
    for (const isActive of [true, false]) {
      expect((await test.admin.refused(activeDocument, { input: { imageId: id, active: isActive } })).code).toBe('INVALID_STATE')
    }
    const stale = await test.admin.refused(activeDocument, { input: { imageId, active: false, expectedGeneration: 99 } })
    expect(stale.code).toBe('GENERATION_MISMATCH')
    expect((await test.admin.refused(activeDocument, { input: { imageId: unknown, active: false } })).code).toBe('NOT_FOUND')
  })

  it('takes data once, and says what state forbids', async () => {
    expect((await member.client.refused(uploadDocument, { input: { imageId } })).code).toBe('INVALID_STATE')
    const { id } = await create(member.client)
    expect((await member.client.refused(downloadDocument, { id })).code).toBe('INVALID_STATE')
    const upload = await openUpload(id, 1024)
    expect((await member.client.refused(finalizeDocument, { id: upload.id })).code).toBe('INVALID_STATE')
    expect(await member.client.ask(cancelDocument, { id: upload.id })).toEqual({ cancelImageUpload: { image: { status: 'QUEUED' } } })
    expect((await member.client.refused(finalizeDocument, { id: upload.id })).code).toBe('NOT_FOUND')
    expect((await fetch(upload.url, { method: 'PUT', body: new Uint8Array(10) })).status).toBe(404)
    const late = await openUpload(id, 1024)
    expect((await fetch(late.url, { method: 'PUT', body: new Uint8Array(1025) })).status).toBe(400)
    await test.cloud.plane.api.transaction((trx) =>
      trx.updateTable('image_uploads').set({ expires_at: 1 }).where('id', '=', late.id).execute(),
    )
    expect((await member.client.refused(finalizeDocument, { id: late.id })).code).toBe('GONE')
    expect((await fetch(late.url, { method: 'PUT', body: new Uint8Array(10) })).status).toBe(410)
    const huge = { input: { imageId: id, sizeBytes: String(2 ** 49) } }
    expect(await member.client.refused(uploadDocument, huge)).toMatchObject({ code: 'BAD_USER_INPUT', fields: ['input.sizeBytes'] })
    const digest = { input: { imageId: id, checksum: 'md5:00' } }
    expect(await member.client.refused(uploadDocument, digest)).toMatchObject({ code: 'BAD_USER_INPUT', fields: ['input.checksum'] })
  })

  it('keeps checked bytes as they were, though a PUT of the same upload is still open', async () => {
    const { id } = await create(member.client)
    const upload = await openUpload(id)
    // Begins before, ends after: its bytes must not reach the image.
    const slow = request(upload.url, { method: 'PUT', headers: { 'content-type': 'application/octet-stream' } })
    const answered = new Promise<number>((resolve) => slow.on('response', (response) => resolve(response.statusCode ?? 0)))
    slow.on('error', () => {})
    slow.write(Buffer.alloc(1024, 'evil'))
    await until(
      'the first bytes',
      () => show(id),
      ({ status }) => status === 'UPLOADING',
    )
    const good = Buffer.alloc(65536, 'good')
    expect((await fetch(upload.url, { method: 'PUT', body: new Uint8Array(good) })).status).toBe(200)
    await member.client.ask(finalizeDocument, { id: upload.id })
    const { hashValue } = await until(
      'the image',
      () => show(id),
      ({ status }) => status === 'ACTIVE',
    )
    slow.end(Buffer.alloc(65536, 'evil'))
    expect(await answered).toBe(410)
    const { createImageDownload } = await member.client.ask<{ createImageDownload: { url: string } }>(downloadDocument, { id })
    const data = Buffer.from(await (await fetch(createImageDownload.url)).arrayBuffer())
    expect(data.equals(good)).toBe(true)
    expect((await show(id)).hashValue).toBe(hashValue)
    expect(await auditCloud(test)).toEqual([])
  })

  it('reads a page of images with one statement for each kind of thing it shows', async () => {
    await Promise.all(Array.from({ length: 12 }, () => create(member.client, { name: 'paged', visibility: 'SHARED' })))
    const { statements } = await countStatements(() =>
      member.client.ask('{ images(filter: { name: "paged" }) { nodes { id project { id } members { projectId } upload { id } } } }'),
    )
    // Other work of the cloud goes on meanwhile; none of it reads these.
    for (const [table, times] of [
      ['image_members', 2],
      ['image_uploads', 1],
    ] as const) {
      expect(statements.filter((statement) => statement.includes(table))).toHaveLength(times)
    }
  })

  it('has no import from a URL while there is none', async () => {
    const { __schema } = await test.admin.ask<{ __schema: { mutationType: { fields: { name: string }[] } } }>(
      '{ __schema { mutationType { fields { name } } } }',
    )
    expect(__schema.mutationType.fields.map(({ name }) => name)).not.toContain('importImage')
  })
})
