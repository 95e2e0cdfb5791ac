/**
 * What counts against limits, counted when it is asked for and never stored (A-CELL-37, C-QTA-4): from placement and the API database,
 * or from the cells.
 */
import { sql } from 'kysely'
import { z } from 'zod'
import type { CellsService } from '../../cells/cells.service.js'
import type { Database } from '../../db/database.js'
import type { ApiSchema } from '../../db/schemas.js'
import type { QuotaDriver, Reader } from './quota.limits.js'

export interface Usage {
  servers: number
  /** By resource class. */
  amounts: Record<string, number>
}

/** What the cells answered before the transaction: inside it no other database may be asked. */
export interface CellView {
  readonly servers: ReadonlyMap<string, SeenServer>
  readonly missing: ReadonlySet<string>
}
interface SeenServer {
  userId: string
  vcpus: number
  ramMb: number
}

export interface UsageCounter {
  /** Reads what `count` cannot read itself. */
  prepare(projectId: string): Promise<CellView | null>
  /** Use of a project or, with a user, of that user in it. */
  count(db: Reader, owner: { projectId: string; userId: string | null }, view: CellView | null): Promise<Usage>
}

/**
 * Claims in placement, and requests that have no claim yet. A server that never had a host uses no cores and no memory; one that is
 * being resized uses both sizes.
 */
export class PlacementUsage implements UsageCounter {
  async prepare(): Promise<null> {
    return null
  }

  async count(db: Reader, owner: { projectId: string; userId: string | null }): Promise<Usage> {
    const { projectId, userId } = owner
    let servers = db
      .selectFrom('instance_mappings')
      .select((eb) => [sql<string>`cast('servers' as varchar(255))`.as('what'), eb.fn.countAll<number>().as('amount')])
      .where('project_id', '=', projectId)
      .where('queued_for_delete', '=', 0)
    let claimed = db
      .selectFrom('allocations')
      .innerJoin('consumers', 'consumers.uuid', 'allocations.consumer_uuid')
      .select((eb) => [sql<string>`resource_class`.as('what'), eb.fn.sum<number>('used').as('amount')])
      .where('consumers.project_id', '=', projectId)
      .groupBy('resource_class')
    if (userId !== null) {
      servers = servers.where('user_id', '=', userId)
      claimed = claimed.where('consumers.user_id', '=', userId)
    }
    const waiting = (resourceClass: string, column: 'vcpus' | 'memory_mb' | 'disk_gb') => {
      const query = db
        .selectFrom('build_requests')
        .select((eb) => [
          sql<string>`cast(${sql.lit(resourceClass)} as varchar(255))`.as('what'),
          eb.fn.coalesce(eb.fn.sum<number>(column), eb.lit(0)).as('amount'),
        ])
        .where('project_id', '=', projectId)
        .where('instance_uuid', 'not in', (eb) => eb.selectFrom('consumers').select('uuid').where('project_id', '=', projectId))
      if (userId === null) return query
      return query.where('instance_uuid', 'in', (eb) =>
        eb.selectFrom('instance_mappings').select('instance_uuid').where('project_id', '=', projectId).where('user_id', '=', userId),
      )
    }
    // One statement sees one moment: a request that turns into a claim meanwhile is counted once, never twice and never not at all.
    const rows = await servers
      .unionAll(claimed)
      .unionAll(waiting('VCPU', 'vcpus'))
      .unionAll(waiting('MEMORY_MB', 'memory_mb'))
      .unionAll(waiting('DISK_GB', 'disk_gb'))
      .execute()
    const usage: Usage = { servers: 0, amounts: {} }
    for (const { what, amount } of rows) {
      if (what === 'servers') usage.servers = Number(amount)
      else usage.amounts[what] = (usage.amounts[what] ?? 0) + Number(amount)
    }
    return usage
  }
}

const storedAmounts = z.object({ amounts: z.record(z.string(), z.number()) })

/**
 * Servers in the cells, and requests that have no cell yet. Servers of a cell that does not answer are missed, so a project may go
 * above its limits until the cell is back.
 */
export class CellUsage implements UsageCounter {
  readonly #cells: CellsService

  constructor(cells: CellsService) {
    this.#cells = cells
  }

