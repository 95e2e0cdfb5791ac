/** What projects have used over a time window, from flavors and life times of servers, deleted ones too (B-USE-3); nothing is metered. */
import { CloudError } from '@kilonova/contract/errors'
import { type RawBuilder, sql } from 'kysely'
import type { Caller } from '../../caller.js'
import type { Cell, CellsService } from '../../cells/cells.service.js'
import { instanceJson } from '../../cells/instance.store.js'
import type { Database } from '../../db/database.js'
import { listFingerprint, type Page, type PageRequest, pageInMemory, type SortKey } from '../../db/paging.js'
import type { ApiSchema } from '../../db/schemas.js'
import type { Policy } from '../../policy/policy.js'

/** Milliseconds since the epoch. */
export interface Window {
  readonly start: number
  readonly end: number
}

export interface ProjectUsageView extends Window {
  projectId: string
  totalHours: number
  totalVcpuHours: number
  totalRamMbHours: number
  totalDiskGbHours: number
}

export interface ServerUsageView {
  serverId: string
  name: string
  flavorName: string
  vmState: string
  taskState: string | null
  isDeleted: boolean
  hours: number
  uptimeSeconds: number
  vcpus: number
  ramMb: number
  diskGb: number
  startedAt: number
  endedAt: number | null
}

const hourMs = 3_600_000
const fourWeeksMs = 28 * 24 * hourMs

const byProject: SortKey[] = [{ column: 'project_id', property: 'projectId', type: 'text', direction: 'ASC' }]
const byStart: SortKey[] = [
  { column: 'launched_at', property: 'startedAt', type: 'number', direction: 'ASC' },
  { column: 'uuid', property: 'serverId', type: 'text', direction: 'ASC' },
]

export interface UsageServiceOptions {
  api: Database<ApiSchema>
  cells: CellsService
  policy: Policy
  maxPageSize: number
}

export class UsageService {
  readonly #options: UsageServiceOptions

  constructor(options: UsageServiceOptions) {
    this.#options = options
  }

  async projectUsage(caller: Caller, projectId: string, start?: number | null, end?: number | null): Promise<ProjectUsageView> {
    this.#options.policy.enforce('os_compute_api:os-simple-tenant-usage:show', caller, { project_id: projectId, user_id: caller.userId })
    const window = await this.#window(start, end)
    const { rows } = await this.#totals(window, projectId)
    return rows[0] ?? { projectId, ...window, totalHours: 0, totalVcpuHours: 0, totalRamMbHours: 0, totalDiskGbHours: 0 }
  }

  /** Projects that had servers in the window. */
  async projectUsages(
    caller: Caller,
    request: PageRequest & { start?: number | null; end?: number | null },
  ): Promise<Page<ProjectUsageView>> {
    this.#options.policy.enforce('os_compute_api:os-simple-tenant-usage:list', caller)
    const window = await this.#window(request.start, request.end)
    const { rows, isPartial } = await this.#totals(window, null)
    return pageInMemory(rows, request, {
      keys: byProject,
      // Not the window itself: its default moves on from page to page.
      fingerprint: listFingerprint('projectUsages', request.start ?? null, request.end ?? null),
      maximum: this.#options.maxPageSize,
      toNode: (row) => row,
      isPartial,
    })
  }

  async servers({ projectId, start, end }: ProjectUsageView, request: PageRequest): Promise<Page<ServerUsageView>> {
    const { cells } = this.#options
    const { answers, missing } = await cells.scatter(await cells.withHosts(), (cell) =>
      activeIn(cell, { start, end })
        .select(['uuid', 'display_name', 'flavor', 'vm_state', 'task_state', 'deleted_at', 'launched_at', 'terminated_at'])
        .where('project_id', '=', projectId)
        .execute(),
    )
    const now = await this.#options.api.readClock()
    const servers = answers.flatMap(({ value }) =>
      value.map((row): ServerUsageView => {
        const flavor = instanceJson.flavor.parse(JSON.parse(row.flavor))
        const startedAt = row.launched_at ?? end
        const endedAt = row.terminated_at
        return {
          serverId: row.uuid,
          name: row.display_name,
          flavorName: flavor.name,
          vmState: row.vm_state,
          taskState: row.task_state,
          isDeleted: row.deleted_at !== null,
          hours: (Math.min(end, endedAt ?? end) - Math.max(start, startedAt)) / hourMs,
          uptimeSeconds: Math.max(0, Math.floor(((endedAt ?? now) - startedAt) / 1000)),
          vcpus: flavor.vcpus,
          ramMb: flavor.ramMb,
          diskGb: flavor.diskGb + flavor.ephemeralGb,
          startedAt,
          endedAt,
        }
      }),
    )
    return pageInMemory(servers, request, {
      keys: byStart,
      fingerprint: listFingerprint('serverUsages', projectId),
      maximum: this.#options.maxPageSize,
      toNode: (row) => row,
      isPartial: missing.length > 0,
    })
  }

