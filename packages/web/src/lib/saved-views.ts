/** Named views of a list, kept in this browser for one user in one project. */
import { useCallback, useSyncExternalStore } from 'react'
import { useViewer } from './session-context.js'

export interface SavedView {
  name: string
  /** The query part of the address. */
  query: string
}

const listeners = new Set<() => void>()
const none: readonly SavedView[] = []
const parsed = new Map<string, { source: string; views: readonly SavedView[] }>()

const isView = (value: unknown): value is SavedView =>
  typeof value === 'object' &&
  value !== null &&
  'name' in value &&
  typeof value.name === 'string' &&
  'query' in value &&
  typeof value.query === 'string'

function read(key: string): readonly SavedView[] {
  try {
    const source = localStorage.getItem(key) ?? '[]'
    const before = parsed.get(key)
    if (before?.source === source) return before.views
    const stored: unknown = JSON.parse(source)
    const views = Array.isArray(stored) ? stored.filter(isView) : none
    parsed.set(key, { source, views })
    return views
  } catch {
    return none
  }
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener)
  window.addEventListener('storage', listener)
  return () => {
    listeners.delete(listener)
    window.removeEventListener('storage', listener)
  }
}

export function useSavedViews(list: string) {
  const { user, project } = useViewer()
  const key = `kilonova.views.${list}.${user.id}.${project?.id ?? ''}`
  const views = useSyncExternalStore(
    subscribe,
    useCallback(() => read(key), [key]),
  )
  const keep = (next: readonly SavedView[]): boolean => {
    try {
      localStorage.setItem(key, JSON.stringify(next))
    } catch {
      return false
    }
    for (const listener of [...listeners]) listener()
    return true
  }
  return {
    views,
    /** False when this browser keeps nothing. */
    save: (view: SavedView): boolean =>
      keep([...views.filter(({ name }) => name !== view.name), view].toSorted((a, b) => a.name.localeCompare(b.name))),
    remove: (name: string): boolean => keep(views.filter((view) => view.name !== name)),
  }
}
