/** Flavors: sizes that servers copy at creation (B-FLV). */
import { randomUUID } from 'node:crypto'
import { CloudError } from '@kilonova/contract/errors'
import { payload } from '@kilonova/contract/events'
import type { Transaction } from 'kysely'
import { type Caller } from '../../caller.js'
import type { CellsService } from '../../cells/cells.service.js'
import { type Database, isUniqueViolation, type Row } from '../../db/database.js'
import { listPage } from '../../db/list.js'
import { containsText, listFingerprint, type Page, type PageRequest } from '../../db/paging.js'
import { type OrderInput, sortKeys } from '../../db/resource-order.js'
import type { ApiSchema } from '../../db/schemas.js'
import type { Outbox } from '../../events/outbox.js'
import { parseInput } from '../../parse-input.js'
import type { Policy } from '../../policy/policy.js'
import type { IdempotencyService } from '../idempotency/idempotency.service.js'
import { refuseStale } from '../identity/identity.service.js'
import { checkedSpecs, createFlavor, deleteExtraSpecs, setExtraSpecs, updateFlavor } from './flavor.rules.js'
import { FlavorAccessList } from './flavor-access.js'

export type FlavorRow = Row<ApiSchema, 'flavors'>

export interface FlavorFilterInput {
  minRamMb?: number | null
  minDiskGb?: number | null
  minVcpus?: number | null
  search?: string | null
  isPublic?: boolean | null
  allFlavors?: boolean | null
}

const columns = {
  ID: 'id',
  NAME: 'name',
  CREATED_AT: 'created_at',
  UPDATED_AT: 'updated_at',
  DESCRIPTION: 'description',
  VCPUS: 'vcpus',
  RAM_MB: 'ram_mb',
  DISK_GB: 'disk_gb',
  EPHEMERAL_GB: 'ephemeral_gb',
  SWAP_MB: 'swap_mb',
  RXTX_FACTOR: 'rxtx_factor',
  IS_PUBLIC: 'is_public',
  DISABLED: 'disabled',
}

export interface FlavorServiceOptions {
  db: Database<ApiSchema>
  cells: CellsService
  outbox: Outbox<ApiSchema>
  policy: Policy
  idempotency: IdempotencyService
  maxPageSize: number
}

export class FlavorService {
  readonly #options: FlavorServiceOptions
  readonly #access: FlavorAccessList

