/** Sort keys of the simple lists. */
import { CloudError } from '@kilonova/contract/errors'
import type { SortKey } from './paging.js'

export interface OrderInput<Key extends string = string> {
  key: Key
  direction: 'ASC' | 'DESC'
}

const numbers = /(_at|_gb|_mb|_bytes|vcpus|factor|generation|progress|index|public|disabled|drive|power_state|locked)$/

/** Turns an order input into sort keys with the id as tie-breaker; `columns` maps the enum's values. */
export function sortKeys(
  orderBy: readonly OrderInput[] | null | undefined,
  columns: Readonly<Record<string, string>>,
  fallback: OrderInput,
  id = 'id',
  table?: string,
): SortKey[] {
  const orders = orderBy != null && orderBy.length > 0 ? orderBy : [fallback]
  const keys = orders.map(({ key, direction }): SortKey => {
    const column = columns[key]
    if (column === undefined) throw CloudError.badInput('orderBy', `This list cannot be sorted by ${key}.`)
    return { column: table ? `${table}.${column}` : column, property: column, type: numbers.test(column) ? 'number' : 'text', direction }
  })
  if (keys.some((key) => key.property === id)) return keys
  return [...keys, { column: table ? `${table}.${id}` : id, property: id, type: 'text', direction: keys.at(-1)?.direction ?? 'ASC' }]
}

export const resourceKeys = (
  orderBy: readonly OrderInput[] | null | undefined,
  columns: Readonly<Record<string, string>>,
): { keys: SortKey[] } => ({
  keys: sortKeys(orderBy, columns, { key: 'CREATED_AT', direction: 'DESC' }),
})
