/** Streams over a WebSocket: resumable without a gap or a repeat, for one's own project only, and no longer than the session. */
import { type Client, createClient } from 'graphql-ws'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import { dialects, TestClient, TestCloud, until } from './cloud.testkit.js'
import { create, createActive, remove, serverInput, settled, untilStatus } from './proof.testkit.js'

interface Item {
  __typename: string
  cursor: string
  id?: string
  eventType?: string
  subjectId?: string
  projectId?: string
}
const eventsDocument = `subscription ($after: String, $filter: EventFilter) { events(after: $after, filter: $filter) {
  __typename ... on Event { id cursor eventType subjectId projectId } ... on EventGap { cursor } ... on EventHeartbeat { cursor }
} }`

describe.each(dialects)('streams on %s', (dialect) => {
  let test: TestCloud
  let imageId: string
  const clients: Client[] = []
  beforeAll(async () => {
    test = await TestCloud.start({ dialect, hosts: 2 })
    imageId = await test.image()
  })
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.dispose()
  })
  afterAll(() => test?.destroy())

  const connect = (token: string | null, onClosed: (code: number) => void = () => {}): Client => {
    const client = createClient({
      url: `${test.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { accessToken: token },
      retryAttempts: 0,
      lazy: false,
      onNonLazyError: () => {},
      on: { closed: (event) => onClosed((event as { code: number }).code) },
    })
    clients.push(client)
    return client
  }
  /** What a subscription has brought so far, and its error when it has ended with one. */
  const follow = <T>(client: Client, query: string, variables: Record<string, unknown> = {}) => {
    const seen: T[] = []
    const state: { seen: T[]; ended: unknown; stop: () => void } = { seen, ended: undefined, stop: () => {} }
    state.stop = client.subscribe<Record<string, T>>(
      { query, variables },
      {
        next: ({ data, errors }) => {
          if (errors !== undefined) state.ended = errors
          const [item] = Object.values(data ?? {})
          if (item !== undefined && item !== null) seen.push(item)
        },
        error: (error) => {
          state.ended = error
        },
        complete: () => {
          state.ended ??= 'complete'
        },
      },
    )
    return state
  }
  const events = (client: TestClient, variables: Record<string, unknown> = {}) =>
    follow<Item>(connect(client.token), eventsDocument, variables)
  const logged = async () =>
    (await test.cloud.plane.api.read.selectFrom('event_log').select(['event_id', 'project_id']).orderBy('position').execute()) as {
      event_id: string
      project_id: string | null
    }[]
  const cursorNow = () => Buffer.from(`e:${test.cloud.plane.services.events.position}`).toString('base64url')

  it('bring every event of the project once and in order, across a break and a restart', async () => {
    const { client, projectId } = await test.user('member')
    const before = events(client, { after: cursorNow() })
    const first = await createActive(client, serverInput(imageId, 'streamed'))
    await until(
      'events',
      async () => before.seen,
      (seen) => seen.some((item) => item.eventType === 'instance.create.end'),
    )
    before.stop()
    // What happens while nobody listens, and while the cloud is being restarted.
    const { server } = await create(client, serverInput(imageId, 'unheard'))
    await test.close()
    await test.open()
    const again = new TestClient(test.url, client.token)
    await untilStatus(again, server.id, 'ACTIVE', 'ERROR')
    const after = events(again, { after: before.seen.at(-1)?.cursor })
    await remove(again, first)
    await settled(test)
    const expected = (await logged()).filter((row) => row.project_id === projectId).map((row) => row.event_id)
    const seen = () => [...before.seen, ...after.seen].filter((item) => item.__typename === 'Event').map((item) => item.id)
    await until(
      'the last event',
      async () => seen(),
      (ids) => ids.at(-1) === expected.at(-1),
    )
    expect(seen()).toEqual(expected)
  })

  it('keep events of other projects from members, and give them to administrators who ask', async () => {
    const one = await test.user('member')
    const other = await test.user('member')
    const heard = events(one.client, { after: cursorNow() })
    const refused = follow(connect(one.client.token), eventsDocument, { filter: { allProjects: true } })
    const all = events(test.admin, { after: cursorNow(), filter: { allProjects: true } })
    await until(
      'the refusal',
      async () => refused.ended,
      (ended) => ended !== undefined,
    )
    expect(JSON.stringify(refused.ended)).toContain('FORBIDDEN')
    const theirs = await createActive(other.client, serverInput(imageId, 'theirs'))
    const mine = await createActive(one.client, serverInput(imageId, 'mine'))
    const created = (id: string) => (item: Item) => item.subjectId === id && item.eventType === 'instance.create.end'
    await until(
      'my event',
      async () => heard.seen,
      (seen) => seen.some(created(mine)),
    )
    await until(
      'all events',
      async () => all.seen,
      (seen) => seen.some(created(mine)) && seen.some(created(theirs)),
    )
    expect(heard.seen.filter((item) => item.__typename === 'Event' && item.projectId !== one.projectId)).toEqual([])
  })

  it('tell which servers changed, with the server as it is', async () => {
    const { client } = await test.user('member')
    const changes = follow<{ change: string; serverId: string; changedFields: string[]; server: { status: string } | null }>(
      connect(client.token),
      'subscription ($after: String) { serverChanged(after: $after) { change serverId changedFields server { status } } }',
      { after: cursorNow() },
    )
    const id = await createActive(client, serverInput(imageId, 'changing'))
    await until(
      'ACTIVE',
      async () => changes.seen,
      (seen) => seen.some((item) => item.server?.status === 'ACTIVE'),
    )
    await remove(client, id)
    await until(
      'DELETED',
      async () => changes.seen,
      (seen) => seen.some((item) => item.change === 'DELETED'),
    )
    expect(changes.seen[0]).toMatchObject({ change: 'CREATED', serverId: id })
    expect(changes.seen.at(-1)).toMatchObject({ change: 'DELETED', server: null })
    expect(changes.seen.some((item) => item.changedFields.includes('taskState'))).toBe(true)
  })

  it('show an operation through to its end', async () => {
    const { client } = await test.user('member')
    const changes = follow<{ operation: { state: string; progressPercent: number; kind: string } }>(
      connect(client.token),
      'subscription ($after: String) { operationChanged(after: $after) { operation { state kind progressPercent } } }',
      { after: cursorNow() },
    )
    await createActive(client, serverInput(imageId, 'operated'))
    await until(
      'its end',
      async () => changes.seen,
      (seen) => seen.some(({ operation }) => operation.state === 'SUCCEEDED'),
    )
    const progress = changes.seen.map(({ operation }) => operation.progressPercent)
    expect(progress).toEqual([...progress].sort((a, b) => a - b))
  })

  it('refuse cursors that no stream gave', async () => {
    for (const after of ['nonsense', Buffer.from('e:999999999').toString('base64url')]) {
      const refused = events(test.admin, { after })
      await until(
        'the refusal',
        async () => refused.ended,
        (ended) => ended !== undefined,
      )
      expect(JSON.stringify(refused.ended)).toContain('CURSOR_INVALID')
    }
  })

  it('refuse documents above the limits without closing the others of the connection', async () => {
    const client = connect(test.admin.token)
    const heard = follow<Item>(client, eventsDocument, { after: cursorNow() })
    const aliases = Array.from({ length: 40 }, (_, index) => `a${index}: cursor`).join(' ')
    const refused = follow(client, `subscription { serverChanged { ${aliases} } }`)
    await until(
      'the refusal',
      async () => refused.ended,
      (ended) => ended !== undefined,
    )
    expect(JSON.stringify(refused.ended)).toContain('QUERY_TOO_COMPLEX')
    await createActive(test.admin, serverInput(imageId, 'still heard'))
    await until(
      'an event',
      async () => heard.seen,
      (seen) => seen.length > 0,
    )
  })

  it.each([null, 'x'.repeat(43)])('do not open for the token %s', async (token) => {
    let code = 0
    connect(token, (closed) => {
      code = closed
    })
    expect(
      await until(
        'the close',
        async () => code,
        (closed) => closed !== 0,
      ),
    ).toBe(4403)
  })

  it('do not open for pages of another origin', async () => {
    const socket = new WebSocket(`${test.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', { origin: 'http://evil.example' })
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: { accessToken: test.admin.token } })))
    expect(await new Promise((resolve) => socket.once('close', resolve))).toBe(4403)
  })
})

