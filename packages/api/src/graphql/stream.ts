/** What a subscription answers: items as they come, pulled one by one, so that a client that reads slowly holds its stream back. */

/** A subscription's iterator with an end: what it holds is let go when the client leaves. */
export function stream<T>(run: (signal: AbortSignal) => AsyncGenerator<T>): AsyncIterableIterator<T> {
  const stop = new AbortController()
  const inner = run(stop.signal)
  return {
    next: () => inner.next(),
    return: async () => {
      stop.abort()
      await inner.return(undefined)
      return { done: true, value: undefined }
    },
    throw: (error) => inner.throw(error),
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
