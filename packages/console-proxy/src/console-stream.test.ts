import { createHash, randomBytes } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { ProxyLab, until } from './console-proxy.testkit.js'

let lab: ProxyLab
afterEach(() => lab?.close())
const vnc = { path: '/console/ws/vnc' }
const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

describe('a VNC stream', () => {
  it('carries bytes unchanged both ways', async () => {
    lab = await ProxyLab.open()
    const guest = await lab.guest()
    const viewer = await lab.view(lab.token(guest, { type: 'NOVNC' }), vnc).opened()
    const bytes = randomBytes(6 << 20)
    for (let at = 0; at < bytes.length; at += 1 << 18) viewer.ws.send(bytes.subarray(at, at + (1 << 18)))
    await until('all bytes', () => viewer.received.length === bytes.length, 15_000)
    expect(sha(viewer.received)).toBe(sha(bytes))
  })

  it('a slow reader holds the guest back, memory stays bounded, nothing is lost', async () => {
    lab = await ProxyLab.open()
    const guest = await lab.guest()
    guest.echoes = false
    const viewer = await lab.view(lab.token(guest, { type: 'NOVNC' }), vnc).opened()
    await until('the connection', () => guest.clients.length === 1)
    const [backend] = guest.clients
    if (backend === undefined) throw new Error('no connection')
    viewer.ws.pause()
    const bytes = randomBytes(16 << 20)
    backend.write(bytes)
    const [socket] = lab.app.websocketServer.clients
    await until('a full queue', () => (socket?.bufferedAmount ?? 0) > 1 << 20)
    let before = -1
    await until('a standstill', () => {
      const stands = before === backend.writableLength && before > 0
      before = backend.writableLength
      return stands
    })
    expect(socket?.bufferedAmount).toBeLessThan((1 << 20) + (128 << 10))
    expect(backend.writableLength).toBeGreaterThan(8 << 20)
    viewer.ws.resume()
    await until('all bytes', () => viewer.received.length === bytes.length, 15_000)
    expect(sha(viewer.received)).toBe(sha(bytes))
  })

  it('a guest that does not read holds the client back', async () => {
    lab = await ProxyLab.open()
    const guest = await lab.guest()
    guest.echoes = false
    const viewer = await lab.view(lab.token(guest, { type: 'NOVNC' }), vnc).opened()
    await until('the connection', () => guest.clients.length === 1)
    guest.clients[0]?.pause()
    const bytes = randomBytes(16 << 20)
    for (let at = 0; at < bytes.length; at += 1 << 18) viewer.ws.send(bytes.subarray(at, at + (1 << 18)))
    const [socket] = lab.app.websocketServer.clients
    await until('the client to be paused', () => socket?.isPaused === true)
    expect(viewer.ws.bufferedAmount).toBeGreaterThan(4 << 20)
    guest.clients[0]?.resume()
    await until('all bytes', () => guest.received.length === bytes.length, 15_000)
    expect(sha(guest.received)).toBe(sha(bytes))
  })

  it('a viewer sees and cannot control', async () => {
    lab = await ProxyLab.open()
    const guest = await lab.guest()
    guest.echoes = false
    guest.greeting = Buffer.from('RFB 003.008\n')
    const viewer = await lab.view(lab.token(guest, { type: 'NOVNC', mode: 'VIEW' }), vnc).opened()
    await viewer.hears('RFB 003.008')
    const request = Buffer.from([3, 1, 0, 0, 0, 0, 2, 128, 1, 224])
    const key = Buffer.from([4, 1, 0, 0, 0, 0, 0, 97])
    const pointer = Buffer.from([5, 1, 0, 10, 0, 10])
    for (const part of ['RFB 003.008\n', [1], [0], key, pointer, request, key]) viewer.ws.send(Buffer.from(part as string))
    const expected = Buffer.concat([Buffer.from('RFB 003.008\n'), Buffer.from([1, 1]), request])
    await until('the request', () => guest.received.length >= expected.length)
    expect(guest.received).toEqual(expected)
    viewer.ws.send(Buffer.from([99]))
    expect((await viewer.end()).code).toBe(1008)
  })

  it('many sessions run side by side', async () => {
    lab = await ProxyLab.open({ sessionsPerUser: 500 })
    const guests = await Promise.all(Array.from({ length: 60 }, () => lab.guest()))
    const viewers = await Promise.all(guests.map((guest) => lab.view(lab.token(guest, { type: 'NOVNC' }), vnc).opened()))
    for (const [index, viewer] of viewers.entries()) viewer.ws.send(Buffer.from(`guest ${index}.`))
    await Promise.all(viewers.map((viewer, index) => viewer.hears(`guest ${index}.`)))
    expect(lab.proxy.openSessions).toBe(60)
    for (const viewer of viewers) viewer.ws.close()
    await until('the end of all', () => lab.proxy.openSessions === 0 && guests.every((guest) => guest.openClients.length === 0))
  })
})

