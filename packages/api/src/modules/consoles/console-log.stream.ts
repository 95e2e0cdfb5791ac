/**
 * The console log of one server as it grows. The host answers when there is more, so nothing is asked for that nobody has room for:
 * the next piece, never longer than the host's limit, is fetched when the subscriber has taken the one before.
 *
 * Offsets tell the whole story: a piece that begins after the end of the one before says by `truncated` that bytes between are no longer
 * kept, one that begins before it that the server was made anew.
 */
import { CloudError } from '@kilonova/contract/errors'
import { instanceNotFound } from '../../cells/instance.store.js'
import type { RequestContext } from '../../graphql/context.js'
import { unauthenticated } from '../identity/session.service.js'
import type { FoundServer } from '../servers/server.repository.js'
import type { ConsoleLog } from '../servers/server.types.js'

/** How long a host holds its answer back while there is nothing new. */
const waitMs = 2000
/** Session and server are looked at again this often: a stream ends with either. */
const checkEveryMs = 2000
/** A host that answers at once, or not at all, is not asked again before this. */
const restMs = 1000
/** Where no log ends: its end is wanted. */
const behindAll = Number.MAX_SAFE_INTEGER

/** What a stream outlives: the host is away for a while, or its guest is being made anew. */
const passing: readonly string[] = ['HOST_DOWN', 'NOT_FOUND', 'TIMED_OUT', 'UNAVAILABLE', 'CELL_UNAVAILABLE']

export async function* followConsoleLog(
  context: RequestContext,
  serverId: string,
  fromOffset: number | null,
  signal: AbortSignal,
): AsyncGenerator<ConsoleLog> {
  const { caller, services } = context
  let server: FoundServer | null = await services.servers.server(caller, serverId)
  if (server === null) throw instanceNotFound(serverId)
  let offset = fromOffset ?? behindAll
  let checkedAt = performance.now()
  let begun = false
  while (!signal.aborted) {
    if (performance.now() - checkedAt > checkEveryMs) {
      checkedAt = performance.now()
      if ((await services.sessions.standing(caller.sessionId)) === null) throw unauthenticated('The session has ended.')
      server = await services.servers.server(caller, serverId)
      if (server === null) return
    }
    const askedAt = performance.now()
    let slice: ConsoleLog
    try {
      slice = await services.servers.consoleLog(caller, server.row, { tailLines: null, fromOffset: offset, waitMs })
    } catch (error) {
      if (!begun || !(error instanceof CloudError) || !passing.includes(error.code)) throw error
      checkedAt = Number.NEGATIVE_INFINITY
      await rest(signal)
      continue
    }
    if (slice.endOffset < offset) {
      // The end, which says where to go on from; or a log that was begun anew, which is wanted from its start.
      const atEnd = !begun && fromOffset === null
      begun = true
      offset = atEnd ? slice.endOffset : 0
      if (atEnd) yield slice
      continue
    }
    begun = true
    if (slice.endOffset > offset || slice.truncated) {
      offset = slice.endOffset
      yield slice
    } else if (performance.now() - askedAt < waitMs / 2) {
      await rest(signal)
    }
  }
}

function rest(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, restMs)
    signal.addEventListener('abort', done, { once: true })
    if (signal.aborted) done()
  })
}
