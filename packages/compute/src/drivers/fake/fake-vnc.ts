/**
 * The screen of a simulated guest: a small RFB 3.8 server (RFC 6143) that shows colour bars and a box where the pointer is. It answers
 * in raw rectangles of the pixel format that the client asked for.
 */
import type { Socket } from 'node:net'
import { openSocketServer, type SocketServer } from './socket-server.js'

export const screen = { width: 640, height: 480 } as const
const box = 16
const bars: readonly (readonly [red: number, green: number, blue: number])[] = [
  [255, 255, 255],
  [255, 255, 0],
  [0, 255, 255],
  [0, 255, 0],
  [255, 0, 255],
  [255, 0, 0],
  [0, 0, 255],
  [40, 40, 40],
]

interface PixelFormat {
  bytes: 1 | 2 | 4
  bigEndian: boolean
  max: readonly [number, number, number]
  shift: readonly [number, number, number]
}
/** 32 bits, true colour, little endian, red at bit 16. */
const nativeFormat: PixelFormat = { bytes: 4, bigEndian: false, max: [255, 255, 255], shift: [16, 8, 0] }

export const openFakeVnc = (path: string, name: string): Promise<SocketServer> =>
  openSocketServer(path, (client) => {
    const viewer = new FakeViewer(client, name)
    client.on('data', (chunk: Buffer) => viewer.push(chunk))
    client.on('drain', () => viewer.resume())
  })

class FakeViewer {
  readonly #client: Socket
  readonly #name: string
  #stage: 'version' | 'security' | 'init' | 'messages' = 'version'
  #waiting = Buffer.alloc(0)
  #format = nativeFormat
  #pointer = { x: screen.width / 2, y: screen.height / 2 }
  /** Where the box was when the client last got a picture. */
  #shown: { x: number; y: number } | null = null
  /** The client wants to hear of the next change. */
  #asked = false

  constructor(client: Socket, name: string) {
    this.#client = client
    this.#name = name
    client.write('RFB 003.008\n')
  }

  push(chunk: Buffer): void {
    this.#waiting = Buffer.concat([this.#waiting, chunk])
    while (!this.#client.destroyed && this.#step());
  }

  resume(): void {
    this.#client.resume()
  }

  #step(): boolean {
    switch (this.#stage) {
      case 'version': {
        const version = this.#take(12)
        if (version === null) return false
        if (version.toString('latin1') !== 'RFB 003.008\n') return this.#refuse()
        this.#client.write(Buffer.from([1, 1]))
        this.#stage = 'security'
        return true
      }
      case 'security': {
        const type = this.#take(1)
        if (type === null) return false
        if (type[0] !== 1) return this.#refuse()
        this.#client.write(Buffer.alloc(4))
        this.#stage = 'init'
        return true
      }
      case 'init': {
        if (this.#take(1) === null) return false
        this.#client.write(serverInit(this.#name))
        this.#stage = 'messages'
        return true
      }
      case 'messages':
        return this.#message()
    }
  }

  #message(): boolean {
    const head = this.#waiting
    switch (head[0]) {
      case undefined:
        return false
      case 0: {
        const message = this.#take(20)
        if (message === null) return false
        const format = formatOf(message.subarray(4))
        if (format === null) return this.#refuse()
        this.#format = format
        return true
      }
      case 2:
        return head.length >= 4 && this.#take(4 + 4 * head.readUInt16BE(2)) !== null
      case 3: {
        const message = this.#take(10)
        if (message === null) return false
        this.#asked = true
        if (message[1] === 0) this.#shown = null
        this.#draw()
        return true
      }
      case 4:
        return this.#take(8) !== null
      case 5: {
        const message = this.#take(6)
        if (message === null) return false
        const place = (value: number, size: number): number => Math.min(Math.max(value, 0), size - 1)
        this.#pointer = { x: place(message.readUInt16BE(2), screen.width), y: place(message.readUInt16BE(4), screen.height) }
        this.#draw()
        return true
      }
      case 6:
        return head.length >= 8 && this.#take(8 + head.readUInt32BE(4)) !== null
      default:
        return this.#refuse()
    }
  }

  #take(bytes: number): Buffer | null {
    if (this.#waiting.length < bytes) return null
    const part = this.#waiting.subarray(0, bytes)
    this.#waiting = this.#waiting.subarray(bytes)
    return part
  }

