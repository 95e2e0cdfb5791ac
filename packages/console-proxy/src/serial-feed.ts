/**
 * What a guest writes to its serial port as one stream, from before anybody was connected: first what its log has, then the live bytes.
 *
 * The hypervisor shows a new client nothing of the past, and when exactly it let us in cannot be seen. But it logs the bytes that it
 * sends, so the first live bytes are found again in the log, and the two are joined there: nothing is missing or shown twice.
 *
 * From then on the place of a byte in the log is known by counting, nearly: QEMU logs a byte again that it had no room to send at once,
 * so that after much output at a time the log is a little longer. When the guest rests, the ends of both are compared and the count is
 * put right.
 */
import type { ConsoleLimits } from './limits.js'
import { ReplayRing } from './replay-ring.js'
import { endsAlike, type SeamCandidate, seamCandidates } from './serial-seam.js'

export interface PastBytes {
  bytes: Buffer
  startOffset: number
  /** Of all that there is; the bytes may end before. */
  endOffset: number
}

/** The log from an offset on, or its last bytes; null when it cannot be had. */
export type ReadPast = (fromOffset: number | null, limitBytes: number) => Promise<PastBytes | null>

export interface SerialFeedOptions {
  readPast: ReadPast
  limits: ConsoleLimits
  /** The ring has grown by this. */
  onBytes: (chunk: Buffer) => void
  /** `place` answers otherwise than counting would have it. */
  onPlaced: () => void
}

/** Live bytes that wait for the log; beyond this the guest's side is not read. */
const mostHeldBytes = 256 << 10
/** The hypervisor lets us in within so many looks. */
const looksWithoutLive = 3
/** Fewer live bytes than this find room at once, and are logged once. */
const countedBytes = 200
/** The guest rests, and both end with so many bytes alike: they are the same. */
const tailBytes = 12
/** The log comes a little later than the bytes. */
const mostComparisons = 5

export class SerialFeed {
  readonly #options: SerialFeedOptions
  #ring: ReplayRing
  /** Live bytes whose place in the log is not known yet; null once it is. */
  #held: Buffer | null = Buffer.alloc(0)
  /** The live bytes cannot begin before this offset. */
  #lowest = 0
  /** Live bytes to come that the log has shown already. */
  #toSkip = 0
  /** How far the log is ahead of the ring's count; null when that is not known. */
  #ahead: number | null = 0
  #sinceCompared = 0
  #rest: NodeJS.Timeout | undefined
  #started = false
  #looking = false
  #closed = false

  constructor(options: SerialFeedOptions) {
    this.#options = options
    this.#ring = new ReplayRing(options.limits.replayBytes)
  }

  get ring(): ReplayRing {
    return this.#ring
  }

  /** No more live bytes are wanted for now. */
  get full(): boolean {
    return this.#held !== null && this.#held.length > mostHeldBytes
  }

  /** Offset in the log of a byte of the ring. */
  placeOf(offset: number): number | null {
    return this.#ahead === null ? null : offset + this.#ahead
  }

  /** Offset in the ring of a byte of the log, if the ring has it or it comes next. */
  offsetOf(place: number): number | null {
    const { start, end } = this.#ring
    const offset = this.#ahead === null ? -1 : place - this.#ahead
    return offset >= start && offset <= end ? offset : null
  }

  /** Fills the ring with the end of the log. Live bytes may come already; they wait for `start`. */
  async begin(): Promise<void> {
    const { limits } = this.#options
    const past = await this.#options.readPast(null, limits.replayBytes)
    // What the guest sent before the log was read is on its way to us, no longer than this.
    await pause(limits.seamLookMs)
    if (past === null) {
      this.#ahead = null
      return
    }
    this.#ring = new ReplayRing(limits.replayBytes, past.startOffset)
    this.#ring.push(past.bytes)
    this.#lowest = this.#ring.end - (this.#held?.length ?? 0)
  }

