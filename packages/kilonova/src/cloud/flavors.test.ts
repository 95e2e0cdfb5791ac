/** Flavors: their rules, their extra specs, who may use the private ones, and that servers keep their own copy. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialects, type TestClient, TestCloud } from './cloud.testkit.js'
import { createActive, createServerDocument, serverInput } from './proof.testkit.js'

const createDocument = 'mutation ($input: CreateFlavorInput!) { createFlavor(input: $input) { flavor { id name generation } } }'
const updateDocument = 'mutation ($input: UpdateFlavorInput!) { updateFlavor(input: $input) { flavor { description generation } } }'
const setDocument =
  'mutation ($input: SetFlavorExtraSpecsInput!) { setFlavorExtraSpecs(input: $input) { flavor { generation extraSpecs { key value } } } }'
const removeDocument =
  'mutation ($input: DeleteFlavorExtraSpecsInput!) { deleteFlavorExtraSpecs(input: $input) { flavor { generation extraSpecs { key value } } } }'
const deleteDocument = 'mutation ($input: DeleteFlavorInput!) { deleteFlavor(input: $input) { deletedId } }'
const addDocument =
  'mutation ($input: AddFlavorAccessInput!) { addFlavorAccess(input: $input) { flavor { access { flavorId projectId project { id } } } } }'
const takeDocument = 'mutation ($input: RemoveFlavorAccessInput!) { removeFlavorAccess(input: $input) { flavor { access { projectId } } } }'
const lookDocument = 'query ($id: ID!) { flavor(id: $id) { id access { projectId } serverCount } }'
const nobody = '99999999999949998999999999999999'

describe.each(dialects)('flavors on %s', (dialect) => {
  let test: TestCloud
  let member: { client: TestClient; projectId: string }
  let stranger: { client: TestClient; projectId: string }
  let imageId: string
  let number = 0
  /** A new flavor; answers its id. */
  const flavor = async (more: Record<string, unknown> = {}): Promise<string> => {
    const id = `flavor-${++number}`
    await test.admin.ask(createDocument, { input: { id, name: `name of ${id}`, vcpus: 1, ramMb: 64, diskGb: 1, ...more } })
    return id
  }
  const names = async (client: TestClient, filter: Record<string, unknown> = {}): Promise<string[]> => {
    const { flavors } = await client.ask<{ flavors: { nodes: { id: string }[] } }>(
      'query ($filter: FlavorFilter) { flavors(first: 1000, filter: $filter) { nodes { id } } }',
      { filter },
    )
    return flavors.nodes.map(({ id }) => id)
  }

  beforeAll(async () => {
    test = await TestCloud.start({ dialect })
    member = await test.user('member')
    stranger = await test.user('member')
    imageId = await test.image()
  })
  afterAll(() => test?.destroy())

  it.each([
    ['vcpus', { vcpus: 0 }],
    ['vcpus', { vcpus: 2147483648 }],
    ['ramMb', { ramMb: 0 }],
    ['diskGb', { diskGb: -1 }],
    ['ephemeralGb', { ephemeralGb: -1 }],
    ['swapMb', { swapMb: -1 }],
    ['rxtxFactor', { rxtxFactor: 0 }],
    ['rxtxFactor', { rxtxFactor: 3.5e38 }],
    ['name', { name: '' }],
    ['name', { name: ' edge' }],
    ['name', { name: 'a\u0007b' }],
    ['name', { name: 'n'.repeat(256) }],
    ['id', { id: 'no/slash' }],
    ['id', { id: ' edge' }],
    ['id', { id: 'i'.repeat(256) }],
    ['description', { description: 'd'.repeat(65536) }],
    ['description', { description: 'a\u0000b' }],
    ['accessProjectIds', { accessProjectIds: ['x'] }],
    ['extraSpecs.0.key', { extraSpecs: [{ key: 'hw:nonsense', value: '1' }] }],
    [
      'extraSpecs.1.value',
      {
        extraSpecs: [
          { key: 'any', value: 'thing' },
          { key: 'hw:cpu_policy', value: 'pinned' },
        ],
      },
    ],
    [
      'extraSpecs.1.key',
      {
        extraSpecs: [
          { key: 'twice', value: '1' },
          { key: 'twice', value: '2' },
        ],
      },
    ],
  ])('B-FLV-1, D-FLV-2: a bad %s is named, and nothing is made', async (field, wrong) => {
    const before = await names(test.admin, { allFlavors: true })
    const input = { name: 'wrong', vcpus: 1, ramMb: 1, diskGb: 0, ...wrong }
    const answer = await test.admin.raw<unknown>(createDocument, { input })
    const [error] = answer.errors ?? []
    expect(error?.extensions.code ?? error?.message).toMatch(/^BAD_USER_INPUT/)
    // What GraphQL itself refuses (an Int beyond 32 bits) names the variable's path in its message.
    expect([...(error?.extensions.fields ?? []), error?.message].join(' ')).toContain(field)
    expect(await names(test.admin, { allFlavors: true })).toEqual(before)
  })

  it('B-FLV-1: takes edges of the ranges, and makes an id of its own', async () => {
    const answer = await test.admin.ask<{ createFlavor: { flavor: { id: string } } }>(createDocument, {
      input: { name: 'edge', vcpus: 2147483647, ramMb: 2147483647, diskGb: 0, description: `${'d'.repeat(65534)}\n`, rxtxFactor: 0.5 },
    })
    expect(answer.createFlavor.flavor.id).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('B-FLV-2: gives an id and a name once', async () => {
    const id = await flavor()
    const base = { vcpus: 1, ramMb: 1, diskGb: 0 }
    expect(await test.admin.refused(createDocument, { input: { ...base, id, name: 'another' } })).toMatchObject({
      code: 'ALREADY_EXISTS',
      exception: 'FlavorIdExists',
      fields: ['input.id'],
    })
    expect(await test.admin.refused(createDocument, { input: { ...base, id: 'another', name: `name of ${id}` } })).toMatchObject({
      code: 'ALREADY_EXISTS',
      exception: 'FlavorExists',
      fields: ['input.name'],
    })
  })

  it('B-FLV-4, A-MV-55: changes the description only, and clears it with null', async () => {
    const flavorId = await flavor({ description: 'before' })
    const update = (more: Record<string, unknown>) => test.admin.ask(updateDocument, { input: { flavorId, ...more } })
    expect(await update({ description: 'after' })).toEqual({ updateFlavor: { flavor: { description: 'after', generation: 2 } } })
    expect(await update({})).toEqual({ updateFlavor: { flavor: { description: 'after', generation: 3 } } })
    expect(await update({ description: null, expectedGeneration: 3 })).toEqual({
      updateFlavor: { flavor: { description: null, generation: 4 } },
    })
    expect(await test.admin.refused(updateDocument, { input: { flavorId, description: 'late', expectedGeneration: 3 } })).toMatchObject({
      code: 'GENERATION_MISMATCH',
      currentGeneration: 4,
    })
    expect((await test.admin.raw(updateDocument, { input: { flavorId, vcpus: 4 } })).errors?.[0]?.message).toContain('vcpus')
  })

  it('B-FLV-6, A-MV-86: merges extra specs, removes single ones, and names what is wrong', async () => {
    const flavorId = await flavor({ extraSpecs: [{ key: 'hw:cpu_policy', value: 'shared' }] })
    const set = (extraSpecs: { key: string; value: string }[]) => test.admin.ask<unknown>(setDocument, { input: { flavorId, extraSpecs } })
    await set([
      { key: 'hw:cpu_policy', value: 'dedicated' },
      { key: 'acme:colour', value: 'blue' },
    ])
    expect(
      await test.admin.refused(setDocument, { input: { flavorId, extraSpecs: [{ key: 'hw:cpu_policy', value: 'x' }] } }),
    ).toMatchObject({ code: 'BAD_USER_INPUT', fields: ['input.extraSpecs.0.value'] })
    const refused = await test.admin.refused(removeDocument, { input: { flavorId, keys: ['acme:colour', 'absent'] } })
    expect(refused).toMatchObject({ code: 'NOT_FOUND', exception: 'FlavorExtraSpecsNotFound', fields: ['input.keys.1'] })
    expect(await test.admin.ask(removeDocument, { input: { flavorId, keys: ['acme:colour'] } })).toEqual({
      deleteFlavorExtraSpecs: { flavor: { generation: 3, extraSpecs: [{ key: 'hw:cpu_policy', value: 'dedicated' }] } },
    })
  })

  it('B-FLV-6: keeps what many write at once', async () => {
    const flavorId = await flavor()
    const keys = Array.from({ length: 12 }, (_, index) => `acme:key-${index}`)
    await Promise.all(keys.map((key) => test.admin.ask(setDocument, { input: { flavorId, extraSpecs: [{ key, value: '1' }] } })))
    const { flavor: found } = await test.admin.ask<{ flavor: { extraSpecs: { key: string }[]; generation: number } }>(
      'query ($id: ID!) { flavor(id: $id) { generation extraSpecs { key } } }',
      { id: flavorId },
    )
    expect(found.extraSpecs.map(({ key }) => key).sort()).toEqual([...keys].sort())
    expect(found.generation).toBe(13)
  })

  it('D-FLV-5, B-FLV-3: shows a private flavor to its projects and to administrators, and to nobody else', async () => {
    const id = await flavor({ isPublic: false, accessProjectIds: [member.projectId] })
    expect(await test.admin.ask(lookDocument, { id })).toEqual({
      flavor: { id, access: [{ projectId: member.projectId }], serverCount: 0 },
    })
    // Lists of access and counts of servers hide themselves from others.
    expect(await member.client.ask(lookDocument, { id })).toEqual({ flavor: { id, access: null, serverCount: null } })
    expect(await stranger.client.ask(lookDocument, { id })).toEqual({ flavor: null })
    expect(await names(member.client)).toContain(id)
    expect(await names(stranger.client)).not.toContain(id)
    // An administrator's list is that of its project, unless all are asked for.
    expect(await names(test.admin)).not.toContain(id)
    expect(await names(test.admin, { allFlavors: true, isPublic: false })).toContain(id)
    expect(await stranger.client.refused('{ flavors(filter: { allFlavors: true }) { nodes { id } } }')).toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining('os_compute_api:os-flavor-access'),
    })
  })

  it('B-FLV-3: adds and removes projects, each with the error of its kind', async () => {
    const flavorId = await flavor({ isPublic: false })
    const { projectId } = member
    expect(await test.admin.ask(addDocument, { input: { flavorId, projectId } })).toEqual({
      addFlavorAccess: { flavor: { access: [{ flavorId, projectId, project: { id: projectId } }] } },
    })
    expect(await names(member.client)).toContain(flavorId)
    const refusals: [string, Record<string, string>, string, string][] = [
      [addDocument, { flavorId, projectId }, 'ALREADY_EXISTS', 'FlavorAccessExists'],
      [addDocument, { flavorId, projectId: nobody }, 'INVALID_REFERENCE', 'ProjectNotFound'],
      [addDocument, { flavorId: '1', projectId }, 'CONFLICT', 'HTTPConflict'],
      [addDocument, { flavorId: 'unknown', projectId }, 'NOT_FOUND', 'FlavorNotFound'],
      [takeDocument, { flavorId: '1', projectId }, 'CONFLICT', 'HTTPConflict'],
      [takeDocument, { flavorId, projectId: stranger.projectId }, 'NOT_FOUND', 'FlavorAccessNotFound'],
    ]
    for (const [document, input, code, exception] of refusals) {
      expect(await test.admin.refused(document, { input }), `${code} ${JSON.stringify(input)}`).toMatchObject({ code, exception })
    }
    expect(await test.admin.ask(takeDocument, { input: { flavorId, projectId } })).toEqual({
      removeFlavorAccess: { flavor: { access: [] } },
    })
    expect(await names(member.client)).not.toContain(flavorId)
  })

  it('B-FLV-3: says the same of an unknown project at creation', async () => {
    const input = { name: 'for nobody', vcpus: 1, ramMb: 1, diskGb: 0, isPublic: false, accessProjectIds: [member.projectId, nobody] }
    expect(await test.admin.refused(createDocument, { input })).toMatchObject({
      code: 'INVALID_REFERENCE',
      fields: ['input.accessProjectIds.1'],
    })
  })

  it('D-POL-T112…T122: lets nobody but administrators change flavors', async () => {
    const flavorId = await flavor({ isPublic: false, accessProjectIds: [member.projectId] })
    const { projectId } = member
    const attempts: [string, Record<string, unknown>][] = [
      [createDocument, { name: 'mine', vcpus: 1, ramMb: 1, diskGb: 0 }],
      [updateDocument, { flavorId, description: 'mine' }],
      [setDocument, { flavorId, extraSpecs: [] }],
      [removeDocument, { flavorId, keys: [] }],
      [addDocument, { flavorId, projectId }],
      [takeDocument, { flavorId, projectId }],
      [deleteDocument, { flavorId }],
    ]
    for (const [document, input] of attempts) {
      expect((await member.client.refused(document, { input })).code).toBe('FORBIDDEN')
      expect((await test.nobody.refused(document, { input })).code).toBe('UNAUTHENTICATED')
    }
  })

  it('A-LAUNCH-3: builds from a private flavor only where it may be used, and never from a disabled one', async () => {
    const flavorId = await flavor({ isPublic: false, accessProjectIds: [member.projectId] })
    const launch = (client: TestClient, name: string) =>
      client.refused(createServerDocument, { input: serverInput(imageId, name, { flavorId }) })
    const notFound = { code: 'INVALID_REFERENCE', exception: 'FlavorNotFound', fields: ['input.flavorId'] }
    expect(await launch(stranger.client, 'stolen')).toMatchObject(notFound)
    await createActive(member.client, serverInput(imageId, 'allowed', { flavorId }))
    await test.cloud.plane.api.transaction((trx) => trx.updateTable('flavors').set({ disabled: 1 }).where('id', '=', flavorId).execute())
    expect(await launch(member.client, 'late')).toMatchObject(notFound)
  })

  it('B-FLV-5, B-FLV-8: leaves servers their copy when specs change, access ends and the flavor goes', async () => {
    const flavorId = await flavor({ isPublic: false, accessProjectIds: [member.projectId], extraSpecs: [{ key: 'acme:was', value: '1' }] })
    const serverId = await createActive(member.client, serverInput(imageId, 'copy', { flavorId }))
    expect(await test.admin.ask('query ($id: ID!) { flavor(id: $id) { serverCount } }', { id: flavorId })).toEqual({
      flavor: { serverCount: 1 },
    })
    await test.admin.ask(setDocument, { input: { flavorId, extraSpecs: [{ key: 'acme:is', value: '2' }] } })
    await test.admin.ask(takeDocument, { input: { flavorId, projectId: member.projectId } })
    expect(await test.admin.ask(deleteDocument, { input: { flavorId } })).toEqual({ deleteFlavor: { deletedId: flavorId } })
    expect(await test.admin.refused(deleteDocument, { input: { flavorId } })).toMatchObject({
      code: 'NOT_FOUND',
      exception: 'FlavorNotFound',
    })
    expect(
      await member.client.ask('query ($id: ID!) { server(id: $id) { flavor { vcpus extraSpecs { key value } } } }', {
        id: serverId,
      }),
    ).toEqual({ server: { flavor: { vcpus: 1, extraSpecs: [{ key: 'acme:was', value: '1' }] } } })
    // A new flavor of the id inherits nobody's access.
    await test.admin.ask(createDocument, { input: { id: flavorId, name: 'again', vcpus: 1, ramMb: 1, diskGb: 0, isPublic: false } })
    expect(await names(member.client)).not.toContain(flavorId)
  })

  it('D-FLV-8, D-XS-4: does not build what flavor and image cannot agree on', async () => {
    const modest = await flavor({ extraSpecs: [{ key: 'hw_video:ram_max_mb', value: '16' }] })
    const generous = await flavor({ extraSpecs: [{ key: 'hw_video:ram_max_mb', value: '64' }] })
    const demanding = await test.image({ properties: [{ key: 'hw_video_ram', value: '32' }] })
    const launch = (flavorId: string) => serverInput(demanding, 'agreed', { flavorId })
    expect(await member.client.refused(createServerDocument, { input: launch(modest) })).toMatchObject({
      code: 'FLAVOR_IMAGE_CONFLICT',
      exception: 'RequestedVRamTooHigh',
      fields: ['input.flavorId', 'input.imageId'],
    })
    await createActive(member.client, launch(generous))
  })

  it('D-FLV-6: filters and sorts', async () => {
    const prefix = `sorted ${++number}`
    for (const [id, vcpus, ramMb, diskGb] of [
      ['b', 2, 512, 10],
      ['a', 4, 256, 20],
      ['c', 1, 1024, 5],
    ] as const) {
      await flavor({ id: `${prefix} ${id}`, name: `${prefix} ${id}`, vcpus, ramMb, diskGb })
    }
    const ids = async (filter: Record<string, unknown>, key = 'ID', direction = 'ASC'): Promise<string> => {
      const { flavors } = await member.client.ask<{ flavors: { nodes: { id: string }[] } }>(
        'query ($filter: FlavorFilter, $orderBy: [FlavorOrder!]) { flavors(filter: $filter, orderBy: $orderBy) { nodes { id } } }',
        { filter: { search: prefix, ...filter }, orderBy: [{ key, direction }] },
      )
      return flavors.nodes.map(({ id }) => id.at(-1)).join('')
    }
    expect(await ids({})).toBe('abc')
    expect(await ids({}, 'VCPUS', 'DESC')).toBe('abc')
    expect(await ids({}, 'RAM_MB')).toBe('abc')
    expect(await ids({}, 'DISK_GB')).toBe('cba')
    expect(await ids({ minRamMb: 512 })).toBe('bc')
    expect(await ids({ minDiskGb: 10 }, 'NAME', 'DESC')).toBe('ba')
    expect(await ids({ minVcpus: 4 })).toBe('a')
    expect(await ids({ isPublic: false })).toBe('')
    const refused = await member.client.refused('{ flavors(after: "nonsense") { nodes { id } } }')
    expect(refused.code).toBe('CURSOR_INVALID')
  })

  it('makes one flavor for one retry key, and none for the key with other input', async () => {
    const input = { id: 'retried', name: 'retried', vcpus: 1, ramMb: 1, diskGb: 0, idempotencyKey: 'flavor-once' }
    expect(await test.admin.ask(createDocument, { input })).toEqual(await test.admin.ask(createDocument, { input }))
    expect((await test.admin.refused(createDocument, { input: { ...input, vcpus: 2 } })).code).toBe('IDEMPOTENCY_KEY_REUSED')
  })

  it('describes every known extra spec and image property to those who are signed in', async () => {
    const fields =
      'key namespace group valueType enumValues { value } pattern minimum unit parameters { name pattern } counterpart precedence aliases'
    const { extraSpecSchema } = await member.client.ask<{ extraSpecSchema: { key: string; namespace: string }[] }>(
      `{ extraSpecSchema(namespace: "resources") { ${fields} } }`,
    )
    expect(extraSpecSchema.map(({ key }) => key)).toEqual(['resources{group}:{class}', 'resources{group}:CUSTOM_{name}'])
    const { imagePropertySchema } = await member.client.ask<{ imagePropertySchema: Record<string, unknown>[] }>(
      `{ imagePropertySchema(group: NUMA) { ${fields} } }`,
    )
    expect(imagePropertySchema[0]).toEqual({
      key: 'hw_numa_nodes',
      namespace: null,
      group: 'NUMA',
      valueType: 'INTEGER',
      enumValues: null,
      pattern: null,
      minimum: '1',
      unit: null,
      parameters: [],
      counterpart: 'hw:numa_nodes',
      precedence: 'EXCLUSIVE',
      aliases: [],
    })
    expect((await test.nobody.refused('{ extraSpecSchema { key } }')).code).toBe('UNAUTHENTICATED')
  })
})
