/** Hooks over the live streams. */
import { createContext, useContext, useEffect, useRef, useSyncExternalStore } from 'react'
import type { Live, LiveSignal } from './live.js'

export const LiveContext = createContext<Live | null>(null)

export function useLive(): Live {
  const live = useContext(LiveContext)
  if (live === null) throw new Error('useLive needs a LiveContext')
  return live
}

export function useLiveConnected(): boolean {
  const live = useLive()
  return useSyncExternalStore(live.subscribeStatus, live.connected)
}

export function useLiveSignals(listener: (signal: LiveSignal) => void): void {
  const live = useLive()
  const latest = useRef(listener)
  useEffect(() => {
    latest.current = listener
  })
  useEffect(() => live.listen((signal) => latest.current(signal)), [live])
}

/** At most one fetch per this long, however many signals come; the last signal is always followed by a fetch. */
const fetchEveryMs = 400

/** Fetches again when something relevant happened. */
export function useLiveRefetch(refetch: () => Promise<unknown>, concerns: (signal: LiveSignal) => boolean): void {
  const state = useRef({ timer: null as ReturnType<typeof setTimeout> | null, lastAt: 0 })
  const run = useRef(refetch)
  useEffect(() => {
    run.current = refetch
  })
  useEffect(
    () => () => {
      if (state.current.timer !== null) clearTimeout(state.current.timer)
      state.current.timer = null
    },
    [],
  )
  useLiveSignals((signal) => {
    const { current } = state
    if (current.timer !== null || !(signal.topic === 'gap' || concerns(signal))) return
    current.timer = setTimeout(
      () => {
        current.timer = null
        current.lastAt = performance.now()
        run.current().catch(() => undefined)
      },
      Math.max(fetchEveryMs - (performance.now() - current.lastAt), 30),
    )
  })
}
