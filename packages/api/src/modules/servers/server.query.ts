/** Which servers match a filter: one set of conditions, used for every cell and for servers that have no cell yet. */
import { CloudError } from '@kilonova/contract/errors'
import { type PowerStateName, pairsOfStatus, powerStates, type ServerStatus } from '@kilonova/contract/server-states'
import { type Expression, type SelectQueryBuilder, type SqlBool, sql } from 'kysely'
import { RE2JS } from 're2js'
import { type InstanceRow, instanceJson } from '../../cells/instance.store.js'
import type { DialectName } from '../../db/database.js'
import { containsText } from '../../db/paging.js'
import type { CellSchema } from '../../db/schemas.js'

export interface ServerFilterInput {
  ids?: string[] | null
  search?: string | null
  name?: string | null
  hostname?: string | null
  status?: ServerStatus[] | null
  vmState?: string[] | null
  taskState?: string[] | null
  powerState?: PowerStateName[] | null
  progressPercent?: number | null
  imageId?: string | null
  flavorId?: string | null
  ip?: string | null
  ip6?: string | null
  keyName?: string | null
  userId?: string | null
  configDrive?: boolean | null
  availabilityZone?: string | null
  locked?: boolean | null
  lockedBy?: 'OWNER' | 'ADMIN' | null
  reservationId?: string | null
  createdAt?: number | null
  launchedAt?: number | null
  terminatedAt?: number | null
  description?: string | null
  changedSince?: number | null
  changedBefore?: number | null
  tags?: string[] | null
  tagsAny?: string[] | null
  notTags?: string[] | null
  notTagsAny?: string[] | null
  metadata?: { key: string; value: string }[] | null
  allProjects?: boolean | null
  projectId?: string | null
  deleted?: boolean | null
  host?: string | null
  hypervisorHostname?: string | null
  launchIndex?: number | null
}

/** GraphQL enum value to stored string: POWERING_OFF is `powering-off`, SOFT_DELETED is `soft-delete`. */
const hyphenated: Record<string, string> = { POWERING_OFF: 'powering-off', POWERING_ON: 'powering-on', SOFT_DELETED: 'soft-delete' }
export const storedState = (value: string): string => hyphenated[value] ?? value.toLowerCase()
export const shownState = (value: string): string => (value === 'soft-delete' ? 'SOFT_DELETED' : value.toUpperCase().replaceAll('-', '_'))

const has = (column: 'tags', tag: string, dialect: DialectName): Expression<SqlBool> =>
  dialect === 'sqlite'
    ? sql<SqlBool>`exists (select 1 from json_each(${sql.ref(column)}) where value = ${tag})`
    : sql<SqlBool>`jsonb_exists(${sql.ref(column)}::jsonb, ${tag})`

const metadataIs = (key: string, value: string, dialect: DialectName): Expression<SqlBool> =>
  dialect === 'sqlite' ? sql<SqlBool>`(metadata ->> ${key}) = ${value}` : sql<SqlBool>`(metadata::jsonb ->> ${key}) = ${value}`

const never = sql<SqlBool>`1 = 0`
const anyOf = (parts: Expression<SqlBool>[]): Expression<SqlBool> =>
  parts.length === 0 ? never : sql<SqlBool>`(${sql.join(parts, sql` or `)})`
const noneOf = (part: Expression<SqlBool>): Expression<SqlBool> => sql<SqlBool>`not (${part})`

function statusIs(statuses: readonly ServerStatus[]): Expression<SqlBool> {
  const parts = statuses.flatMap(pairsOfStatus).map(({ vmState, tasks, except }) => {
    if (tasks !== 'other') return sql<SqlBool>`(vm_state = ${vmState} and task_state in (${sql.join(tasks)}))`
    if (except.length === 0) return sql<SqlBool>`vm_state = ${vmState}`
    return sql<SqlBool>`(vm_state = ${vmState} and (task_state is null or task_state not in (${sql.join(except)})))`
  })
  return anyOf(parts)
}

type InstanceQuery<O> = SelectQueryBuilder<CellSchema, 'instances', O>

