/** React's view of the login. */
import { createContext, useContext, useSyncExternalStore } from 'react'
import type { SessionState, SessionStore, Viewer } from './session.js'

export const SessionContext = createContext<SessionStore | null>(null)
export const ViewerContext = createContext<Viewer | null>(null)

export function useSessionStore(): SessionStore {
  const store = useContext(SessionContext)
  if (store === null) throw new Error('useSessionStore needs a SessionContext')
  return store
}

export function useSession(): SessionState {
  const store = useSessionStore()
  return useSyncExternalStore(store.subscribe, store.snapshot)
}

/** The signed-in user; only below the part of the page that needs a login. */
export function useViewer(): Viewer {
  const viewer = useContext(ViewerContext)
  if (viewer === null) throw new Error('useViewer needs a ViewerContext')
  return viewer
}

/** Whether the viewer passes a policy rule when no particular object is looked at. */
export function useMay(rule: string): boolean {
  return useViewer().allowedRules.includes(rule)
}
