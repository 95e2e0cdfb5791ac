/** Operations: who did what to which server, how far it is, and why it failed. */

import { CloudError } from '@kilonova/contract/errors'
import type { SchedulingTrace } from '@kilonova/contract/operations'
import { sql } from 'kysely'
import { type Caller, isAdmin } from '../../caller.js'
import type { Database } from '../../db/database.js'
import { countRows, listPage } from '../../db/list.js'
import { listFingerprint, type Page, type PageRequest, pageSize, type SortKey, toPage } from '../../db/paging.js'
import { type OrderInput, sortKeys } from '../../db/resource-order.js'
import type { ApiSchema } from '../../db/schemas.js'
import type { Policy } from '../../policy/policy.js'
import type { OperationRow, StepRow } from './operation.store.js'

export interface OperationFilterInput {
  serverId?: string | null
  kinds?: string[] | null
  states?: string[] | null
  requestId?: string | null
  userId?: string | null
  projectId?: string | null
  allProjects?: boolean | null
  changedSince?: number | null
  changedBefore?: number | null
  topLevelOnly?: boolean | null
}

export class OperationService {
  readonly #db: Database<ApiSchema>
  readonly #policy: Policy
  readonly #maxPageSize: number

  constructor(options: { db: Database<ApiSchema>; policy: Policy; maxPageSize: number }) {
    this.#db = options.db
    this.#policy = options.policy
    this.#maxPageSize = options.maxPageSize
  }

  /** Operations by id that the caller may see. */
  async visibleById(caller: Caller, ids: readonly string[]): Promise<Map<string, OperationRow>> {
    const rows = await this.#db.read
      .selectFrom('operations')
      .selectAll()
      .where('id', 'in', [...ids])
      .execute()
    return new Map(rows.filter((row) => this.#sees(caller, row)).map((row) => [row.id, row]))
  }

  async operation(caller: Caller, id: string): Promise<OperationRow | null> {
    return (await this.visibleById(caller, [id])).get(id) ?? null
  }

  async operations(
    caller: Caller,
    request: PageRequest & { filter?: OperationFilterInput | null; orderBy?: OrderInput[] | null },
    within: { serverId?: string; parentId?: string } = {},
  ): Promise<Page<OperationRow>> {
    this.#policy.enforce('os_compute_api:os-instance-actions:list', caller)
    const { filter } = request
    const elsewhere = filter?.allProjects === true || (filter?.projectId != null && filter.projectId !== caller.projectId)
    if (elsewhere) this.#policy.enforce('os_compute_api:servers:detail:get_all_tenants', caller)
    if (filter?.changedSince != null && filter.changedBefore != null && filter.changedBefore < filter.changedSince) {
      throw CloudError.badInput('filter.changedBefore', 'changedBefore must not be earlier than changedSince.')
    }
    let query = this.#db.read.selectFrom('operations').selectAll()
    const nested = within.serverId !== undefined || within.parentId !== undefined
    const projectId = filter?.projectId ?? (filter?.allProjects === true || (nested && isAdmin(caller)) ? null : (caller.projectId ?? ''))
    if (projectId !== null) query = query.where('project_id', '=', projectId)
    const serverId = within.serverId ?? filter?.serverId
    if (serverId != null) query = query.where('server_id', '=', serverId)
    if (within.parentId !== undefined) query = query.where('parent_id', '=', within.parentId)
    else if (filter?.topLevelOnly !== false && serverId == null) query = query.where('parent_id', 'is', null)
    // An empty list names nothing.
    for (const [column, values] of [
      ['kind', filter?.kinds],
      ['state', filter?.states],
    ] as const) {
      if (values != null) query = values.length === 0 ? query.where(sql<boolean>`1 = 0`) : query.where(column, 'in', values)
    }
    if (filter?.requestId != null) query = query.where('request_id', '=', filter.requestId)
    if (filter?.userId != null) query = query.where('user_id', '=', filter.userId)
    if (filter?.changedSince != null) query = query.where('updated_at', '>=', filter.changedSince)
    if (filter?.changedBefore != null) query = query.where('updated_at', '<=', filter.changedBefore)
    return listPage(this.#db, query, request, {
      keys: keysOf(request.orderBy),
      fingerprint: listFingerprint('operations', projectId, within, filter ?? null, request.orderBy ?? null),
      maximum: this.#maxPageSize,
      toNode: (row) => row,
    })
  }

  /** What `operations` answers within each server for its first page without filter or order: one statement for all of them. */
  async newestOf(caller: Caller, serverIds: readonly string[], first: number | null | undefined): Promise<Map<string, Page<OperationRow>>> {
    this.#policy.enforce('os_compute_api:os-instance-actions:list', caller)
    const size = pageSize(first, this.#maxPageSize)
    const projectId = isAdmin(caller) ? null : (caller.projectId ?? '')
    let query = this.#db.read.selectFrom('operations').selectAll().where('server_id', 'in', serverIds)
    if (projectId !== null) query = query.where('project_id', '=', projectId)
    const ranked = query.select((eb) =>
      eb.fn
        .agg<number>('row_number')
        .over((over) => over.partitionBy('server_id').orderBy('created_at', 'desc').orderBy('id', 'desc'))
        .as('place'),
    )
    const rows = await this.#db.read
      .selectFrom(ranked.as('ranked'))
      .selectAll()
      .where('place', '<=', size + 1)
      .orderBy('place')
      .execute()
    const keys = keysOf(null)
    return new Map(
      serverIds.map((serverId) => {
        const own = rows.filter((row) => row.server_id === serverId)
        const page = toPage<OperationRow, OperationRow>(own, size, {
          keys,
          fingerprint: listFingerprint('operations', projectId, { serverId }, null, null),
          after: null,
          toNode: (row) => row,
          totalCount: () => countRows(query.where('server_id', '=', serverId)),
        })
        return [serverId, page] as const
      }),
    )
  }

  async stepsOf(operationIds: readonly string[]): Promise<Map<string, StepRow[]>> {
    const rows = await this.#db.read
      .selectFrom('operation_steps')
      .selectAll()
      .where('operation_id', 'in', [...operationIds])
      .orderBy('started_at')
      .orderBy('key')
      .execute()
    const steps = new Map<string, StepRow[]>()
    for (const row of rows) steps.set(row.operation_id, [...(steps.get(row.operation_id) ?? []), row])
    return steps
  }

  #sees(caller: Caller, row: OperationRow): boolean {
    return this.#policy.allows('os_compute_api:os-instance-actions:show', caller, { project_id: row.project_id, user_id: row.user_id })
  }
}

const keysOf = (orderBy: OrderInput[] | null | undefined): SortKey[] =>
  sortKeys(orderBy, { CREATED_AT: 'created_at', UPDATED_AT: 'updated_at', KIND: 'kind' }, { key: 'CREATED_AT', direction: 'DESC' })

/** `42 hosts, 17 after ComputeFilter, 0 after NUMATopologyFilter.` */
export function summaryText(trace: SchedulingTrace): string {
  const [first] = trace.stages
  const parts = [`${first?.hostsBefore ?? 0} hosts`]
  for (const stage of trace.stages) {
    if (stage.kind !== 'BUILD' && stage.kind !== 'CLAIM') parts.push(`${stage.hostsAfter} after ${stage.name}`)
  }
  return `${parts.join(', ')}.`
}
