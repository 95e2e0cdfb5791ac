/** Projects, users and roles of the embedded identity service. */
import { randomUUID } from 'node:crypto'
import { CloudError } from '@kilonova/contract/errors'
import { printable, name as validName } from '@kilonova/contract/inputs'
import type { Secret } from '@kilonova/runtime/secrets'
import { z } from 'zod'
import { type Caller, isAdmin, isRoleName, roleNames } from '../../caller.js'
import { type Database, isUniqueViolation, type Row } from '../../db/database.js'
import { listPage } from '../../db/list.js'
import { containsText, listFingerprint, type Page, type PageRequest } from '../../db/paging.js'
import { type OrderInput, resourceKeys } from '../../db/resource-order.js'
import type { ApiSchema } from '../../db/schemas.js'
import { parseInput } from '../../parse-input.js'
import type { Policy } from '../../policy/policy.js'
import type { IdempotencyService } from '../idempotency/idempotency.service.js'
import { hashPassword, verifyPassword } from './passwords.js'
import type { SessionService } from './session.service.js'

export type ProjectRow = Row<ApiSchema, 'projects'>
export type UserRow = Row<ApiSchema, 'users'>
export type AssignmentRow = Row<ApiSchema, 'role_assignments'>
type UserPatch = Partial<Pick<UserRow, 'name' | 'password_hash' | 'email' | 'description' | 'enabled' | 'default_project_id'>>

const password = z.string().min(8, 'A password has at least 8 characters.').max(1024, 'A password has at most 1024 characters.')
const optionalText = z.string().max(65535).nullish()
const tags = z
  .array(printable('A tag', 1, 255))
  .max(80)
  .nullish()
const enabled = z.boolean().nullish()
const key = z.string().nullish()
const generation = z.number().int().nullish()

const inputs = {
  createProject: z.object({ name: validName, description: optionalText, tags, enabled, idempotencyKey: key }),
  updateProject: z.object({
    projectId: z.string(),
    name: validName.nullish(),
    description: optionalText,
    tags,
    enabled,
    expectedGeneration: generation,
    idempotencyKey: key,
  }),
  createUser: z.object({
    name: validName,
    password: password.nullish(),
    email: z.email('That is not an e-mail address.').nullish(),
    description: optionalText,
    defaultProjectId: z.string().nullish(),
    enabled,
    idempotencyKey: key,
  }),
  updateUser: z.object({
    userId: z.string(),
    name: validName.nullish(),
    password: password.nullish(),
    email: z.email('That is not an e-mail address.').nullish(),
    description: optionalText,
    defaultProjectId: z.string().nullish(),
    enabled,
    expectedGeneration: generation,
    idempotencyKey: key,
  }),
  role: z.object({ userId: z.string(), projectId: z.string(), roleId: z.string(), idempotencyKey: key }),
}

export interface IdentityServiceOptions {
  db: Database<ApiSchema>
  policy: Policy
  idempotency: IdempotencyService
  sessions: SessionService
  maxPageSize: number
}

export class IdentityService {
  readonly #options: IdentityServiceOptions

  constructor(options: IdentityServiceOptions) {
    this.#options = options
  }

