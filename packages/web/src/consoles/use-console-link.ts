/** Keeps a console connected while its page is open: each connection has a new ticket, as one ticket opens one connection. */
import { useCallback, useEffect, useReducer, useRef } from 'react'
import { ownSocket } from '../lib/own-origin.js'
import { problemOf } from '../lib/problem.js'
import { type LinkBreak, type LinkState, nextLink, startLink } from './console-link.js'
import { type ConsoleMessage, type ConsoleTicket, openConsoleSocket } from './console-socket.js'

export interface ConsoleEvents {
  opened: () => void
  /** It cannot be used, though the line stands. */
  unusable: (message: string) => void
}

export interface ConsoleLinkOptions {
  open: () => Promise<ConsoleTicket>
  /** False: the server is off, and there is nothing to connect to. */
  serverRuns: boolean
  /** Puts the bytes of a line to use, and answers how to let go of it. */
  connect: (socket: WebSocket, events: ConsoleEvents) => () => void
  onMessage?: (message: ConsoleMessage) => void
  /** Where in the guest's log the next connection goes on. */
  from?: () => number | null
}

export interface ConsoleLink {
  state: LinkState
  reconnect: () => void
}

const probeMs = 3000

/** So that the viewers of a cloud that was away do not come back all at once. */
const jitter = (): number => 0.8 + Math.random() * 0.4

export function useConsoleLink(options: ConsoleLinkOptions): ConsoleLink {
  const { serverRuns } = options
  const [state, dispatch] = useReducer(nextLink, serverRuns, startLink)
  const latest = useRef(options)
  useEffect(() => {
    latest.current = options
  })
  const { attempt } = state
  const live = state.phase === 'connecting' || state.phase === 'connected'

  useEffect(() => dispatch({ type: 'server', runs: serverRuns }), [serverRuns])

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new attempt is a new connection
  useEffect(() => {
    if (!live) return
    let over = false
    let socket: WebSocket | null = null
    let letGo: (() => void) | null = null
    const broken = (cause: LinkBreak): void => {
      if (!over) dispatch({ type: 'broken', break: cause, atMs: performance.now() })
      over = true
    }
    const run = async (): Promise<void> => {
      let ticket: ConsoleTicket
      try {
        ticket = await latest.current.open()
      } catch (error) {
        const { code, message } = problemOf(error)
        return broken({ kind: 'refused', code, message })
      }
      if (over) return
      socket = openConsoleSocket({
        url: ownSocket(ticket.webSocketUrl),
        token: ticket.token,
        from: latest.current.from?.() ?? null,
        onMessage: (message) => {
          if (!over) latest.current.onMessage?.(message)
        },
        onBreak: broken,
      })
      letGo = latest.current.connect(socket, {
        opened: () => {
          if (!over) dispatch({ type: 'opened', atMs: performance.now() })
        },
        unusable: (message) => broken({ kind: 'unusable', message }),
      })
    }
    // A browser calls itself offline for the loss of any network; the cloud may still be there, on this very machine say.
    const offline = (): void => {
      fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(probeMs) }).catch(() => broken({ kind: 'offline' }))
    }
    window.addEventListener('offline', offline)
    void run()
    return () => {
      over = true
      window.removeEventListener('offline', offline)
      letGo?.()
      socket?.close()
    }
  }, [attempt, live])

  const delayMs = state.phase === 'waiting' ? state.delayMs : null
  // biome-ignore lint/correctness/useExhaustiveDependencies: every attempt has its own wait
  useEffect(() => {
    if (delayMs === null) return
    const due = (): void => dispatch({ type: 'due' })
    const online = (): void => dispatch({ type: 'online' })
    const timer = setTimeout(due, delayMs * jitter())
    window.addEventListener('online', online)
    return () => {
      clearTimeout(timer)
      window.removeEventListener('online', online)
    }
  }, [attempt, delayMs])

  const reconnect = useCallback(() => dispatch({ type: 'again' }), [])
  return { state, reconnect }
}
