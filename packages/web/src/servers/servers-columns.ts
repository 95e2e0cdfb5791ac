/** The columns the list of servers can have. The name is always there. */

export const columnKeys = [
  'status',
  'addresses',
  'flavor',
  'image',
  'host',
  'zone',
  'power',
  'locked',
  'keys',
  'tags',
  'metadata',
  'user',
  'description',
  'id',
  'created',
  'launched',
  'changed',
] as const

export type ColumnKey = (typeof columnKeys)[number]

export const usualColumns: readonly ColumnKey[] = ['status', 'addresses', 'flavor', 'host', 'created']