  /** The last four weeks unless said; nothing is used in the future. */
  async #window(start?: number | null, end?: number | null): Promise<Window> {
    const now = await this.#options.api.readClock()
    const last = Math.min(end ?? now, now)
    const first = start ?? last - fourWeeksMs
    if (first >= last) {
      throw new CloudError('BAD_USER_INPUT', 'The window must begin before it ends, and in the past.', {
        exception: 'ValidationError',
        fields: ['start'],
      })
    }
    return { start: first, end: last }
  }

  async #totals(window: Window, projectId: string | null): Promise<{ rows: ProjectUsageView[]; isPartial: boolean }> {
    const { cells } = this.#options
    const { answers, missing } = await cells.scatter(await cells.withHosts(), (cell) => {
      const hours = hoursIn(cell, window)
      const total = (amount: RawBuilder<number>) => sql<number>`coalesce(sum(${hours} * ${amount}), 0)`
      let query = activeIn(cell, window)
        .select([
          'project_id',
          total(sql`1`).as('hours'),
          total(flavorNumber(cell, 'vcpus')).as('vcpu_hours'),
          total(flavorNumber(cell, 'ramMb')).as('ram_mb_hours'),
          total(sql`(${flavorNumber(cell, 'diskGb')} + ${flavorNumber(cell, 'ephemeralGb')})`).as('disk_gb_hours'),
        ])
        .groupBy('project_id')
      if (projectId !== null) query = query.where('project_id', '=', projectId)
      return query.execute()
    })
    const merged = new Map<string, ProjectUsageView>()
    for (const row of answers.flatMap(({ value }) => value)) {
      const known = merged.get(row.project_id)
      merged.set(row.project_id, {
        projectId: row.project_id,
        ...window,
        totalHours: (known?.totalHours ?? 0) + Number(row.hours),
        totalVcpuHours: (known?.totalVcpuHours ?? 0) + Number(row.vcpu_hours),
        totalRamMbHours: (known?.totalRamMbHours ?? 0) + Number(row.ram_mb_hours),
        totalDiskGbHours: (known?.totalDiskGbHours ?? 0) + Number(row.disk_gb_hours),
      })
    }
    return { rows: [...merged.values()], isPartial: missing.length > 0 }
  }
}

/** Servers that ran, or stood on a host, at some time of the window. */
const activeIn = ({ database }: Cell, { start, end }: Window) =>
  database.read
    .selectFrom('instances')
    .where('launched_at', '<', end)
    .where((eb) => eb.or([eb('terminated_at', 'is', null), eb('terminated_at', '>', start)]))

function hoursIn({ database }: Cell, { start, end }: Window): RawBuilder<number> {
  const first = sql.lit(start)
  const last = sql.lit(end)
  return database.dialect === 'sqlite'
    ? sql`((min(${last}, coalesce(terminated_at, ${last})) - max(${first}, launched_at)) / 3600000.0)`
    : sql`((least(${last}, coalesce(terminated_at, ${last})) - greatest(${first}, launched_at)) / 3600000.0)`
}

const flavorNumber = ({ database }: Cell, key: 'vcpus' | 'ramMb' | 'diskGb' | 'ephemeralGb'): RawBuilder<number> =>
  database.dialect === 'sqlite'
    ? sql`json_extract(flavor, ${sql.lit(`$.${key}`)})`
    : sql`cast(cast(flavor as json)->>${sql.lit(key)} as integer)`
