/** Answers a question for the console log of a guest once there is more of it, or after a while. */
import type { Clock } from '@kilonova/runtime/clock'
import type { ConsoleLogSlice } from '../driver.js'

const lookMs = 150
/** Who waits holds a place among the requests of this host: above this many the answer comes at once, and the asker paces itself. */
const mostWaiting = 64
/** Well below the time after which an asker gives up. */
export const longestWaitMs = 5000

export class ConsoleWaits {
  readonly #clock: Clock
  readonly #stop: AbortSignal
  #waiting = 0

  constructor(clock: Clock, stop: AbortSignal) {
    this.#clock = clock
    this.#stop = stop
  }

  /** Reads until there is something from the offset on, or something has become of what was before it. */
  async read(fromOffset: number | null, waitMs: number, read: () => Promise<ConsoleLogSlice>): Promise<ConsoleLogSlice> {
    const until = this.#clock.monotonic() + Math.min(waitMs, longestWaitMs)
    let slice = await read()
    if (fromOffset === null || this.#waiting >= mostWaiting) return slice
    this.#waiting++
    try {
      while (slice.endOffset === fromOffset && this.#clock.monotonic() < until && !this.#stop.aborted) {
        await this.#clock.sleep(Math.min(lookMs, until - this.#clock.monotonic()), this.#stop)
        slice = await read()
      }
    } finally {
      this.#waiting--
    }
    return slice
  }
}
