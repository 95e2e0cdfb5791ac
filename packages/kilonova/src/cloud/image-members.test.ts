/** Who sees an image, finds it in lists and builds from it: private, shared with members and their answers, community, public. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { dialects, type TestClient, TestCloud, until } from './cloud.testkit.js'
import { createActive, createServerDocument, serverInput } from './proof.testkit.js'

const createDocument = 'mutation ($input: CreateImageInput!) { createImage(input: $input) { image { id visibility } } }'
const updateDocument = 'mutation ($input: UpdateImageInput!) { updateImage(input: $input) { image { visibility } } }'
const addDocument =
  'mutation ($input: AddImageMemberInput!) { addImageMember(input: $input) { image { members { projectId status project { id } } } } }'
const removeDocument = 'mutation ($input: RemoveImageMemberInput!) { removeImageMember(input: $input) { image { members { projectId } } } }'
const answerDocument = 'mutation ($input: AnswerImageMembershipInput!) { answerImageMembership(input: $input) { image { id } } }'
const unknown = '99999999-9999-4999-8999-999999999999'

interface User {
  client: TestClient
  userId: string
  projectId: string
}

describe.each(dialects)('visibility of images on %s', (dialect) => {
  let test: TestCloud
  let owner: User
  let friend: User
  let stranger: User
  let imageId: string
  const sees = async ({ client }: { client: TestClient }, id = imageId): Promise<boolean> =>
    (await client.ask<{ image: unknown }>('query ($id: ID!) { image(id: $id) { id } }', { id })).image !== null
  const lists = async ({ client }: { client: TestClient }, filter: Record<string, unknown> = {}): Promise<boolean> => {
    const { images } = await client.ask<{ images: { nodes: { id: string }[] } }>(
      'query ($filter: ImageFilter) { images(first: 1000, filter: $filter) { nodes { id } } }',
      { filter },
    )
    return images.nodes.some(({ id }) => id === imageId)
  }
  const builds = async ({ client }: { client: TestClient }): Promise<boolean> => {
    const { errors } = await client.raw(createServerDocument, { input: serverInput(imageId, 'built') })
    if (errors !== undefined) {
      expect(errors[0]?.extensions).toMatchObject({ code: 'INVALID_REFERENCE', exception: 'ImageNotFound', fields: ['input.imageId'] })
    }
    return errors === undefined
  }
  const make = (visibility: string, { client }: { client: TestClient } = owner) =>
    client.ask(updateDocument, { input: { imageId, visibility } })
  const add = ({ projectId }: User = friend) => owner.client.ask(addDocument, { input: { imageId, projectId } })
  const answer = (status: string, { client }: { client: TestClient } = friend) => client.ask(answerDocument, { input: { imageId, status } })

  beforeAll(async () => {
    test = await TestCloud.start({ dialect })
    ;[owner, friend, stranger] = [await test.user('member'), await test.user('member'), await test.user('member')]
  })
  afterAll(() => test?.destroy())
  beforeEach(async () => {
    const { createImage } = await owner.client.ask<{ createImage: { image: { id: string; visibility: string } } }>(createDocument, {
      input: { name: 'image', diskFormat: 'RAW' },
    })
    imageId = createImage.image.id
    expect(createImage.image.visibility).toBe('PRIVATE')
    await test.upload(imageId, Buffer.alloc(4096, 'kilonova'))
    await until(
      'the image',
      () => owner.client.ask<{ image: { status: string } }>('query ($id: ID!) { image(id: $id) { status } }', { id: imageId }),
      ({ image }) => image.status === 'ACTIVE',
    )
  })

  it('PRIVATE: exists for its owner only', async () => {
    expect([await sees(owner), await lists(owner), await sees({ client: test.admin })]).toEqual([true, true, true])
    expect([await sees(friend), await lists(friend), await builds(friend)]).toEqual([false, false, false])
  })

  it('PUBLIC: for everybody, but only administrators make it so', async () => {
    const refused = await owner.client.refused(updateDocument, { input: { imageId, visibility: 'PUBLIC' } })
    expect(refused).toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('image:publicize_image') })
    const input = { name: 'mine', diskFormat: 'RAW', visibility: 'PUBLIC' }
    expect((await owner.client.refused(createDocument, { input })).code).toBe('FORBIDDEN')
    await make('PUBLIC', { client: test.admin })
    expect([await sees(stranger), await lists(stranger), await builds(stranger)]).toEqual([true, true, true])
    // Its owner may take it back.
    await make('PRIVATE')
    expect(await sees(stranger)).toBe(false)
  })

  it('COMMUNITY: for everybody by id, in no list but the owner’s', async () => {
    await make('COMMUNITY')
    expect([await sees(stranger), await builds(stranger)]).toEqual([true, true])
    expect([await lists(stranger), await lists(stranger, { visibility: 'COMMUNITY' }), await lists(owner)]).toEqual([false, false, true])
    expect((await stranger.client.refused(updateDocument, { input: { imageId, name: 'taken' } })).code).toBe('FORBIDDEN')
  })

  it('SHARED: for members by id at once, in their lists when they accept', async () => {
    await make('SHARED')
    expect([await sees(friend), await builds(friend)]).toEqual([false, false])
    expect(await add()).toEqual({
      addImageMember: { image: { members: [{ projectId: friend.projectId, status: 'PENDING', project: null }] } },
    })
    expect([await sees(friend), await lists(friend), await lists(friend, { memberStatus: 'PENDING' })]).toEqual([true, false, true])
    expect([await sees(stranger), await lists(stranger, { memberStatus: 'PENDING' }), await builds(stranger)]).toEqual([
      false,
      false,
      false,
    ])
    await answer('ACCEPTED')
    expect([
      await lists(friend),
      await lists(friend, { memberStatus: 'ACCEPTED' }),
      await lists(friend, { memberStatus: 'PENDING' }),
    ]).toEqual([true, true, false])
    await createActive(friend.client, serverInput(imageId, 'of a member'))
    await answer('REJECTED')
    expect([await lists(friend), await lists(friend, { memberStatus: 'REJECTED' })]).toEqual([false, true])
    expect(await owner.client.ask(removeDocument, { input: { imageId, projectId: friend.projectId } })).toEqual({
      removeImageMember: { image: { members: [] } },
    })
    expect([await sees(friend), await builds(friend), await lists(friend, { memberStatus: 'REJECTED' })]).toEqual([false, false, false])
  })

  it('SHARED: a rejected image does not come back because it is shared with the whole community', async () => {
    await make('SHARED')
    await add()
    await answer('REJECTED')
    await make('COMMUNITY')
    expect([await sees(friend), await lists(friend)]).toEqual([true, false])
    await answer('ACCEPTED')
    expect(await lists(friend)).toBe(true)
    await make('PRIVATE')
    expect([await sees(friend), await lists(friend), await lists(friend, { memberStatus: 'ACCEPTED' })]).toEqual([false, false, false])
  })

  it('shows its members to its owner and administrators only', async () => {
    await make('SHARED')
    await add()
    const look = 'query ($id: ID!) { image(id: $id) { members { projectId project { id } } upload { url } } }'
    const members = [{ projectId: friend.projectId, project: { id: friend.projectId } }]
    expect(await test.admin.ask(look, { id: imageId })).toEqual({ image: { members, upload: null } })
    expect(await owner.client.ask(look, { id: imageId })).toMatchObject({ image: { members: [{ projectId: friend.projectId }] } })
    expect(await friend.client.ask(look, { id: imageId })).toEqual({ image: { members: null, upload: null } })
  })

  it('gives each refusal its code', async () => {
    const { projectId } = friend
    const refusals: [User, string, Record<string, unknown>, string, string | null][] = [
      [owner, addDocument, { imageId, projectId }, 'INVALID_STATE', 'ImageNotShared'],
      [stranger, addDocument, { imageId, projectId }, 'NOT_FOUND', 'ImageNotFound'],
      [stranger, answerDocument, { imageId, status: 'ACCEPTED' }, 'NOT_FOUND', 'ImageNotFound'],
    ]
    for (const [user, document, input, code, exception] of refusals) {
      expect(await user.client.refused(document, { input })).toMatchObject({ code, exception })
    }
    await make('SHARED')
    await add()
    const more: typeof refusals = [
      [owner, addDocument, { imageId, projectId }, 'ALREADY_EXISTS', 'ImageMemberExists'],
      [owner, addDocument, { imageId, projectId: owner.projectId }, 'BAD_USER_INPUT', 'ValidationError'],
      [owner, addDocument, { imageId, projectId: unknown }, 'INVALID_REFERENCE', 'ProjectNotFound'],
      [owner, removeDocument, { imageId, projectId: stranger.projectId }, 'NOT_FOUND', 'ImageMemberNotFound'],
      [owner, answerDocument, { imageId, status: 'ACCEPTED' }, 'NOT_FOUND', 'ImageMemberNotFound'],
      // A member sees the image, so it learns that it may not.
      [friend, addDocument, { imageId, projectId: stranger.projectId }, 'FORBIDDEN', 'PolicyNotAuthorized'],
      [friend, removeDocument, { imageId, projectId }, 'FORBIDDEN', 'PolicyNotAuthorized'],
      [friend, updateDocument, { imageId, name: 'taken' }, 'FORBIDDEN', 'PolicyNotAuthorized'],
    ]
    for (const [user, document, input, code, exception] of more) {
      expect(await user.client.refused(document, { input }), JSON.stringify(input)).toMatchObject({ code, exception })
    }
    const reader = await test.user('reader', friend.projectId)
    expect((await reader.client.refused(answerDocument, { input: { imageId, status: 'ACCEPTED' } })).code).toBe('FORBIDDEN')
    const readerOfOwner = await test.user('reader', owner.projectId)
    expect((await readerOfOwner.client.refused(updateDocument, { input: { imageId, name: 'read' } })).code).toBe('FORBIDDEN')
  })

  it('has at most 128 members', async () => {
    await make('SHARED')
    await test.cloud.plane.api.transaction((trx) =>
      trx
        .insertInto('image_members')
        .values(
          Array.from({ length: 128 }, (_, index) => ({
            image_id: imageId,
            project_id: `project-${index}`,
            status: 'PENDING',
            created_at: index,
            updated_at: index,
          })),
        )
        .execute(),
    )
    const refused = await owner.client.refused(addDocument, { input: { imageId, projectId: friend.projectId } })
    expect(refused).toMatchObject({ code: 'LIMIT_EXCEEDED', fields: ['input.projectId'] })
  })

  it('shares once for one retry key', async () => {
    await make('SHARED')
    const input = { imageId, projectId: friend.projectId, idempotencyKey: `share ${imageId}` }
    expect(await owner.client.ask(addDocument, { input })).toEqual(await owner.client.ask(addDocument, { input }))
  })

  it('forgets memberships with the image, and with the project', async () => {
    await make('SHARED')
    const guest = await test.user('member')
    await add(friend)
    await add(guest)
    const { deleteProject } = await test.admin.ask<{ deleteProject: { deletedId: string } }>(
      'mutation ($id: ID!) { deleteProject(input: { projectId: $id }) { deletedId } }',
      { id: guest.projectId },
    )
    expect(deleteProject.deletedId).toBe(guest.projectId)
    const rows = () => test.cloud.plane.api.read.selectFrom('image_members').select('project_id').where('image_id', '=', imageId).execute()
    expect(await rows()).toEqual([{ project_id: friend.projectId }])
    await owner.client.ask('mutation ($id: ID!) { deleteImage(input: { imageId: $id }) { deletedId } }', { id: imageId })
    expect(await rows()).toEqual([])
  })
})