  /** Somebody is there to see it. */
  start(): void {
    if (this.#started) return
    this.#started = true
    if (this.#ahead === null) this.#giveUp()
    else void this.#look()
  }

  push(chunk: Buffer): void {
    if (this.#held === null) {
      this.#emit(chunk)
      return
    }
    this.#held = Buffer.concat([this.#held, chunk])
    if (this.#started) void this.#look()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#rest)
  }

  /** The guest has hung up: what is known of its place by then is what clients come back with. */
  async settle(): Promise<void> {
    clearTimeout(this.#rest)
    if (this.#sinceCompared >= countedBytes) await this.#compare(1)
  }

  #emit(chunk: Buffer): void {
    const skipped = Math.min(this.#toSkip, chunk.length)
    this.#toSkip -= skipped
    if (skipped === chunk.length) return
    const fresh = chunk.subarray(skipped)
    this.#ring.push(fresh)
    this.#sinceCompared += fresh.length
    if (this.#sinceCompared >= countedBytes) this.#compareAfterRest()
    this.#options.onBytes(fresh)
  }

  /** Looks in the log for the live bytes until their place is clear; without live bytes, for what came before we were let in. */
  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    const { limits } = this.#options
    for (let look = 1; !this.#closed && this.#held !== null; look++) {
      const live = this.#held
      const log = await this.#logSince()
      if (this.#closed || log === null) break
      if (live.length === 0) {
        await pause(limits.seamLookMs)
        if (this.#held.length > 0) continue
        this.#takeUnseen(log)
        if (look >= looksWithoutLive) break
        continue
      }
      const first = live.subarray(0, countedBytes)
      const seam = choose(seamCandidates(log, first, this.#lowest), live, log, look >= limits.seamLooks)
      if (seam !== null) this.#join(seam, log)
      else if (look >= limits.seamLooks) break
      else await pause(limits.seamLookMs)
    }
    this.#looking = false
    if (this.#closed || this.#held === null || this.#held.length === 0) return
    this.#giveUp()
  }

  /** What the ring has and what the log has got since; null when they do not touch. */
  async #logSince(): Promise<PastBytes | null> {
    const { end, start } = this.#ring
    const more = await this.#options.readPast(end, mostHeldBytes * 2)
    if (more === null || more.startOffset !== end) return null
    return { ...more, startOffset: start, bytes: Buffer.concat([this.#ring.from(start), more.bytes]) }
  }

  /** Logged, and not sent to us: written before we were let in. */
  #takeUnseen(log: PastBytes): void {
    const unseen = log.bytes.subarray(this.#ring.end - log.startOffset)
    if (unseen.length > 0) this.#emit(unseen)
    this.#lowest = this.#ring.end
  }

  #join(seam: SeamCandidate, log: PastBytes): void {
    const held = this.#held ?? Buffer.alloc(0)
    this.#held = null
    const { end } = this.#ring
    if (seam.offset > end) this.#emit(log.bytes.subarray(end - log.startOffset, seam.offset - log.startOffset))
    else this.#toSkip = end - seam.offset
    this.#emit(held)
  }

  /** Shown without a known place rather than not at all. */
  #giveUp(): void {
    const held = this.#held ?? Buffer.alloc(0)
    this.#held = null
    const wasKnown = this.#ahead !== null
    this.#ahead = null
    if (wasKnown) this.#options.onPlaced()
    this.#sinceCompared = countedBytes
    if (held.length > 0) this.#emit(held)
  }

  #compareAfterRest(): void {
    clearTimeout(this.#rest)
    this.#rest = setTimeout(() => void this.#compare(mostComparisons), this.#options.limits.restMs)
    this.#rest.unref()
  }

  /** When both end with the same bytes, their ends are the same place. */
  async #compare(tries: number): Promise<void> {
    const { end, start } = this.#ring
    const log = await this.#options.readPast(null, tailBytes * 2)
    // More has come meanwhile: the next rest will do.
    if (log === null || this.#closed || this.#ring.end !== end || this.#held !== null) return
    if (!endsAlike(log.bytes, this.#ring.from(Math.max(start, end - tailBytes)))) {
      if (tries <= 1) return
      await pause(this.#options.limits.restMs)
      return this.#compare(tries - 1)
    }
    this.#sinceCompared = 0
    const ahead = log.endOffset - end
    if (ahead === this.#ahead) return
    this.#ahead = ahead
    this.#options.onPlaced()
  }
}

/**
 * One place is clear. Of several, more live bytes may rule out all but one. In the end that counts by which the log ends with them, or
 * the first one when the log is too far ahead to tell.
 */
function choose(found: readonly SeamCandidate[], live: Buffer, log: PastBytes, last: boolean): SeamCandidate | null {
  const [only] = found
  if (only === undefined) return null
  if (found.length === 1 && only.whole) return only
  if (!last) return null
  if (log.startOffset + log.bytes.length < log.endOffset) return only
  const distance = ({ offset }: SeamCandidate): number => Math.abs(log.endOffset - live.length - offset)
  return found.reduce((best, candidate) => (distance(candidate) < distance(best) ? candidate : best))
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
