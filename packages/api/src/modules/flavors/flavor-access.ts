/** Access lists of private flavors (B-FLV-3, D-FLV-5): which projects may use a flavor that is not public. */
import { CloudError } from '@kilonova/contract/errors'
import type { Transaction } from 'kysely'
import type { Caller } from '../../caller.js'
import { type Database, isUniqueViolation } from '../../db/database.js'
import type { ApiSchema } from '../../db/schemas.js'
import { parseInput } from '../../parse-input.js'
import type { Policy } from '../../policy/policy.js'
import type { IdempotencyService } from '../idempotency/idempotency.service.js'
import { accessInput } from './flavor.rules.js'

export interface FlavorAccessOptions {
  db: Database<ApiSchema>
  policy: Policy
  idempotency: IdempotencyService
  /** Writes the event of a change into its transaction. */
  tell: (trx: Transaction<ApiSchema>, caller: Caller, flavorId: string) => Promise<void>
}

export class FlavorAccessList {
  readonly #options: FlavorAccessOptions

  constructor(options: FlavorAccessOptions) {
    this.#options = options
  }

  /** Projects by flavor. */
  async of(flavorIds: readonly string[]): Promise<Map<string, string[]>> {
    const rows = await this.#options.db.read
      .selectFrom('flavor_projects')
      .selectAll()
      .where('flavor_id', 'in', [...flavorIds])
      .orderBy('project_id')
      .execute()
    const access = new Map<string, string[]>()
    for (const row of rows) access.set(row.flavor_id, [...(access.get(row.flavor_id) ?? []), row.project_id])
    return access
  }

  /** Lets a project use the flavor; answers the flavor's id. */
  async add(caller: Caller, raw: unknown): Promise<string> {
    const { policy, tell } = this.#options
    policy.enforce('os_compute_api:os-flavor-access:add_tenant_access', caller)
    return this.#change(caller, 'addFlavorAccess', raw, async (trx, { flavorId, projectId }) => {
      const known = await trx.selectFrom('projects').select('id').where('id', '=', projectId).executeTakeFirst()
      if (known === undefined) {
        throw CloudError.invalidReference('input.projectId', `Project ${projectId} could not be found.`, 'ProjectNotFound')
      }
      await trx.insertInto('flavor_projects').values({ flavor_id: flavorId, project_id: projectId }).execute()
      await tell(trx, caller, flavorId)
    }).catch((error: unknown) => {
      if (!isUniqueViolation(error)) throw error
      const { flavorId, projectId } = parseInput(accessInput, raw)
      throw new CloudError('ALREADY_EXISTS', `Flavor access already exists for flavor ${flavorId} and project ${projectId} combination.`, {
        exception: 'FlavorAccessExists',
        fields: ['input.projectId'],
      })
    })
  }

  /** Takes the flavor from a project, also from one that is gone; servers that were built with it stay. */
  async remove(caller: Caller, raw: unknown): Promise<string> {
    const { policy, tell } = this.#options
    policy.enforce('os_compute_api:os-flavor-access:remove_tenant_access', caller)
    return this.#change(caller, 'removeFlavorAccess', raw, async (trx, { flavorId, projectId }) => {
      const result = await trx
        .deleteFrom('flavor_projects')
        .where('flavor_id', '=', flavorId)
        .where('project_id', '=', projectId)
        .executeTakeFirst()
      if (Number(result.numDeletedRows) === 0) {
        throw new CloudError('NOT_FOUND', `Flavor access not found for ${flavorId} / ${projectId} combination.`, {
          exception: 'FlavorAccessNotFound',
          fields: ['input.projectId'],
        })
      }
      await tell(trx, caller, flavorId)
    })
  }

  async #change(
    caller: Caller,
    mutation: string,
    raw: unknown,
    change: (trx: Transaction<ApiSchema>, input: { flavorId: string; projectId: string }) => Promise<void>,
  ): Promise<string> {
    const { db, idempotency } = this.#options
    const input = parseInput(accessInput, raw)
    const refs = await idempotency.run(caller, {
      mutation,
      key: input.idempotencyKey,
      input,
      choose: () => ({ id: input.flavorId }),
      work: async (chosen, done) => {
        await db.transaction(async (trx) => {
          const flavor = await trx.selectFrom('flavors').select('is_public').where('id', '=', input.flavorId).executeTakeFirst()
          if (flavor === undefined) throw CloudError.notFound('Flavor', input.flavorId)
          if (flavor.is_public === 1) {
            throw new CloudError('CONFLICT', `Flavor ${input.flavorId} is public: it has no access list.`, { exception: 'HTTPConflict' })
          }
          await change(trx, input)
          await done(trx, chosen)
        })
        return chosen
      },
    })
    return refs.id
  }
}
