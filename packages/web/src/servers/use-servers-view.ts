/** Reads the view from the address and writes it back. Each change is a step the back button undoes; typing is one step in all. */
import { useMemo, useRef } from 'react'
import { useLocation, useSearchParams } from 'react-router'
import type { Paging } from '../components/use-paging.js'
import { formatView, offeredPageSizes, readView, type ServersView } from './servers-view.js'

/** The ways back to earlier pages, kept beside the address: cursors only lead forward. */
interface Kept {
  cursors: (string | null)[]
}
const isKept = (state: unknown): state is Kept => typeof state === 'object' && state !== null && 'cursors' in state

export function useServersView() {
  const [params, setParams] = useSearchParams()
  const { state } = useLocation()
  const view = useMemo(() => readView(params), [params])
  const typing = useRef(false)

  const change = (part: Partial<ServersView>, kind: 'step' | 'typing' = 'step'): void => {
    const next = { ...view, page: 1, after: null, ...part }
    setParams(formatView(next), { replace: kind === 'typing' && typing.current, preventScrollReset: true })
    typing.current = kind === 'typing'
  }
  const cursors = isKept(state) && state.cursors.length === view.page ? state.cursors : null
  const go = (to: (string | null)[]): void => {
    setParams(formatView({ ...view, page: to.length, after: to.at(-1) ?? null }), { state: { cursors: to } satisfies Kept })
  }
  const paging: Paging = {
    perPage: view.perPage,
    page: view.page,
    after: view.after,
    offered: offeredPageSizes,
    onPage: (page, endCursor) => {
      const here = cursors ?? [...Array<null>(view.page - 1).fill(null), view.after]
      // Who came by a link knows no way back but to the beginning.
      if (page < view.page) go(cursors === null ? [null] : here.slice(0, Math.max(page, 1)))
      else if (page === view.page + 1 && endCursor !== null) go([...here, endCursor])
    },
    onPerPage: (perPage) => change({ perPage }),
    reset: () => change({}),
  }
  return {
    view,
    change,
    /** Shows what a saved filter holds. */
    show: (query: string): void => setParams(new URLSearchParams(query)),
    paging,
  }
}