  get #db(): Database<ApiSchema> {
    return this.#options.db
  }

  async projectsById(ids: readonly string[]): Promise<Map<string, ProjectRow>> {
    const rows = await this.#db.read
      .selectFrom('projects')
      .selectAll()
      .where('id', 'in', [...ids])
      .execute()
    return new Map(rows.map((row) => [row.id, row]))
  }

  async usersById(ids: readonly string[]): Promise<Map<string, UserRow>> {
    const rows = await this.#db.read
      .selectFrom('users')
      .selectAll()
      .where('id', 'in', [...ids])
      .execute()
    return new Map(rows.map((row) => [row.id, row]))
  }

  async project(caller: Caller, id: string): Promise<ProjectRow | null> {
    if (!this.#options.policy.allows('identity:get_project', caller, { project_id: id, user_id: caller.userId })) return null
    return (await this.projectsById([id])).get(id) ?? null
  }

  async user(caller: Caller, id: string): Promise<UserRow | null> {
    if (!this.#options.policy.allows('identity:get_user', caller, { project_id: caller.projectId, user_id: id })) return null
    return (await this.usersById([id])).get(id) ?? null
  }

  /** Projects a user can work in. */
  async projectsOf(userId: string): Promise<ProjectRow[]> {
    return this.#db.read
      .selectFrom('projects')
      .selectAll()
      .where('enabled', '=', 1)
      .where('id', 'in', (eb) => eb.selectFrom('role_assignments').select('project_id').where('user_id', '=', userId))
      .orderBy('name')
      .execute()
  }

  async projects(
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

  async users(
    caller: Caller,
    request: PageRequest & {
      filter?: { name?: string | null; enabled?: boolean | null; projectId?: string | null } | null
      orderBy?: OrderInput[] | null
    },
  ): Promise<Page<UserRow>> {
    this.#options.policy.enforce('identity:list_users', caller)
    const { filter } = request
    const { keys } = resourceKeys(request.orderBy, { ID: 'id', NAME: 'name', CREATED_AT: 'created_at', UPDATED_AT: 'updated_at' })
    let query = this.#db.read.selectFrom('users').selectAll()
    if (filter?.name) {
      const text = filter.name
      query = query.where((eb) => eb.or([containsText('name', text), containsText('email', text)]))
    }
    if (filter?.enabled != null) query = query.where('enabled', '=', filter.enabled ? 1 : 0)
    const { projectId } = filter ?? {}
    if (projectId) {
      query = query.where('id', 'in', (eb) => eb.selectFrom('role_assignments').select('user_id').where('project_id', '=', projectId))
    }
    return listPage(this.#db, query, request, {
      keys,
      fingerprint: listFingerprint('users', filter ?? null, request.orderBy ?? null),
      maximum: this.#options.maxPageSize,
      toNode: (row) => row,
    })
  }

  async roleAssignments(
    caller: Caller,
    request: PageRequest & {
      filter?: { userId?: string | null; projectId?: string | null; roleId?: string | null } | null
      orderBy?: OrderInput[] | null
    },
  ): Promise<Page<AssignmentRow>> {
    this.#options.policy.enforce('identity:list_role_assignments', caller)
    const { filter } = request
    const direction = request.orderBy?.[0]?.direction ?? 'DESC'
    const keys = (['created_at', 'user_id', 'project_id', 'role'] as const).map((column) => ({
      column,
      property: column,
      type: column === 'created_at' ? ('number' as const) : ('text' as const),
      direction,
    }))
    let query = this.#db.read.selectFrom('role_assignments').selectAll()
    if (filter?.userId) query = query.where('user_id', '=', filter.userId)
    if (filter?.projectId) query = query.where('project_id', '=', filter.projectId)
    if (filter?.roleId) query = query.where('role', '=', filter.roleId)
    return listPage(this.#db, query, request, {
      keys,
      fingerprint: listFingerprint('roleAssignments', filter ?? null, direction),
      maximum: this.#options.maxPageSize,
      toNode: (row) => row,
    })
  }

  async assignmentsOfProject(projectId: string): Promise<AssignmentRow[]> {
    return this.#db.read
      .selectFrom('role_assignments')
      .selectAll()
      .where('project_id', '=', projectId)
      .orderBy('user_id')
      .orderBy('role')
      .execute()
  }

  async createProject(caller: Caller, raw: unknown): Promise<ProjectRow> {
    this.#options.policy.enforce('identity:create_project', caller)
    const input = parseInput(inputs.createProject, raw)
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
    return this.#requireProject(id)
  }

  async updateProject(caller: Caller, raw: unknown): Promise<ProjectRow> {
    this.#options.policy.enforce('identity:update_project', caller)
    const input = parseInput(inputs.updateProject, raw)
    const before = await this.#requireProject(input.projectId)
    refuseStale(before.generation, input.expectedGeneration)
    await this.#options.idempotency.run(caller, {
      mutation: 'updateProject',
      key: input.idempotencyKey,
      input,
      choose: () => ({ id: input.projectId }),
      work: async (refs, done) => {
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
          }),
        )
        return refs
      },
    })
    this.#options.sessions.forgetCached()
    return this.#requireProject(input.projectId)
  }

  async deleteProject(caller: Caller, raw: { projectId: string; idempotencyKey?: string | null }): Promise<string> {
    this.#options.policy.enforce('identity:delete_project', caller)
    const refs = await this.#options.idempotency.run(caller, {
      mutation: 'deleteProject',
      key: raw.idempotencyKey,
      input: raw,
      choose: () => ({ id: raw.projectId }),
      work: async (chosen, done) => {
        await this.#requireProject(raw.projectId)
        await this.#db.transaction(async (trx) => {
          const owned = await Promise.all([
            trx
              .selectFrom('instance_mappings')
              .select('instance_uuid')
              .where('project_id', '=', raw.projectId)
              .where('queued_for_delete', '=', 0)
              .limit(1)
              .execute(),
            trx.selectFrom('images').select('id').where('project_id', '=', raw.projectId).limit(1).execute(),
            trx.selectFrom('networks').select('id').where('project_id', '=', raw.projectId).limit(1).execute(),
          ])
          const [servers, images, networks] = owned
          const what = servers.length > 0 ? 'servers' : images.length > 0 ? 'images' : networks.length > 0 ? 'networks' : null
          if (what !== null) throw new CloudError('IN_USE', `The project still owns ${what}.`, { exception: 'ProjectInUse' })
          await trx.deleteFrom('role_assignments').where('project_id', '=', raw.projectId).execute()
          await trx.deleteFrom('quotas').where('project_id', '=', raw.projectId).execute()
          await trx.updateTable('sessions').set({ project_id: null }).where('project_id', '=', raw.projectId).execute()
          await trx.updateTable('users').set({ default_project_id: null }).where('default_project_id', '=', raw.projectId).execute()
          await trx.deleteFrom('projects').where('id', '=', raw.projectId).execute()
          await done(trx, chosen)
        })
        this.#options.sessions.forgetCached()
        return chosen
      },
    })
    return refs.id
  }

  async createUser(caller: Caller, raw: unknown): Promise<UserRow> {
    this.#options.policy.enforce('identity:create_user', caller)
    const input = parseInput(inputs.createUser, raw)
    await this.#requireReferencedProject(input.defaultProjectId)
    const { now } = this.#db
    const { id } = await this.#options.idempotency.run(caller, {
      mutation: 'createUser',
      key: input.idempotencyKey,
      input,
      choose: () => ({ id: randomUUID() }),
      work: async (refs, done) => {
        const password_hash = input.password == null ? null : await hashPassword(input.password)
        await refuseDuplicate('user', input.name, async () =>
          this.#db.transaction(async (trx) => {
            await trx
              .insertInto('users')
              .values({
                id: refs.id,
                name: input.name,
                password_hash,
                email: input.email ?? null,
                description: input.description ?? null,
                enabled: input.enabled === false ? 0 : 1,
                default_project_id: input.defaultProjectId ?? null,
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
    return this.#requireUser(id)
  }

  async updateUser(caller: Caller, raw: unknown): Promise<UserRow> {
    this.#options.policy.enforce('identity:update_user', caller)
    const input = parseInput(inputs.updateUser, raw)
    await this.#requireReferencedProject(input.defaultProjectId)
    const before = await this.#requireUser(input.userId)
    refuseStale(before.generation, input.expectedGeneration)
    await this.#options.idempotency.run(caller, {
      mutation: 'updateUser',
      key: input.idempotencyKey,
      input,
      choose: () => ({ id: input.userId }),
      work: async (refs, done) => {
        const patch: UserPatch = {
          ...(input.name == null ? {} : { name: input.name }),
          ...(input.password == null ? {} : { password_hash: await hashPassword(input.password) }),
          ...(input.email === undefined ? {} : { email: input.email }),
          ...(input.description === undefined ? {} : { description: input.description }),
          ...(input.defaultProjectId === undefined ? {} : { default_project_id: input.defaultProjectId }),
          ...(input.enabled == null ? {} : { enabled: input.enabled ? 1 : 0 }),
        }
        await refuseDuplicate('user', input.name ?? '', () => this.#patchUser(before, patch, (trx) => done(trx, refs)))
        return refs
      },
    })
    if (input.password != null || input.enabled === false) {
      await this.#options.sessions.end(await this.#options.sessions.sessionIdsOf(input.userId))
    }
    this.#options.sessions.forgetCached()
    return this.#requireUser(input.userId)
  }

  async deleteUser(caller: Caller, raw: { userId: string; idempotencyKey?: string | null }): Promise<string> {
    this.#options.policy.enforce('identity:delete_user', caller)
    const refs = await this.#options.idempotency.run(caller, {
      mutation: 'deleteUser',
      key: raw.idempotencyKey,
      input: raw,
      choose: () => ({ id: raw.userId }),
      work: async (chosen, done) => {
        await this.#requireUser(raw.userId)
        await this.#options.sessions.end(await this.#options.sessions.sessionIdsOf(raw.userId))
        await this.#db.transaction(async (trx) => {
          await trx.deleteFrom('role_assignments').where('user_id', '=', raw.userId).execute()
          await trx.deleteFrom('keypairs').where('user_id', '=', raw.userId).execute()
          await trx.deleteFrom('users').where('id', '=', raw.userId).execute()
          await done(trx, chosen)
        })
        return chosen
      },
    })
    return refs.id
  }

  /** Changes one's own password; every other session ends. */
  async changeOwnPassword(caller: Caller, raw: { currentPassword: string; newPassword: string }): Promise<void> {
    const user = await this.#requireUser(caller.userId)
    if (!(await verifyPassword(raw.currentPassword, user.password_hash))) {
      throw new CloudError('INVALID_CREDENTIALS', 'The current password is wrong.', { fields: ['input.currentPassword'] })
    }
    const { newPassword } = parseInput(z.object({ newPassword: password }), { newPassword: raw.newPassword })
    await this.#patchUser(user, { password_hash: await hashPassword(newPassword) })
    const others = (await this.#options.sessions.sessionIdsOf(caller.userId)).filter((id) => id !== caller.sessionId)
    await this.#options.sessions.end(others)
  }

  async assignRole(caller: Caller, raw: unknown): Promise<AssignmentRow> {
    this.#options.policy.enforce('identity:create_grant', caller)
    const input = parseInput(inputs.role, raw)
    await this.#requireGrantParts(input)
    await this.#options.idempotency.run(caller, {
      mutation: 'assignRole',
      key: input.idempotencyKey,
      input,
      choose: () => ({}),
      work: async (refs, done) => {
        await this.#db.transaction(async (trx) => {
          await trx
            .insertInto('role_assignments')
            .values({ user_id: input.userId, project_id: input.projectId, role: input.roleId, created_at: this.#db.now })
            .onConflict((conflict) => conflict.columns(['user_id', 'project_id', 'role']).doNothing())
            .execute()
          await done(trx, refs)
        })
        return refs
      },
    })
    this.#options.sessions.forgetCached()
    return { user_id: input.userId, project_id: input.projectId, role: input.roleId, created_at: 0 }
  }

  async revokeRole(caller: Caller, raw: unknown): Promise<AssignmentRow> {
    this.#options.policy.enforce('identity:revoke_grant', caller)
    const input = parseInput(inputs.role, raw)
    await this.#requireGrantParts(input)
    await this.#options.idempotency.run(caller, {
      mutation: 'revokeRole',
      key: input.idempotencyKey,
      input,
      choose: () => ({}),
      work: async (refs, done) => {
        await this.#db.transaction(async (trx) => {
          const result = await trx
            .deleteFrom('role_assignments')
            .where('user_id', '=', input.userId)
            .where('project_id', '=', input.projectId)
            .where('role', '=', input.roleId)
            .executeTakeFirst()
          if (Number(result.numDeletedRows) === 0) throw CloudError.notFound('Role assignment', input.roleId, 'RoleAssignmentNotFound')
          await done(trx, refs)
        })
        return refs
      },
    })
    this.#options.sessions.forgetCached()
    return { user_id: input.userId, project_id: input.projectId, role: input.roleId, created_at: 0 }
  }

  /** The first start: one administrator in one project with unlimited quota. Answers null when there are users already. */
  async bootstrap(projectName: string, userName: string, newPassword: Secret): Promise<{ userId: string; projectId: string } | null> {
    const password_hash = await hashPassword(newPassword.reveal())
    const { now } = this.#db
    return this.#db.transaction(async (trx) => {
      const someone = await trx.selectFrom('users').select('id').limit(1).execute()
      if (someone.length > 0) return null
      const ids = { userId: randomUUID(), projectId: randomUUID() }
      await trx
        .insertInto('projects')
        .values({ id: ids.projectId, name: projectName, description: 'The first project.', tags: '[]', created_at: now, updated_at: now })
        .execute()
      await trx
        .insertInto('users')
        .values({ id: ids.userId, name: userName, password_hash, default_project_id: ids.projectId, created_at: now, updated_at: now })
        .execute()
      await trx
        .insertInto('role_assignments')
        .values({ user_id: ids.userId, project_id: ids.projectId, role: 'admin', created_at: now })
        .execute()
      await trx
        .insertInto('quotas')
        .values(['instances', 'cores', 'ram'].map((resource) => ({ project_id: ids.projectId, resource, hard_limit: -1 })))
        .execute()
      return ids
    })
  }

  async #patchUser(
    before: UserRow,
    patch: UserPatch,
    also?: (trx: Parameters<Parameters<Database<ApiSchema>['transaction']>[0]>[0]) => Promise<void>,
  ): Promise<void> {
    await this.#db.transaction(async (trx) => {
      const result = await trx
        .updateTable('users')
        .set((eb) => ({ ...patch, generation: eb('generation', '+', 1), updated_at: this.#db.now }))
        .where('id', '=', before.id)
        .where('generation', '=', before.generation)
        .executeTakeFirst()
      if (Number(result.numUpdatedRows) === 0) throw generationMismatch(before.generation)
      await also?.(trx)
    })
  }

  async #requireProject(id: string): Promise<ProjectRow> {
    const row = (await this.projectsById([id])).get(id)
    if (row === undefined) throw CloudError.notFound('Project', id)
    return row
  }

  async #requireUser(id: string): Promise<UserRow> {
    const row = (await this.usersById([id])).get(id)
    if (row === undefined) throw CloudError.notFound('User', id)
    return row
  }

  async #requireReferencedProject(id: string | null | undefined): Promise<void> {
    if (id != null && !(await this.projectsById([id])).has(id)) {
      throw CloudError.invalidReference('input.defaultProjectId', `Project ${id} could not be found.`, 'ProjectNotFound')
    }
  }

  async #requireGrantParts(input: { userId: string; projectId: string; roleId: string }): Promise<void> {
    const missing = !(await this.usersById([input.userId])).has(input.userId)
      ? ['userId', `User ${input.userId} could not be found.`]
      : !(await this.projectsById([input.projectId])).has(input.projectId)
        ? ['projectId', `Project ${input.projectId} could not be found.`]
        : !isRoleName(input.roleId)
          ? ['roleId', `There is no role ${input.roleId}; the roles are ${roleNames.join(', ')}.`]
          : null
    if (missing !== null) throw CloudError.invalidReference(`input.${missing[0]}`, missing[1] ?? '')
  }
}

async function refuseDuplicate(kind: string, name: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    throw new CloudError('ALREADY_EXISTS', `A ${kind} named ${name} exists.`, { exception: 'Conflict', fields: ['input.name'] })
  }
}

export function refuseStale(current: number, expected: number | null | undefined): void {
  if (expected != null && expected !== current) throw generationMismatch(current)
}

export const generationMismatch = (currentGeneration: number): CloudError =>
  new CloudError('GENERATION_MISMATCH', 'The object was changed meanwhile.', {
    exception: 'ConcurrentUpdateDetected',
    fields: ['input.expectedGeneration'],
    extra: { currentGeneration },
  })
