/** Pages of a list whose cursors only lead forward: the way back is remembered. */
import { useState } from 'react'

export interface Paging {
  perPage: number
  page: number
  after: string | null
  /** Page sizes, where they are not the usual ones. */
  offered?: readonly number[]
  onPage: (page: number, endCursor: string | null) => void
  onPerPage: (perPage: number) => void
  reset: () => void
}

export function usePaging(firstPerPage = 25): Paging {
  const [perPage, setPerPage] = useState(firstPerPage)
  const [cursors, setCursors] = useState<readonly (string | null)[]>([null])
  return {
    perPage,
    page: cursors.length,
    after: cursors.at(-1) ?? null,
    onPage: (page, endCursor) => {
      if (page < cursors.length) setCursors(cursors.slice(0, Math.max(page, 1)))
      else if (page === cursors.length + 1 && endCursor !== null) setCursors([...cursors, endCursor])
    },
    onPerPage: (next) => {
      setPerPage(next)
      setCursors([null])
    },
    reset: () => setCursors((before) => (before.length === 1 ? before : [null])),
  }
}
