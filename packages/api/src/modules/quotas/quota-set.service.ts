/** Shows and changes limits: of projects, of users in them, and the defaults (C-QTA-2, C-QTA-6, D-QTA-4…6). */
import { CloudError } from '@kilonova/contract/errors'
import { INT32_MAX } from '@kilonova/contract/inputs'
import type { Transaction } from 'kysely'
import { z } from 'zod'
import type { Caller } from '../../caller.js'
import type { Database } from '../../db/database.js'
import type { ApiSchema } from '../../db/schemas.js'
import { parseInput } from '../../parse-input.js'
import type { Policy } from '../../policy/policy.js'
import type { IdempotencyService } from '../idempotency/idempotency.service.js'
import { refuseStale } from '../identity/identity.service.js'
import { requireProject } from '../images/image.service.js'
import type { LimitSource, Reader } from './quota.limits.js'
import {
  type LimitSet,
  limitsFrom,
  quotaResources,
  type ResourceName,
  resourceNames,
  resourceOf,
  shownResources,
} from './quota.resources.js'
import { usedOf } from './quota.service.js'
import type { QuotaResource } from './quota.types.js'
import { type CellView, lockProject, type Usage, type UsageCounter } from './quota.usage.js'
import { LimitRules, type WantedLimit } from './quota-rules.js'

export interface QuotaView {
  projectId: string
  /** Set for limits of a user in the project. */
  userId: string | null
  items: QuotaItemView[]
  generation: number
}
export interface QuotaItemView {
  resource: QuotaResource
  limit: number
  inUse: number
  isOverride: boolean
}
export type QuotaClassView = Pick<QuotaView, 'items' | 'generation'> & { className: string }

const limits = z
  .array(
    z.object({
      resource: z.enum(shownResources),
      limit: z.number().int().min(-1, 'A limit is -1 (unlimited) or more.').max(INT32_MAX, `A limit is at most ${INT32_MAX}.`),
    }),
  )
  .superRefine((list, context) => {
    for (const [index, { resource }] of list.entries()) {
      if (list.findIndex((other) => other.resource === resource) === index) continue
      context.addIssue({ code: 'custom', path: [index, 'resource'], message: `${resource} is given twice.` })
    }
  })
const owner = { projectId: z.string(), userId: z.string().nullish() }
const common = { expectedGeneration: z.number().int().nullish(), idempotencyKey: z.string().nullish() }
const className = z.literal('default', 'Only the class "default" exists.')
const inputs = {
  update: z.object({ ...owner, limits, force: z.boolean().nullish(), ...common }),
  delete: z.object({ ...owner, idempotencyKey: z.string().nullish() }),
  updateClass: z.object({ className, limits, ...common }),
}

const classOwner = 'class default'
const generationOwner = (projectId: string, userId: string | null): string =>
  userId === null ? `project ${projectId}` : `user ${projectId} ${userId}`

export interface QuotaSetServiceOptions {
  db: Database<ApiSchema>
  policy: Policy
  idempotency: IdempotencyService
  limits: LimitSource
  usage: UsageCounter
}

export class QuotaSetService {
  readonly #options: QuotaSetServiceOptions

  constructor(options: QuotaSetServiceOptions) {
    this.#options = options
  }

