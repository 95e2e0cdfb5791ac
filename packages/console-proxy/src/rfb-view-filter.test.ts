import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RfbViewFilter } from './rfb-view-filter.js'

const handshake = Buffer.concat([Buffer.from('RFB 003.008\n'), Buffer.from([1, 0])])
const passedHandshake = Buffer.concat([Buffer.from('RFB 003.008\n'), Buffer.from([1, 1])])

function message(type: number, length: number, fill = 0x5a): Buffer {
  const bytes = Buffer.alloc(length, fill)
  bytes[0] = type
  return bytes
}
function encodings(list: number[]): Buffer {
  const bytes = Buffer.alloc(4 + 4 * list.length)
  bytes[0] = 2
  bytes.writeUInt16BE(list.length, 2)
  for (const [index, encoding] of list.entries()) bytes.writeInt32BE(encoding, 4 + 4 * index)
  return bytes
}
function cutText(length: number, sign = 1): Buffer {
  const bytes = message(6, 8 + length, 3)
  bytes.writeInt32BE(sign * length, 4)
  return bytes
}
const qemuKey = Buffer.concat([Buffer.from([255, 0]), Buffer.alloc(10, 4)])
const qemuAudioOn = Buffer.from([255, 1, 0, 0])
const qemuAudioFormat = Buffer.from([255, 1, 0, 2, 3, 2, 0, 0, 172, 68])
const desktopSize = Buffer.from([251, 0, 2, 128, 1, 224, 1, 0, ...Array.from({ length: 16 }, () => 3)])
const fence = Buffer.from([248, 0, 0, 0, 0, 0, 0, 0, 3, 3, 3, 3])

const passing: Buffer[] = [message(0, 20), message(3, 10), encodings([0, 16, -223, -32])]
const controlling: Buffer[] = [
  message(4, 8),
  message(5, 6),
  cutText(0),
  cutText(300),
  cutText(20, -1),
  qemuKey,
  qemuAudioOn,
  qemuAudioFormat,
  desktopSize,
  fence,
  message(150, 10),
  message(250, 4),
]

function feed(chunks: Buffer[]): Buffer {
  const filter = new RfbViewFilter()
  return Buffer.concat(chunks.map((chunk) => filter.push(chunk)))
}
function cut(bytes: Buffer, sizes: number[]): Buffer[] {
  const chunks: Buffer[] = []
  let at = 0
  for (let index = 0; at < bytes.length; index++) {
    const size = sizes[index % sizes.length] ?? 1
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}

describe('what a viewer may say to a screen', () => {
  it('lets nothing but requests for pictures through, however the bytes are cut', () => {
    const step = fc.oneof(fc.constantFrom(...passing), fc.constantFrom(...controlling))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (steps, sizes) => {
        const said = Buffer.concat([handshake, ...steps])
        const expected = Buffer.concat([passedHandshake, ...steps.filter((part) => passing.includes(part))])
        expect(feed(cut(said, sizes))).toEqual(expected)
      }),
    )
  })

  it('always joins as one of several: an exclusive viewer would drive the others away', () => {
    expect(feed([handshake]).at(-1)).toBe(1)
  })

  it('announces no encoding that would teach the guest further messages', () => {
    const extensions = [-258, -259, -308, -312, -313, -316, -305, -309, 0xc0a1e5ce | 0]
    expect(feed([handshake, encodings([7, ...extensions, -239])]).subarray(passedHandshake.length)).toEqual(encodings([7, -239]))
  })

  it.each([
    ['an older protocol', Buffer.from('RFB 003.003\n')],
    ['another security type', Buffer.from('RFB 003.008\n\u0002')],
    ['an unknown message', Buffer.concat([handshake, Buffer.from([77])])],
    ['an unknown message of QEMU', Buffer.concat([handshake, Buffer.from([255, 9, 0, 0])])],
  ])('gives up on %s', (_name, said) => {
    expect(() => feed([said])).toThrow(/view-only console/)
  })
})
