/** A serial console shows what was written before it was opened, joined to the live bytes without a gap or a repeat, and goes on after a break. */
import { afterEach, describe, expect, it } from 'vitest'
import { ProxyLab, type TestViewer, until } from './console-proxy.testkit.js'
import { messagesProtocol } from './credentials.js'

let lab: ProxyLab
afterEach(() => lab?.close())

const informed = (token: string, from?: number): string[] => [
  'binary',
  `kilonova.token.${token}`,
  messagesProtocol,
  ...(from === undefined ? [] : [`kilonova.from.${from}`]),
]
const text = (viewer: TestViewer): string => viewer.received.toString()
const position = (offset: number | null, skippedBytes = 0) => ({ type: 'position', offset, skippedBytes })

describe('the past of a serial console', () => {
  it('is shown to whoever opens it, and what comes next follows it', async () => {
    lab = await ProxyLab.open()
    const guest = await lab.guest()
    guest.say('booting\r\nlogin: ')
    const viewer = await lab.view(lab.token(guest)).opened()
    await viewer.hears('login: ')
    guest.say('root')
    await viewer.hears('root')
    expect(text(viewer)).toBe('booting\r\nlogin: root')
  })

  it('is bounded', async () => {
    lab = await ProxyLab.open({ replayBytes: 16 })
    const guest = await lab.guest()
    guest.say(`${'x'.repeat(50_000)}THE LAST SIXTEEN`)
    const viewer = await lab.view(null, { protocols: informed(lab.token(guest)) }).opened()
    await viewer.hears('SIXTEEN')
    expect(text(viewer)).toBe('THE LAST SIXTEEN')
    expect(viewer.messages).toEqual([position(50_000)])
  })

  it.each(['before the log is read', 'while the log is read', 'both'])('is joined when the guest writes %s', async (when) => {
    lab = await ProxyLab.open({ seamLookMs: 5 })
    const guest = await lab.guest()
    guest.say('first ')
    lab.beforePast = async () => {
      lab.beforePast = async () => {}
      await until('the connection', () => guest.clients.length === 1)
      if (when !== 'while the log is read') guest.say('early ')
      // The log's answer is on its way; these bytes are not in it.
      if (when !== 'before the log is read') setImmediate(() => guest.say('late '))
    }
    const viewer = await lab.view(lab.token(guest)).opened()
    await viewer.hears(when === 'before the log is read' ? 'early ' : 'late ')
    guest.say('last')
    await viewer.hears('last')
    expect(text(viewer)).toBe(guest.log?.bytes.toString())
  })

  it('has what was logged before the hypervisor let us in, though it was never sent', async () => {
    lab = await ProxyLab.open({ seamLookMs: 5 })
    const guest = await lab.guest()
    guest.say('first ')
    const viewer = await lab.view(lab.token(guest)).opened()
    await viewer.hears('first ')
    await until('the connection', () => guest.clients.length === 1)
    if (guest.log === null) throw new Error('no log')
    guest.log.bytes = Buffer.concat([guest.log.bytes, Buffer.from('unsent ')])
    guest.say('sent')
    await viewer.hears('sent')
    expect(text(viewer)).toBe('first unsent sent')
  })

  it('waits for a log that comes later than the live bytes', async () => {
    lab = await ProxyLab.open({ seamLookMs: 5, seamLooks: 200 })
    const guest = await lab.guest()
    guest.say('first ')
    const viewer = await lab.view(null, { protocols: informed(lab.token(guest)) }).opened()
    await viewer.hears('first ')
    guest.openClients[0]?.write('lagging')
    let looks = 0
    lab.beforePast = async () => {
      looks++
      if (looks === 3 && guest.log !== null) guest.log.bytes = Buffer.concat([guest.log.bytes, Buffer.from('lag')])
      if (looks === 6 && guest.log !== null) guest.log.bytes = Buffer.concat([guest.log.bytes, Buffer.from('ging')])
    }
    await viewer.hears('lagging')
    expect(text(viewer)).toBe('first lagging')
    expect(viewer.messages).toEqual([position(0)])
  })

  it('a guest that repeats itself is joined by the count of its bytes', async () => {
    lab = await ProxyLab.open({ seamLookMs: 2, seamLooks: 5 })
    const guest = await lab.guest()
    guest.say('tick ')
    const viewer = await lab.view(lab.token(guest)).opened()
    await viewer.hears('tick ')
    if (guest.log === null) throw new Error('no log')
    guest.log.bytes = Buffer.concat([guest.log.bytes, Buffer.from('tick tick ')])
    guest.say('tick ')
    guest.say('end')
    await viewer.hears('end')
    expect(text(viewer)).toBe('tick tick tick tick end')
  })

  it('live bytes that the log does not know are shown all the same, and their offset is said to be unknown', async () => {
    lab = await ProxyLab.open({ seamLookMs: 1, seamLooks: 3 })
    const guest = await lab.guest()
    guest.say('first ')
    const viewer = await lab.view(null, { protocols: informed(lab.token(guest)) }).opened()
    await viewer.hears('first ')
    guest.openClients[0]?.write('unlogged')
    await viewer.hears('unlogged')
    expect(viewer.messages).toEqual([position(0), position(null)])
  })

  it('is left out when nobody can tell it, and for who may not read the log', async () => {
    lab = await ProxyLab.open()
    const [silent, secret] = [await lab.guest(), await lab.guest()]
    const unknowing = await lab.view(null, { protocols: informed(lab.token(silent)) }).opened()
    await until('a message', () => unknowing.messages.length > 0)
    expect(unknowing.messages).toEqual([position(null)])
    secret.say('password: hunter2 ')
    const first = await lab.view(null, { protocols: informed(lab.token(secret, { seesPast: false })) }).opened()
    await until('the connection', () => secret.clients.length === 1 && first.messages.length === 1)
    secret.say('now')
    await first.hears('now')
    const second = await lab.view(null, { protocols: informed(lab.token(secret, { seesPast: false }), 0) }).opened()
    await until('a message', () => second.messages.length === 1)
    secret.say(' and on')
    await Promise.all([first.hears(' and on'), second.hears(' and on')])
    expect([text(first), text(second)]).toEqual(['now and on', ' and on'])
  })
})

