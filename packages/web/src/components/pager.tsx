import { Pagination } from '@patternfly/react-core'
import type { Paging } from './use-paging.js'

const usualPageSizes = [10, 25, 50, 100]

interface PagerProps {
  what: string
  paging: Paging
  total: number
  endCursor: string | null
}

export function Pager({ what, paging, total, endCursor }: PagerProps) {
  return (
    <Pagination
      isCompact
      itemCount={total}
      perPage={paging.perPage}
      page={paging.page}
      perPageOptions={(paging.offered ?? usualPageSizes).map((value) => ({ title: String(value), value }))}
      onSetPage={(_event, page) => paging.onPage(page, endCursor)}
      onPerPageSelect={(_event, perPage) => paging.onPerPage(perPage)}
      titles={{ paginationAriaLabel: `Pages of ${what}` }}
    />
  )
}
