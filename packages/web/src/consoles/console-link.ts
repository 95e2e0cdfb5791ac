/**
 * When a console connects, waits, comes back and gives up, as a function of what happens to it. It comes back by itself after everything
 * that passes: reboots, restarts, a lost network, a server that was off. It does not after what somebody decided: a deleted server, a
 * right or a login that ended.
 */

export type LinkState = LinkBase &
  (
    | { phase: 'connecting' }
    | { phase: 'connected'; sinceMs: number }
    | { phase: 'waiting'; delayMs: number }
    /** The server does not run: nothing to connect to. */
    | { phase: 'off' }
    /** Only the user takes it up again. */
    | { phase: 'ended' }
  )

interface LinkBase {
  /** Each connection has a number of its own. */
  attempt: number
  /** Breaks in a row. */
  breaks: number
  /** Of these, such as may never pass. */
  refusals: number
  /** Why there is no connection. */
  reason: string | null
  serverRuns: boolean
}

export type LinkEvent =
  | { type: 'opened'; atMs: number }
  | { type: 'broken'; break: LinkBreak; atMs: number }
  /** The wait is over. */
  | { type: 'due' }
  /** The network is back. */
  | { type: 'online' }
  /** The user wants it now. */
  | { type: 'again' }
  | { type: 'server'; runs: boolean }

export type LinkBreak =
  | { kind: 'closed'; code: number; reason: string }
  /** No ticket was given. */
  | { kind: 'refused'; code: string; message: string }
  | { kind: 'silent' }
  | { kind: 'offline' }
  /** The guest's console speaks something we do not. */
  | { kind: 'unusable'; message: string }

const firstDelayMs = 500
const longestDelayMs = 10_000
/** A connection that held this long was a good one: the next break is the first again. */
const goodMs = 10_000
/** What may never pass is tried this often. */
const mostRefusals = 6

type Verdict = 'comes back' | 'may come back' | 'ends'

/** The console proxy's close codes. */
const closed: Record<number, Verdict> = {
  1008: 'ends',
  1013: 'may come back',
  4401: 'may come back',
  4403: 'ends',
  4404: 'may come back',
}

const refused: Record<string, Verdict> = {
  UNREACHABLE: 'comes back',
  UNAVAILABLE: 'comes back',
  CELL_UNAVAILABLE: 'comes back',
  HOST_DOWN: 'comes back',
  TIMED_OUT: 'comes back',
  RATE_LIMITED: 'comes back',
  // In the middle of a reboot, say.
  INVALID_STATE: 'comes back',
  NOT_READY: 'comes back',
  CONFLICT: 'comes back',
  INTERNAL: 'may come back',
  LIMIT_EXCEEDED: 'may come back',
  // The guest's socket is missing for a moment while it is started.
  OPERATION_NOT_SUPPORTED: 'may come back',
}

function verdictOf(cause: LinkBreak): Verdict {
  switch (cause.kind) {
    case 'closed':
      return closed[cause.code] ?? 'comes back'
    case 'refused':
      return refused[cause.code] ?? 'ends'
    case 'unusable':
      return 'ends'
    default:
      return 'comes back'
  }
}

export function reasonOf(cause: LinkBreak): string {
  switch (cause.kind) {
    case 'closed':
      return cause.reason === '' ? 'The connection broke.' : cause.reason
    case 'silent':
      return 'The cloud has not been heard for a while.'
    case 'offline':
      return 'This computer has no network.'
    default:
      return cause.message
  }
}

export const startLink = (serverRuns: boolean): LinkState => {
  const base = { attempt: 1, breaks: 0, refusals: 0, reason: null, serverRuns }
  return serverRuns ? { ...base, phase: 'connecting' } : { ...base, phase: 'off' }
}

export function nextLink(state: LinkState, event: LinkEvent): LinkState {
  switch (event.type) {
    case 'opened':
      return state.phase === 'connecting' ? { ...baseOf(state), phase: 'connected', sinceMs: event.atMs } : state
    case 'broken':
      return state.phase === 'connecting' || state.phase === 'connected' ? broken(state, event.break, event.atMs) : state
    case 'due':
    case 'online':
      return state.phase === 'waiting' ? connecting(state) : state
    case 'again':
      return connecting({ ...state, breaks: 0, refusals: 0, reason: null })
    case 'server':
      return serverChanged({ ...state, serverRuns: event.runs })
  }
}

const baseOf = ({ attempt, breaks, refusals, reason, serverRuns }: LinkState): LinkBase => ({
  attempt,
  breaks,
  refusals,
  reason,
  serverRuns,
})

const connecting = (state: LinkState): LinkState => ({ ...baseOf(state), phase: 'connecting', attempt: state.attempt + 1 })

function broken(state: LinkState, cause: LinkBreak, atMs: number): LinkState {
  const wasGood = state.phase === 'connected' && atMs - state.sinceMs >= goodMs
  const verdict = verdictOf(cause)
  const breaks = (wasGood ? 0 : state.breaks) + 1
  const refusals = (wasGood ? 0 : state.refusals) + (verdict === 'may come back' ? 1 : 0)
  const base = { ...baseOf(state), breaks, refusals, reason: reasonOf(cause) }
  if (verdict === 'ends' || refusals >= mostRefusals) return { ...base, phase: 'ended' }
  if (!state.serverRuns) return { ...base, phase: 'off' }
  return { ...base, phase: 'waiting', delayMs: Math.min(firstDelayMs * 2 ** (breaks - 1), longestDelayMs) }
}

function serverChanged(state: LinkState): LinkState {
  if (state.serverRuns) return state.phase === 'off' ? connecting({ ...state, breaks: 0, refusals: 0 }) : state
  // An open console ends by itself, with the reason.
  return state.phase === 'waiting' || state.phase === 'connecting' ? { ...baseOf(state), phase: 'off' } : state
}
