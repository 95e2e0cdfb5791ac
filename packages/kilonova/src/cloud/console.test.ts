/** Consoles through the whole cloud: GraphQL, token, WebSocket, agent, simulated guest. */
import { consoleRecheckTopic } from '@kilonova/contract/rpc/conductor'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import WebSocket from 'ws'
import { type TestClient, TestCloud, until } from './cloud.testkit.js'

interface ConsoleAnswer {
  createConsole: { console: { token: string; webSocketUrl: string; url: string; mode: string } }
}

class Viewer {
  readonly ws: WebSocket
  bytes = Buffer.alloc(0)
  closed: { code: number; reason: string } | null = null

  readonly places: number[] = []

  constructor(url: string, token: string, origin?: string, wishes: string[] = []) {
    this.ws = new WebSocket(url, ['binary', `kilonova.token.${token}`, ...wishes], origin === undefined ? {} : { origin })
    this.ws.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) {
        const message = JSON.parse(data.toString()) as { type: string; offset: number }
        if (message.type === 'position') this.places.push(message.offset)
        return
      }
      this.bytes = Buffer.concat([this.bytes, data])
    })
    this.ws.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() }
    })
    this.ws.on('error', () => {})
  }

  async hears(text: string): Promise<void> {
    await until(
      text,
      async () => this.bytes.toString('latin1'),
      (heard) => heard.includes(text),
    )
  }

  async holds(count: number): Promise<void> {
    await until(
      `${count} bytes`,
      async () => this.bytes.length,
      (length) => length >= count,
    )
  }

  async end(timeoutMs = 5000): Promise<{ code: number; reason: string }> {
    const ended = await until(
      'the end of the console',
      async () => this.closed,
      (closed) => closed !== null,
      timeoutMs,
    )
    if (ended === null) throw new Error('unreachable')
    return ended
  }
}

