import { consoleRecheckTopic } from '@kilonova/contract/rpc/conductor'
import { afterEach, describe, expect, it } from 'vitest'
import { noSuchConsole, ProxyLab, until } from './console-proxy.testkit.js'
import { refuseUpgrade } from './credentials.js'

let lab: ProxyLab
afterEach(() => lab?.close())

describe('the way into a console', () => {
  it('joins a client that brings its token as sub-protocol, and selects `binary`', async () => {
    lab = await ProxyLab.open()
    const viewer = await lab.view(lab.token(await lab.guest()), { headers: { origin: lab.origin } }).opened()
    expect(viewer.ws.protocol).toBe('binary')
    viewer.ws.send(Buffer.from('hello'))
    await viewer.hears('hello')
  })

  it('joins a client that brings its token in the first message, with what it sends right behind', async () => {
    lab = await ProxyLab.open()
    const viewer = await lab.view(null).opened()
    viewer.ws.send(JSON.stringify({ token: lab.token(await lab.guest()) }))
    viewer.ws.send(Buffer.from('right behind'))
    await viewer.hears('right behind')
    expect(viewer.received.toString()).toBe('right behind')
  })

  it('closes with 4401 when no token comes in time', async () => {
    lab = await ProxyLab.open({ firstMessageMs: 30 })
    expect(await lab.view(null).end()).toEqual({ code: 4401, reason: 'No console token was sent.' })
  })

  it.each([
    ['no JSON', 'not json'],
    ['a number', '{"token": 1}'],
    ['a short token', JSON.stringify({ token: 'short' })],
    ['a long token', JSON.stringify({ token: 'x'.repeat(2000) })],
  ])('closes with 4401 on a first message with %s', async (_name, message) => {
    lab = await ProxyLab.open()
    const viewer = await lab.view(null).opened()
    viewer.ws.send(message)
    expect((await viewer.end()).code).toBe(4401)
  })

  it('closes with 4401 on a malformed or doubled token', async () => {
    lab = await ProxyLab.open()
    const token = lab.token(await lab.guest())
    for (const protocols of [
      ['binary', 'kilonova.token.short'],
      ['binary', `kilonova.token.${token}`, `kilonova.token.${token}x`],
    ]) {
      expect((await lab.view(null, { protocols }).end()).code).toBe(4401)
    }
  })

  it('B-CON-10 takes a token once, even when two clients come at once', async () => {
    lab = await ProxyLab.open()
    const token = lab.token(await lab.guest())
    const viewers = [lab.view(token), lab.view(token)]
    await until('one refusal', () => viewers.some((viewer) => viewer.closed !== null))
    const [refused] = viewers.filter((viewer) => viewer.closed !== null)
    expect(refused?.closed?.code).toBe(4401)
    expect(lab.proxy.openSessions).toBe(1)
    expect((await lab.view(token).end()).code).toBe(4401)
  })

  it('refuses expired tokens and tokens of another console type', async () => {
    lab = await ProxyLab.open()
    const guest = await lab.guest()
    expect((await lab.view(lab.token(guest, { expiresAt: Date.now() - 1 })).end()).code).toBe(4401)
    expect((await lab.view(lab.token(guest), { path: '/console/ws/vnc' }).end()).code).toBe(4401)
    expect(guest.clients).toHaveLength(0)
  })

  it('B-CON-15 answers another origin with 403 and a query with 400, before any upgrade, without using the token up', async () => {
    lab = await ProxyLab.open()
    const guest = await lab.guest()
    const token = lab.token(guest)
    const status = async (path: string, headers: Record<string, string>): Promise<string> => {
      const viewer = lab.view(token, { path, headers })
      return new Promise((resolve) => viewer.ws.once('error', (error) => resolve(error.message)))
    }
    for (const origin of ['http://evil.example', `${lab.origin}.evil.example`, 'null', lab.origin.toUpperCase()]) {
      expect(await status('/console/ws/serial', { origin })).toContain('403')
    }
    expect(await status(`/console/ws/serial?token=${token}`, {})).toContain('400')
    expect(refuseUpgrade('/console/ws/serial?', undefined, [])?.status).toBe(400)
    expect((await lab.app.inject({ url: '/console/ws/serial' })).statusCode).toBe(426)
    await lab.view(token).opened()
    await until('a session', () => lab.proxy.openSessions === 1)
  })

  it('says 4404 when there is no such console, 1011 when it cannot be reached', async () => {
    lab = await ProxyLab.open()
    const guest = await lab.guest()
    lab.targetError = noSuchConsole()
    expect(await lab.view(lab.token(guest)).end()).toEqual({ code: 4404, reason: 'This guest has no such console.' })
    lab.targetError = null
    for (const [type, path] of [
      ['SERIAL', '/console/ws/serial'],
      ['NOVNC', '/console/ws/vnc'],
    ] as const) {
      const refused = await lab.view(lab.token(guest, { type, path: `${guest.path}-gone` }), { path }).end()
      expect(refused.code).toBe(1011)
    }
    expect(lab.proxy.openSessions).toBe(0)
  })

  it('caps the sessions of a server and of a user', async () => {
    lab = await ProxyLab.open({ sessionsPerServer: 2, sessionsPerUser: 3 })
    const [first, second] = [await lab.guest(), await lab.guest()]
    lab.view(lab.token(first, { userId: 'a' }))
    lab.view(lab.token(first, { userId: 'b' }))
    await until('two sessions', () => lab.proxy.openSessions === 2)
    expect((await lab.view(lab.token(first, { userId: 'c' })).end()).code).toBe(1013)
    lab.view(lab.token(second, { userId: 'a' }))
    await until('three sessions', () => lab.proxy.openSessions === 3)
    const third = await lab.guest()
    lab.view(lab.token(third, { userId: 'a' }))
    await until('four sessions', () => lab.proxy.openSessions === 4)
    expect((await lab.view(lab.token(await lab.guest(), { userId: 'a' })).end()).code).toBe(1013)
  })

  it('B-CON-20 logs each session with bytes and duration, and never a token', async () => {
    lab = await ProxyLab.open()
    const tokens = [lab.token(await lab.guest()), lab.token(await lab.guest()), `unknown-${'y'.repeat(30)}`]
    const viewer = await lab.view(tokens[0] ?? '').opened()
    viewer.ws.send(Buffer.from('12345'))
    await viewer.hears('12345')
    const other = await lab.view(null).opened()
    other.ws.send(JSON.stringify({ token: tokens[1] }))
    await lab.view(tokens[2] ?? '').end()
    await until('both', () => lab.proxy.openSessions === 2)
    viewer.ws.close()
    await until('the log', () => lab.logged.some((line) => line.includes('console session closed')))
    const closed = JSON.parse(lab.logged.find((line) => line.includes('console session closed')) ?? '{}') as Record<string, unknown>
    expect(closed).toMatchObject({ bytesFromClient: 5, bytesToClient: 5, type: 'SERIAL', mode: 'CONTROL', user: 'user' })
    expect(closed.durationMs).toBeTypeOf('number')
    for (const token of tokens) expect(lab.logged.join('')).not.toContain(token)
  })
})