  constructor(options: FlavorServiceOptions) {
    this.#options = options
    const { db, policy, idempotency } = options
    this.#access = new FlavorAccessList({
      db,
      policy,
      idempotency,
      tell: (trx, caller, id) => this.#tell(trx, caller, 'flavor.update', id, {}),
    })
  }

  get #db(): Database<ApiSchema> {
    return this.#options.db
  }

  /** Flavors by id that the caller may see: public ones, private ones its project has access to, and for administrators all. */
  async visibleById(caller: Caller, ids: readonly string[]): Promise<Map<string, FlavorRow>> {
    const rows = await this.#visible(caller, this.#options.policy.allows('os_compute_api:os-flavor-access', caller))
      .where('flavors.id', 'in', [...ids])
      .execute()
    return new Map(rows.map((row) => [row.id, row]))
  }

  async flavor(caller: Caller, id: string): Promise<FlavorRow | null> {
    return (await this.visibleById(caller, [id])).get(id) ?? null
  }

  async flavors(
    caller: Caller,
    request: PageRequest & { filter?: FlavorFilterInput | null; orderBy?: OrderInput[] | null },
  ): Promise<Page<FlavorRow>> {
    const { filter } = request
    if (filter?.allFlavors === true) this.#options.policy.enforce('os_compute_api:os-flavor-access', caller)
    let query = this.#visible(caller, filter?.allFlavors === true)
    if (filter?.minRamMb != null) query = query.where('ram_mb', '>=', filter.minRamMb)
    if (filter?.minDiskGb != null) query = query.where('disk_gb', '>=', filter.minDiskGb)
    if (filter?.minVcpus != null) query = query.where('vcpus', '>=', filter.minVcpus)
    if (filter?.isPublic != null) query = query.where('is_public', '=', filter.isPublic ? 1 : 0)
    if (filter?.search) {
      const text = filter.search
      query = query.where((eb) => eb.or([containsText('name', text), containsText('id', text)]))
    }
    return listPage(this.#db, query, request, {
      keys: sortKeys(request.orderBy, columns, { key: 'ID', direction: 'ASC' }),
      fingerprint: listFingerprint('flavors', caller.projectId, filter ?? null, request.orderBy ?? null),
      maximum: this.#options.maxPageSize,
      toNode: (row) => row,
    })
  }

  /** Projects on the access lists, by flavor. */
  accessOf(flavorIds: readonly string[]): Promise<Map<string, string[]>> {
    return this.#access.of(flavorIds)
  }

  async addAccess(caller: Caller, raw: unknown): Promise<FlavorRow> {
    return this.#require(await this.#access.add(caller, raw))
  }

  async removeAccess(caller: Caller, raw: unknown): Promise<FlavorRow> {
    return this.#require(await this.#access.remove(caller, raw))
  }

  /** How many servers that are not deleted were built with each flavor; nothing when a cell does not answer. */
  async serverCounts(flavorIds: readonly string[]): Promise<Map<string, number>> {
    const { cells } = this.#options
    const { answers, missing } = await cells.scatter(await cells.all(), ({ database }) =>
      database.read
        .selectFrom('instances')
        .select((eb) => ['flavor_id', eb.fn.countAll<number>().as('servers')])
        .where('flavor_id', 'in', [...flavorIds])
        .where('deleted_at', 'is', null)
        .groupBy('flavor_id')
        .execute(),
    )
    if (missing.length > 0) return new Map()
    const counts = new Map(flavorIds.map((id) => [id, 0]))
    for (const { value } of answers) {
      for (const { flavor_id, servers } of value) counts.set(flavor_id, (counts.get(flavor_id) ?? 0) + Number(servers))
    }
    return counts
  }

  async create(caller: Caller, raw: unknown): Promise<FlavorRow> {
    this.#options.policy.enforce('os_compute_api:os-flavor-manage:create', caller)
    const input = parseInput(createFlavor, raw)
    const specs = checkedSpecs(input.extraSpecs ?? [])
    const access = [...new Set(input.accessProjectIds ?? [])]
    if (input.isPublic && access.length > 0) {
      throw CloudError.badInput('input.accessProjectIds', 'A public flavor has no access list.')
    }
    await this.#requireProjects(access)
    const { id } = await this.#options.idempotency.run(caller, {
      mutation: 'createFlavor',
      key: input.idempotencyKey,
      input,
      choose: () => ({ id: input.id ?? randomUUID() }),
      work: async (refs, done) => {
        try {
          await this.#db.transaction(async (trx) => {
            await insertFlavor(this.#db, trx, { ...input, id: refs.id, extraSpecs: specs })
            if (access.length > 0) {
              await trx
                .insertInto('flavor_projects')
                .values(access.map((project_id) => ({ flavor_id: refs.id, project_id })))
                .execute()
            }
            await this.#tell(trx, caller, 'flavor.create', refs.id, { name: input.name })
            await done(trx, refs)
          })
        } catch (error) {
          if (!isUniqueViolation(error)) throw error
          const sameId = await this.#db.read.selectFrom('flavors').select('id').where('id', '=', refs.id).executeTakeFirst()
          throw sameId !== undefined
            ? new CloudError('ALREADY_EXISTS', `Flavor with ID ${refs.id} already exists.`, {
                exception: 'FlavorIdExists',
                fields: ['input.id'],
              })
            : new CloudError('ALREADY_EXISTS', `Flavor with name ${input.name} already exists.`, {
                exception: 'FlavorExists',
                fields: ['input.name'],
              })
        }
        return refs
      },
    })
    return this.#require(id)
  }

  async update(caller: Caller, raw: unknown): Promise<FlavorRow> {
    this.#options.policy.enforce('os_compute_api:os-flavor-manage:update', caller)
    const input = parseInput(updateFlavor, raw)
    return this.#change(caller, 'updateFlavor', input, () => (input.description === undefined ? {} : { description: input.description }))
  }

  /** Writes extra specs and keeps the others. */
  async setExtraSpecs(caller: Caller, raw: unknown): Promise<FlavorRow> {
    this.#options.policy.enforce('os_compute_api:os-flavor-extra-specs:create', caller)
    this.#options.policy.enforce('os_compute_api:os-flavor-extra-specs:update', caller)
    const input = parseInput(setExtraSpecs, raw)
    const specs = checkedSpecs(input.extraSpecs)
    return this.#change(caller, 'setFlavorExtraSpecs', input, (row) => ({ extra_specs: JSON.stringify({ ...specsOf(row), ...specs }) }))
  }

  /** Removes extra specs; their keys are not validated, so that what an older version let in can go. */
  async deleteExtraSpecs(caller: Caller, raw: unknown): Promise<FlavorRow> {
    this.#options.policy.enforce('os_compute_api:os-flavor-extra-specs:delete', caller)
    const input = parseInput(deleteExtraSpecs, raw)
    return this.#change(caller, 'deleteFlavorExtraSpecs', input, (row) => {
      const specs = specsOf(row)
      for (const [index, key] of input.keys.entries()) {
        if (!Object.hasOwn(specs, key)) {
          throw new CloudError('NOT_FOUND', `Flavor ${row.id} has no extra specs with key ${key}.`, {
            exception: 'FlavorExtraSpecsNotFound',
            fields: [`input.keys.${index}`],
          })
        }
      }
      return { extra_specs: JSON.stringify(Object.fromEntries(Object.entries(specs).filter(([key]) => !input.keys.includes(key)))) }
    })
  }

  async delete(caller: Caller, raw: { flavorId: string; idempotencyKey?: string | null }): Promise<string> {
    this.#options.policy.enforce('os_compute_api:os-flavor-manage:delete', caller)
    const refs = await this.#options.idempotency.run(caller, {
      mutation: 'deleteFlavor',
      key: raw.idempotencyKey,
      input: raw,
      choose: () => ({ id: raw.flavorId }),
      work: async (chosen, done) => {
        const row = await this.#require(raw.flavorId)
        await this.#db.transaction(async (trx) => {
          await trx.deleteFrom('flavor_projects').where('flavor_id', '=', row.id).execute()
          await trx.deleteFrom('flavors').where('id', '=', row.id).execute()
          await this.#tell(trx, caller, 'flavor.delete', row.id, { name: row.name })
          await done(trx, chosen)
        })
        return chosen
      },
    })
    return refs.id
  }

  async #change(
    caller: Caller,
    mutation: string,
    raw: { flavorId: string; expectedGeneration?: number | null | undefined; idempotencyKey?: string | null | undefined },
    change: (row: FlavorRow) => Partial<FlavorRow>,
  ): Promise<FlavorRow> {
    await this.#options.idempotency.run(caller, {
      mutation,
      key: raw.idempotencyKey,
      input: raw,
      choose: () => ({ id: raw.flavorId }),
      work: async (refs, done) => {
        await this.#db.transaction(async (trx) => {
          // The lock lets two writers of different keys both have their way.
          const row = await trx
            .selectFrom('flavors')
            .selectAll()
            .where('id', '=', raw.flavorId)
            .modifyEnd(this.#db.lockClause())
            .executeTakeFirst()
          if (row === undefined) throw CloudError.notFound('Flavor', raw.flavorId)
          refuseStale(row.generation, raw.expectedGeneration)
          const values = change(row)
          await trx
            .updateTable('flavors')
            .set((eb) => ({ ...values, generation: eb('generation', '+', 1), updated_at: this.#db.now }))
            .where('id', '=', row.id)
            .execute()
          await this.#tell(trx, caller, 'flavor.update', row.id, { name: row.name })
          await done(trx, refs)
        })
        return refs
      },
    })
    return this.#require(raw.flavorId)
  }

  /** Public flavors and those the project has access to; or everybody's. */
  #visible(caller: Caller, all: boolean) {
    const query = this.#db.read.selectFrom('flavors').selectAll('flavors')
    if (all) return query
    return query.where((eb) =>
      eb.or([
        eb('is_public', '=', 1),
        eb(
          'flavors.id',
          'in',
          eb
            .selectFrom('flavor_projects')
            .select('flavor_id')
            .where('project_id', '=', caller.projectId ?? ''),
        ),
      ]),
    )
  }

  async #require(id: string): Promise<FlavorRow> {
    const row = await this.#db.read.selectFrom('flavors').selectAll().where('id', '=', id).executeTakeFirst()
    if (row === undefined) throw CloudError.notFound('Flavor', id)
    return row
  }

  async #requireProjects(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    const rows = await this.#db.read
      .selectFrom('projects')
      .select('id')
      .where('id', 'in', [...ids])
      .execute()
    const missing = ids.find((id) => !rows.some((row) => row.id === id))
    if (missing !== undefined)
      throw CloudError.invalidReference(
        `input.accessProjectIds.${ids.indexOf(missing)}`,
        `Project ${missing} could not be found.`,
        'ProjectNotFound',
      )
  }

  async #tell(
    trx: Transaction<ApiSchema>,
    caller: Caller,
    eventType: string,
    flavorId: string,
    data: Record<string, unknown>,
  ): Promise<void> {
    await this.#options.outbox.append(trx, [
      {
        eventType,
        subject: 'FLAVOR',
        subjectId: flavorId,
        projectId: null,
        userId: caller.userId,
        requestId: caller.requestId,
        payload: payload('FlavorPayload', { flavorid: flavorId, ...data }),
      },
    ])
  }
}

export interface NewFlavor {
  id: string
  name: string
  description?: string | null | undefined
  vcpus: number
  ramMb: number
  diskGb: number
  ephemeralGb: number
  swapMb: number
  rxtxFactor: number
  isPublic: boolean
  extraSpecs: Record<string, string>
}

export async function insertFlavor(db: Database<ApiSchema>, trx: Transaction<ApiSchema>, flavor: NewFlavor): Promise<void> {
  await trx
    .insertInto('flavors')
    .values({
      id: flavor.id,
      name: flavor.name,
      description: flavor.description ?? null,
      vcpus: flavor.vcpus,
      ram_mb: flavor.ramMb,
      disk_gb: flavor.diskGb,
      ephemeral_gb: flavor.ephemeralGb,
      swap_mb: flavor.swapMb,
      rxtx_factor: flavor.rxtxFactor,
      is_public: flavor.isPublic ? 1 : 0,
      extra_specs: JSON.stringify(flavor.extraSpecs),
      created_at: db.now,
      updated_at: null,
    })
    .execute()
}

export const specsOf = (row: { extra_specs: string }): Record<string, string> => JSON.parse(row.extra_specs) as Record<string, string>
