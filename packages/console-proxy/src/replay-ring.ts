/** Keeps the last bytes of a stream, addressed by their offset since its beginning. */
export class ReplayRing {
  readonly #bytes: Buffer
  readonly #first: number
  #end: number

  constructor(capacityBytes: number, firstOffset = 0) {
    this.#bytes = Buffer.alloc(capacityBytes)
    this.#first = firstOffset
    this.#end = firstOffset
  }

  /** Offset after the last byte. */
  get end(): number {
    return this.#end
  }

  /** Offset of the oldest kept byte. */
  get start(): number {
    return Math.max(this.#first, this.#end - this.#bytes.length)
  }

  push(chunk: Buffer): void {
    const capacity = this.#bytes.length
    const kept = chunk.length > capacity ? chunk.subarray(chunk.length - capacity) : chunk
    this.#end += chunk.length - kept.length
    const at = this.#end % capacity
    const first = kept.subarray(0, capacity - at)
    first.copy(this.#bytes, at)
    kept.copy(this.#bytes, 0, first.length)
    this.#end += kept.length
  }

  /** A copy of the bytes from an offset on; the offset must be kept. */
  from(offset: number): Buffer {
    if (offset < this.start || offset > this.#end) throw new RangeError(`offset ${offset} is not kept`)
    const capacity = this.#bytes.length
    const length = this.#end - offset
    const at = offset % capacity
    const first = this.#bytes.subarray(at, Math.min(capacity, at + length))
    return Buffer.concat([first, this.#bytes.subarray(0, length - first.length)])
  }
}
