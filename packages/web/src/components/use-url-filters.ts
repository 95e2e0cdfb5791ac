/** Filters and paging of a list in the address: a link shows the same to everybody, and the back button goes back. */
import { useRef } from 'react'
import { useLocation, useSearchParams } from 'react-router'
import type { Paging } from './use-paging.js'

/** The ways back to earlier pages, kept beside the address: cursors only lead forward. */
interface Kept {
  cursors: (string | null)[]
}
const isKept = (state: unknown): state is Kept => typeof state === 'object' && state !== null && 'cursors' in state
const offered: readonly number[] = [10, 25, 50, 100]

export interface UrlFilters<Name extends string> {
  /** Empty: not filtered by it. */
  values: Record<Name, string>
  isFiltered: boolean
  /** Each change is a step the back button undoes; typing is one step in all. */
  change: (part: Partial<Record<Name, string>>, kind?: 'step' | 'typing') => void
  clear: () => void
  paging: Paging
}

export function useUrlFilters<Name extends string>(names: readonly Name[], usualPerPage = 25): UrlFilters<Name> {
  const [params, setParams] = useSearchParams()
  const { state } = useLocation()
  const typing = useRef(false)
  const values = Object.fromEntries(names.map((name) => [name, params.get(name) ?? ''])) as Record<Name, string>
  const size = Number(params.get('size'))
  const perPage = offered.includes(size) ? size : usualPerPage
  const after = params.get('after')
  const numbered = Number(params.get('page'))
  const page = after !== null && Number.isInteger(numbered) && numbered > 1 ? numbered : 1

  const addressOf = (shown: Record<Name, string>, to: { size: number; page: number; after: string | null }): URLSearchParams => {
    const next = new URLSearchParams()
    for (const name of names) if (shown[name] !== '') next.set(name, shown[name])
    if (to.size !== usualPerPage) next.set('size', String(to.size))
    if (to.after !== null) {
      next.set('page', String(to.page))
      next.set('after', to.after)
    }
    return next
  }
  const change: UrlFilters<Name>['change'] = (part, kind = 'step') => {
    const replace = kind === 'typing' && typing.current
    setParams(addressOf({ ...values, ...part }, { size: perPage, page: 1, after: null }), { replace, preventScrollReset: true })
    typing.current = kind === 'typing'
  }
  const cursors = isKept(state) && state.cursors.length === page ? state.cursors : null
  const go = (to: (string | null)[]): void =>
    setParams(addressOf(values, { size: perPage, page: to.length, after: to.at(-1) ?? null }), {
      state: { cursors: to } satisfies Kept,
    })
  return {
    values,
    isFiltered: names.some((name) => values[name] !== ''),
    change,
    clear: () =>
      setParams(
        addressOf(Object.fromEntries(names.map((name) => [name, ''])) as Record<Name, string>, { size: perPage, page: 1, after: null }),
      ),
    paging: {
      perPage,
      page,
      after: page === 1 ? null : after,
      offered,
      onPage: (to, endCursor) => {
        const here = cursors ?? [...Array<null>(page - 1).fill(null), after]
        // Who came by a link knows no way back but to the beginning.
        if (to < page) go(cursors === null ? [null] : here.slice(0, Math.max(to, 1)))
        else if (to === page + 1 && endCursor !== null) go([...(page === 1 ? [null] : here), endCursor])
      },
      onPerPage: (to) => setParams(addressOf(values, { size: to, page: 1, after: null })),
      reset: () => change({}),
    },
  }
}
