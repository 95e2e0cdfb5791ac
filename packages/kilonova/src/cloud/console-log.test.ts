/** The console log as a stream: whole and in order, bounded, for those who may read it, and no longer than the server. */
import { FakeDriver } from '@kilonova/compute/drivers/fake/fake.driver'
import { type Client, createClient } from 'graphql-ws'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import { type TestClient, TestCloud, until } from './cloud.testkit.js'
import { createActive, remove, serverInput } from './proof.testkit.js'

interface Piece {
  output: string
  startOffset: string
  endOffset: string
  truncated: boolean
}
const document = `subscription ($serverId: ID!, $fromOffset: BigInt) {
  consoleLog(serverId: $serverId, fromOffset: $fromOffset) { output startOffset endOffset truncated }
}`

describe('the stream of a console log', () => {
  let test: TestCloud
  let imageId: string
  const clients: Client[] = []
  beforeAll(async () => {
    test = await TestCloud.start({ hosts: 1 })
    imageId = await test.image()
  })
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.dispose()
  })
  afterAll(() => test?.destroy())

  const follow = (by: TestClient, serverId: string, fromOffset?: string) => {
    const client = createClient({
      url: `${test.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { accessToken: by.token },
      retryAttempts: 0,
    })
    clients.push(client)
    const state: { pieces: Piece[]; ended: unknown; text: string } = { pieces: [], ended: null, text: '' }
    client.subscribe<{ consoleLog: Piece }>(
      { query: document, variables: { serverId, fromOffset } },
      {
        next: ({ data, errors }) => {
          if (errors !== undefined) state.ended = errors
          if (data == null) return
          state.pieces.push(data.consoleLog)
          state.text += data.consoleLog.output
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
  type Followed = ReturnType<typeof follow>
  const hears = (followed: Followed, text: string): Promise<unknown> =>
    until(
      text,
      async () => followed.text,
      (heard) => heard.includes(text),
    )
  const ends = (followed: Followed): Promise<unknown> =>
    until(
      'the end of the stream',
      async () => followed.ended,
      (ended) => ended !== null,
    )
  const say = (serverId: string, text: string): void => {
    for (const { driver } of test.cloud.agents) if (driver instanceof FakeDriver) driver.simulateOutput(serverId, text)
  }
  const logOf = async (serverId: string): Promise<Piece> =>
    (
      await test.admin.ask<{ server: { consoleLog: Piece } }>(
        'query ($id: ID!) { server(id: $id) { consoleLog { output startOffset endOffset truncated } } }',
        { id: serverId },
      )
    ).server.consoleLog

  it('D-ACT-41 brings all from an offset on, and what comes next, once and in order', async () => {
    const id = await createActive(test.admin, serverInput(imageId, 'written'))
    const whole = follow(test.admin, id, '0')
    await hears(whole, 'written login: ')
    for (let line = 1; line <= 20; line++) {
      say(id, `line ${line}\r\n`)
      if (line % 5 === 0) await hears(whole, `line ${line}\n`)
    }
    const log = await logOf(id)
    expect(whole.text).toBe(log.output)
    expect(whole.pieces[0]?.startOffset).toBe('0')
    expect(whole.pieces.at(-1)?.endOffset).toBe(log.endOffset)
    for (const [index, piece] of whole.pieces.entries()) {
      if (index > 0) expect(piece.startOffset).toBe(whole.pieces[index - 1]?.endOffset)
    }
    const rest = follow(test.admin, id, whole.pieces[0]?.endOffset)
    await hears(rest, 'line 20\n')
    expect(`${whole.pieces[0]?.output}${rest.text}`).toBe(log.output)
  })

  it('without an offset begins at the end and says where that is', async () => {
    const id = await createActive(test.admin, serverInput(imageId, 'from-end'))
    const { endOffset } = await logOf(id)
    const followed = follow(test.admin, id)
    await until(
      'its place',
      async () => followed.pieces,
      (pieces) => pieces.length > 0,
    )
    expect(followed.pieces).toEqual([{ output: '', startOffset: endOffset, endOffset, truncated: false }])
    say(id, 'only this\r\n')
    await hears(followed, 'only this\n')
    expect(followed.text).toBe('only this\n')
  })

  it('goes on over a reboot, and from the start of a log that is shorter than the offset', async () => {
    const id = await createActive(test.admin, serverInput(imageId, 'rebooted'))
    const followed = follow(test.admin, id)
    await until(
      'its place',
      async () => followed.pieces,
      (pieces) => pieces.length > 0,
    )
    await test.admin.ask('mutation ($id: ID!) { rebootServer(input: { serverId: $id, type: HARD }) { operation { id } } }', { id })
    await hears(followed, '] rebooted')
    const anew = follow(test.admin, id, '900000')
    await hears(anew, '] rebooted')
    expect(anew.pieces[0]).toMatchObject({ startOffset: '0', truncated: false })
  })

  it('is cut into bounded pieces, and says when bytes are no longer kept', async () => {
    const id = await createActive(test.admin, serverInput(imageId, 'much'))
    say(id, `${'x'.repeat(1023)}\n`.repeat(120))
    const bounded = follow(test.admin, id, '0')
    say(id, 'the end of it')
    await hears(bounded, 'the end of it')
    for (const { startOffset, endOffset } of bounded.pieces) expect(Number(endOffset) - Number(startOffset)).toBeLessThanOrEqual(100 * 1024)
    expect(bounded.pieces.length).toBeGreaterThan(1)
    say(id, `${'y'.repeat(1023)}\n`.repeat(120))
    say(id, 'and on')
    const late = follow(test.admin, id, '5')
    await hears(late, 'and on')
    expect(late.pieces[0]?.truncated).toBe(true)
    expect(Number(late.pieces[0]?.startOffset)).toBeGreaterThan(5)
    expect(late.pieces.slice(1).some((piece) => piece.truncated)).toBe(false)
  })

  it('ends when the server is deleted', async () => {
    const id = await createActive(test.admin, serverInput(imageId, 'deleted'))
    const followed = follow(test.admin, id, '0')
    await hears(followed, 'login: ')
    await remove(test.admin, id)
    await ends(followed)
    expect(followed.ended).toBe('complete')
  })

  it('D-POL-T035 is for members of the project; others are told what they would be of the server itself', async () => {
    const { client, projectId } = await test.user('member')
    const stranger = await test.user('member')
    const reader = await test.user('reader', projectId)
    const id = await createActive(client, serverInput(imageId, 'private'))
    const mine = follow(client, id, '0')
    const theirs = follow(stranger.client, id, '0')
    const read = follow(reader.client, id, '0')
    const unknown = follow(client, '00000000-0000-4000-8000-000000000000')
    const negative = follow(client, id, '-1')
    await Promise.all([hears(mine, 'login: '), ends(theirs), ends(read), ends(unknown), ends(negative)])
    expect(JSON.stringify(theirs.ended)).toContain('"NOT_FOUND"')
    expect(JSON.stringify(read.ended)).toContain('"FORBIDDEN"')
    expect(JSON.stringify(unknown.ended)).toContain('"NOT_FOUND"')
    expect(JSON.stringify(negative.ended)).toContain('"BAD_USER_INPUT"')
    expect([...theirs.pieces, ...read.pieces]).toEqual([])
    await client.ask('mutation { logout(input: {}) { endedSessions } }')
    await ends(mine)
  })

  it('is refused with NOT_READY while the server has no host', async () => {
    const { createServer } = await test.admin.ask<{ createServer: { server: { id: string } } }>(
      'mutation ($input: CreateServerInput!) { createServer(input: $input) { server { id } } }',
      { input: serverInput(imageId, 'fail-spawn') },
    )
    await until(
      'ERROR',
      () => test.admin.ask<{ server: { status: string } }>('query ($id: ID!) { server(id: $id) { status } }', createServer.server),
      ({ server }) => server.status === 'ERROR',
    )
    const refused = follow(test.admin, createServer.server.id)
    await ends(refused)
    expect(JSON.stringify(refused.ended)).toContain('"NOT_READY"')
  })
})
