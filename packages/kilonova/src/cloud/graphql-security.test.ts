/** Ways in which GraphQL gateways have been abused, one test each. Limits on documents, sessions, streams and tenancy have files of their own. */
import { request } from 'node:http'
import { errorCodes } from '@kilonova/contract/errors'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestClient, TestCloud } from './cloud.testkit.js'
import { create, createServerDocument, serverInput } from './proof.testkit.js'

describe('the gateway', () => {
  let test: TestCloud
  let imageId: string
  let one: { client: TestClient; userId: string; projectId: string }
  let other: { client: TestClient; userId: string; projectId: string }
  beforeAll(async () => {
    test = await TestCloud.start({ hosts: 1 })
    imageId = await test.image()
    one = await test.user('member')
    other = await test.user('member')
  })
  afterAll(() => test?.destroy())

  const post = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${test.url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })

  it('takes no batches: neither guesses of passwords nor of tokens come by the hundred', async () => {
    const guess = {
      query: 'mutation ($input: LoginInput!) { login(input: $input) { session { accessToken } } }',
      variables: { input: { username: 'admin', password: 'guess' } },
    }
    const answer = await post(JSON.stringify(Array.from({ length: 100 }, () => guess)))
    expect(answer.status).toBe(400)
    expect(await answer.text()).not.toContain('"data"')
  })

  it('tries one password for each document, however many aliases it has', async () => {
    const guesses = Array.from(
      { length: 25 },
      (_unused, index) => `g${index}: login(input: { username: "nobody", password: "p${index}" }) { session { accessToken } }`,
    )
    const answer = await test.nobody.raw<unknown>(`mutation { ${guesses.join('\n')} }`)
    const codes = (answer.errors ?? []).map((error) => error.extensions.code)
    expect(codes).toEqual(['INVALID_CREDENTIALS'])
  })

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/graphql'])(
    'runs nothing that a foreign page can send as %s',
    async (type) => {
      const answer = await post(JSON.stringify({ query: 'mutation { logout { signedOut } }' }), { 'content-type': type })
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(await answer.text()).not.toContain('"data"')
    },
  )

  it.each(['utf-7', 'x'.repeat(5000), 'utf-16; charset=utf-8'])('is not held up by a made-up charset', async (charset) => {
    const begun = performance.now()
    const answer = await post(JSON.stringify({ query: '{ __typename }' }), { 'content-type': `application/json; charset=${charset}` })
    await answer.text()
    expect(performance.now() - begun).toBeLessThan(2000)
  })

  it('reflects no origin: pages of other sites read nothing', async () => {
    for (const origin of ['http://evil.example', 'null', `${test.url}.evil.example`]) {
      for (const method of ['POST', 'OPTIONS']) {
        const answer = await fetch(`${test.url}/graphql`, {
          method,
          headers: { origin, 'content-type': 'application/json', 'access-control-request-method': 'POST' },
          ...(method === 'POST' ? { body: JSON.stringify({ query: '{ __typename }' }) } : {}),
        })
        expect(answer.headers.get('access-control-allow-origin')).toBeNull()
        expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
      }
    }
  })

  it('is told by no Host header which origins are its own', async () => {
    const { hostname, port } = new URL(test.url)
    const status = await new Promise<number>((resolve, reject) => {
      const body = JSON.stringify({ query: '{ __typename }' })
      const asked = request(
        {
          hostname,
          port,
          path: '/graphql',
          method: 'POST',
          headers: {
            host: 'evil.example',
            origin: 'http://evil.example',
            'content-type': 'application/json',
            'content-length': body.length,
          },
        },
        (answer) => resolve(answer.statusCode ?? 0),
      )
      asked.on('error', reject)
      asked.end(body)
    })
    expect(status).toBe(403)
  })

  it('tells nothing from inside with an error, and every error has a code of the enumeration', async () => {
    const mistakes: [string, Record<string, unknown>][] = [
      ['{ nothing }', {}],
      ['query ($id: ID!) { server(id: $id) { id } }', { id: { a: 1 } }],
      ['query { servers(filter: { name: "\'; drop table instances; --" }) { nodes { id } } }', {}],
      ['query { servers(filter: { nameRegex: "(" }) { nodes { id } } }', {}],
      ['query ($after: String) { servers(after: $after) { nodes { id } } }', { after: 'bm9uc2Vuc2U' }],
      [createServerDocument, { input: serverInput('no image', 'x') }],
      [createServerDocument, { input: { ...serverInput(imageId, 'x'), name: '\u0000' } }],
    ]
    for (const [document, variables] of mistakes) {
      const answer = await one.client.raw<unknown>(document, variables)
      for (const error of answer.errors ?? []) {
        expect(Object.keys(errorCodes)).toContain(error.extensions.code)
        expect(JSON.stringify(error)).not.toMatch(/node_modules|\bat .*\.(ts|js):\d|SQLITE|select .* from|syntax error at|stacktrace/i)
      }
    }
  })

  it('takes a cursor for the list it came from only', async () => {
    await create(one.client, serverInput(imageId, 'first'))
    await create(one.client, serverInput(imageId, 'second'))
    const { servers } = await one.client.ask<{ servers: { pageInfo: { endCursor: string } } }>(
      '{ servers(first: 1) { pageInfo { endCursor } } }',
    )
    const cursor = servers.pageInfo.endCursor
    const page = 'query ($after: String) { servers(first: 1, after: $after) { nodes { id } } }'
    const elsewhere: [string, string][] = [
      ['query ($after: String) { images(first: 1, after: $after) { nodes { id } } }', cursor],
      ['query ($after: String) { servers(first: 1, after: $after, orderBy: [{ key: NAME, direction: ASC }]) { nodes { id } } }', cursor],
      [page, [...cursor].reverse().join('')],
      [page, Buffer.from('{"v":["\'; --"]}').toString('base64url')],
    ]
    for (const [document, after] of elsewhere) expect((await one.client.refused(document, { after })).code).toBe('CURSOR_INVALID')
    // In the hands of another project it opens that project's list, at most.
    const seen = await other.client.raw<{ servers: { nodes: unknown[] } | null }>(page, { after: cursor })
    expect(seen.data?.servers?.nodes ?? []).toEqual([])
  })

  it.each(['1', 'true', '../../etc/passwd', '%2e%2e%2f', '00000000-0000-0000-0000-000000000000', '\u202e', '{"$ne":null}'])(
    'finds nothing under the forged id %s',
    async (id) => {
      const { server } = await one.client.ask<{ server: unknown }>('query ($id: ID!) { server(id: $id) { id } }', { id })
      expect(server).toBeNull()
    },
  )

  it('keeps an idempotency key to who used it: the same key of another user makes another server', async () => {
    const key = 'shared-key'
    const mine = await create(one.client, serverInput(imageId, 'mine', { idempotencyKey: key }))
    const theirs = await create(other.client, serverInput(imageId, 'mine', { idempotencyKey: key }))
    expect(theirs.server.id).not.toBe(mine.server.id)
    expect((await create(one.client, serverInput(imageId, 'mine', { idempotencyKey: key }))).server.id).toBe(mine.server.id)
  })
})
