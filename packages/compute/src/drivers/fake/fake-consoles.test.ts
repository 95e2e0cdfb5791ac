import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConsoleTarget, ConsoleTypeName } from '@kilonova/contract/rpc/agent'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeConsoles } from './fake-consoles.js'

class Client {
  readonly socket: Socket
  bytes = Buffer.alloc(0)
  closed = false

  constructor(target: ConsoleTarget) {
    if (target.kind !== 'unix') throw new Error('expected a unix socket')
    this.socket = connect({ path: target.path })
    this.socket.on('data', (chunk: Buffer) => {
      this.bytes = Buffer.concat([this.bytes, chunk])
    })
    this.socket.on('error', () => {})
    this.socket.on('close', () => {
      this.closed = true
    })
  }

  async until(what: string, holds: () => boolean): Promise<void> {
    const deadline = performance.now() + 5000
    while (!holds()) {
      if (performance.now() > deadline) throw new Error(`gave up waiting for ${what}: ${this.bytes.toString('latin1').slice(-200)}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  async hears(text: string): Promise<void> {
    await this.until(text, () => this.bytes.includes(text))
  }
}

describe('the consoles of simulated guests', () => {
  let folder: string
  let consoles: FakeConsoles
  let written: string
  const clients: Client[] = []
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kilonova-fake-'))
    consoles = new FakeConsoles(folder)
    written = ''
  })
  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.destroy()
    await consoles.closeAll()
    rmSync(folder, { recursive: true, force: true })
  })
  const target = (type: ConsoleTypeName, serverId = 'server'): Promise<ConsoleTarget> =>
    consoles.target(
      {
        serverId,
        hostname: 'guest',
        onOutput: (text) => {
          written += text
        },
      },
      type,
    )
  const client = async (type: ConsoleTypeName): Promise<Client> => {
    const made = new Client(await target(type))
    clients.push(made)
    return made
  }

  it('opens sockets only when asked, one per guest and type, and removes them with their clients', async () => {
    expect(readdirSync(folder)).toEqual([])
    const [first, again] = await Promise.all([target('SERIAL'), target('SERIAL')])
    expect(first).toEqual(again)
    await target('NOVNC')
    await target('NOVNC', 'another')
    expect(readdirSync(folder)).toHaveLength(3)
    const viewer = await client('SERIAL')
    viewer.socket.write('\r')
    await viewer.hears('guest:~# ')
    await consoles.close('server')
    await viewer.until('the end', () => viewer.closed)
    expect(readdirSync(folder)).toHaveLength(1)
    await consoles.closeAll()
    expect(readdirSync(folder)).toEqual([])
  })

  it('replaces the socket that a killed process left behind', async () => {
    const made = await target('SERIAL')
    if (made.kind !== 'unix') throw new Error('expected a unix socket')
    await consoles.closeAll()
    writeFileSync(made.path, '')
    const viewer = await client('SERIAL')
    viewer.socket.write('\r')
    await viewer.hears('guest:~# ')
  })

  it('finds a short place when the folder is too deep for a socket', async () => {
    const deep = join(folder, 'x'.repeat(90))
    mkdirSync(deep)
    consoles = new FakeConsoles(deep)
    const made = await target('SERIAL')
    if (made.kind !== 'unix') throw new Error('expected a unix socket')
    expect(Buffer.byteLength(made.path)).toBeLessThan(108)
    const viewer = await client('SERIAL')
    viewer.socket.write('\r')
    await viewer.hears('guest:~# ')
    await consoles.closeAll()
    expect(existsSync(made.path)).toBe(false)
  })

  it('the serial shell echoes, knows its commands, erases, and serves one client after the other', async () => {
    const first = await client('SERIAL')
    first.socket.write('hostnamX\u007fe\rhelp\recho a  b\rnonsense\r')
    await first.hears('nonsense: not found')
    expect(written).toContain('\r\nguest\r\n')
    expect(written).toContain('help  hostname  echo')
    expect(written).toContain('\r\na b\r\n')
    const second = await client('SERIAL')
    second.socket.write('echo second\r')
    first.socket.write('echo still me\r')
    await first.hears('\r\nstill me\r\n')
    expect(second.bytes).toHaveLength(0)
    consoles.say('server', 'kernel: by itself')
    await first.hears('kernel: by itself')
    first.socket.destroy()
    await second.hears('\r\nsecond\r\n')
    // Nobody is shown what was written to another.
    expect(second.bytes.toString()).not.toContain('still me')
    expect(second.bytes.toString()).not.toContain('by itself')
  })

  it('the screen speaks the pixel format that the client asks for', async () => {
    const viewer = await client('NOVNC')
    await viewer.hears('RFB 003.008\n')
    viewer.socket.write(Buffer.concat([Buffer.from('RFB 003.008\n'), Buffer.from([1, 1])]))
    await viewer.hears('guest')
    viewer.bytes = Buffer.alloc(0)
    // 16 bits, big endian, 5-6-5.
    const format = [0, 0, 0, 0, 16, 16, 1, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0, 0, 0, 0]
    viewer.socket.write(Buffer.from([...format, 2, 0, 0, 1, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 2, 128, 1, 224]))
    await viewer.until('the picture', () => viewer.bytes.length === 4 + 12 + 640 * 480 * 2)
    const pixel = (x: number): number => viewer.bytes.readUInt16BE(16 + 2 * x)
    expect([pixel(0), pixel(100), pixel(440), pixel(500)]).toEqual([0xffff, 0xffe0, 0xf800, 0x001f])
  })

  it('the screen drops a client that speaks something else', async () => {
    const viewer = await client('NOVNC')
    viewer.socket.write('GET / HTTP/1.1\r\n')
    await viewer.until('the end', () => viewer.closed)
  })
})
