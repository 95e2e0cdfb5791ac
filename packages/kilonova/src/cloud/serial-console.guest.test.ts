/** The serial console of a real guest: what its log has and what it sends are one stream, at whatever moment somebody connects. */
import { randomUUID } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { guestHasFilled, guestIsUp, tellGuest } from '@kilonova/compute/drivers/libvirt/boot-guest.testkit'
import type { LibvirtDriver } from '@kilonova/compute/drivers/libvirt/libvirt.driver'
import { OwnLibvirt } from '@kilonova/compute/drivers/libvirt/own-libvirt.testkit'
import { guestSpecFor } from '@kilonova/compute/guest.testkit'
import { defaultLimits } from '@kilonova/console-proxy/limits'
import { SerialFeed } from '@kilonova/console-proxy/serial-feed'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'

const never = new AbortController().signal
const patience = { timeout: 60_000, interval: 50 }

let libvirt: OwnLibvirt
let driver: LibvirtDriver
beforeAll(async () => {
  libvirt = new OwnLibvirt()
  await libvirt.start()
  driver = libvirt.driver()
  await driver.start()
})
afterAll(async () => {
  await driver?.close()
  await libvirt?.remove([libvirt.cloudId])
})

/** A console proxy's end of the serial port, without the WebSocket. */
class Terminal {
  shown: Buffer = Buffer.alloc(0)
  private constructor(
    readonly socket: Socket,
    readonly feed: SerialFeed,
  ) {}

  static async open(serverId: string): Promise<Terminal> {
    const target = await driver.consoleTarget(serverId, 'SERIAL')
    if (target.kind !== 'unix') throw new Error('the serial console is a unix socket')
    const socket = connect(target.path)
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    const feed: SerialFeed = new SerialFeed({
      readPast: async (fromOffset, limitBytes) => driver.consoleBytes(serverId, { fromOffset, limitBytes }),
      limits: defaultLimits,
      onBytes: (chunk) => {
        terminal.shown = Buffer.concat([terminal.shown, chunk])
      },
      onPlaced: () => undefined,
    })
    const terminal = new Terminal(socket, feed)
    socket.on('data', (chunk: Buffer) => feed.push(chunk))
    await feed.begin()
    terminal.shown = feed.ring.from(feed.ring.start)
    feed.start()
    return terminal
  }

  get text(): string {
    return this.shown.toString('latin1')
  }

  /** Where in the log it is. */
  get place(): number | null {
    return this.feed.placeOf(this.feed.ring.end)
  }

  async hears(text: string): Promise<void> {
    await vi.waitFor(() => expect(this.text).toContain(text), patience)
  }

  close(): void {
    this.feed.close()
    this.socket.destroy()
  }
}

const logEnd = async (serverId: string): Promise<number> =>
  (await driver.consoleBytes(serverId, { fromOffset: null, limitBytes: 1 })).endOffset

it('B-CON-40 a terminal shows what was logged, then what comes, and knows its place in the log to come back to', async () => {
  const spec = guestSpecFor({ serverId: randomUUID(), instanceName: 'instance-00000901' })
  const guest = {
    ...spec,
    configDrive: false,
    flavor: { ...spec.flavor, ramMb: 64, diskGb: 0 },
    image: { ...spec.image, virtualSizeBytes: libvirt.imageBytes },
  }
  const { serverId } = guest
  await driver.prepareDisks(guest, never)
  await driver.spawn(guest, never)
  const log = async () => (await driver.consoleLog(serverId, { tailLines: null, fromOffset: null })).output
  await vi.waitFor(async () => expect(await log()).toContain(guestIsUp), patience)

  const first = await Terminal.open(serverId)
  expect(first.text).toBe('guest is up\r\n> ')
  first.socket.write(tellGuest.fillLog)
  await first.hears(guestHasFilled.trim())
  // More than the hypervisor has room for: it logs some bytes twice, and sends each once.
  const lines = first.text.split('\r\n').slice(1, -2)
  expect(lines.length).toBeGreaterThan(900)
  expect(new Set(lines.slice(1)).size).toBe(1)
  await vi.waitFor(async () => expect(first.place).toBe(await logEnd(serverId)), patience)

  // What the guest writes while nobody is there.
  const { place } = first
  first.socket.write(tellGuest.reset)
  first.close()
  await vi.waitFor(async () => expect((await log()).split(guestIsUp)).toHaveLength(3), patience)
  const second = await Terminal.open(serverId)
  const offset = place === null ? null : second.feed.offsetOf(place)
  if (offset === null) throw new Error('the place is lost')
  const since = second.feed.ring.from(offset)
  expect(since.equals((await driver.consoleBytes(serverId, { fromOffset: place, limitBytes: 1 << 20 })).bytes)).toBe(true)
  expect(since.toString('latin1').endsWith('guest is up\r\n> ')).toBe(true)

  // In the middle of output that is the same all the time its place cannot be found, but it is when the guest rests.
  second.socket.write(tellGuest.fillLog)
  await vi.waitFor(() => expect(second.shown.length).toBeGreaterThan(30_000), patience)
  second.close()
  const third = await Terminal.open(serverId)
  await third.hears(guestHasFilled.trim())
  await vi.waitFor(async () => expect(third.place).toBe(await logEnd(serverId)), patience)
  third.close()
  await driver.destroy(serverId)
})
