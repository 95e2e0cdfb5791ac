/**
 * One resumable subscription. The server closes the socket when its token ends; the stream then goes on behind the last cursor it
 * saw, so nothing is missed. Where it has no cursor to go on from, it says so, and what is shown must be fetched again.
 */
import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { GraphQLError, print } from 'graphql'
import type { Client } from 'graphql-ws'

export interface LiveStreamOptions<T, V extends Record<string, unknown>> {
  document: TypedDocumentNode<T, V & { after?: string | null }>
  variables: V
  cursorOf: (data: T) => string | null
  /** Variables that go on behind a cursor; absent: `after`. */
  resume?: (cursor: string) => Partial<V>
  onData: (data: T) => void
  /** Changes may have been missed. */
  onGap: () => void
  /** The socket is gone: makes sure that the next one has a token that works. Throws when nobody is signed in. */
  beforeReconnect: (closeCode: number | null) => Promise<void>
  /** The server ended the stream, or refused it; true: it is not opened again. */
  onEnd?: (refusal: LiveRefusal | null) => boolean
  signal: AbortSignal
}

export interface LiveRefusal {
  code: string
  message: string
}

const firstPauseMs = 250
const longestPauseMs = 10_000
/** A subscription has no "ready" message; what happened while it was being set up is caught by fetching once after this long. */
const settleMs = 300
const closeTokenEnded = 4403

const isCloseEvent = (error: unknown): error is CloseEvent =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'number'

export async function runLiveStream<T, V extends Record<string, unknown>>(client: Client, options: LiveStreamOptions<T, V>): Promise<void> {
  const { document, variables, cursorOf, resume, onData, onGap, beforeReconnect, onEnd, signal } = options
  const query = print(document)
  let cursor: string | null = null
  let pauseMs = firstPauseMs

  while (!signal.aborted) {
    const settle = cursor === null ? setTimeout(onGap, settleMs) : undefined
    const outcome = await new Promise<{ error: unknown } | null>((resolve) => {
      const stop = client.subscribe<T>(
        { query, variables: { ...variables, ...(resume === undefined ? { after: cursor } : cursor === null ? {} : resume(cursor)) } },
        {
          next: ({ data, errors }) => {
            if (errors !== undefined && errors.length > 0) return resolve({ error: errors })
            if (data === undefined || data === null) return
            pauseMs = firstPauseMs
            cursor = cursorOf(data) ?? cursor
            onData(data)
          },
          error: (error) => resolve({ error }),
          complete: () => resolve(null),
        },
      )
      signal.addEventListener('abort', () => stop(), { once: true })
    })
    clearTimeout(settle)
    if (signal.aborted) return
    const error = outcome?.error ?? null
    const code = isCloseEvent(error) ? error.code : null
    const refused = Array.isArray(error) ? error.find((one): one is GraphQLError => one !== null && typeof one === 'object') : undefined
    const refusedCode = refused?.extensions?.code
    if (outcome === null && onEnd?.(null) === true) return
    if (refused !== undefined && onEnd?.({ code: String(refusedCode), message: refused.message }) === true) return
    // A cursor the server no longer knows is worth nothing: start anew and fetch everything.
    if (refusedCode === 'CURSOR_INVALID' || refusedCode === 'GONE') cursor = null
    try {
      await beforeReconnect(refusedCode === 'UNAUTHENTICATED' ? closeTokenEnded : code)
    } catch {
      // Signed out, or the cloud is away: the pause below tells the two apart by the signal.
    }
    if (code === closeTokenEnded && pauseMs === firstPauseMs) {
      pauseMs *= 2
      continue
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.7 + Math.random() * 0.6)))
    pauseMs = Math.min(pauseMs * 2, longestPauseMs)
  }
}