  async prepare(projectId: string): Promise<CellView> {
    const { answers, missing } = await this.#cells.scatter(await this.#cells.all(), ({ database }) => {
      const ofFlavor = (key: 'vcpus' | 'ramMb') =>
        database.dialect === 'sqlite'
          ? sql<number>`json_extract(flavor, ${sql.lit(`$.${key}`)})`
          : sql<number>`cast(cast(flavor as json)->>${sql.lit(key)} as integer)`
      return database.read
        .selectFrom('instances')
        .select(['uuid', 'user_id', ofFlavor('vcpus').as('vcpus'), ofFlavor('ramMb').as('ram_mb')])
        .where('project_id', '=', projectId)
        .where('deleted_at', 'is', null)
        .execute()
    })
    const servers = new Map<string, SeenServer>()
    for (const row of answers.flatMap(({ value }) => value)) {
      servers.set(row.uuid, { userId: row.user_id, vcpus: Number(row.vcpus), ramMb: Number(row.ram_mb) })
    }
    return { servers, missing: new Set(missing) }
  }

  async count(db: Reader, owner: { projectId: string; userId: string | null }, view: CellView | null): Promise<Usage> {
    const seen = view ?? { servers: new Map<string, SeenServer>(), missing: new Set<string>() }
    const usage: Usage = { servers: 0, amounts: { VCPU: 0, MEMORY_MB: 0 } }
    const add = (userId: string, vcpus: number, ramMb: number): void => {
      if (owner.userId !== null && owner.userId !== userId) return
      usage.servers += 1
      usage.amounts.VCPU = (usage.amounts.VCPU ?? 0) + vcpus
      usage.amounts.MEMORY_MB = (usage.amounts.MEMORY_MB ?? 0) + ramMb
    }
    for (const server of seen.servers.values()) add(server.userId, server.vcpus, server.ramMb)
    const mapped = await db
      .selectFrom('instance_mappings')
      .leftJoin('build_requests', 'build_requests.instance_uuid', 'instance_mappings.instance_uuid')
      .select(['instance_mappings.instance_uuid as uuid', 'cell_uuid', 'user_id', 'vcpus', 'memory_mb'])
      .where('instance_mappings.project_id', '=', owner.projectId)
      .where('queued_for_delete', '=', 0)
      .execute()
    const unseen: { uuid: string; user_id: string }[] = []
    for (const row of mapped) {
      if (seen.servers.has(row.uuid)) continue
      if (row.vcpus !== null && row.memory_mb !== null) add(row.user_id, row.vcpus, row.memory_mb)
      else if (row.cell_uuid === null || !seen.missing.has(row.cell_uuid)) unseen.push(row)
    }
    // Made, and moved to its cell, after the cells were asked.
    for (const [uuid, amounts] of await requestedAmounts(db, unseen)) {
      const { user_id } = unseen.find((row) => row.uuid === uuid) ?? { user_id: '' }
      add(user_id, amounts.VCPU ?? 0, amounts.MEMORY_MB ?? 0)
    }
    return usage
  }
}

async function requestedAmounts(db: Reader, servers: readonly { uuid: string }[]): Promise<[string, Record<string, number>][]> {
  if (servers.length === 0) return []
  const rows = await db
    .selectFrom('request_specs')
    .select(['instance_uuid', 'spec'])
    .where(
      'instance_uuid',
      'in',
      servers.map((server) => server.uuid),
    )
    .execute()
  return rows.map((row) => [row.instance_uuid, storedAmounts.parse(JSON.parse(row.spec)).amounts])
}

/** Whoever changes what counts against a project, or its limits, holds this until the end of the transaction. False: no such project. */
export const lockProject = async (db: Database<ApiSchema>, reader: Reader, projectId: string): Promise<boolean> => {
  let query = reader.selectFrom('projects').select('id').where('id', '=', projectId)
  if (db.dialect === 'postgres') query = query.forUpdate()
  return (await query.executeTakeFirst()) !== undefined
}

export const usageCounterFor = (
  options: { driver: QuotaDriver; count_usage_from_placement: boolean },
  cells: CellsService,
): UsageCounter =>
  options.count_usage_from_placement || options.driver === 'nova.quota.UnifiedLimitsDriver' ? new PlacementUsage() : new CellUsage(cells)
