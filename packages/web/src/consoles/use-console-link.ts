/**
 * Keeps a console connected: gets a ticket, connects, and after a break tries again a few times, each time with a new ticket (one
 * ticket opens one connection). What "connect" means is the protocol's own business.
 */
import { useCallback, useEffect, useRef, useState } from 'react'
import { ownSocket } from '../lib/own-origin.js'
import { problemOf } from '../lib/problem.js'

export interface ConsoleTicket {
  webSocketUrl: string
  token: string
}

export type ConsoleState =
  | { phase: 'connecting' }
  | { phase: 'connected' }
  | { phase: 'waiting'; reason: string; seconds: number }
  | { phase: 'closed'; reason: string }

export interface ConsoleEvents {
  connected: () => void
  closed: (reason: string) => void
}

/** Starts a connection and answers how to end it. */
export type ConnectConsole = (url: string, protocols: string[], events: ConsoleEvents) => () => void

const longestTries = 5

export function useConsoleLink(open: () => Promise<ConsoleTicket>, connect: ConnectConsole) {
  const [state, setState] = useState<ConsoleState>({ phase: 'connecting' })
  const [round, setRound] = useState(0)
  const tries = useRef(0)
  const latest = useRef({ open, connect })
  useEffect(() => {
    latest.current = { open, connect }
  })

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round is a new connection
  useEffect(() => {
    let end: (() => void) | null = null
    let over = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const closed = (reason: string): void => {
      if (over) return
      over = true
      end?.()
      tries.current++
      if (tries.current > longestTries) {
        setState({ phase: 'closed', reason })
        return
      }
      const seconds = 2 ** (tries.current - 1)
      setState({ phase: 'waiting', reason, seconds })
      timer = setTimeout(() => setRound((before) => before + 1), seconds * 1000)
    }
    const run = async (): Promise<void> => {
      setState({ phase: 'connecting' })
      let ticket: ConsoleTicket
      try {
        ticket = await latest.current.open()
      } catch (error) {
        // The cloud says no: asking again by itself would not change its mind.
        const problem = problemOf(error)
        if (problem.code === 'UNREACHABLE') closed(problem.message)
        else if (!over) {
          over = true
          setState({ phase: 'closed', reason: problem.message })
        }
        return
      }
      if (over) return
      end = latest.current.connect(ownSocket(ticket.webSocketUrl), ['binary', `kilonova.token.${ticket.token}`], {
        connected: () => {
          if (over) return
          tries.current = 0
          setState({ phase: 'connected' })
        },
        closed,
      })
    }
    void run()
    return () => {
      over = true
      clearTimeout(timer)
      end?.()
    }
  }, [round])

  const reconnect = useCallback(() => {
    tries.current = 0
    setRound((before) => before + 1)
  }, [])
  return { state, reconnect }
}