describe('the end of a console', () => {
  it.each(['SERIAL', 'NOVNC'] as const)('closes a %s session within a second of a notice, with the reason', async (type) => {
    lab = await ProxyLab.open()
    const [guest, other] = [await lab.guest(), await lab.guest()]
    const path = type === 'SERIAL' ? '/console/ws/serial' : '/console/ws/vnc'
    const viewer = lab.view(lab.token(guest, { type }), { path })
    const bystander = lab.view(lab.token(other, { type, loginSessionId: 'other' }), { path })
    await until('both sessions', () => lab.proxy.openSessions === 2 && guest.clients.length === 1 && other.clients.length === 1)
    lab.refused.set(guest.path, 'The server is being deleted.')
    await lab.bus.fanout(consoleRecheckTopic, { serverId: guest.path })
    expect(await viewer.end(1000)).toEqual({ code: 4403, reason: 'The server is being deleted.' })
    await until('the backend to be let go', () => guest.openClients.length === 0)
    expect(bystander.closed).toBeNull()
    lab.refused.set('other', 'The login has ended.')
    await lab.bus.fanout(consoleRecheckTopic, { sessionIds: ['other'] })
    expect((await bystander.end(1000)).code).toBe(4403)
  })

  it('a client that does not read its farewell is cut off within the second too', async () => {
    lab = await ProxyLab.open()
    const guest = await lab.guest()
    guest.echoes = false
    const viewer = await lab.view(lab.token(guest, { type: 'NOVNC' }), { path: '/console/ws/vnc' }).opened()
    await until('the connection', () => guest.clients.length === 1)
    viewer.ws.pause()
    guest.clients[0]?.write(Buffer.alloc(8 << 20))
    await until('a full queue', () => lab.app.websocketServer.clients.values().next().value?.bufferedAmount !== 0)
    lab.refused.set(guest.path, 'stopped')
    await lab.bus.fanout(consoleRecheckTopic, { all: true })
    await until('the end', () => lab.app.websocketServer.clients.size === 0 && guest.openClients.length === 0, 1000)
  })

  it('a notice that nobody can answer for ends the session', async () => {
    lab = await ProxyLab.open({ noticeAnswerMs: 20 })
    const guest = await lab.guest()
    const viewer = lab.view(lab.token(guest))
    await until('the session', () => guest.clients.length === 1)
    lab.silent = true
    await lab.bus.fanout(consoleRecheckTopic, { serverId: guest.path })
    expect((await viewer.end()).code).toBe(1013)
  })

  it('a lost round does not end a session, several in a row do', async () => {
    lab = await ProxyLab.open({ roundAnswerMs: 20, recheckMs: 15 })
    const guest = await lab.guest()
    const viewer = await lab.view(lab.token(guest)).opened()
    await until('the session', () => guest.clients.length === 1)
    viewer.ws.send(Buffer.from('first'))
    await viewer.hears('first')
    lab.silent = true
    await until('a lost round', () => lab.logged.some((line) => line.includes('nobody could say')))
    expect(viewer.closed).toBeNull()
    lab.silent = false
    viewer.ws.send(Buffer.from('still here'))
    await viewer.hears('still here')
    lab.silent = true
    expect((await viewer.end()).code).toBe(1013)
  })

  it('the periodic look finds a revocation whose notice was lost', async () => {
    lab = await ProxyLab.open({ recheckMs: 20 })
    const guest = await lab.guest()
    const viewer = lab.view(lab.token(guest))
    await until('the session', () => guest.clients.length === 1)
    lab.refused.set('login', 'The login has ended.')
    expect(await viewer.end()).toEqual({ code: 4403, reason: 'The login has ended.' })
  })

  it('says 1011 when the guest closes, 4409 when the server was stopped, 4403 when it was deleted', async () => {
    lab = await ProxyLab.open()
    const guest = await lab.guest()
    const viewer = lab.view(lab.token(guest))
    await until('the session', () => guest.clients.length === 1)
    guest.clients[0]?.write('hello')
    await viewer.hears('hello')
    guest.clients[0]?.destroy()
    expect((await viewer.end()).code).toBe(1011)
    const again = lab.view(lab.token(guest))
    await until('the session', () => guest.clients.length === 2)
    guest.clients[1]?.write('hello')
    await again.hears('hello')
    lab.refused.set(guest.path, 'The server is powered off.')
    lab.passing.add('The server is powered off.')
    guest.clients[1]?.destroy()
    expect(await again.end()).toEqual({ code: 4409, reason: 'The server is powered off.' })
    lab.refused.delete(guest.path)
    const last = lab.view(lab.token(guest))
    await until('the session', () => guest.clients.length === 3)
    guest.clients[2]?.write('hello')
    await last.hears('hello')
    lab.refused.set(guest.path, 'The server is being deleted.')
    guest.clients[2]?.destroy()
    expect(await last.end()).toEqual({ code: 4403, reason: 'The server is being deleted.' })
  })

  it('cuts a client off that leaves two pings unanswered, and keeps one that answers', async () => {
    lab = await ProxyLab.open({ pingMs: 30 })
    const guest = await lab.guest()
    const dead = await lab.view(lab.token(guest)).opened()
    let pings = 0
    const alive = await lab.view(lab.token(guest)).opened()
    alive.ws.on('ping', () => pings++)
    await until('two sessions', () => lab.proxy.openSessions === 2)
    dead.ws.pause()
    await until('one session', () => lab.proxy.openSessions === 1)
    const before = pings
    await until('three more pings', () => pings >= before + 3)
    expect(alive.closed).toBeNull()
  })

  it('stopping the proxy closes every client, those without token too', async () => {
    lab = await ProxyLab.open()
    const guest = await lab.guest()
    const viewer = lab.view(lab.token(guest))
    const stranger = await lab.view(null).opened()
    await until('the session', () => guest.clients.length === 1)
    await lab.app.close()
    await viewer.end()
    await stranger.end()
    await until('the backend to be let go', () => guest.openClients.length === 0)
  })
})