describe('a serial console after a break', () => {
  it('goes on where the client left off', async () => {
    lab = await ProxyLab.open()
    const guest = await lab.guest()
    guest.say('0123456789')
    const first = await lab.view(null, { protocols: informed(lab.token(guest)) }).opened()
    await first.hears('9')
    guest.say('abc')
    await first.hears('abc')
    expect(first.messages).toEqual([position(0)])
    first.ws.terminate()
    await until('the end', () => guest.openClients.length === 0)
    guest.say('meanwhile')
    const again = await lab.view(null, { protocols: informed(lab.token(guest), 13) }).opened()
    await again.hears('meanwhile')
    expect(text(again)).toBe('meanwhile')
    expect(again.messages).toEqual([position(13)])
  })

  it.each([
    ['before what is kept', 3, 97],
    ['behind the end, as when the server was made anew', 900, 0],
  ])('shows what there is to a client that left off %s', async (_name, from, skippedBytes) => {
    lab = await ProxyLab.open()
    const guest = await lab.guest()
    guest.log = { bytes: Buffer.from('kept'), startOffset: 100 }
    const viewer = await lab.view(null, { protocols: informed(lab.token(guest), from) }).opened()
    await viewer.hears('kept')
    expect(viewer.messages).toEqual([position(100, skippedBytes)])
  })

  it('takes the same wishes in the first message', async () => {
    lab = await ProxyLab.open()
    const guest = await lab.guest()
    guest.say('0123456789')
    const viewer = await lab.view(null).opened()
    viewer.ws.send(JSON.stringify({ token: lab.token(guest), messages: true, from: 8 }))
    await viewer.hears('89')
    expect(text(viewer)).toBe('89')
    expect(viewer.messages).toEqual([position(8)])
  })

  it('a slow client that asked for messages is told its new place instead of a text in the stream', async () => {
    lab = await ProxyLab.open({ highWaterBytes: 64 << 10, lowWaterBytes: 16 << 10 })
    const guest = await lab.guest()
    guest.echoes = false
    guest.say('start ')
    const slow = await lab.view(null, { protocols: informed(lab.token(guest)) }).opened()
    const quick = await lab.view(lab.token(guest)).opened()
    await Promise.all([slow.hears('start '), quick.hears('start ')])
    slow.ws.pause()
    const much = Buffer.from('0123456789abcdef'.repeat(1 << 19))
    guest.say(much)
    await until('all bytes', () => quick.received.length === 6 + much.length, 15_000)
    slow.ws.resume()
    guest.say('the end')
    await slow.hears('the end')
    const told = slow.messages.findLast((message) => (message as { skippedBytes: number }).skippedBytes > 0) as { offset: number }
    const whole = Buffer.concat([Buffer.from('start '), much, Buffer.from('the end')])
    const tail = whole.subarray(told.offset)
    expect(slow.received.subarray(-tail.length).equals(tail)).toBe(true)
    expect(text(slow)).not.toContain('skipped')
  })

  it('is told its place when the log has more than was sent, so that it can come back there', async () => {
    lab = await ProxyLab.open({ restMs: 20 })
    const guest = await lab.guest()
    guest.say('boot ')
    const first = await lab.view(null, { protocols: informed(lab.token(guest)) }).opened()
    await first.hears('boot ')
    guest.say(`${'x'.repeat(300)} much`)
    await first.hears('much')
    // A byte that was logged twice, somewhere before.
    if (guest.log === null) throw new Error('no log')
    guest.log.bytes = Buffer.concat([Buffer.from('!'), guest.log.bytes])
    guest.say(`${'y'.repeat(300)} rest`)
    await first.hears('rest')
    const end = guest.log.bytes.length
    await until('the place', () => first.messages.length === 2)
    expect(first.messages).toEqual([position(0), position(end)])
    // The same just before the guest hangs up.
    guest.say(`${'z'.repeat(300)} last`)
    await first.hears('last')
    guest.log.bytes = Buffer.concat([Buffer.from('!'), guest.log.bytes])
    for (const client of guest.openClients) client.destroy()
    expect((await first.end()).code).toBe(1011)
    expect(first.messages.at(-1)).toEqual(position(guest.log.bytes.length))
    guest.say('anew')
    const again = await lab.view(null, { protocols: informed(lab.token(guest), guest.log.bytes.length - 4) }).opened()
    await again.hears('anew')
    expect(text(again)).toBe('anew')
  })

  it('a client that asked for messages hears that the line lives while the guest is silent', async () => {
    lab = await ProxyLab.open({ pingMs: 20 })
    const guest = await lab.guest()
    const vnc = lab.view(null, { protocols: informed(lab.token(guest, { type: 'NOVNC' })), path: '/console/ws/vnc' })
    const plain = lab.view(lab.token(guest))
    await until('two messages', () => vnc.messages.length >= 2)
    expect(vnc.messages).toContainEqual({ type: 'alive' })
    expect(plain.messages).toEqual([])
  })
})
