/**
 * Rights that are taken away are gone: tokens at once, WebSockets with their streams and open consoles within a second, in this process
 * and in every other one.
 */
import { LiveLogins } from '@kilonova/api/modules/identity/live-logins'
import { RightsLog } from '@kilonova/api/modules/identity/rights-log'
import { SessionService } from '@kilonova/api/modules/identity/session.service'
import { InProcessBus } from '@kilonova/runtime/bus/in-process.bus'
import { systemClock } from '@kilonova/runtime/clock'
import { createLogger } from '@kilonova/runtime/logger'
import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import { dialects, TestClient, TestCloud, until } from './cloud.testkit.js'
import { createActive, serverInput } from './proof.testkit.js'

const withinMs = 1000
const loginDocument = 'mutation ($input: LoginInput!) { login(input: $input) { session { accessToken } } }'

interface Victim {
  name: string
  password: string
  userId: string
  projectId: string
  client: TestClient
}

/** A socket that stays open until the other side closes it. */
class Lasting {
  closedWith: number | null = null
  readonly #ready: () => boolean
  constructor(ready: () => boolean) {
    this.#ready = ready
  }
  async opened(): Promise<this> {
    await until('the socket to be open', async () => this.#ready(), Boolean)
    return this
  }
}

describe.each(dialects)('rights on %s', (dialect) => {
  let test: TestCloud
  let imageId: string
  const cleanups: (() => unknown)[] = []
  beforeAll(async () => {
    test = await TestCloud.start({ dialect, hosts: 1 })
    imageId = await test.image()
  })
  afterAll(async () => {
    for (const clean of cleanups) await clean()
    await test?.destroy()
  })

  let count = 0
  const admin = (mutation: string, input: object) => {
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`
    return test.admin.ask<Record<string, Record<string, { id: string }>>>(
      `mutation ($input: ${type}!) { ${mutation}(input: $input) { ${
        { createProject: 'project { id }', createUser: 'user { id }' }[mutation] ?? '__typename'
      } } }`,
      { input },
    )
  }
  const victim = async (roles: readonly string[] = ['member']): Promise<Victim> => {
    const name = `victim-${dialect}-${++count}`
    const password = `the password of ${name}`
    const projectId = (await admin('createProject', { name })).createProject?.project?.id ?? ''
    const userId = (await admin('createUser', { name, password, defaultProjectId: projectId })).createUser?.user?.id ?? ''
    for (const roleId of roles) await admin('assignRole', { userId, projectId, roleId })
    return { name, password, userId, projectId, client: await test.signIn(name, password) }
  }

  const stream = async (client: TestClient): Promise<Lasting> => {
    let connected = false
    const ws = createClient({
      url: `${test.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { accessToken: client.token },
      retryAttempts: 0,
    })
    const lasting = new Lasting(() => connected)
    ws.on('connected', () => {
      connected = true
    })
    ws.on('closed', (event) => {
      lasting.closedWith = (event as { code: number }).code
    })
    ws.subscribe({ query: 'subscription { serverChanged { cursor } }' }, { next: () => {}, error: () => {}, complete: () => {} })
    cleanups.push(() => ws.dispose())
    return lasting.opened()
  }
  const openConsole = async (client: TestClient, serverId: string): Promise<Lasting> => {
    const { createConsole } = await client.ask<{ createConsole: { console: { webSocketUrl: string; token: string } } }>(
      'mutation ($id: ID!) { createConsole(input: { serverId: $id, type: NOVNC }) { console { webSocketUrl token } } }',
      { id: serverId },
    )
    const { webSocketUrl, token } = createConsole.console
    const ws = new WebSocket(webSocketUrl, ['binary', `kilonova.token.${token}`], { origin: test.url })
    let heard = false
    const lasting = new Lasting(() => heard)
    ws.on('message', () => {
      heard = true
    })
    ws.on('close', (code) => {
      lasting.closedWith = code
    })
    cleanups.push(() => ws.terminate())
    return lasting.opened()
  }
  const codeWith = async (client: TestClient): Promise<string> =>
    (await client.raw('{ viewer { authMethod } }')).errors?.[0]?.extensions.code ?? 'works'
  const endedWithin = async (lasting: Lasting[]): Promise<void> => {
    await until(
      'every socket to be closed',
      async () => lasting.map((one) => one.closedWith),
      (codes) => codes.every((code) => code !== null),
      withinMs,
    )
    expect(lasting.map((one) => one.closedWith)).toEqual(lasting.map(() => 4403))
  }

  const asCredential = async (owner: TestClient, input: object): Promise<{ id: string; client: TestClient }> => {
    const { createApplicationCredential: made } = await owner.ask<{
      createApplicationCredential: { applicationCredential: { id: string }; secret: string }
    }>(
      'mutation ($input: CreateApplicationCredentialInput!) { createApplicationCredential(input: $input) { applicationCredential { id } secret } }',
      { input },
    )
    const { id } = made.applicationCredential
    return { id, client: new TestClient(test.url, `${id}.${made.secret}`) }
  }

  it.each<[string, (one: Victim) => Promise<unknown>]>([
    ['the user is disabled', ({ userId }) => admin('updateUser', { userId, enabled: false })],
    ['the user is deleted', ({ userId }) => admin('deleteUser', { userId })],
    ['the project is disabled', ({ projectId }) => admin('updateProject', { projectId, enabled: false })],
    ['the last role is taken away', ({ userId, projectId }) => admin('revokeRole', { userId, projectId, roleId: 'member' })],
    ['an administrator sets a password', ({ userId }) => admin('updateUser', { userId, password: 'another password' })],
    ['the user signs out everywhere', ({ client }) => client.ask('mutation { logout(input: { everywhere: true }) { endedSessions } }')],
  ])('end when %s: token at once, stream and console within a second', async (_what, take) => {
    const one = await victim()
    const serverId = await createActive(one.client, serverInput(imageId, one.name))
    const lasting = [await stream(one.client), await openConsole(one.client, serverId)]
    expect(await codeWith(one.client)).toBe('works')
    await take(one)
    expect(await codeWith(one.client)).toBe('UNAUTHENTICATED')
    await endedWithin(lasting)
  })

  it('go down to the roles that are left: the stream must be opened anew, the console of a member ends', async () => {
    const one = await victim(['member', 'reader'])
    const serverId = await createActive(one.client, serverInput(imageId, one.name))
    const lasting = [await stream(one.client), await openConsole(one.client, serverId)]
    await admin('revokeRole', { userId: one.userId, projectId: one.projectId, roleId: 'member' })
    const refused = await one.client.refused('mutation ($id: ID!) { stopServer(input: { serverId: $id }) { __typename } }', {
      id: serverId,
    })
    expect(refused.code).toBe('FORBIDDEN')
    await endedWithin(lasting)
    expect((await stream(one.client)).closedWith).toBeNull()
  })

  it('of others stay when somebody’s are taken away', async () => {
    const [one, two] = [await victim(), await victim()]
    const serverId = await createActive(two.client, serverInput(imageId, two.name))
    const lasting = [await stream(two.client), await openConsole(two.client, serverId)]
    const gone = await stream(one.client)
    await admin('updateUser', { userId: one.userId, enabled: false })
    await endedWithin([gone])
    await admin('updateProject', { projectId: two.projectId, description: 'Still open.' })
    await admin('assignRole', { userId: two.userId, projectId: two.projectId, roleId: 'member' })
    expect(await codeWith(two.client)).toBe('works')
    expect(lasting.map((each) => each.closedWith)).toEqual([null, null])
  })

  it('of an application credential end when it is deleted, and when its user loses the roles', async () => {
    const one = await victim()
    const serverId = await createActive(one.client, serverInput(imageId, one.name))
    const [first, second] = [await asCredential(one.client, { name: 'first' }), await asCredential(one.client, { name: 'second' })]
    const ofFirst = [await stream(first.client), await openConsole(first.client, serverId)]
    const ofSecond = [await stream(second.client), await openConsole(second.client, serverId)]
    const remove = 'mutation ($id: ID!) { deleteApplicationCredential(input: { applicationCredentialId: $id }) { deletedId } }'
    await one.client.ask(remove, { id: first.id })
    expect(await codeWith(first.client)).toBe('UNAUTHENTICATED')
    await endedWithin(ofFirst)
    expect(await codeWith(second.client)).toBe('works')
    expect(ofSecond.map((each) => each.closedWith)).toEqual([null, null])
    await admin('revokeRole', { userId: one.userId, projectId: one.projectId, roleId: 'member' })
    expect(await codeWith(second.client)).toBe('UNAUTHENTICATED')
    await endedWithin(ofSecond)
  })

  it('are checked by the rules for passwords, and one’s own password ends every session but the new one', async () => {
    const one = await victim()
    const other = await test.signIn(one.name, one.password)
    const lasting = await stream(other)
    const change = 'mutation ($input: ChangeOwnPasswordInput!) { changeOwnPassword(input: $input) { session { accessToken } } }'
    const input = { currentPassword: one.password, newPassword: 'a quite new password' }
    const refused = async (more: object) => {
      const { code, fields } = await one.client.refused(change, { input: { ...input, ...more } })
      return [code, ...fields]
    }
    expect(await refused({ currentPassword: 'wrong' })).toEqual(['INVALID_CREDENTIALS', 'input.currentPassword'])
    expect(await refused({ newPassword: 'short' })).toEqual(['BAD_USER_INPUT', 'input.newPassword'])
    expect(await refused({ newPassword: one.password })).toEqual(['BAD_USER_INPUT', 'input.newPassword'])
    expect(await refused({ newPassword: one.name.toUpperCase() })).toEqual(['BAD_USER_INPUT', 'input.newPassword'])
    expect(await codeWith(other)).toBe('works')
    const { changeOwnPassword } = await one.client.ask<{ changeOwnPassword: { session: { accessToken: string } } }>(change, { input })
    expect(await codeWith(new TestClient(test.url, changeOwnPassword.session.accessToken))).toBe('works')
    expect(await codeWith(one.client)).toBe('UNAUTHENTICATED')
    expect(await codeWith(other)).toBe('UNAUTHENTICATED')
    await endedWithin([lasting])
    const old = await test.nobody.refused(loginDocument, { input: { username: one.name, password: one.password } })
    expect(old.code).toBe('INVALID_CREDENTIALS')
  })

  it('stop attempts at the current password as they stop those at signing in', async () => {
    const one = await victim()
    const change = 'mutation ($input: ChangeOwnPasswordInput!) { changeOwnPassword(input: $input) { __typename } }'
    const codes: string[] = []
    for (let attempt = 0; attempt < 12; attempt++) {
      codes.push((await one.client.refused(change, { input: { currentPassword: 'guess', newPassword: 'a quite new password' } })).code)
    }
    expect(codes.at(0)).toBe('INVALID_CREDENTIALS')
    expect(codes.at(-1)).toBe('RATE_LIMITED')
  })

  // SQLite serves one process only.
  if (dialect === 'postgres')
    it('end within a second in other processes too, without any notice from the bus', async () => {
      const { api } = test.cloud.plane
      const log = createLogger('silent')
      const rights = new RightsLog({ db: api, bus: new InProcessBus(log), clock: systemClock, log })
      const elsewhere = new SessionService({
        db: api,
        clock: systemClock,
        accessTokenSeconds: 900,
        refreshTokenSeconds: 900,
        loginAttempts: 10,
        loginWindowSeconds: 60,
        passwordExpiresDays: null,
        rights,
      })
      const live = new LiveLogins({ db: api, log, rights })
      await rights.start()
      cleanups.push(() => rights.stop())
      const request = { requestId: 'req-elsewhere', clientAddress: '127.0.0.1' }
      const one = await victim()
      const caller = await elsewhere.authenticate(one.client.token ?? '', request)
      const ends: string[] = []
      live.add(caller, (reason) => ends.push(reason))
      await admin('updateUser', { userId: one.userId, enabled: false })
      const answered = async (): Promise<string> =>
        elsewhere.authenticate(one.client.token ?? '', request).then(
          () => 'works',
          () => 'refused',
        )
      await until('the token to be refused', answered, (answer) => answer === 'refused', withinMs)
      await until(
        'the end of what lives',
        async () => ends,
        (list) => list.length === 1,
        withinMs,
      )
    })
})