  #refuse(): false {
    this.#client.destroy()
    return false
  }

  /** Answers an open request: everything, or where the box was and is. Nothing when it has not moved. */
  #draw(): void {
    if (!this.#asked) return
    const before = this.#shown
    const now = this.#pointer
    if (before !== null && before.x === now.x && before.y === now.y) return
    this.#asked = false
    this.#shown = { ...now }
    const areas = before === null ? [{ x: 0, y: 0, width: screen.width, height: screen.height }] : [boxAt(before), boxAt(now)]
    const head = Buffer.alloc(4)
    head.writeUInt16BE(areas.length, 2)
    const answer = Buffer.concat([head, ...areas.map((area) => rectangle(area, boxAt(now), this.#format))])
    if (!this.#client.write(answer)) this.#client.pause()
  }
}

interface Area {
  x: number
  y: number
  width: number
  height: number
}

function boxAt({ x, y }: { x: number; y: number }): Area {
  const left = Math.min(Math.max(x - box / 2, 0), screen.width - box)
  const top = Math.min(Math.max(y - box / 2, 0), screen.height - box)
  return { x: left, y: top, width: box, height: box }
}

function rectangle(area: Area, cursor: Area, format: PixelFormat): Buffer {
  const head = Buffer.alloc(12)
  head.writeUInt16BE(area.x, 0)
  head.writeUInt16BE(area.y, 2)
  head.writeUInt16BE(area.width, 4)
  head.writeUInt16BE(area.height, 6)
  const colours = [...bars, [0, 0, 0] as const].map((colour) => pixelOf(colour, format))
  const black = colours.length - 1
  const pixels = Buffer.alloc(area.width * area.height * format.bytes)
  let at = 0
  for (let y = area.y; y < area.y + area.height; y++) {
    for (let x = area.x; x < area.x + area.width; x++) {
      const inBox = x >= cursor.x && x < cursor.x + cursor.width && y >= cursor.y && y < cursor.y + cursor.height
      const pixel = colours[inBox ? black : Math.floor((x * bars.length) / screen.width)] ?? 0
      if (format.bigEndian) pixels.writeUIntBE(pixel, at, format.bytes)
      else pixels.writeUIntLE(pixel, at, format.bytes)
      at += format.bytes
    }
  }
  return Buffer.concat([head, pixels])
}

const pixelOf = (colour: readonly [number, number, number], { max, shift }: PixelFormat): number =>
  colour.reduce((sum, value, index) => sum + Math.round((value * (max[index] ?? 0)) / 255) * 2 ** (shift[index] ?? 0), 0)

function formatOf(bytes: Buffer): PixelFormat | null {
  const bits = bytes.readUInt8(0)
  const size = bits === 8 ? 1 : bits === 16 ? 2 : bits === 32 ? 4 : null
  const max = [bytes.readUInt16BE(4), bytes.readUInt16BE(6), bytes.readUInt16BE(8)] as const
  const shift = [bytes.readUInt8(10), bytes.readUInt8(11), bytes.readUInt8(12)] as const
  const isTrueColour = bytes.readUInt8(3) !== 0
  const fits = shift.every((places, index) => (max[index] ?? 0) * 2 ** places < 2 ** bits)
  // Overlapping colours could add up to more than a pixel holds.
  const total = max.reduce((sum, value, index) => sum + value * 2 ** (shift[index] ?? 0), 0)
  if (size === null || !isTrueColour || !fits || total >= 2 ** bits) return null
  return { bytes: size, bigEndian: bytes.readUInt8(2) !== 0, max, shift }
}

function serverInit(name: string): Buffer {
  const title = Buffer.from(name)
  const init = Buffer.alloc(24)
  init.writeUInt16BE(screen.width, 0)
  init.writeUInt16BE(screen.height, 2)
  init.writeUInt8(32, 4)
  init.writeUInt8(24, 5)
  init.writeUInt8(0, 6)
  init.writeUInt8(1, 7)
  for (const [index, value] of nativeFormat.max.entries()) init.writeUInt16BE(value, 8 + 2 * index)
  for (const [index, value] of nativeFormat.shift.entries()) init.writeUInt8(value, 14 + index)
  init.writeUInt32BE(title.length, 20)
  return Buffer.concat([init, title])
}
