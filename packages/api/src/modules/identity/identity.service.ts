/** Users of the embedded identity service; who and what there is, for everybody who looks up a user or a project. */
import { randomUUID } from 'node:crypto'
import { CloudError } from '@kilonova/contract/errors'
import type { Secret } from '@kilonova/runtime/secrets'
import type { Transaction } from 'kysely'
import { z } from 'zod'
import type { Caller } from '../../caller.js'
import { type Database, isUniqueViolation, type Row } from '../../db/database.js'
import { listPage } from '../../db/list.js'
import { containsText, listFingerprint, type Page, type PageRequest } from '../../db/paging.js'
import { type OrderInput, resourceKeys } from '../../db/resource-order.js'
import type { ApiSchema } from '../../db/schemas.js'
import { parseInput } from '../../parse-input.js'
import { forbidden, type Policy } from '../../policy/policy.js'
import type { IdempotencyService } from '../idempotency/idempotency.service.js'
import { createUserInput, password, updateUserInput } from './identity.schemas.js'
import { hashPassword, verifyPassword } from './passwords.js'
import type { RightsLog } from './rights-log.js'
import type { SessionService } from './session.service.js'

export type ProjectRow = Row<ApiSchema, 'projects'>
export type UserRow = Row<ApiSchema, 'users'>
type UserPatch = Partial<Pick<UserRow, 'name' | 'password_hash' | 'email' | 'description' | 'enabled' | 'default_project_id'>>

export interface IdentityServiceOptions {
  db: Database<ApiSchema>
  policy: Policy
  idempotency: IdempotencyService
  sessions: SessionService
  rights: RightsLog
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

  async createUser(caller: Caller, raw: unknown): Promise<UserRow> {
    this.#options.policy.enforce('identity:create_user', caller)
    const input = parseInput(createUserInput, raw)
    const { now } = this.#db
    const { id } = await this.#options.idempotency.run(caller, {
      mutation: 'createUser',
      key: input.idempotencyKey,
      input,
      choose: () => ({ id: randomUUID() }),
      work: async (refs, done) => {
        await this.#requireReferencedProject(input.defaultProjectId)
        if (input.password != null) refuseNameAsPassword(input.password, input.name, 'input.password')
        const password_hash = input.password == null ? null : await hashPassword(input.password)
        await refuseDuplicate('user', input.name, async () =>
          this.#db.transaction(async (trx) => {
            await trx
              .insertInto('users')
              .values({
                id: refs.id,
                name: input.name,
                password_hash,
                password_changed_at: now,
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
    return this.requireUser(id)
  }

  /** A new password or a closed account ends every session of the user. */
  async updateUser(caller: Caller, raw: unknown): Promise<UserRow> {
    this.#options.policy.enforce('identity:update_user', caller)
    const input = parseInput(updateUserInput, raw)
    await this.#options.idempotency.run(caller, {
      mutation: 'updateUser',
      key: input.idempotencyKey,
      input,
      choose: () => ({ id: input.userId }),
      work: async (refs, done) => {
        const before = await this.requireUser(input.userId)
        refuseStale(before.generation, input.expectedGeneration)
        await this.#requireReferencedProject(input.defaultProjectId)
        if (input.password != null) refuseNameAsPassword(input.password, input.name ?? before.name, 'input.password')
        const patch: UserPatch = {
          ...(input.name == null ? {} : { name: input.name }),
          ...(input.password == null ? {} : { password_hash: await hashPassword(input.password) }),
          ...(input.email === undefined ? {} : { email: input.email }),
          ...(input.description === undefined ? {} : { description: input.description }),
          ...(input.defaultProjectId === undefined ? {} : { default_project_id: input.defaultProjectId }),
          ...(input.enabled == null ? {} : { enabled: input.enabled ? 1 : 0 }),
        }
        const endsSessions = input.password != null || input.enabled === false
        await refuseDuplicate('user', input.name ?? '', () =>
          this.#patchUser(before, patch, async (trx) => {
            if (endsSessions) await trx.deleteFrom('sessions').where('user_id', '=', before.id).execute()
            await done(trx, refs)
          }),
        )
        return refs
      },
    })
    return this.requireUser(input.userId)
  }