describe('a console', () => {
  let test: TestCloud
  let imageId: string
  beforeAll(async () => {
    test = await TestCloud.start({ hosts: 1 })
    imageId = await test.image()
  })
  afterAll(() => test?.destroy())

  const launch = async (client: TestClient, name: string): Promise<string> => {
    const { createServer } = await client.ask<{ createServer: { server: { id: string } } }>(
      'mutation ($input: CreateServerInput!) { createServer(input: $input) { server { id } } }',
      { input: { name, imageId, flavorId: '0', networks: { mode: 'NONE' } } },
    )
    const { id } = createServer.server
    await until(
      'ACTIVE',
      () => client.ask<{ server: { status: string } }>('query ($id: ID!) { server(id: $id) { status } }', { id }),
      ({ server }) => server.status === 'ACTIVE',
    )
    return id
  }
  const mint = async (client: TestClient, serverId: string, type: 'SERIAL' | 'NOVNC', mode = 'CONTROL') => {
    const answer = await client.ask<ConsoleAnswer>(
      'mutation ($input: CreateConsoleInput!) { createConsole(input: $input) { console { token webSocketUrl url mode } } }',
      { input: { serverId, type, mode } },
    )
    return answer.createConsole.console
  }
  const open = async (client: TestClient, serverId: string, type: 'SERIAL' | 'NOVNC', mode = 'CONTROL'): Promise<Viewer> => {
    const made = await mint(client, serverId, type, mode)
    return new Viewer(made.webSocketUrl, made.token, test.url)
  }
  const handshake = async (viewer: Viewer): Promise<void> => {
    await viewer.hears('RFB 003.008\n')
    viewer.ws.send(Buffer.from('RFB 003.008\n'))
    await viewer.holds(14)
    viewer.ws.send(Buffer.from([1]))
    await viewer.holds(18)
    viewer.ws.send(Buffer.from([1]))
    await viewer.holds(18 + 24)
    const nameLength = viewer.bytes.readUInt32BE(18 + 20)
    await viewer.holds(18 + 24 + nameLength)
    expect(viewer.bytes.readUInt16BE(18)).toBe(640)
    expect(viewer.bytes.readUInt16BE(20)).toBe(480)
    viewer.bytes = Buffer.alloc(0)
  }
  const wholeScreen = Buffer.from([3, 0, 0, 0, 0, 0, 2, 128, 1, 224])
  const changes = Buffer.from([3, 1, 0, 0, 0, 0, 2, 128, 1, 224])
  const wholeScreenBytes = 4 + 12 + 640 * 480 * 4
  const twoBoxesBytes = 4 + 2 * (12 + 16 * 16 * 4)

  it('opens after somebody has subscribed to GraphQL on the same port', async () => {
    const graphql = new WebSocket(`${test.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', { origin: test.url })
    graphql.on('message', () => graphql.terminate())
    graphql.on('open', () => graphql.send(JSON.stringify({ type: 'connection_init', payload: { accessToken: test.admin.token } })))
    await new Promise((resolve) => graphql.once('close', resolve))
    expect(graphql.protocol).toBe('graphql-transport-ws')
    const viewer = await open(test.admin, await launch(test.admin, 'after graphql'), 'SERIAL')
    await viewer.hears('login:')
    expect(viewer.ws.protocol).toBe('binary')
    viewer.ws.terminate()
  })

  it('is opened for control when the mode is left out, whether or not the document is compiled by now', async () => {
    const serverId = await launch(test.admin, 'no mode')
    for (let use = 1; use <= 3; use += 1) {
      const { createConsole } = await test.admin.ask<ConsoleAnswer>(
        'mutation NoMode($input: CreateConsoleInput!) { createConsole(input: $input) { console { token webSocketUrl url mode } } }',
        { input: { serverId, type: 'SERIAL' } },
      )
      expect(createConsole.console.mode).toBe('CONTROL')
      const wrong = await test.admin.refused(
        'mutation NoMode($input: CreateConsoleInput!) { createConsole(input: $input) { console { token webSocketUrl url mode } } }',
        { input: { serverId, type: 'TELEX' } },
      )
      expect(wrong).toMatchObject({ code: 'BAD_USER_INPUT', exception: 'ValidationError' })
    }
  })

  it('B-CON-8 serial: shows the boot text, takes what is typed, and the guest keeps it in its log', async () => {
    const id = await launch(test.admin, 'typed')
    const made = await mint(test.admin, id, 'SERIAL')
    expect(made.webSocketUrl).not.toContain(made.token)
    expect(new URL(made.url).hash).toBe(`#token=${made.token}`)
    const viewer = new Viewer(made.webSocketUrl, made.token, test.url)
    await viewer.hears('typed login: ')
    viewer.ws.send(Buffer.from('echo over the whole way\r'))
    await viewer.hears('\r\nover the whole way\r\n')
    const { consoleLog } = (
      await test.admin.ask<{ server: { consoleLog: { output: string } } }>(
        'query ($id: ID!) { server(id: $id) { consoleLog { output } } }',
        { id },
      )
    ).server
    expect(consoleLog.output).toContain('over the whole way')
    const watcher = await open(test.admin, id, 'SERIAL', 'VIEW')
    await watcher.hears('over the whole way')
    watcher.ws.send(Buffer.from('echo unheard\r'))
    viewer.ws.send(Buffer.from('hostname\r'))
    await watcher.hears('\r\ntyped\r\n')
    expect(viewer.bytes.toString('latin1')).not.toContain('unheard')
    viewer.ws.close()
    watcher.ws.close()
  })

  it('VNC: handshake, a picture that is not blank, a pointer that moves for who controls and not for who views', async () => {
    const id = await launch(test.admin, 'seen')
    const viewer = await open(test.admin, id, 'NOVNC')
    await handshake(viewer)
    viewer.ws.send(wholeScreen)
    await viewer.holds(wholeScreenBytes)
    expect(
      new Set(
        viewer.bytes
          .subarray(16, 16 + 640 * 4)
          .toString('hex')
          .match(/.{8}/g),
      ),
    ).toHaveProperty('size', 8)
    viewer.bytes = Buffer.alloc(0)
    viewer.ws.send(changes)
    viewer.ws.send(Buffer.from([5, 0, 0, 30, 0, 40]))
    await viewer.holds(twoBoxesBytes)
    expect(viewer.bytes.readUInt16BE(2)).toBe(2)

    const watcher = await open(test.admin, id, 'NOVNC', 'VIEW')
    await handshake(watcher)
    watcher.ws.send(wholeScreen)
    await watcher.holds(wholeScreenBytes)
    watcher.bytes = Buffer.alloc(0)
    watcher.ws.send(changes)
    watcher.ws.send(Buffer.from([5, 0, 0, 30, 0, 40]))
    watcher.ws.send(wholeScreen)
    await watcher.holds(wholeScreenBytes)
    // Had the pointer moved, two boxes would have come first.
    expect(watcher.bytes.readUInt16BE(2)).toBe(1)
    viewer.ws.close()
    watcher.ws.close()
  })

  it('a token opens one console, of its type, and none from another origin', async () => {
    const id = await launch(test.admin, 'once')
    const made = await mint(test.admin, id, 'SERIAL')
    const foreign = new Viewer(made.webSocketUrl, made.token, 'http://evil.example')
    expect((await foreign.end()).code).toBe(1006)
    const first = new Viewer(made.webSocketUrl, made.token)
    await first.hears('login: ')
    expect((await new Viewer(made.webSocketUrl, made.token).end()).code).toBe(4401)
    const other = await mint(test.admin, id, 'SERIAL')
    expect((await new Viewer(other.webSocketUrl.replace('serial', 'vnc'), other.token).end()).code).toBe(4401)
    first.ws.close()
  })

  it.each(['SERIAL', 'NOVNC'] as const)('deleting the server closes its %s console within a second', async (type) => {
    const id = await launch(test.admin, 'deleted')
    const viewer = await open(test.admin, id, type)
    await viewer.holds(8)
    await test.admin.ask('mutation ($id: ID!) { deleteServer(input: { serverId: $id }) { deletedId } }', { id })
    expect((await viewer.end(1000)).code).toBe(4403)
  })

  it('stopping the server closes its console and refuses new ones', async () => {
    const id = await launch(test.admin, 'stopped')
    const viewer = await open(test.admin, id, 'SERIAL')
    await viewer.hears('login: ')
    const left = await mint(test.admin, id, 'SERIAL')
    const notices: unknown[] = []
    const listening = await test.cloud.bus.listen(consoleRecheckTopic, (notice) => notices.push(notice))
    await test.admin.ask('mutation ($id: ID!) { stopServer(input: { serverId: $id }) { operation { id } } }', { id })
    // The guest hangs up first, or the notice of its stop comes first.
    expect([4409, 1011]).toContain((await viewer.end()).code)
    await until(
      'SHUTOFF',
      () => test.admin.ask<{ server: { status: string } }>('query ($id: ID!) { server(id: $id) { status } }', { id }),
      ({ server }) => server.status === 'SHUTOFF',
    )
    await until(
      'the notice to console proxies',
      async () => notices,
      (heard) => heard.some((notice) => JSON.stringify(notice) === JSON.stringify({ serverId: id })),
    )
    await listening.close()
    expect((await new Viewer(left.webSocketUrl, left.token).end()).code).toBe(4401)
    const refused = await test.admin.refused(
      'mutation ($input: CreateConsoleInput!) { createConsole(input: $input) { console { token } } }',
      { input: { serverId: id, type: 'SERIAL' } },
    )
    expect(refused.code).toBe('INVALID_STATE')
  })

  it('a reboot cuts the console with a code that says so; a new token goes on where the old one ended', async () => {
    const id = await launch(test.admin, 'rebooted')
    const first = await mint(test.admin, id, 'SERIAL')
    const before = new Viewer(first.webSocketUrl, first.token, test.url, ['kilonova.messages'])
    await before.hears('rebooted login: ')
    expect(before.places).toEqual([0])
    await test.admin.ask('mutation ($id: ID!) { rebootServer(input: { serverId: $id, type: HARD }) { operation { id } } }', { id })
    expect((await before.end()).code).toBe(1011)
    await until(
      'ACTIVE',
      () => test.admin.ask<{ server: { status: string } }>('query ($id: ID!) { server(id: $id) { status } }', { id }),
      ({ server }) => server.status === 'ACTIVE',
    )
    const next = await mint(test.admin, id, 'SERIAL')
    const from = before.bytes.length
    const after = new Viewer(next.webSocketUrl, next.token, test.url, ['kilonova.messages', `kilonova.from.${from}`])
    await after.hears('] rebooted\r\n')
    expect(after.places).toEqual([from])
    expect(after.bytes.toString()).toBe('\r\n[    0.000000] rebooted\r\n')
    after.ws.close()
  })

  it('D-POL-T035 shows no past to who may not read the log', async () => {
    const { client } = await test.user('member')
    const id = await launch(client, 'secretive')
    const { policy } = test.cloud.plane.services
    const real = policy.allows.bind(policy)
    const allows = vi
      .spyOn(policy, 'allows')
      .mockImplementation((rule, ...rest) => rule !== 'os_compute_api:os-console-output' && real(rule, ...rest))
    try {
      const viewer = await open(client, id, 'SERIAL')
      viewer.ws.on('open', () => viewer.ws.send(Buffer.from('echo live\r')))
      await viewer.hears('\r\nlive\r\n')
      expect(viewer.bytes.toString()).not.toContain('login')
      viewer.ws.close()
    } finally {
      allows.mockRestore()
    }
  })

  it('signing out and losing the role close the console within a second', async () => {
    const { client, userId, projectId } = await test.user('member')
    const id = await launch(client, 'private')
    const viewer = await open(client, id, 'SERIAL')
    await viewer.hears('login: ')
    const password = await test.admin.ask<{ updateUser: { user: { id: string } } }>(
      'mutation ($input: UpdateUserInput!) { updateUser(input: $input) { user { id } } }',
      { input: { userId, password: 'another-password-1' } },
    )
    expect(password.updateUser.user.id).toBe(userId)
    expect(await viewer.end(1000)).toMatchObject({ code: 4403 })

    const name = (await test.admin.ask<{ user: { name: string } }>('query ($id: ID!) { user(id: $id) { name } }', { id: userId })).user.name
    const again = await test.signIn(name, 'another-password-1', projectId)
    const leaving = await open(again, id, 'SERIAL')
    await leaving.hears('login: ')
    await again.ask('mutation { logout(input: {}) { endedSessions } }')
    expect(await leaving.end(1000)).toMatchObject({ code: 4403 })

    const third = await test.signIn(name, 'another-password-1', projectId)
    const demoted = await open(third, id, 'SERIAL')
    await demoted.hears('login: ')
    await test.admin.ask('mutation ($input: RevokeRoleInput!) { revokeRole(input: $input) { roleAssignment { role { id } } } }', {
      input: { userId, projectId, roleId: 'member' },
    })
    expect(await demoted.end(1000)).toMatchObject({ code: 4403 })
  })
})