/** Adds every condition that a database can test; the rest is `rowTest`. */
export function filterServers<O>(
  base: InstanceQuery<O>,
  filter: ServerFilterInput,
  projectId: string | null,
  dialect: DialectName,
): InstanceQuery<O> {
  const conditions: Expression<SqlBool>[] = []
  const equal = (column: string, value: string | number | null | undefined): void => {
    if (value != null) conditions.push(sql<SqlBool>`${sql.ref(column)} = ${value}`)
  }
  const among = (column: string, values: readonly (string | number)[] | null | undefined): void => {
    if (values != null) conditions.push(values.length === 0 ? never : sql<SqlBool>`${sql.ref(column)} in (${sql.join(values)})`)
  }
  const wantsDeleted = filter.deleted === true || filter.status?.includes('DELETED') === true
  if (wantsDeleted) conditions.push(sql<SqlBool>`deleted_at is not null`)
  else if (filter.changedSince == null) conditions.push(sql<SqlBool>`deleted_at is null`)
  equal('project_id', projectId)
  among('uuid', filter.ids)
  if (filter.search) {
    const { search } = filter
    conditions.push(
      anyOf([containsText('display_name', search), containsText('uuid', search), containsText('network_info', `"ipAddress":"${search}`)]),
    )
  }
  equal('hostname', filter.hostname)
  if (filter.status != null) conditions.push(statusIs(filter.status))
  among('vm_state', filter.vmState?.map(storedState))
  among('task_state', filter.taskState?.map(storedState))
  among(
    'power_state',
    filter.powerState?.map((state) => powerStates[state]),
  )
  equal('progress', filter.progressPercent)
  equal('image_id', filter.imageId)
  equal('flavor_id', filter.flavorId)
  if (filter.keyName != null) conditions.push(containsText('keypairs', `"name":${JSON.stringify(filter.keyName)}`))
  equal('user_id', filter.userId)
  equal('config_drive', filter.configDrive == null ? null : filter.configDrive ? 1 : 0)
  equal('availability_zone', filter.availabilityZone)
  equal('locked', filter.locked == null ? null : filter.locked ? 1 : 0)
  equal('locked_by', filter.lockedBy?.toLowerCase())
  equal('reservation_id', filter.reservationId)
  equal('created_at', filter.createdAt)
  equal('launched_at', filter.launchedAt)
  equal('terminated_at', filter.terminatedAt)
  if (filter.description) conditions.push(containsText('display_description', filter.description))
  if (filter.changedSince != null) conditions.push(sql<SqlBool>`updated_at >= ${filter.changedSince}`)
  if (filter.changedBefore != null) conditions.push(sql<SqlBool>`updated_at <= ${filter.changedBefore}`)
  for (const tag of filter.tags ?? []) conditions.push(has('tags', tag, dialect))
  if (filter.tagsAny != null) conditions.push(anyOf(filter.tagsAny.map((tag) => has('tags', tag, dialect))))
  if (filter.notTags != null && filter.notTags.length > 0) {
    conditions.push(
      noneOf(
        sql<SqlBool>`(${sql.join(
          filter.notTags.map((tag) => has('tags', tag, dialect)),
          sql` and `,
        )})`,
      ),
    )
  }
  for (const tag of filter.notTagsAny ?? []) conditions.push(noneOf(has('tags', tag, dialect)))
  for (const { key, value } of filter.metadata ?? []) conditions.push(metadataIs(key, value, dialect))
  equal('host', filter.host)
  equal('node', filter.hypervisorHostname)
  equal('launch_index', filter.launchIndex)
  return conditions.reduce<InstanceQuery<O>>((query, condition) => query.where(condition), base)
}

function compile(expression: string, field: string): RE2JS {
  if (expression.length > 255) throw CloudError.badInput(`filter.${field}`, 'A regular expression may have at most 255 characters.')
  try {
    return RE2JS.compile(expression)
  } catch {
    throw CloudError.badInput(`filter.${field}`, `"${expression}" is not a regular expression this service understands.`)
  }
}

/** Conditions with regular expressions: run in a linear-time engine, here and not in the database, so that both dialects agree. */
export function rowTest(filter: ServerFilterInput): ((row: InstanceRow) => boolean) | null {
  const tests: ((row: InstanceRow) => boolean)[] = []
  if (filter.name) {
    const pattern = compile(filter.name, 'name')
    tests.push((row) => pattern.matcher(row.display_name).find())
  }
  for (const [field, version] of [
    ['ip', 4],
    ['ip6', 6],
  ] as const) {
    const expression = filter[field]
    if (!expression) continue
    const pattern = compile(expression, field)
    tests.push((row) =>
      instanceJson.networkInfo
        .parse(JSON.parse(row.network_info))
        .some((port) => port.addresses.some((address) => address.version === version && pattern.matcher(address.ipAddress).find())),
    )
  }
  return tests.length === 0 ? null : (row) => tests.every((test) => test(row))
}
