/** Quotas over real databases without a cloud: servers are rows, written as createServer writes them. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '@kilonova/runtime/logger'
import type { Transaction } from 'kysely'
import { CellsService, cell0Id } from '../../cells/cells.service.js'
import { Database, type DialectName } from '../../db/database.js'
import { migrate } from '../../db/migrator.js'
import type { ApiSchema, CellSchema } from '../../db/schemas.js'
import { type Scratch, scratchDatabase } from '../../db/scratch.testkit.js'
import { limitSourceFor, type QuotaDriver } from './quota.limits.js'
import { QuotaService } from './quota.service.js'
import { usageCounterFor } from './quota.usage.js'

export interface WorldOptions {
  driver?: QuotaDriver
  count_usage_from_placement?: boolean
  recheck?: boolean
}

const log = createLogger('silent')
export const size = { VCPU: 1, MEMORY_MB: 512, DISK_GB: 2 }

export class QuotaWorld {
  readonly #scratch: Scratch
  readonly #folder: string
  readonly cells: CellsService

  private constructor(scratch: Scratch, folder: string, cell: Database<CellSchema>) {
    this.#scratch = scratch
    this.#folder = folder
    this.cells = new CellsService({ api: scratch.database, timeoutSeconds: 5, log })
    this.cells.adopt({ id: cell0Id, database: cell })
  }

  /** One cell, in SQLite on both dialects. */
  static async make(dialect: DialectName): Promise<QuotaWorld> {
    const scratch = await scratchDatabase(dialect)
    const folder = mkdtempSync(join(tmpdir(), 'kilonova-quotas-'))
    const cell = new Database<CellSchema>({ url: `sqlite://${join(folder, 'cell.db')}`, name: 'cell', log })
    await migrate(cell, 'cell')
    await scratch.database.transaction((trx) =>
      trx
        .insertInto('cell_mappings')
        .values({ uuid: cell0Id, name: 'cell', transport_url: '', database_connection: '', created_at: 0, updated_at: 0 })
        .execute(),
    )
    return new QuotaWorld(scratch, folder, cell)
  }

  get db(): Database<ApiSchema> {
    return this.#scratch.database
  }

  quotas(options: WorldOptions = {}): QuotaService {
    const { driver = 'nova.quota.DbQuotaDriver', count_usage_from_placement = true, recheck = true } = options
    const limits = limitSourceFor(driver, { instances: 10, cores: 20, ram: 51200, metadata_items: 128, key_pairs: 100 })
    return new QuotaService({ db: this.db, limits, usage: usageCounterFor({ driver, count_usage_from_placement }, this.cells), recheck })
  }

  async project(): Promise<string> {
    const id = randomUUID()
    const row = { id, name: id, tags: '[]', created_at: 0, updated_at: 0 }
    await this.db.transaction((trx) => trx.insertInto('projects').values(row).execute())
    return id
  }

  /** As createServer does. */
  async write(trx: Transaction<ApiSchema>, owner: { projectId: string; userId: string }): Promise<string> {
    const uuid = randomUUID()
    const spec = JSON.stringify({ amounts: size })
    await trx.insertInto('request_specs').values({ instance_uuid: uuid, spec, created_at: 0 }).execute()
    await trx
      .insertInto('build_requests')
      .values({
        instance_uuid: uuid,
        project_id: owner.projectId,
        instance: '{}',
        vcpus: size.VCPU,
        memory_mb: size.MEMORY_MB,
        disk_gb: size.DISK_GB,
        created_at: 0,
        updated_at: 0,
      })
      .execute()
    await trx
      .insertInto('instance_mappings')
      .values({ instance_uuid: uuid, project_id: owner.projectId, user_id: owner.userId, created_at: 0 })
      .execute()
    return uuid
  }

  /** As the conductor does once a server has its cell: the request is gone. */
  async moveToCell(uuid: string, cellId: string = cell0Id): Promise<void> {
    await this.db.transaction(async (trx) => {
      await trx.updateTable('instance_mappings').set({ cell_uuid: cellId }).where('instance_uuid', '=', uuid).execute()
      await trx.deleteFrom('build_requests').where('instance_uuid', '=', uuid).execute()
    })
  }

  async servers(projectId: string): Promise<number> {
    return (await this.db.read.selectFrom('instance_mappings').select('instance_uuid').where('project_id', '=', projectId).execute()).length
  }

  async drop(): Promise<void> {
    await this.cells.close()
    await this.#scratch.drop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