  get #db(): Database<ApiSchema> {
    return this.#options.db
  }

  /** What binds the caller: of a limit of its own and the project's, the one that leaves less room. */
  async limits(caller: Caller, projectId?: string | null): Promise<QuotaView> {
    this.#options.policy.enforce('os_compute_api:limits', caller)
    const wanted = projectId ?? requireProject(caller)
    if (wanted !== caller.projectId) {
      this.#options.policy.enforce('os_compute_api:limits:other_project', caller)
      await this.#refuseUnknownProject(wanted)
    }
    const view = await this.#options.usage.prepare(wanted)
    const ofProject = await this.#quotaSet(this.#db.read, wanted, null, view)
    if (wanted !== caller.projectId) return ofProject
    const ofUser = await this.#quotaSet(this.#db.read, wanted, caller.userId, view)
    const room = (item: QuotaItemView): number => (item.limit < 0 ? Number.POSITIVE_INFINITY : item.limit - item.inUse)
    let userId: string | null = null
    const items = ofProject.items.map((item, index) => {
      const own = ofUser.items[index]
      if (own === undefined || !own.isOverride || room(own) >= room(item)) return item
      userId = caller.userId
      return own
    })
    return { ...ofProject, items, userId }
  }

  /** Answers the same for a project that does not exist and for one the caller may not look at. */
  async quotaSet(caller: Caller, projectId: string, userId: string | null): Promise<QuotaView> {
    this.#options.policy.enforce('os_compute_api:os-quota-sets:detail', caller, { project_id: projectId, user_id: userId })
    await this.#refuseUnknownProject(projectId)
    return this.#quotaSet(this.#db.read, projectId, userId, await this.#options.usage.prepare(projectId))
  }

  /** As a field of a project: null for those who may not see it. */
  async quotaSetOf(caller: Caller, projectId: string): Promise<QuotaView | null> {
    const target = { project_id: projectId, user_id: null }
    if (!this.#options.policy.allows('os_compute_api:os-quota-sets:detail', caller, target)) return null
    return this.#quotaSet(this.#db.read, projectId, null, await this.#options.usage.prepare(projectId))
  }

  async quotaDefaults(caller: Caller): Promise<QuotaClassView> {
    this.#options.policy.enforce('os_compute_api:os-quota-sets:defaults', caller)
    return this.#classSet()
  }

  async quotaClassSet(caller: Caller, name: string): Promise<QuotaClassView> {
    this.#options.policy.enforce('os_compute_api:os-quota-class-sets:show', caller)
    if (name !== 'default') throw CloudError.badInput('className', 'Only the class "default" exists.')
    return this.#classSet()
  }

  async update(caller: Caller, raw: unknown): Promise<QuotaView> {
    this.#options.policy.enforce('os_compute_api:os-quota-sets:update', caller)
    const input = parseInput(inputs.update, raw)
    const { projectId } = input
    const userId = input.userId ?? null
    await this.#change(caller, 'updateQuotaSet', { ...input, userId }, async (trx, view) => {
      refuseStale(await this.#generation(trx, generationOwner(projectId, userId)), input.expectedGeneration)
      if (!this.#options.limits.isStored) return
      const wanted = wantedOf(input.limits)
      const rules = new LimitRules(trx, this.#options.limits, this.#options.usage, view)
      // All are checked before any is stored.
      await rules.check({ projectId, userId }, wanted, input.force === true)
      for (const { resource, limit } of wanted) await storeLimit(trx, { projectId, userId }, resource, limit)
      if (wanted.length > 0) await this.#bump(trx, generationOwner(projectId, userId))
    })
    return this.#quotaSet(this.#db.read, projectId, userId, await this.#options.usage.prepare(projectId))
  }

  /** Removes all own limits of the project with those of its users, or of one user in it. */
  async delete(caller: Caller, raw: unknown): Promise<QuotaView> {
    this.#options.policy.enforce('os_compute_api:os-quota-sets:delete', caller)
    const input = parseInput(inputs.delete, raw)
    const { projectId } = input
    const userId = input.userId ?? null
    await this.#change(caller, 'deleteQuotaSet', { ...input, userId }, async (trx) => {
      if (!this.#options.limits.isStored) return
      let ofUsers = trx.deleteFrom('project_user_quotas').where('project_id', '=', projectId)
      if (userId !== null) ofUsers = ofUsers.where('user_id', '=', userId)
      const removed = await ofUsers.returning('user_id').execute()
      if (userId === null) await trx.deleteFrom('quotas').where('project_id', '=', projectId).execute()
      const users = new Set(removed.map((row) => row.user_id))
      for (const user of users) await this.#bump(trx, generationOwner(projectId, user))
      if (userId === null) await this.#bump(trx, generationOwner(projectId, null))
    })
    return this.#quotaSet(this.#db.read, projectId, userId, await this.#options.usage.prepare(projectId))
  }

  async updateClass(caller: Caller, raw: unknown): Promise<QuotaClassView> {
    this.#options.policy.enforce('os_compute_api:os-quota-class-sets:update', caller)
    const input = parseInput(inputs.updateClass, raw)
    await this.#options.idempotency.run(caller, {
      mutation: 'updateQuotaClassSet',
      key: input.idempotencyKey,
      input,
      choose: () => ({ className: input.className }),
      work: async (refs, done) => {
        await this.#db.transaction(async (trx) => {
          const wanted = this.#options.limits.isStored ? wantedOf(input.limits) : []
          // Written first: the row of the class stays locked until the end.
          const before = wanted.length > 0 ? (await this.#bump(trx, classOwner)) - 1 : await this.#generation(trx, classOwner)
          refuseStale(before, input.expectedGeneration)
          for (const { resource, limit } of wanted) {
            await trx
              .insertInto('quota_classes')
              .values({ class_name: 'default', resource, hard_limit: limit })
              .onConflict((conflict) => conflict.columns(['class_name', 'resource']).doUpdateSet({ hard_limit: limit }))
              .execute()
          }
          await done(trx, refs)
        })
        return refs
      },
    })
    return this.#classSet()
  }

  /** Runs a change with the project locked; refuses projects and users that do not exist. */
  async #change(
    caller: Caller,
    mutation: string,
    input: { projectId: string; userId: string | null; idempotencyKey?: string | null | undefined },
    work: (trx: Transaction<ApiSchema>, view: CellView | null) => Promise<void>,
  ): Promise<void> {
    const { projectId, userId } = input
    await this.#options.idempotency.run(caller, {
      mutation,
      key: input.idempotencyKey,
      input,
      choose: () => ({ projectId, userId }),
      work: async (refs, done) => {
        const view = await this.#options.usage.prepare(projectId)
        await this.#db.transaction(async (trx) => {
          if (!(await lockProject(this.#db, trx, projectId))) throw unknownProject('input.projectId', projectId)
          if (userId !== null) {
            const user = await trx.selectFrom('users').select('id').where('id', '=', userId).executeTakeFirst()
            if (user === undefined) throw CloudError.invalidReference('input.userId', `User ${userId} could not be found.`, 'UserNotFound')
          }
          await work(trx, view)
          await done(trx, refs)
        })
        return refs
      },
    })
  }

  async #quotaSet(db: Reader, projectId: string, userId: string | null, view: CellView | null): Promise<QuotaView> {
    const { limits, usage } = this.#options
    const ofProject = await limits.ofProject(db, projectId)
    const set = userId === null ? ofProject : ofUserOver(await limits.ofUser(db, projectId, userId), ofProject)
    const used = await usage.count(db, { projectId, userId }, view)
    return { projectId, userId, items: itemsOf(set, used), generation: await this.#generation(db, generationOwner(projectId, userId)) }
  }

  async #classSet(): Promise<QuotaClassView> {
    const db = this.#db.read
    const items = itemsOf(await this.#options.limits.defaults(db), { servers: 0, amounts: {} })
    return { className: 'default', items, generation: await this.#generation(db, classOwner) }
  }

  async #refuseUnknownProject(projectId: string): Promise<void> {
    const row = await this.#db.read.selectFrom('projects').select('id').where('id', '=', projectId).executeTakeFirst()
    if (row === undefined) throw unknownProject('projectId', projectId)
  }

  async #generation(db: Reader, owner: string): Promise<number> {
    const row = await db.selectFrom('quota_generations').select('generation').where('owner', '=', owner).executeTakeFirst()
    return row?.generation ?? 1
  }

  async #bump(trx: Transaction<ApiSchema>, owner: string): Promise<number> {
    const { generation } = await trx
      .insertInto('quota_generations')
      .values({ owner, generation: 2 })
      .onConflict((conflict) => conflict.column('owner').doUpdateSet((eb) => ({ generation: eb('quota_generations.generation', '+', 1) })))
      .returning('generation')
      .executeTakeFirstOrThrow()
    return generation
  }
}

