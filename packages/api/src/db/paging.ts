/**
 * Forward paging by sort values (keyset): stable under concurrent changes, the same on both dialects. Nulls come last in either
 * direction, text is compared byte by byte, and the id breaks ties.
 */
import { createHash } from 'node:crypto'
import { CloudError } from '@kilonova/contract/errors'
import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely'
import type { DialectName } from './database.js'

export type SortValue = string | number | null
export interface SortKey {
  /** Column to sort by, as written in SQL; never from a client. */
  readonly column: string
  /** Property of the fetched row with the value. */
  readonly property: string
  readonly type: 'text' | 'number'
  readonly direction: 'ASC' | 'DESC'
}

export interface PageRequest {
  /** How many; null: 50. */
  first?: number | null | undefined
  after?: string | null | undefined
}

export interface Page<T> {
  readonly edges: readonly { readonly cursor: string; readonly node: T }[]
  readonly hasNextPage: boolean
  readonly hasPreviousPage: boolean
  /** Only asked when the client selects it. */
  readonly totalCount: () => Promise<number>
  readonly isPartial: boolean
}

export function pageSize(first: number | null | undefined, maximum: number): number {
  const wanted = first ?? Math.min(50, maximum)
  if (!Number.isInteger(wanted) || wanted < 0) throw CloudError.badInput('first', 'first must not be negative.')
  if (wanted > maximum) throw CloudError.badInput('first', `first may be at most ${maximum}.`)
  return wanted
}

/** Ties a cursor to the list it came from: same filter, same order. */
export const listFingerprint = (...parts: unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 12)

export const encodeListCursor = (fingerprint: string, values: readonly SortValue[]): string =>
  Buffer.from(JSON.stringify([fingerprint, ...values])).toString('base64url')

export function decodeListCursor(cursor: string, fingerprint: string, keys: readonly SortKey[]): SortValue[] {
  const invalid = (): CloudError =>
    new CloudError('CURSOR_INVALID', 'The cursor is malformed or belongs to another filter or order.', { fields: ['after'] })
  let decoded: unknown
  try {
    decoded = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    throw invalid()
  }
  if (!Array.isArray(decoded) || decoded.length !== keys.length + 1 || decoded[0] !== fingerprint) throw invalid()
  const values = decoded.slice(1) as unknown[]
  const fit = keys.every((key, index) => {
    const value = values[index]
    return value === null || typeof value === (key.type === 'text' ? 'string' : 'number')
  })
  if (!fit) throw invalid()
  return values as SortValue[]
}

const columnOf = (key: SortKey, dialect: DialectName): RawBuilder<unknown> =>
  key.type === 'text' && dialect === 'postgres' ? sql`${sql.ref(key.column)} collate "C"` : sql`${sql.ref(key.column)}`

/** `order by` parts for the keys. */
export const orderOf = (keys: readonly SortKey[], dialect: DialectName): RawBuilder<unknown>[] =>
  keys.flatMap((key) => [
    sql`(${sql.ref(key.column)} is null)`,
    key.direction === 'ASC' ? sql`${columnOf(key, dialect)} asc` : sql`${columnOf(key, dialect)} desc`,
  ])

/** Rows strictly after the values. */
export function afterValues(keys: readonly SortKey[], values: readonly SortValue[], dialect: DialectName): Expression<SqlBool> {
  const alternatives: RawBuilder<SqlBool>[] = []
  for (const [index, key] of keys.entries()) {
    const value = values[index] ?? null
    // After a null comes nothing in this key.
    if (value === null) continue
    const equalBefore = keys
      .slice(0, index)
      .map((earlier, at) =>
        (values[at] ?? null) === null ? sql`${sql.ref(earlier.column)} is null` : sql`${sql.ref(earlier.column)} = ${values[at]}`,
      )
    const comparison = key.direction === 'ASC' ? sql`${columnOf(key, dialect)} > ${value}` : sql`${columnOf(key, dialect)} < ${value}`
    const beyond = sql`(${comparison} or ${sql.ref(key.column)} is null)`
    alternatives.push(sql<SqlBool>`(${sql.join([...equalBefore, beyond], sql` and `)})`)
  }
  return alternatives.length === 0 ? sql<SqlBool>`1 = 0` : sql<SqlBool>`(${sql.join(alternatives, sql` or `)})`
}

const compareValues = (a: SortValue, b: SortValue): number => {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)))
}

/** The same order as `orderOf`, for rows of several databases. */
export function compareRows(keys: readonly SortKey[], a: readonly SortValue[], b: readonly SortValue[]): number {
  for (const [index, key] of keys.entries()) {
    const left = a[index] ?? null
    const right = b[index] ?? null
    if (left === null && right === null) continue
    if (left === null) return 1
    if (right === null) return -1
    const order = compareValues(left, right)
    if (order !== 0) return key.direction === 'ASC' ? order : -order
  }
  return 0
}

export const sortValuesOf = (keys: readonly SortKey[], row: object): SortValue[] =>
  keys.map((key) => ((row as Record<string, SortValue | undefined>)[key.property] ?? null) as SortValue)

/** Cuts the rows fetched (one more than asked) into a page. */
export function toPage<Row extends object, T>(
  rows: readonly Row[],
  size: number,
  options: {
    keys: readonly SortKey[]
    fingerprint: string
    after: string | null | undefined
    toNode: (row: Row) => T
    totalCount: () => Promise<number>
    isPartial?: boolean
  },
): Page<T> {
  return {
    edges: rows.slice(0, size).map((row) => ({
      cursor: encodeListCursor(options.fingerprint, sortValuesOf(options.keys, row)),
      node: options.toNode(row),
    })),
    hasNextPage: rows.length > size,
    hasPreviousPage: options.after != null,
    totalCount: options.totalCount,
    isPartial: options.isPartial ?? false,
  }
}

/** Sorts and pages rows that are all in memory: short lists merged from several cells. */
export function pageInMemory<Row extends object, T>(
  rows: Row[],
  request: PageRequest,
  options: { keys: readonly SortKey[]; fingerprint: string; maximum: number; toNode: (row: Row) => T; isPartial?: boolean },
): Page<T> {
  const { keys, fingerprint } = options
  const sorted = [...rows].sort((a, b) => compareRows(keys, sortValuesOf(keys, a), sortValuesOf(keys, b)))
  const size = pageSize(request.first, options.maximum)
  const after = request.after == null ? null : decodeListCursor(request.after, fingerprint, keys)
  const rest = after === null ? sorted : sorted.filter((row) => compareRows(keys, sortValuesOf(keys, row), after) > 0)
  return toPage(rest.slice(0, size + 1), size, { ...options, after: request.after, totalCount: async () => rows.length })
}

/** Text search as both dialects do it: ASCII case folded, wildcards taken literally. */
export const containsText = (column: string, text: string): Expression<SqlBool> => {
  const pattern = `%${text.toLowerCase().replaceAll(/[\\%_]/g, (wildcard) => `\\${wildcard}`)}%`
  return sql<SqlBool>`lower(${sql.ref(column)}) like ${pattern} escape '\\'`
}

export const mapPage = <A, B>(page: Page<A>, map: (node: A) => B): Page<B> => ({
  ...page,
  edges: page.edges.map(({ cursor, node }) => ({ cursor, node: map(node) })),
})
