/** Runs a sorted, filtered, paged query of one database. */
import type { SelectQueryBuilder } from 'kysely'
import type { Database } from './database.js'
import { afterValues, decodeListCursor, orderOf, type Page, type PageRequest, pageSize, type SortKey, toPage } from './paging.js'

export interface ListOptions<Row extends object, T> {
  keys: readonly SortKey[]
  /** See listFingerprint: filter and order of this list. */
  fingerprint: string
  maximum: number
  toNode: (row: Row) => T
}

/** `query` selects the rows that match the filter, without order and limit. */
export async function listPage<Schema, DB, TB extends keyof DB, Row extends object, T>(
  database: Database<Schema>,
  query: SelectQueryBuilder<DB, TB, Row>,
  request: PageRequest,
  options: ListOptions<Row, T>,
): Promise<Page<T>> {
  const { keys, fingerprint } = options
  const size = pageSize(request.first, options.maximum)
  let paged = query
  if (request.after != null) {
    paged = paged.where(afterValues(keys, decodeListCursor(request.after, fingerprint, keys), database.dialect))
  }
  for (const part of orderOf(keys, database.dialect)) paged = paged.orderBy(part)
  const rows = size === 0 ? [] : ((await paged.limit(size + 1).execute()) as Row[])
  return toPage(rows, size, { ...options, after: request.after, totalCount: () => countRows(query) })
}

export async function countRows<DB, TB extends keyof DB, Row>(query: SelectQueryBuilder<DB, TB, Row>): Promise<number> {
  const row = await query
    .clearSelect()
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirst()
  return Number((row as { count?: number } | undefined)?.count ?? 0)
}