describe('a serial line', () => {
  it('B-CON-43 is one connection that several look at; who controls types, who views does not; late comers see the last output', async () => {
    lab = await ProxyLab.open({ replayBytes: 16 })
    const guest = await lab.guest()
    guest.echoes = false
    const first = await lab.view(lab.token(guest)).opened()
    await until('the connection', () => guest.clients.length === 1)
    guest.clients[0]?.write('0123456789abcdefLAST SIXTEEN BYT')
    await first.hears('BYT')
    const late = await lab.view(lab.token(guest, { mode: 'VIEW' })).opened()
    await late.hears('BYT')
    expect(late.received.toString()).toBe('LAST SIXTEEN BYT')
    guest.clients[0]?.write('more')
    await Promise.all([first.hears('more'), late.hears('more')])
    late.ws.send(Buffer.from('forbidden'))
    const second = await lab.view(lab.token(guest)).opened()
    await second.hears('more')
    second.ws.send(Buffer.from('two'))
    first.ws.send(Buffer.from('one'))
    await until('both inputs', () => guest.received.length >= 6)
    expect([...guest.received.toString()].sort().join('')).toBe([...'twoone'].sort().join(''))
    expect(guest.clients).toHaveLength(1)
    first.ws.close()
    second.ws.close()
    await until('one session', () => lab.proxy.openSessions === 1)
    expect(guest.openClients).toHaveLength(1)
    late.ws.close()
    await until('the port to be free', () => guest.openClients.length === 0)
  })

  it('two that come at once share the connection', async () => {
    lab = await ProxyLab.open()
    const guest = await lab.guest()
    guest.greeting = Buffer.from('welcome')
    const viewers = [lab.view(lab.token(guest)), lab.view(lab.token(guest)), lab.view(lab.token(guest))]
    await Promise.all(viewers.map((viewer) => viewer.hears('welcome')))
    expect(guest.clients).toHaveLength(1)
  })

  it('a slow viewer misses output and is told so; the others and the guest are not held back', async () => {
    lab = await ProxyLab.open({ highWaterBytes: 64 << 10, lowWaterBytes: 16 << 10 })
    const guest = await lab.guest()
    guest.echoes = false
    const [slow, quick] = [await lab.view(lab.token(guest)).opened(), await lab.view(lab.token(guest)).opened()]
    await until('the connection', () => guest.clients.length === 1)
    guest.clients[0]?.write('ready')
    await Promise.all([slow.hears('ready'), quick.hears('ready')])
    slow.ws.pause()
    const bytes = randomBytes(8 << 20)
    guest.clients[0]?.write(bytes)
    await until('all bytes', () => quick.received.length === 5 + bytes.length, 15_000)
    expect(sha(quick.received.subarray(5))).toBe(sha(bytes))
    slow.ws.resume()
    guest.clients[0]?.write('the end')
    await slow.hears('the end')
    expect(slow.received.toString('latin1')).toMatch(/\[\d+ bytes of output were skipped\]/)
    expect(slow.received.length).toBeLessThan(bytes.length)
  })

  it('holds the guest back when its only viewer is slow, and loses nothing', async () => {
    lab = await ProxyLab.open()
    const guest = await lab.guest()
    guest.echoes = false
    const viewer = await lab.view(lab.token(guest)).opened()
    await until('the connection', () => guest.clients.length === 1)
    viewer.ws.pause()
    const bytes = randomBytes(12 << 20)
    guest.clients[0]?.write(bytes)
    const [socket] = lab.app.websocketServer.clients
    await until('a full queue', () => (socket?.bufferedAmount ?? 0) > 1 << 20)
    viewer.ws.resume()
    await until('all bytes', () => viewer.received.length === bytes.length, 15_000)
    expect(sha(viewer.received)).toBe(sha(bytes))
  })

  it('goes to the new place when the guest was started anew', async () => {
    lab = await ProxyLab.open()
    const [before, after] = [await lab.guest(), await lab.guest()]
    const old = lab.view(lab.token(before))
    await until('the session', () => before.clients.length === 1)
    const viewer = await lab.view(lab.token(before, { path: after.path })).opened()
    viewer.ws.send(Buffer.from('new place'))
    await viewer.hears('new place')
    expect((await old.end()).code).toBe(1011)
    expect(before.received).toHaveLength(0)
  })
})
