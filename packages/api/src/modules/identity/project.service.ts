/** Projects of the embedded identity service. */
import { randomUUID } from 'node:crypto'
import { CloudError } from '@kilonova/contract/errors'
import type { Transaction } from 'kysely'
import { type Caller, isAdmin } from '../../caller.js'
import type { Database } from '../../db/database.js'
import { listPage } from '../../db/list.js'
import { containsText, listFingerprint, type Page, type PageRequest } from '../../db/paging.js'
import { type OrderInput, resourceKeys } from '../../db/resource-order.js'
import type { ApiSchema } from '../../db/schemas.js'
import { parseInput } from '../../parse-input.js'
import { createProjectInput, updateProjectInput } from './identity.schemas.js'
import {
  generationMismatch,
  type IdentityService,
  type IdentityServiceOptions,
  type ProjectRow,
  refuseDuplicate,
  refuseStale,
} from './identity.service.js'

export class ProjectService {
  readonly #options: IdentityServiceOptions
  readonly #identity: IdentityService

  constructor(options: IdentityServiceOptions, identity: IdentityService) {
    this.#options = options
    this.#identity = identity
  }

  get #db(): Database<ApiSchema> {
    return this.#options.db
  }

  async list(
    caller: Caller,
    request: PageRequest & {
      filter?: { name?: string | null; enabled?: boolean | null; userId?: string | null; tags?: string[] | null } | null
      orderBy?: OrderInput[] | null
    },
  ): Promise<Page<ProjectRow>> {
    this.#options.policy.enforce('identity:list_projects', caller)
    const { filter } = request
    const { keys } = resourceKeys(request.orderBy, { ID: 'id', NAME: 'name', CREATED_AT: 'created_at', UPDATED_AT: 'updated_at' })
    let query = this.#db.read.selectFrom('projects').selectAll()
    const mine = isAdmin(caller) ? (filter?.userId ?? null) : caller.userId
    if (mine !== null) {
      query = query.where('id', 'in', (eb) => eb.selectFrom('role_assignments').select('project_id').where('user_id', '=', mine))
    }
    if (filter?.name) query = query.where(containsText('name', filter.name))
    if (filter?.enabled != null) query = query.where('enabled', '=', filter.enabled ? 1 : 0)
    for (const tag of filter?.tags ?? []) query = query.where('tags', 'like', `%${JSON.stringify(tag)}%`)
    return listPage(this.#db, query, request, {
      keys,
      fingerprint: listFingerprint('projects', caller.userId, filter ?? null, request.orderBy ?? null),
      maximum: this.#options.maxPageSize,
      toNode: (row) => row,
    })
  }

  async create(caller: Caller, raw: unknown): Promise<ProjectRow> {
    this.#options.policy.enforce('identity:create_project', caller)
    const input = parseInput(createProjectInput, raw)
    const { now } = this.#db
    const { id } = await this.#options.idempotency.run(caller, {
      mutation: 'createProject',
      key: input.idempotencyKey,
      input,
      choose: () => ({ id: randomUUID() }),
      work: async (refs, done) => {
        await refuseDuplicate('project', input.name, async () =>
          this.#db.transaction(async (trx) => {
            await trx
              .insertInto('projects')
              .values({
                id: refs.id,
                name: input.name,
                description: input.description ?? null,
                enabled: input.enabled === false ? 0 : 1,
                tags: JSON.stringify(input.tags ?? []),
                created_at: now,
                updated_at: now,
              })
              .execute()
            await done(trx, refs)
          }),
        )
        return refs
      },
    })
    return this.#identity.requireProject(id)
  }

  /** Closing a project ends every login that works in it. */
  async update(caller: Caller, raw: unknown): Promise<ProjectRow> {
    this.#options.policy.enforce('identity:update_project', caller)
    const input = parseInput(updateProjectInput, raw)
    await this.#options.idempotency.run(caller, {
      mutation: 'updateProject',
      key: input.idempotencyKey,
      input,
      choose: () => ({ id: input.projectId }),
      work: async (refs, done) => {
        const before = await this.#identity.requireProject(input.projectId)
        refuseStale(before.generation, input.expectedGeneration)
        await refuseDuplicate('project', input.name ?? '', async () =>
          this.#db.transaction(async (trx) => {
            const result = await trx
              .updateTable('projects')
              .set((eb) => ({
                ...(input.name == null ? {} : { name: input.name }),
                ...(input.description === undefined ? {} : { description: input.description }),
                ...(input.tags == null ? {} : { tags: JSON.stringify(input.tags) }),
                ...(input.enabled == null ? {} : { enabled: input.enabled ? 1 : 0 }),
                generation: eb('generation', '+', 1),
                updated_at: this.#db.now,
              }))
              .where('id', '=', input.projectId)
              .where('generation', '=', before.generation)
              .executeTakeFirst()
            if (Number(result.numUpdatedRows) === 0) throw generationMismatch(before.generation)
            await done(trx, refs)
            if (input.enabled != null) await this.#options.rights.record(trx, [{ kind: 'project', id: input.projectId }])
          }),
        )
        return refs
      },
    })
    return this.#identity.requireProject(input.projectId)
  }

  async delete(caller: Caller, raw: { projectId: string; idempotencyKey?: string | null }): Promise<string> {
    this.#options.policy.enforce('identity:delete_project', caller)
    const refs = await this.#options.idempotency.run(caller, {
      mutation: 'deleteProject',
      key: raw.idempotencyKey,
      input: raw,
      choose: () => ({ id: raw.projectId }),
      work: async (chosen, done) => {
        await this.#identity.requireProject(raw.projectId)
        await this.#db.transaction(async (trx) => {
          await refuseOwner(trx, raw.projectId)
          for (const table of [
            'role_assignments',
            'application_credentials',
            'flavor_projects',
            'image_members',
            'image_members',
            'quotas',
            'project_user_quotas',
            'project_limits',
          ] as const) {
            await trx.deleteFrom(table).where('project_id', '=', raw.projectId).execute()
          }
          // Sessions stay: their users may change to another project.
          await trx.updateTable('sessions').set({ project_id: null }).where('project_id', '=', raw.projectId).execute()
          await trx.updateTable('users').set({ default_project_id: null }).where('default_project_id', '=', raw.projectId).execute()
          await trx.deleteFrom('projects').where('id', '=', raw.projectId).execute()
          await done(trx, chosen)
          await this.#options.rights.record(trx, [{ kind: 'project', id: raw.projectId }])
        })
        return chosen
      },
    })
    return refs.id
  }
}

/** IN_USE while the project owns anything. */
async function refuseOwner(trx: Transaction<ApiSchema>, projectId: string): Promise<void> {
  const owns = async (what: string, some: Promise<unknown[]>): Promise<void> => {
    if ((await some).length > 0) throw new CloudError('IN_USE', `The project still owns ${what}.`, { exception: 'ProjectInUse' })
  }
  const servers = trx.selectFrom('instance_mappings').select('instance_uuid').where('project_id', '=', projectId)
  await owns('servers', servers.where('queued_for_delete', '=', 0).limit(1).execute())
  for (const table of ['images', 'networks', 'ports'] as const) {
    await owns(table, trx.selectFrom(table).select('id').where('project_id', '=', projectId).limit(1).execute())
  }
}