describe('a stream', () => {
  it('is closed when the access token expires, and goes on with the next without a gap', async () => {
    const test = await TestCloud.start({ hosts: 1, config: { identity: { access_token_seconds: 2 } } })
    try {
      const imageId = await test.image()
      const login = async () => (await test.signIn('admin', test.first?.password.reveal() ?? '')).token
      const seen: string[] = []
      const closes: number[] = []
      const start = test.cloud.plane.services.events.position
      let cursor = Buffer.from(`e:${start}`).toString('base64url')
      const open = async () => {
        const client = createClient({
          url: `${test.url.replace('http', 'ws')}/graphql`,
          webSocketImpl: WebSocket,
          connectionParams: { accessToken: await login() },
          retryAttempts: 0,
          on: { closed: (event) => closes.push((event as { code: number }).code) },
        })
        client.subscribe<{ events: Item }>(
          { query: eventsDocument, variables: { after: cursor } },
          {
            next: ({ data }) => {
              const item = data?.events
              if (item === undefined) return
              cursor = item.cursor
              if (item.id !== undefined) seen.push(item.id)
            },
            error: () => {},
            complete: () => {},
          },
        )
        return client
      }
      const first = await open()
      test.admin = await test.signIn('admin', test.first?.password.reveal() ?? '')
      await create(test.admin, serverInput(imageId, 'before'))
      await until(
        'the close',
        async () => closes,
        (codes) => codes.length > 0,
      )
      expect(closes).toEqual([4403])
      test.admin = await test.signIn('admin', test.first?.password.reveal() ?? '')
      await create(test.admin, serverInput(imageId, 'between'))
      const second = await open()
      await settled(test)
      const { viewer } = await test.admin.ask<{ viewer: { project: { id: string } } }>('{ viewer { project { id } } }')
      const log = await test.cloud.plane.api.read
        .selectFrom('event_log')
        .select(['event_id', 'project_id'])
        .where('position', '>', start)
        .orderBy('position')
        .execute()
      const expected = log.filter((row) => row.project_id === viewer.project.id).map((row) => row.event_id)
      await until(
        'the last event',
        async () => seen,
        (ids) => ids.at(-1) === expected.at(-1),
      )
      expect(seen).toEqual(expected)
      await first.dispose()
      await second.dispose()
    } finally {
      await test.destroy()
    }
  })
})
