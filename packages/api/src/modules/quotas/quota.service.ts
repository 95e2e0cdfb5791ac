/** Limits of a project and what counts against them (A-ACT-42, A-CELL-37): usage is counted from placement and the API database. */
import { CloudError } from '@kilonova/contract/errors'
import type { Transaction } from 'kysely'
import type { Database } from '../../db/database.js'
import type { ApiSchema } from '../../db/schemas.js'

export type ServerQuotas = { instances: number; cores: number; ram: number }

export class QuotaService {
  readonly #db: Database<ApiSchema>
  readonly #defaults: ServerQuotas

  constructor(db: Database<ApiSchema>, defaults: ServerQuotas) {
    this.#db = db
    this.#defaults = defaults
  }

  /**
   * How many servers of a size, at least `minCount`, may be made now. Runs in the transaction that writes them and locks the project,
   * so that parallel requests cannot both take the last place. Throws QUOTA_EXCEEDED naming what is short.
   */
  async admitServers(
    trx: Transaction<ApiSchema>,
    projectId: string,
    size: { vcpus: number; ramMb: number },
    counts: { minCount: number; maxCount: number },
  ): Promise<number> {
    await this.#lockProject(trx, projectId)
    const limits = await this.#limits(trx, projectId)
    const used = await this.#usage(trx, projectId)
    const perServer: ServerQuotas = { instances: 1, cores: size.vcpus, ram: size.ramMb }
    let admitted = counts.maxCount
    for (const resource of ['instances', 'cores', 'ram'] as const) {
      const limit = limits[resource]
      if (limit < 0) continue
      const room = Math.floor((limit - used[resource]) / perServer[resource])
      if (room < counts.minCount) {
        const requested = perServer[resource] * counts.minCount
        throw new CloudError(
          'QUOTA_EXCEEDED',
          `Quota exceeded for ${resource}: Requested ${requested}, but already used ${used[resource]} of ${limit} ${resource}`,
          {
            exception: 'TooManyInstances',
          },
        )
      }
      admitted = Math.min(admitted, room)
    }
    return admitted
  }

  /** What createServer would meet: limit (-1: none) and use of each. */
  async serverQuotas(projectId: string): Promise<Record<keyof ServerQuotas, { limit: number; used: number }>> {
    const limits = await this.#limits(this.#db.read, projectId)
    const used = await this.#usage(this.#db.read, projectId)
    const of = (resource: keyof ServerQuotas) => ({ limit: limits[resource], used: used[resource] })
    return { instances: of('instances'), cores: of('cores'), ram: of('ram') }
  }

  async #lockProject(trx: Transaction<ApiSchema>, projectId: string): Promise<void> {
    let query = trx.selectFrom('projects').select('id').where('id', '=', projectId)
    if (this.#db.dialect === 'postgres') query = query.forUpdate()
    await query.execute()
  }

  async #limits(db: Pick<Transaction<ApiSchema>, 'selectFrom'>, projectId: string): Promise<ServerQuotas> {
    const rows = await db.selectFrom('quotas').selectAll().where('project_id', '=', projectId).execute()
    const own = new Map(rows.map((row) => [row.resource, row.hard_limit]))
    return {
      instances: own.get('instances') ?? this.#defaults.instances,
      cores: own.get('cores') ?? this.#defaults.cores,
      ram: own.get('ram') ?? this.#defaults.ram,
    }
  }

  /** Claims in placement, and requests that have no claim yet. */
  async #usage(db: Pick<Transaction<ApiSchema>, 'selectFrom'>, projectId: string): Promise<ServerQuotas> {
    // One statement sees one moment: a request that turns into a claim meanwhile is counted once, never twice and never not at all.
    const claimed = (resourceClass: string) =>
      db
        .selectFrom('allocations')
        .innerJoin('consumers', 'consumers.uuid', 'allocations.consumer_uuid')
        .select((eb) => eb.fn.coalesce(eb.fn.sum<number>('used'), eb.lit(0)).as('used'))
        .where('consumers.project_id', '=', projectId)
        .where('resource_class', '=', resourceClass)
    const waiting = (column: 'vcpus' | 'memory_mb') =>
      db
        .selectFrom('build_requests')
        .select((eb) => eb.fn.coalesce(eb.fn.sum<number>(column), eb.lit(0)).as('asked'))
        .where('project_id', '=', projectId)
        .where('instance_uuid', 'not in', (eb) => eb.selectFrom('consumers').select('uuid').where('project_id', '=', projectId))
    const row = await db
      .selectFrom('instance_mappings')
      .select((eb) => [
        eb.fn.countAll<number>().as('instances'),
        claimed('VCPU').as('cores_claimed'),
        waiting('vcpus').as('cores_waiting'),
        claimed('MEMORY_MB').as('ram_claimed'),
        waiting('memory_mb').as('ram_waiting'),
      ])
      .where('project_id', '=', projectId)
      .where('queued_for_delete', '=', 0)
      .executeTakeFirstOrThrow()
    return {
      instances: Number(row.instances),
      cores: Number(row.cores_claimed) + Number(row.cores_waiting),
      ram: Number(row.ram_claimed) + Number(row.ram_waiting),
    }
  }
}
