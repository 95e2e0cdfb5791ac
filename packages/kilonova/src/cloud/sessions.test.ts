/** Signing in and staying signed in: what browsers and other clients get, and what is refused. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialects, TestClient, TestCloud } from './cloud.testkit.js'

const loginDocument =
  'mutation ($input: LoginInput!) { login(input: $input) { session { accessToken refreshToken expiresAt viewer { user { name } } } } }'
const refreshDocument = 'mutation ($input: RefreshSessionInput!) { refreshSession(input: $input) { session { accessToken refreshToken } } }'
interface Tokens {
  accessToken: string
  refreshToken: string | null
}

describe.each(dialects)('sessions on %s', (dialect) => {
  let test: TestCloud
  let password: string
  beforeAll(async () => {
    test = await TestCloud.start({ dialect, hosts: 1, config: { identity: { login_attempts: 4, login_window_seconds: 2 } } })
    password = test.first?.password.reveal() ?? ''
  })
  afterAll(() => test?.destroy())

  const post = (query: string, variables: object, headers: Record<string, string> = {}) =>
    fetch(`${test.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query, variables }),
    })
  const signIn = async (): Promise<Tokens> => {
    const { login } = await test.nobody.ask<{ login: { session: Tokens } }>(loginDocument, { input: { username: 'admin', password } })
    return login.session
  }
  const refresh = async (refreshToken: string | null): Promise<Tokens> =>
    (await test.nobody.ask<{ refreshSession: { session: Tokens } }>(refreshDocument, { input: { refreshToken } })).refreshSession.session
  const refusedRefresh = async (refreshToken: string | null) =>
    (await test.nobody.refused(refreshDocument, { input: { refreshToken } })).code
  const works = async (token: string) =>
    (await new TestClient(test.url, token).raw<{ viewer: unknown }>('{ viewer { authMethod } }')).errors?.[0]?.extensions.code ?? 'works'
  const back = (ms: number) =>
    test.cloud.plane.api.transaction((trx) =>
      trx
        .updateTable('sessions')
        .set((eb) => ({ rotated_at: eb('rotated_at', '-', ms) }))
        .execute(),
    )

  it('answers wrong names as wrong passwords', async () => {
    const wrong = await test.nobody.refused(loginDocument, { input: { username: 'someone', password: 'x' } })
    const wrongPassword = await test.nobody.refused(loginDocument, { input: { username: 'admin', password: 'x' } })
    expect(wrong).toMatchObject({ code: 'INVALID_CREDENTIALS' })
    expect(wrongPassword.message).toBe(wrong.message)
    await signIn()
  })

  it('allows so many attempts at a name and no more, even the right one', async () => {
    const attempt = async (given: string) =>
      (await test.nobody.raw<unknown>(loginDocument, { input: { username: 'Mallory', password: given } })).errors?.[0]
    const codes = []
    for (let count = 1; count <= 6; count++) codes.push((await attempt('wrong'))?.extensions.code)
    expect(codes).toEqual([...Array(4).fill('INVALID_CREDENTIALS'), 'RATE_LIMITED', 'RATE_LIMITED'])
    expect((await attempt('wrong'))?.extensions).toMatchObject({ retryAfterSeconds: expect.any(Number) })
    // Others are not locked out by it.
    await signIn()
  })

  it('gives new tokens for a refresh token, which then has ended', async () => {
    const first = await signIn()
    const second = await refresh(first.refreshToken)
    expect(second.refreshToken).not.toBe(first.refreshToken)
    expect(await works(first.accessToken)).toBe('UNAUTHENTICATED')
    expect(await works(second.accessToken)).toBe('works')
  })

  it('takes a refresh token again right away as a lost answer, later as theft that ends the session', async () => {
    const first = await signIn()
    await refresh(first.refreshToken)
    const again = await refresh(first.refreshToken)
    expect(await works(again.accessToken)).toBe('works')
    await back(60_000)
    expect(await refusedRefresh(first.refreshToken)).toBe('UNAUTHENTICATED')
    expect(await works(again.accessToken)).toBe('UNAUTHENTICATED')
    expect(await refusedRefresh(again.refreshToken)).toBe('UNAUTHENTICATED')
  })

  it('ends at logout, at once, and elsewhere only when asked', async () => {
    const here = await signIn()
    const there = await signIn()
    await new TestClient(test.url, here.accessToken).ask('mutation { logout(input: {}) { endedSessions } }')
    expect(await works(here.accessToken)).toBe('UNAUTHENTICATED')
    expect(await refusedRefresh(here.refreshToken)).toBe('UNAUTHENTICATED')
    expect(await works(there.accessToken)).toBe('works')
    await new TestClient(test.url, there.accessToken).ask('mutation { logout(input: { everywhere: true }) { endedSessions } }')
    expect(await works(there.accessToken)).toBe('UNAUTHENTICATED')
    test.admin = await test.signIn('admin', password)
  })

  it('hands a browser its refresh token in a cookie only, which scripts and other sites do not get', async () => {
    const response = await post(loginDocument, { input: { username: 'admin', password } }, { origin: test.url })
    const { data } = (await response.json()) as { data: { login: { session: Tokens } } }
    expect(data.login.session.refreshToken).toBeNull()
    const [cookie = ''] = response.headers.getSetCookie()
    expect(cookie).toMatch(/^kilonova_refresh_[0-9a-f]{8}=[\w-]{40,}; /)
    for (const attribute of ['HttpOnly', 'SameSite=Strict', 'Path=/graphql', 'Expires=']) expect(cookie).toContain(attribute)
    const [pair = ''] = cookie.split(';')
    const renewed = await post(refreshDocument, { input: {} }, { origin: test.url, cookie: pair })
    expect(((await renewed.json()) as { errors?: unknown }).errors).toBeUndefined()
    expect(renewed.headers.getSetCookie()[0]).not.toContain(pair)
    const ended = await post(refreshDocument, { input: {} }, { origin: test.url, cookie: pair.replace(/=.*/, '=unknown') })
    expect(ended.headers.getSetCookie()[0]).toMatch(/=; .*Expires=Thu, 01 Jan 1970/)
  })

  it.each(['http://evil.example', 'null', 'http://127.0.0.1:1', 'http://127.0.0.1.evil.example'])(
    'refuses requests from %s',
    async (origin) => {
      const response = await post('{ viewer { authMethod } }', {}, { origin, authorization: `Bearer ${test.admin.token}` })
      expect(response.status).toBe(403)
      expect(((await response.json()) as { errors: { extensions: { code: string } }[] }).errors[0]?.extensions.code).toBe('FORBIDDEN')
      expect(response.headers.get('access-control-allow-origin')).toBeNull()
    },
  )

  it('refuses what a foreign page can send without asking: simple bodies, and GET without a header', async () => {
    const body = JSON.stringify({ query: '{ viewer { authMethod } }' })
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const response = await fetch(`${test.url}/graphql`, { method: 'POST', headers: { 'content-type': type }, body })
      expect(response.status, type).toBeGreaterThanOrEqual(400)
    }
    const query = `${test.url}/graphql?query=${encodeURIComponent('{ viewer { authMethod } }')}`
    expect((await fetch(query)).status).toBe(400)
    const mutation = `${test.url}/graphql?query=${encodeURIComponent('mutation { logout(input: {}) { endedSessions } }')}`
    const headers = { 'apollo-require-preflight': 'yes', authorization: `Bearer ${test.admin.token}` }
    expect((await fetch(mutation, { headers })).status).toBe(405)
    expect(await works(test.admin.token ?? '')).toBe('works')
  })

  it('ends when the user is disabled', async () => {
    const { client, userId } = await test.user('member')
    await test.admin.ask('mutation ($id: ID!) { updateUser(input: { userId: $id, enabled: false }) { user { id } } }', { id: userId })
    expect(await works(client.token ?? '')).toBe('UNAUTHENTICATED')
  })
})
