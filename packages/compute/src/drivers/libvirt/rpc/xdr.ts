/** XDR (RFC 4506), as far as libvirt's RPC uses it: big-endian, everything padded to four bytes. */

const padding = (length: number): number => (4 - (length % 4)) % 4

export class XdrWriter {
  #chunks: Buffer[] = []

  uint(value: number): this {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(value)
    this.#chunks.push(bytes)
    return this
  }

  int(value: number): this {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(value)
    this.#chunks.push(bytes)
    return this
  }

  string(value: string): this {
    const bytes = Buffer.from(value, 'utf8')
    this.uint(bytes.length)
    return this.fixed(bytes)
  }

  /** Opaque bytes whose length both sides know. */
  fixed(bytes: Buffer): this {
    this.#chunks.push(bytes, Buffer.alloc(padding(bytes.length)))
    return this
  }

  /** A pointer: present or not. */
  optional<T>(value: T | null, write: (value: T) => void): this {
    this.uint(value === null ? 0 : 1)
    if (value !== null) write(value)
    return this
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks)
  }
}

/** The bytes do not hold what they should: the other side speaks something else. */
export class XdrError extends Error {
  override name = 'XdrError'
}

export class XdrReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  uint(): number {
    return this.#take(4).readUInt32BE()
  }

  int(): number {
    return this.#take(4).readInt32BE()
  }

  /** A 64-bit number; libvirt's versions and memory sizes stay far below 2^53. */
  hyper(): number {
    const value = this.#take(8).readBigUInt64BE()
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new XdrError(`${value} is too large`)
    return Number(value)
  }

  string(): string {
    const length = this.uint()
    return this.fixed(length).toString('utf8')
  }

  fixed(length: number): Buffer {
    const bytes = this.#take(length)
    this.#take(padding(length))
    return bytes
  }

  optional<T>(read: () => T): T | null {
    return this.uint() === 0 ? null : read()
  }

  list<T>(most: number, read: () => T): T[] {
    const length = this.uint()
    if (length > most) throw new XdrError(`a list of ${length} is longer than the ${most} it may have`)
    return Array.from({ length }, read)
  }

  #take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length)
      throw new XdrError(`${length} bytes were expected, ${this.#bytes.length - this.#at} are left`)
    const bytes = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    return bytes
  }
}
