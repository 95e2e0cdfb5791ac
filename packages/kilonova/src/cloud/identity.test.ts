/** Projects, users and roles: what may be made, changed and deleted, and every error on the way. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialects, TestClient, TestCloud } from './cloud.testkit.js'
import { createActive, remove, serverInput, settled } from './proof.testkit.js'

const unknown = '99999999-9999-4999-8999-999999999999'
const documents = {
  createProject: 'mutation ($input: CreateProjectInput!) { createProject(input: $input) { project { id name enabled tags generation } } }',
  updateProject:
    'mutation ($input: UpdateProjectInput!) { updateProject(input: $input) { project { id name description enabled tags generation } } }',
  deleteProject: 'mutation ($input: DeleteProjectInput!) { deleteProject(input: $input) { deletedId } }',
  createUser: 'mutation ($input: CreateUserInput!) { createUser(input: $input) { user { id name generation passwordExpiresAt } } }',
  updateUser:
    'mutation ($input: UpdateUserInput!) { updateUser(input: $input) { user { id name email generation defaultProject { id } } } }',
  deleteUser: 'mutation ($input: DeleteUserInput!) { deleteUser(input: $input) { deletedId } }',
  assignRole:
    'mutation ($input: AssignRoleInput!) { assignRole(input: $input) { roleAssignment { user { id } project { id } role { id } } } }',
  revokeRole:
    'mutation ($input: RevokeRoleInput!) { revokeRole(input: $input) { roleAssignment { user { id } project { id } role { id } } } }',
  login: 'mutation ($input: LoginInput!) { login(input: $input) { session { accessToken viewer { project { id } } } } }',
} as const
type Mutation = keyof typeof documents
interface Thing {
  id: string
  name: string
  generation: number
}

describe.each(dialects)('identity on %s', (dialect) => {
  let test: TestCloud
  beforeAll(async () => {
    test = await TestCloud.start({ dialect, hosts: 1, config: { identity: { password_expires_days: 30 } } })
  })
  afterAll(() => test?.destroy())

  const ask = async (mutation: Mutation, input: object): Promise<Thing> => {
    const answer = await test.admin.ask<Record<string, Record<string, Thing>>>(documents[mutation], { input })
    const [thing] = Object.values(answer[mutation] ?? {})
    if (thing === undefined) throw new Error(`${mutation} answered nothing`)
    return thing
  }
  const refused = async (mutation: Mutation, input: object) => {
    const { code, fields } = await test.admin.refused(documents[mutation], { input })
    return [code, ...fields]
  }
  const login = (username: string, password: string, projectId?: string) =>
    test.nobody.raw<{ login: { session: { accessToken: string; viewer: { project: { id: string } | null } } } }>(documents.login, {
      input: { username, password, projectId },
    })
  let count = 0
  const fresh = (kind: string): string => `${kind}-${dialect}-${++count}`

  it('makes projects with one name each, and changes what is given of them', async () => {
    const name = fresh('project')
    const made = await ask('createProject', { name, tags: ['a', 'b'], enabled: false })
    expect(made).toMatchObject({ name, enabled: false, tags: ['a', 'b'], generation: 1 })
    expect(await refused('createProject', { name })).toEqual(['ALREADY_EXISTS', 'input.name'])
    expect(await refused('createProject', { name: ' padded' })).toEqual(['BAD_USER_INPUT', 'input.name'])
    const changed = await ask('updateProject', { projectId: made.id, description: 'For tests.', enabled: true })
    expect(changed).toMatchObject({ name, description: 'For tests.', enabled: true, tags: ['a', 'b'], generation: 2 })
    expect(await ask('updateProject', { projectId: made.id, description: null })).toMatchObject({ description: null })
    expect(await refused('updateProject', { projectId: made.id, name: 'admin' })).toEqual(['ALREADY_EXISTS', 'input.name'])
    expect(await refused('updateProject', { projectId: unknown })).toEqual(['NOT_FOUND'])
  })

  it('answers a retry of a change as it answered the change, although the generation has moved on', async () => {
    const { id } = await ask('createProject', { name: fresh('project') })
    const input = { projectId: id, description: 'once', expectedGeneration: 1, idempotencyKey: fresh('key') }
    expect(await ask('updateProject', input)).toMatchObject({ generation: 2 })
    expect(await ask('updateProject', input)).toMatchObject({ generation: 2 })
    expect(await refused('updateProject', { ...input, idempotencyKey: undefined })).toEqual([
      'GENERATION_MISMATCH',
      'input.expectedGeneration',
    ])
    const gone = { projectId: id, idempotencyKey: fresh('key') }
    await test.admin.ask(documents.deleteProject, { input: gone })
    expect(await test.admin.ask(documents.deleteProject, { input: gone })).toEqual({ deleteProject: { deletedId: id } })
    expect(await refused('deleteProject', { projectId: id })).toEqual(['NOT_FOUND'])
  })

  it('does not delete a project that owns anything, and leaves nothing of one that is deleted', async () => {
    const { client, projectId, userId } = await test.user('member')
    const imageId = await test.image()
    const serverId = await createActive(client, serverInput(imageId, 'owned'))
    expect(await refused('deleteProject', { projectId })).toEqual(['IN_USE'])
    await remove(client, serverId)
    await settled(test)
    const made = await client.ask<{ createImage: { image: { id: string } } }>(
      'mutation { createImage(input: { name: "owned", diskFormat: RAW }) { image { id } } }',
    )
    expect(await refused('deleteProject', { projectId })).toEqual(['IN_USE'])
    await client.ask('mutation ($id: ID!) { deleteImage(input: { imageId: $id }) { deletedId } }', { id: made.createImage.image.id })
    await client.ask('mutation { createApplicationCredential(input: { name: "owned" }) { secret } }')
    await test.admin.ask(documents.deleteProject, { input: { projectId } })
    const { api } = test.cloud.plane
    for (const table of ['role_assignments', 'application_credentials', 'quotas'] as const) {
      expect(await api.read.selectFrom(table).select('project_id').where('project_id', '=', projectId).execute(), table).toEqual([])
    }
    const { user } = await test.admin.ask<{ user: { defaultProject: unknown } }>(
      'query ($id: ID!) { user(id: $id) { defaultProject { id } } }',
      {
        id: userId,
      },
    )
    expect(user.defaultProject).toBeNull()
  })

  it('makes users with one login name each, who sign in to their default project', async () => {
    const { id: projectId } = await ask('createProject', { name: fresh('project') })
    const name = fresh('user')
    const input = { name, password: 'a long enough password', email: 'a@example.org', defaultProjectId: projectId }
    const user = await ask('createUser', input)
    expect(await refused('createUser', input)).toEqual(['ALREADY_EXISTS', 'input.name'])
    expect(await refused('createUser', { ...input, name: fresh('user'), defaultProjectId: unknown })).toEqual([
      'INVALID_REFERENCE',
      'input.defaultProjectId',
    ])
    expect(await refused('createUser', { ...input, password: 'short' })).toEqual(['BAD_USER_INPUT', 'input.password'])
    expect(await refused('createUser', { ...input, email: 'nobody' })).toEqual(['BAD_USER_INPUT', 'input.email'])
    const long = fresh('a-long-name-of-a-user')
    expect(await refused('createUser', { ...input, name: long, password: long })).toEqual(['BAD_USER_INPUT', 'input.password'])
    expect((await login(name, input.password)).data.login.session.viewer.project).toBeNull()
    await ask('assignRole', { userId: user.id, projectId, roleId: 'reader' })
    expect((await login(name, input.password)).data.login.session.viewer.project).toEqual({ id: projectId })
    expect((await login(name, input.password, unknown)).errors?.[0]?.extensions.code).toBe('INVALID_REFERENCE')
    expect(await refused('updateUser', { userId: user.id, name: 'admin' })).toEqual(['ALREADY_EXISTS', 'input.name'])
    expect(await refused('updateUser', { userId: user.id, expectedGeneration: 7 })).toEqual([
      'GENERATION_MISMATCH',
      'input.expectedGeneration',
    ])
    expect(await ask('updateUser', { userId: user.id, email: null, defaultProjectId: null })).toMatchObject({
      email: null,
      defaultProject: null,
      generation: 2,
    })
  })

  it('deletes users with all that is theirs', async () => {
    const { client, userId } = await test.user('member')
    await client.ask('mutation { createApplicationCredential(input: { name: "theirs" }) { secret } }')
    await test.admin.ask(documents.deleteUser, { input: { userId } })
    const { api } = test.cloud.plane
    for (const table of ['role_assignments', 'application_credentials', 'sessions', 'keypairs'] as const) {
      expect(await api.read.selectFrom(table).select('user_id').where('user_id', '=', userId).execute(), table).toEqual([])
    }
    expect(await test.admin.ask('query ($id: ID!) { user(id: $id) { id } }', { id: userId })).toEqual({ user: null })
    expect(await refused('deleteUser', { userId })).toEqual(['NOT_FOUND'])
  })

  it('gives a role once, takes it once, and names what is not there', async () => {
    const { id: projectId } = await ask('createProject', { name: fresh('project') })
    const { id: userId } = await ask('createUser', { name: fresh('user') })
    const grant = { userId, projectId, roleId: 'reader' }
    for (let time = 1; time <= 2; time++) await ask('assignRole', grant)
    const list =
      'query ($filter: RoleAssignmentFilter) { roleAssignments(filter: $filter) { totalCount nodes { user { id } role { id } } } }'
    expect(await test.admin.ask(list, { filter: { projectId } })).toEqual({
      roleAssignments: { totalCount: 1, nodes: [{ user: { id: userId }, role: { id: 'reader' } }] },
    })
    for (const field of ['userId', 'projectId', 'roleId']) {
      expect(await refused('assignRole', { ...grant, [field]: unknown })).toEqual(['INVALID_REFERENCE', `input.${field}`])
    }
    await ask('revokeRole', grant)
    expect(await refused('revokeRole', grant)).toEqual(['NOT_FOUND'])
  })

  it('lets nobody sign in with a password that has expired, until an administrator sets another', async () => {
    const name = fresh('user')
    const user = await ask('createUser', { name, password: 'a long enough password' })
    const expiresAt = new Date((user as Thing & { passwordExpiresAt: string }).passwordExpiresAt).getTime()
    expect(Math.round((expiresAt - Date.now()) / 86_400_000)).toBe(30)
    expect((await login(name, 'a long enough password')).errors).toBeUndefined()
    await test.cloud.plane.api.transaction((trx) =>
      trx
        .updateTable('users')
        .set((eb) => ({ password_changed_at: eb('password_changed_at', '-', 31 * 86_400_000) }))
        .where('id', '=', user.id)
        .execute(),
    )
    expect((await login(name, 'a long enough password')).errors?.[0]?.extensions.code).toBe('INVALID_CREDENTIALS')
    await ask('updateUser', { userId: user.id, password: 'another long password' })
    const { data } = await login(name, 'another long password')
    expect(await new TestClient(test.url, data.login.session.accessToken).ask('{ viewer { project { id } } }')).toEqual({
      viewer: { project: null },
    })
  })
})
