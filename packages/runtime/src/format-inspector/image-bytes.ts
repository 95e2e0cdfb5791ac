/** The bytes of an image under inspection: small pieces at known places, never the whole, and never beyond what is sensible. */
import type { FileHandle } from 'node:fs/promises'

/** Why an image must not be used, in words for the user. */
export class Refused extends Error {
  override name = 'Refused'
}

/** Larger disks than any host could hold are made to break things. */
export const maxVirtualBytes = 64n * 2n ** 40n
const maxPieceBytes = 2 ** 20

export class ImageBytes {
  readonly sizeBytes: number
  readonly #file: FileHandle

  constructor(file: FileHandle, sizeBytes: number) {
    this.#file = file
    this.sizeBytes = sizeBytes
  }

  /** Exactly that many bytes; an image that ends before them is refused. */
  async read(offset: number | bigint, length: number): Promise<Buffer> {
    const piece = await this.readUpTo(offset, length)
    if (piece.length < length) throw new Refused('The image is cut short: its header points beyond its end.')
    return piece
  }

  /** As many of the bytes as there are. */
  async readUpTo(offset: number | bigint, length: number): Promise<Buffer> {
    if (length > maxPieceBytes) throw new Refused('The image has a header of absurd size.')
    const start = Number(offset)
    if (!Number.isSafeInteger(start) || start < 0 || start >= this.sizeBytes) return Buffer.alloc(0)
    const piece = Buffer.alloc(Math.min(length, this.sizeBytes - start))
    let filled = 0
    while (filled < piece.length) {
      const { bytesRead } = await this.#file.read(piece, filled, piece.length - filled, start + filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return piece.subarray(0, filled)
  }

  /** True when a table lies within the file. */
  holds(offset: bigint, length: bigint): boolean {
    return offset + length <= BigInt(this.sizeBytes)
  }
}

/** The size a guest would see, if that is sensible. */
export function sensibleSize(bytes: bigint): number {
  if (bytes > maxVirtualBytes)
    throw new Refused(`The image claims a disk of ${bytes / 2n ** 40n} TiB; at most ${maxVirtualBytes / 2n ** 40n} TiB are allowed.`)
  if (bytes === 0n) throw new Refused('The image claims a disk without any bytes.')
  return Number(bytes)
}

export const isPowerOfTwo = (value: number): boolean => value > 0 && Number.isInteger(Math.log2(value))