  async deleteUser(caller: Caller, raw: { userId: string; idempotencyKey?: string | null }): Promise<string> {
    this.#options.policy.enforce('identity:delete_user', caller)
    const refs = await this.#options.idempotency.run(caller, {
      mutation: 'deleteUser',
      key: raw.idempotencyKey,
      input: raw,
      choose: () => ({ id: raw.userId }),
      work: async (chosen, done) => {
        await this.requireUser(raw.userId)
        await this.#db.transaction(async (trx) => {
          for (const table of ['sessions', 'application_credentials', 'role_assignments', 'keypairs', 'project_user_quotas'] as const) {
            await trx.deleteFrom(table).where('user_id', '=', raw.userId).execute()
          }
          await trx.deleteFrom('users').where('id', '=', raw.userId).execute()
          await done(trx, chosen)
          await this.#options.rights.record(trx, [{ kind: 'user', id: raw.userId }])
        })
        return chosen
      },
    })
    return refs.id
  }

  /** Changes one's own password; every session ends, and the caller opens a new one. */
  async changeOwnPassword(caller: Caller, raw: { currentPassword: string; newPassword: string }): Promise<void> {
    if (caller.authMethod === 'APPLICATION_CREDENTIAL') throw forbidden('identity:change_password')
    this.#options.sessions.limitAttempts(caller.clientAddress, caller.userName)
    const user = await this.requireUser(caller.userId)
    if (!(await verifyPassword(raw.currentPassword, user.password_hash))) {
      throw new CloudError('INVALID_CREDENTIALS', 'The current password is wrong.', { fields: ['input.currentPassword'] })
    }
    const { newPassword } = parseInput(z.object({ newPassword: password }), { newPassword: raw.newPassword })
    if (newPassword === raw.currentPassword) {
      throw CloudError.badInput('input.newPassword', 'The new password must differ from the current one.')
    }
    refuseNameAsPassword(newPassword, user.name, 'input.newPassword')
    await this.#patchUser(user, { password_hash: await hashPassword(newPassword) }, (trx) =>
      trx.deleteFrom('sessions').where('user_id', '=', user.id).execute(),
    )
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
        .values({
          id: ids.userId,
          name: userName,
          password_hash,
          password_changed_at: now,
          default_project_id: ids.projectId,
          created_at: now,
          updated_at: now,
        })
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

  async #patchUser(before: UserRow, patch: UserPatch, also: (trx: Transaction<ApiSchema>) => Promise<unknown>): Promise<void> {
    const { now } = this.#db
    await this.#db.transaction(async (trx) => {
      const result = await trx
        .updateTable('users')
        .set((eb) => ({
          ...patch,
          ...(patch.password_hash === undefined ? {} : { password_changed_at: now }),
          generation: eb('generation', '+', 1),
          updated_at: now,
        }))
        .where('id', '=', before.id)
        .where('generation', '=', before.generation)
        .executeTakeFirst()
      if (Number(result.numUpdatedRows) === 0) throw generationMismatch(before.generation)
      await also(trx)
      await this.#options.rights.record(trx, [{ kind: 'user', id: before.id }])
    })
  }

  async requireProject(id: string): Promise<ProjectRow> {
    const row = (await this.projectsById([id])).get(id)
    if (row === undefined) throw CloudError.notFound('Project', id)
    return row
  }

  async requireUser(id: string): Promise<UserRow> {
    const row = (await this.usersById([id])).get(id)
    if (row === undefined) throw CloudError.notFound('User', id)
    return row
  }

  async #requireReferencedProject(id: string | null | undefined): Promise<void> {
    if (id != null && !(await this.projectsById([id])).has(id)) {
      throw CloudError.invalidReference('input.defaultProjectId', `Project ${id} could not be found.`, 'ProjectNotFound')
    }
  }
}

function refuseNameAsPassword(newPassword: string, userName: string, field: string): void {
  if (newPassword.toLowerCase() !== userName.toLowerCase()) return
  throw CloudError.badInput(field, 'The password must not be the user name.')
}

export async function refuseDuplicate(kind: string, name: string, work: () => Promise<unknown>): Promise<void> {
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
