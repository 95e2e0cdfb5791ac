/** Time as services see it. Leases, heartbeats and expiries use the database's clock instead (db/database.ts). */
export interface Clock {
  /** Milliseconds since the epoch; for display and logs. */
  now(): number
  /** Milliseconds that never jump; for durations. */
  monotonic(): number
  /** Resolves after a while, or at once when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const done = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal?.addEventListener('abort', done, { once: true })
    }),
}
