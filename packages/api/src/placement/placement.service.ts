/** Placement: inventories, claims with generations, and the amounts the scheduler looks at. */
import { CloudError } from '@kilonova/contract/errors'
import { sql, type Transaction } from 'kysely'
import type { Database } from '../db/database.js'
import type { ApiSchema } from '../db/schemas.js'

export type ResourceAmounts = Record<string, number>

export interface InventoryReport {
  total: number
  reserved: number
  minUnit: number
  maxUnit: number
  stepSize: number
  /** Always written when given (C-ALR-2, first rule). */
  allocationRatio: number | null
  /** Written when the inventory is new (second rule). */
  initialAllocationRatio: number
}

export interface ProviderSnapshot {
  providerId: string
  name: string
  inventories: Record<
    string,
    { total: number; reserved: number; minUnit: number; maxUnit: number; stepSize: number; ratio: number; used: number }
  >
  traits: ReadonlySet<string>
}

/** On the providers of disabled hosts (D-SVC-3). It is the cloud's, not the agent's: a report of the agent leaves it as it is. */
export const disabledTrait = 'COMPUTE_STATUS_DISABLED'

/** Whether an amount fits: the one formula, for SQL see `candidates`. */
export function fits(inventory: ProviderSnapshot['inventories'][string], amount: number): boolean {
  return (
    amount >= inventory.minUnit &&
    amount <= inventory.maxUnit &&
    amount % inventory.stepSize === 0 &&
    inventory.used + amount <= Math.floor((inventory.total - inventory.reserved) * inventory.ratio)
  )
}

export class PlacementService {
  readonly #db: Database<ApiSchema>

  constructor(db: Database<ApiSchema>) {
    this.#db = db
  }

