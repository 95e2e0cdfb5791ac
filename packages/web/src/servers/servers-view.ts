/** What the list of servers shows, as the address says it: a link shows the same to everybody, and the back button goes back. */
import type { ServerFilter, ServerSortKey, ServerStatus, SortDirection } from '../generated/graphql.js'
import { type ColumnKey, columnKeys, usualColumns } from './servers-columns.js'

export interface ServerSort {
  key: ServerSortKey
  direction: SortDirection
}

export interface ServersView {
  search: string
  statuses: readonly ServerStatus[]
  locked: boolean | null
  tag: string
  sort: ServerSort
  perPage: number
  columns: readonly ColumnKey[]
  page: number
  after: string | null
}

export const offeredStatuses: readonly ServerStatus[] = [
  'ACTIVE',
  'BUILD',
  'SHUTOFF',
  'PAUSED',
  'SUSPENDED',
  'ERROR',
  'REBOOT',
  'HARD_REBOOT',
  'UNKNOWN',
]
export const offeredPageSizes: readonly number[] = [10, 25, 50, 100, 500, 1000]
export const sortKeys: readonly ServerSortKey[] = ['NAME', 'VM_STATE', 'HOST', 'CREATED_AT', 'UPDATED_AT', 'LAUNCHED_AT']

export const usualView: ServersView = {
  search: '',
  statuses: [],
  locked: null,
  tag: '',
  sort: { key: 'CREATED_AT', direction: 'DESC' },
  perPage: 25,
  columns: usualColumns,
  page: 1,
  after: null,
}

const known = <T extends string>(offered: readonly T[], given: string | null): T[] =>
  (given ?? '').split(',').flatMap((one) => offered.filter((value) => value.toLowerCase() === one.toLowerCase()))

/** What an address means; what it does not say, or says wrongly, is as usual. */
export function readView(params: URLSearchParams): ServersView {
  const [sortKey] = known(sortKeys, (params.get('sort') ?? '').replace(/^-/, ''))
  const perPage = Number(params.get('size'))
  const page = Number(params.get('page'))
  const after = params.get('after')
  const locked = params.get('locked')
  const columns = known(columnKeys, params.get('columns'))
  return {
    search: params.get('search') ?? '',
    statuses: [...new Set(known(offeredStatuses, params.get('status')))],
    locked: locked === 'yes' ? true : locked === 'no' ? false : null,
    tag: params.get('tag') ?? '',
    sort:
      sortKey === undefined ? usualView.sort : { key: sortKey, direction: params.get('sort')?.startsWith('-') === true ? 'DESC' : 'ASC' },
    perPage: offeredPageSizes.includes(perPage) ? perPage : usualView.perPage,
    columns: params.has('columns') ? columnKeys.filter((key) => columns.includes(key)) : usualView.columns,
    ...(after !== null && Number.isInteger(page) && page > 1 ? { page, after } : { page: 1, after: null }),
  }
}

/** The shortest address that means a view. */
export function formatView(view: ServersView): URLSearchParams {
  const params = new URLSearchParams()
  const { sort } = view
  if (view.search !== '') params.set('search', view.search)
  if (view.statuses.length > 0) params.set('status', view.statuses.join(',').toLowerCase())
  if (view.locked !== null) params.set('locked', view.locked ? 'yes' : 'no')
  if (view.tag !== '') params.set('tag', view.tag)
  if (sort.key !== usualView.sort.key || sort.direction !== usualView.sort.direction)
    params.set('sort', `${sort.direction === 'DESC' ? '-' : ''}${sort.key.toLowerCase()}`)
  if (view.columns.join() !== usualView.columns.join()) params.set('columns', view.columns.join(','))
  if (view.perPage !== usualView.perPage) params.set('size', String(view.perPage))
  if (view.after !== null) {
    params.set('page', String(view.page))
    params.set('after', view.after)
  }
  return params
}

/** The part of an address that is worth a name: everything but the place in the list. */
export const savableView = (view: ServersView): string => formatView({ ...view, page: 1, after: null }).toString()

export const isFiltered = ({ search, statuses, locked, tag }: ServersView): boolean =>
  search !== '' || statuses.length > 0 || locked !== null || tag !== ''

export const filterOf = ({ search, statuses, locked, tag }: ServersView): ServerFilter => ({
  ...(search === '' ? {} : { search }),
  ...(statuses.length === 0 ? {} : { status: [...statuses] }),
  ...(locked === null ? {} : { locked }),
  ...(tag === '' ? {} : { tags: [tag] }),
})
