/** Application credentials and the policy as clients see it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { createLogger } from '@kilonova/runtime/logger'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialects, TestClient, TestCloud, until } from './cloud.testkit.js'

interface Made {
  createApplicationCredential: {
    applicationCredential: { id: string; name: string; roles: { id: string }[]; allowedRules: string[] | null; lastUsedAt: string | null }
    secret: string
  }
}
const createDocument = `mutation ($input: CreateApplicationCredentialInput!) { createApplicationCredential(input: $input) {
  applicationCredential { id name roles { id } allowedRules lastUsedAt } secret } }`
const deleteDocument = `mutation ($input: DeleteApplicationCredentialInput!) { deleteApplicationCredential(input: $input) { deletedId } }`
const listDocument = `query ($first: Int, $after: String, $filter: ApplicationCredentialFilter, $orderBy: [ResourceOrder!]) {
  applicationCredentials(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
    totalCount pageInfo { endCursor hasNextPage } nodes { name project { id } lastUsedAt } } }`
interface Listed {
  applicationCredentials: {
    totalCount: number
    pageInfo: { endCursor: string | null; hasNextPage: boolean }
    nodes: { name: string; project: { id: string }; lastUsedAt: string | null }[]
  }
}

describe.each(dialects)('application credentials on %s', (dialect) => {
  let test: TestCloud
  beforeAll(async () => {
    test = await TestCloud.start({ dialect, hosts: 1 })
  })
  afterAll(() => test?.destroy())

  const make = async (client: TestClient, input: object) => {
    const { applicationCredential, secret } = (await client.ask<Made>(createDocument, { input })).createApplicationCredential
    return { ...applicationCredential, secret, client: new TestClient(test.url, `${applicationCredential.id}.${secret}`) }
  }
  const codeWith = async (client: TestClient): Promise<string> =>
    (await client.raw('{ viewer { authMethod } }')).errors?.[0]?.extensions.code ?? 'works'

  it('sign in as their user, with the project and the roles they were given', async () => {
    const { client, userId, projectId } = await test.user('member')
    const whole = await make(client, { name: 'whole' })
    const part = await make(client, { name: 'part', roleIds: ['reader'] })
    const viewer = '{ viewer { authMethod sessionExpiresAt user { id } project { id } roles { id } } }'
    const seen = {
      authMethod: 'APPLICATION_CREDENTIAL',
      sessionExpiresAt: '9999-12-31T23:59:59.999Z',
      user: { id: userId },
      project: { id: projectId },
    }
    expect(await whole.client.ask(viewer)).toEqual({ viewer: { ...seen, roles: [{ id: 'member' }, { id: 'reader' }] } })
    expect(await part.client.ask(viewer)).toEqual({ viewer: { ...seen, roles: [{ id: 'reader' }] } })
    const image = 'mutation { createImage(input: { name: "made by a program", diskFormat: RAW }) { image { id } } }'
    await whole.client.ask(image)
    expect((await part.client.refused(image)).code).toBe('FORBIDDEN')
  })

  it('can be limited to some rules', async () => {
    const { client } = await test.user('member')
    const limited = await make(client, { name: 'limited', allowedRules: ['image:get_images'] })
    expect(await limited.client.ask('{ images { totalCount } viewer { allowedRules } }')).toEqual({
      images: { totalCount: 0 },
      viewer: { allowedRules: ['image:get_images'] },
    })
    expect(await limited.client.refused('{ servers { totalCount } }')).toMatchObject({ code: 'FORBIDDEN' })
    const unknown = await client.refused(createDocument, { input: { name: 'typo', allowedRules: ['image:get_imagse'] } })
    expect(unknown).toMatchObject({ code: 'BAD_USER_INPUT', fields: ['input.allowedRules'] })
  })

  it('are refused with a secret that is not theirs', async () => {
    const { client } = await test.user('member')
    const [one, two] = [await make(client, { name: 'one' }), await make(client, { name: 'two' })]
    for (const token of [`${one.id}.${two.secret}`, one.id, one.secret, `${one.id}.${one.secret}x`]) {
      expect(await codeWith(new TestClient(test.url, token)), token).toBe('UNAUTHENTICATED')
    }
    expect(await codeWith(one.client)).toBe('works')
  })

  it('end at the time they were given', async () => {
    const { client } = await test.user('member')
    const past = await client.refused(createDocument, { input: { name: 'past', expiresAt: '2020-01-01T00:00:00.000Z' } })
    expect(past).toMatchObject({ code: 'BAD_USER_INPUT', fields: ['input.expiresAt'] })
    const brief = await make(client, { name: 'brief', expiresAt: new Date(Date.now() + 1500).toISOString() })
    expect(await codeWith(brief.client)).toBe('works')
    await until(
      'its end',
      () => codeWith(brief.client),
      (code) => code === 'UNAUTHENTICATED',
    )
  })

  it('cannot give themselves more: no further credential, no password, no sign-out', async () => {
    const { client } = await test.user('member')
    const held = await make(client, { name: 'held' })
    const refused = async (document: string, input: object) => (await held.client.refused(document, { input })).code
    expect(await refused(createDocument, { name: 'another' })).toBe('FORBIDDEN')
    expect(await refused(deleteDocument, { applicationCredentialId: held.id })).toBe('FORBIDDEN')
    const change = 'mutation ($input: ChangeOwnPasswordInput!) { changeOwnPassword(input: $input) { __typename } }'
    expect(await refused(change, { currentPassword: 'x', newPassword: 'long enough now' })).toBe('FORBIDDEN')
    const logout = 'mutation ($input: LogoutInput!) { logout(input: $input) { endedSessions } }'
    expect(await refused(logout, { everywhere: true })).toBe('FORBIDDEN')
    expect(await codeWith(client)).toBe('works')
    const more = await client.refused(createDocument, { input: { name: 'more', roleIds: ['admin'] } })
    expect(more).toMatchObject({ code: 'INVALID_REFERENCE', fields: ['input.roleIds'] })
  })

  it('have one name each per user, and belong to their user alone', async () => {
    const [one, two] = [await test.user('member'), await test.user('member')]
    const mine = await make(one.client, { name: 'same' })
    expect(await one.client.refused(createDocument, { input: { name: 'same' } })).toMatchObject({
      code: 'ALREADY_EXISTS',
      fields: ['input.name'],
    })
    await make(two.client, { name: 'same' })
    const remove = (client: TestClient, id: string) => client.refused(deleteDocument, { input: { applicationCredentialId: id } })
    const others = await remove(two.client, mine.id)
    const unknown = await remove(two.client, '99999999-9999-4999-8999-999999999999')
    expect(others.code).toBe('NOT_FOUND')
    expect(others.message.replace(mine.id, 'X')).toBe(unknown.message.replace('99999999-9999-4999-8999-999999999999', 'X'))
    const asked = await two.client.refused(listDocument, { filter: { userId: one.userId } })
    expect(asked.code).toBe('FORBIDDEN')
    const { applicationCredentials } = await test.admin.ask<Listed>(listDocument, { filter: { userId: one.userId } })
    expect(applicationCredentials.nodes.map((node) => node.name)).toEqual(['same'])
    await test.admin.ask(deleteDocument, { input: { applicationCredentialId: mine.id } })
    expect(await codeWith(mine.client)).toBe('UNAUTHENTICATED')
  })

  it('are listed in pages, by name and project, with their last use and never with their secret', async () => {
    const { client, projectId } = await test.user('member')
    const made = []
    for (const name of ['c', 'a', 'b']) made.push(await make(client, { name }))
    await made[1]?.client.ask('{ viewer { authMethod } }')
    const orderBy = [{ key: 'NAME', direction: 'ASC' }]
    const first = (await client.ask<Listed>(listDocument, { first: 2, orderBy })).applicationCredentials
    const rest = (await client.ask<Listed>(listDocument, { first: 2, orderBy, after: first.pageInfo.endCursor })).applicationCredentials
    expect([...first.nodes, ...rest.nodes].map((node) => node.name)).toEqual(['a', 'b', 'c'])
    expect([first.totalCount, first.pageInfo.hasNextPage, rest.pageInfo.hasNextPage]).toEqual([3, true, false])
    expect(first.nodes.map((node) => node.lastUsedAt === null)).toEqual([false, true])
    expect((await client.ask<Listed>(listDocument, { filter: { projectId } })).applicationCredentials.totalCount).toBe(3)
    const { api } = test.cloud.plane
    const rows = JSON.stringify(await api.read.selectFrom('application_credentials').selectAll().execute())
    for (const { secret } of made) expect(rows).not.toContain(secret)
  })

  it('give the same answer for the same retry key, secret included, and refuse other input', async () => {
    const { client } = await test.user('member')
    const input = { name: 'retried', idempotencyKey: 'credential-1' }
    const [one, again] = [await make(client, input), await make(client, input)]
    expect([again.id, again.secret]).toEqual([one.id, one.secret])
    expect((await client.refused(createDocument, { input: { ...input, name: 'other' } })).code).toBe('IDEMPOTENCY_KEY_REUSED')
    const gone = { applicationCredentialId: one.id, idempotencyKey: 'credential-2' }
    expect(await client.ask(deleteDocument, { input: gone })).toEqual(await client.ask(deleteDocument, { input: gone }))
  })
})

describe('policyRules', () => {
  let test: TestCloud
  const folder = mkdtempSync(join(tmpdir(), 'kilonova-policy-'))
  const file = join(folder, 'policy.yaml')
  const logged: string[] = []
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      logged.push(chunk.toString())
      done()
    },
  })
  beforeAll(async () => {
    writeFileSync(file, '"image:get_images": "role:admin"\n')
    test = await TestCloud.start({ hosts: 1, log: createLogger('error', sink), config: { oslo_policy: { policy_file: file } } })
  })
  afterAll(async () => {
    await test?.destroy()
    rmSync(folder, { recursive: true, force: true })
  })

  interface Rules {
    policyRules: {
      name: string
      checkString: string
      defaultCheckString: string
      description: string
      coordinates: string[]
      allowedForViewer: boolean
    }[]
  }
  const rules = (client: TestClient, variables: object = {}) =>
    client.ask<Rules>(
      `query ($nameContains: String, $serverId: ID) { policyRules(nameContains: $nameContains, serverId: $serverId) {
        name checkString defaultCheckString description coordinates allowedForViewer } }`,
      { ...variables },
    )

  it('D-POL-5 show the rule in force beside its default, what it guards, and whether the caller passes', async () => {
    const { client } = await test.user('member')
    const { policyRules } = await rules(client, { nameContains: 'GET_IMAGE' })
    expect(policyRules).toEqual([
      {
        name: 'image:get_image',
        checkString: 'rule:project_reader_or_admin',
        defaultCheckString: 'rule:project_reader_or_admin',
        description: 'Show an image.',
        coordinates: ['Query.image'],
        allowedForViewer: true,
      },
      {
        name: 'image:get_images',
        checkString: 'role:admin',
        defaultCheckString: 'rule:project_reader_or_admin',
        description: 'List images.',
        coordinates: ['Query.images'],
        allowedForViewer: false,
      },
    ])
    expect((await client.refused('{ images { totalCount } }')).code).toBe('FORBIDDEN')
    const names = (await rules(client)).policyRules
      .filter((rule) => rule.allowedForViewer && rule.name.includes(':'))
      .map((rule) => rule.name)
    const { viewer } = await client.ask<{ viewer: { allowedRules: string[] } }>('{ viewer { allowedRules } }')
    expect([...viewer.allowedRules].sort()).toEqual(names)
    const unknown = '99999999-9999-4999-8999-999999999999'
    const refused = await client.refused('query ($id: ID!) { policyRules(serverId: $id) { name } }', { id: unknown })
    expect(refused.code).toBe('NOT_FOUND')
  })

  it('D-POL-5 follow the file when it changes, and stay when it is broken', async () => {
    const { client } = await test.user('member')
    const inForce = async () => (await rules(client, { nameContains: 'image:get_images' })).policyRules[0]?.checkString
    writeFileSync(file, '"image:get_images": "role:reader"\n')
    await until('the new rule', inForce, (check) => check === 'role:reader')
    await client.ask('{ images { totalCount } }')
    writeFileSync(file, '"image:get_imagse": "@"\n')
    await until(
      'the refusal in the log',
      async () => logged.join(''),
      (text) => text.includes('the rules in force stay') && text.includes('policy.yaml:1: unknown rule'),
    )
    expect(await inForce()).toBe('role:reader')
    writeFileSync(file, '')
    await until('the default', inForce, (check) => check === 'rule:project_reader_or_admin')
  })
})