const unknownProject = (field: string, projectId: string): CloudError =>
  CloudError.invalidReference(field, `Project ${projectId} could not be found.`, 'ProjectNotFound')

const ofUserOver = (own: Partial<Record<ResourceName, number>>, ofProject: LimitSet): LimitSet => ({
  limits: limitsFrom((name) => own[name] ?? ofProject.limits[name]),
  own: new Set(resourceNames.filter((name) => own[name] !== undefined)),
})

const itemsOf = (set: LimitSet, used: Usage): QuotaItemView[] =>
  resourceNames.map((name) => ({
    resource: quotaResources[name].shownAs,
    limit: set.limits[name],
    inUse: usedOf(used, name),
    isOverride: set.own.has(name),
  }))

const wantedOf = (list: readonly { resource: QuotaResource; limit: number }[]): WantedLimit[] =>
  list.flatMap(({ resource, limit }, index): WantedLimit[] => {
    const name = resourceOf(resource)
    return name === undefined ? [] : [{ resource: name, limit, field: `input.limits.${index}.limit` }]
  })

async function storeLimit(
  trx: Transaction<ApiSchema>,
  { projectId, userId }: { projectId: string; userId: string | null },
  resource: ResourceName,
  limit: number,
): Promise<void> {
  if (userId === null) {
    await trx
      .insertInto('quotas')
      .values({ project_id: projectId, resource, hard_limit: limit })
      .onConflict((conflict) => conflict.columns(['project_id', 'resource']).doUpdateSet({ hard_limit: limit }))
      .execute()
    return
  }
  await trx
    .insertInto('project_user_quotas')
    .values({ project_id: projectId, user_id: userId, resource, hard_limit: limit })
    .onConflict((conflict) => conflict.columns(['project_id', 'user_id', 'resource']).doUpdateSet({ hard_limit: limit }))
    .execute()
}