  /** Records what a host has (C-ALR-2, C-ALR-4). Safe to repeat. */
  async reportInventory(providerId: string, name: string, inventories: Record<string, InventoryReport>, traits: string[]): Promise<void> {
    await this.#db.transaction(async (trx) => {
      const { now } = this.#db
      await trx
        .insertInto('resource_providers')
        .values({ uuid: providerId, name, generation: 0, created_at: now, updated_at: now })
        .onConflict((conflict) => conflict.column('uuid').doUpdateSet({ name }))
        .execute()
      await this.#lockProvider(trx, providerId)
      const before = await trx.selectFrom('inventories').selectAll().where('provider_uuid', '=', providerId).execute()
      let changed = false
      for (const [resourceClass, report] of Object.entries(inventories)) {
        const old = before.find((row) => row.resource_class === resourceClass)
        const row = {
          provider_uuid: providerId,
          resource_class: resourceClass,
          total: report.total,
          reserved: report.reserved,
          min_unit: report.minUnit,
          max_unit: report.maxUnit,
          step_size: report.stepSize,
          allocation_ratio: report.allocationRatio ?? old?.allocation_ratio ?? report.initialAllocationRatio,
        }
        if (old !== undefined && (Object.keys(row) as (keyof typeof row)[]).every((key) => old[key] === row[key])) continue
        changed = true
        const { provider_uuid: _provider, resource_class: _class, ...values } = row
        await trx
          .insertInto('inventories')
          .values(row)
          .onConflict((conflict) => conflict.columns(['provider_uuid', 'resource_class']).doUpdateSet(values))
          .execute()
      }
      // Traits the agent owns are replaced; CUSTOM_ traits belong to others (C-TRT-2).
      const oldTraits = await trx.selectFrom('provider_traits').select('trait').where('provider_uuid', '=', providerId).execute()
      const owned = oldTraits.map((row) => row.trait).filter((trait) => !trait.startsWith('CUSTOM_') && trait !== disabledTrait)
      const gone = owned.filter((trait) => !traits.includes(trait))
      const added = traits.filter((trait) => !oldTraits.some((row) => row.trait === trait))
      if (gone.length > 0) {
        await trx.deleteFrom('provider_traits').where('provider_uuid', '=', providerId).where('trait', 'in', gone).execute()
      }
      if (added.length > 0) {
        await trx
          .insertInto('provider_traits')
          .values(added.map((trait) => ({ provider_uuid: providerId, trait })))
          .execute()
      }
      if (changed || gone.length > 0 || added.length > 0) await this.#bumpGeneration(trx, providerId)
    })
  }

  /** Puts a trait on a provider, or takes it away. A provider that is not there has none. */
  async setTrait(providerId: string, trait: string, wanted: boolean): Promise<void> {
    await this.#db.transaction(async (trx) => {
      if (!(await this.#lockProvider(trx, providerId))) return
      const mine = { provider_uuid: providerId, trait }
      const changed = wanted
        ? await trx
            .insertInto('provider_traits')
            .values(mine)
            .onConflict((conflict) => conflict.doNothing())
            .returning('trait')
            .execute()
        : await trx
            .deleteFrom('provider_traits')
            .where('provider_uuid', '=', providerId)
            .where('trait', '=', trait)
            .returning('trait')
            .execute()
      if (changed.length > 0) await this.#bumpGeneration(trx, providerId)
    })
  }

  /**
   * Takes a provider away with all it has, and the claims on it of servers that are gone. Answers how many servers that still
   * exist hold claims on it: with any, nothing is taken away. After it nothing can be claimed there.
   */
  async removeProvider(trx: Transaction<ApiSchema>, providerId: string): Promise<{ claimedBy: number }> {
    await this.#lockProvider(trx, providerId)
    const claims = trx.selectFrom('allocations').select('consumer_uuid').where('provider_uuid', '=', providerId)
    const living = await trx
      .selectFrom('instance_mappings')
      .select('instance_uuid')
      .where('queued_for_delete', '=', 0)
      .where('instance_uuid', 'in', claims)
      .execute()
    if (living.length > 0) return { claimedBy: living.length }
    const orphans = await trx.deleteFrom('allocations').where('provider_uuid', '=', providerId).returning('consumer_uuid').execute()
    if (orphans.length > 0) {
      const ids = [...new Set(orphans.map((row) => row.consumer_uuid))]
      await trx
        .deleteFrom('consumers')
        .where('uuid', 'in', ids)
        .where(({ not, exists, selectFrom }) =>
          not(exists(selectFrom('allocations').select('allocations.used').whereRef('allocations.consumer_uuid', '=', 'consumers.uuid'))),
        )
        .execute()
    }
    await trx.deleteFrom('inventories').where('provider_uuid', '=', providerId).execute()
    await trx.deleteFrom('provider_traits').where('provider_uuid', '=', providerId).execute()
    await trx.deleteFrom('resource_providers').where('uuid', '=', providerId).execute()
    return { claimedBy: 0 }
  }

  /** What each project holds on the providers, by provider and class. */
  async projectUseOf(providerIds: readonly string[]): Promise<Map<string, Map<string, ResourceAmounts>>> {
    const rows = await this.#db.read
      .selectFrom('allocations')
      .innerJoin('consumers', 'consumers.uuid', 'allocations.consumer_uuid')
      .select(['provider_uuid', 'project_id', 'resource_class', (eb) => eb.fn.sum<number>('used').as('used')])
      .where('provider_uuid', 'in', [...providerIds])
      .groupBy(['provider_uuid', 'project_id', 'resource_class'])
      .orderBy('project_id')
      .execute()
    const result = new Map<string, Map<string, ResourceAmounts>>()
    for (const row of rows) {
      const projects = result.get(row.provider_uuid) ?? new Map<string, ResourceAmounts>()
      projects.set(row.project_id, { ...projects.get(row.project_id), [row.resource_class]: Number(row.used) })
      result.set(row.provider_uuid, projects)
    }
    return result
  }

  /**
   * Takes the resources for a consumer on one provider, or answers false when they are not there. Repeating a claim that stands
   * changes nothing. A consumer holds a claim on one provider only: a claim elsewhere must be released first.
   */
  async claim(consumer: { id: string; projectId: string; userId: string }, providerId: string, amounts: ResourceAmounts): Promise<boolean> {
    return this.#db.transaction(async (trx) => {
      const { now } = this.#db
      await this.#lockProvider(trx, providerId)
      const mine = await trx.selectFrom('allocations').selectAll().where('consumer_uuid', '=', consumer.id).execute()
      if (mine.length > 0) {
        if (mine.every((row) => row.provider_uuid === providerId)) return true
        throw new CloudError('CONFLICT', `Consumer ${consumer.id} holds allocations elsewhere.`, {
          exception: 'ConsumerAllocationConflict',
        })
      }
      const wanted = Object.entries(amounts).filter(([, amount]) => amount > 0)
      const inventories = await this.#inventoriesOf(trx, [providerId])
      for (const [resourceClass, amount] of wanted) {
        const inventory = inventories.get(providerId)?.[resourceClass]
        if (inventory === undefined || !fits(inventory, amount)) return false
      }
      await trx
        .insertInto('consumers')
        .values({ uuid: consumer.id, project_id: consumer.projectId, user_id: consumer.userId, generation: 0, created_at: now })
        .onConflict((conflict) => conflict.column('uuid').doNothing())
        .execute()
      if (wanted.length > 0) {
        await trx
          .insertInto('allocations')
          .values(
            wanted.map(([resourceClass, used]) => ({
              consumer_uuid: consumer.id,
              provider_uuid: providerId,
              resource_class: resourceClass,
              used,
            })),
          )
          .execute()
      }
      await this.#bumpGeneration(trx, providerId)
      return true
    })
  }

  /** Gives back everything a consumer holds. Safe to repeat. */
  async release(consumerId: string): Promise<void> {
    await this.#db.transaction(async (trx) => {
      const rows = await trx.deleteFrom('allocations').where('consumer_uuid', '=', consumerId).returning('provider_uuid').execute()
      await trx.deleteFrom('consumers').where('uuid', '=', consumerId).execute()
      for (const providerId of new Set(rows.map((row) => row.provider_uuid))) await this.#bumpGeneration(trx, providerId)
    })
  }

  /** All providers with what is used of them: what the scheduler decides on. */
  async snapshot(): Promise<ProviderSnapshot[]> {
    const db = this.#db.read
    const [providers, inventories, traits] = await Promise.all([
      db.selectFrom('resource_providers').select(['uuid', 'name']).execute(),
      this.#inventoriesOf(db, null),
      db.selectFrom('provider_traits').selectAll().execute(),
    ])
    const traitsOf = new Map<string, Set<string>>()
    for (const row of traits) {
      const set = traitsOf.get(row.provider_uuid) ?? new Set()
      set.add(row.trait)
      traitsOf.set(row.provider_uuid, set)
    }
    return providers.map((provider) => ({
      providerId: provider.uuid,
      name: provider.name,
      inventories: inventories.get(provider.uuid) ?? {},
      traits: traitsOf.get(provider.uuid) ?? new Set(),
    }))
  }

  /** Providers with room for all amounts, by SQL: the reference for the scheduler's in-memory answer. */
  async candidates(amounts: ResourceAmounts): Promise<string[]> {
    let query = this.#db.read.selectFrom('resource_providers').select('uuid').orderBy('uuid')
    for (const [resourceClass, amount] of Object.entries(amounts)) {
      if (amount === 0) continue
      query = query.where(({ exists, selectFrom }) =>
        exists(
          selectFrom('inventories')
            .select('inventories.total')
            .whereRef('inventories.provider_uuid', '=', 'resource_providers.uuid')
            .where('inventories.resource_class', '=', resourceClass)
            .where('min_unit', '<=', amount)
            .where('max_unit', '>=', amount)
            .where(sql<boolean>`${amount} % step_size = 0`)
            .where(
              sql<boolean>`${amount} + coalesce((select sum(used) from allocations where allocations.provider_uuid = inventories.provider_uuid and allocations.resource_class = inventories.resource_class), 0) <= floor((total - reserved) * allocation_ratio)`,
            ),
        ),
      )
    }
    return (await query.execute()).map((row) => row.uuid)
  }

  /** Sums of a project's claims by class. */
  async usageOf(projectId: string): Promise<ResourceAmounts> {
    const rows = await this.#db.read
      .selectFrom('allocations')
      .innerJoin('consumers', 'consumers.uuid', 'allocations.consumer_uuid')
      .select(['resource_class', (eb) => eb.fn.sum<number>('used').as('used')])
      .where('consumers.project_id', '=', projectId)
      .groupBy('resource_class')
      .execute()
    return Object.fromEntries(rows.map((row): [string, number] => [row.resource_class, Number(row.used)]))
  }

  async allocationsOf(consumerId: string): Promise<{ providerId: string; resourceClass: string; used: number }[]> {
    const rows = await this.#db.read.selectFrom('allocations').selectAll().where('consumer_uuid', '=', consumerId).execute()
    return rows.map((row) => ({ providerId: row.provider_uuid, resourceClass: row.resource_class, used: row.used }))
  }

  async #inventoriesOf(
    db: Pick<Transaction<ApiSchema>, 'selectFrom'>,
    providerIds: string[] | null,
  ): Promise<Map<string, ProviderSnapshot['inventories']>> {
    let inventoryQuery = db.selectFrom('inventories').selectAll()
    let usageQuery = db
      .selectFrom('allocations')
      .select(['provider_uuid', 'resource_class', (eb) => eb.fn.sum<number>('used').as('used')])
      .groupBy(['provider_uuid', 'resource_class'])
    if (providerIds !== null) {
      inventoryQuery = inventoryQuery.where('provider_uuid', 'in', providerIds)
      usageQuery = usageQuery.where('provider_uuid', 'in', providerIds)
    }
    const inventories = await inventoryQuery.execute()
    const usages = await usageQuery.execute()
    const used = new Map(usages.map((row) => [`${row.provider_uuid} ${row.resource_class}`, Number(row.used)]))
    const result = new Map<string, ProviderSnapshot['inventories']>()
    for (const row of inventories) {
      const entry = result.get(row.provider_uuid) ?? {}
      entry[row.resource_class] = {
        total: row.total,
        reserved: row.reserved,
        minUnit: row.min_unit,
        maxUnit: row.max_unit,
        stepSize: row.step_size,
        ratio: row.allocation_ratio,
        used: used.get(`${row.provider_uuid} ${row.resource_class}`) ?? 0,
      }
      result.set(row.provider_uuid, entry)
    }
    return result
  }

  /** False: there is no such provider. */
  async #lockProvider(trx: Transaction<ApiSchema>, providerId: string): Promise<boolean> {
    let query = trx.selectFrom('resource_providers').select('generation').where('uuid', '=', providerId)
    if (this.#db.dialect === 'postgres') query = query.forUpdate()
    return (await query.executeTakeFirst()) !== undefined
  }

  async #bumpGeneration(trx: Transaction<ApiSchema>, providerId: string): Promise<void> {
    await trx
      .updateTable('resource_providers')
      .set((eb) => ({ generation: eb('generation', '+', 1), updated_at: this.#db.now }))
      .where('uuid', '=', providerId)
      .execute()
  }
}
