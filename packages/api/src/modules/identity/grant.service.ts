/** Who has which role where. */
import { CloudError } from '@kilonova/contract/errors'
import { type Caller, isRoleName, roleNames } from '../../caller.js'
import type { Database, Row } from '../../db/database.js'
import { listPage } from '../../db/list.js'
import { listFingerprint, type Page, type PageRequest } from '../../db/paging.js'
import type { OrderInput } from '../../db/resource-order.js'
import type { ApiSchema } from '../../db/schemas.js'
import { parseInput } from '../../parse-input.js'
import { grantInput } from './identity.schemas.js'
import type { IdentityService, IdentityServiceOptions } from './identity.service.js'

export type AssignmentRow = Row<ApiSchema, 'role_assignments'>
interface Grant {
  userId: string
  projectId: string
  roleId: string
}

export class GrantService {
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

  async ofProject(projectId: string): Promise<AssignmentRow[]> {
    return this.#db.read
      .selectFrom('role_assignments')
      .selectAll()
      .where('project_id', '=', projectId)
      .orderBy('user_id')
      .orderBy('role')
      .execute()
  }

  /** A second time changes nothing. */
  async assign(caller: Caller, raw: unknown): Promise<AssignmentRow> {
    this.#options.policy.enforce('identity:create_grant', caller)
    const input = parseInput(grantInput, raw)
    await this.#options.idempotency.run(caller, {
      mutation: 'assignRole',
      key: input.idempotencyKey,
      input,
      choose: () => ({}),
      work: async (refs, done) => {
        await this.#requireParts(input)
        await this.#db.transaction(async (trx) => {
          await trx
            .insertInto('role_assignments')
            .values({ user_id: input.userId, project_id: input.projectId, role: input.roleId, created_at: this.#db.now })
            .onConflict((conflict) => conflict.columns(['user_id', 'project_id', 'role']).doNothing())
            .execute()
          await done(trx, refs)
          await this.#options.rights.record(trx, [{ kind: 'user', id: input.userId }])
        })
        return refs
      },
    })
    return rowOf(input)
  }

  async revoke(caller: Caller, raw: unknown): Promise<AssignmentRow> {
    this.#options.policy.enforce('identity:revoke_grant', caller)
    const input = parseInput(grantInput, raw)
    await this.#options.idempotency.run(caller, {
      mutation: 'revokeRole',
      key: input.idempotencyKey,
      input,
      choose: () => ({}),
      work: async (refs, done) => {
        await this.#requireParts(input)
        await this.#db.transaction(async (trx) => {
          const result = await trx
            .deleteFrom('role_assignments')
            .where('user_id', '=', input.userId)
            .where('project_id', '=', input.projectId)
            .where('role', '=', input.roleId)
            .executeTakeFirst()
          if (Number(result.numDeletedRows) === 0) throw CloudError.notFound('Role assignment', input.roleId, 'RoleAssignmentNotFound')
          await done(trx, refs)
          await this.#options.rights.record(trx, [{ kind: 'user', id: input.userId }])
        })
        return refs
      },
    })
    return rowOf(input)
  }

  async #requireParts(input: Grant): Promise<void> {
    const missing = !(await this.#identity.usersById([input.userId])).has(input.userId)
      ? ['userId', `User ${input.userId} could not be found.`]
      : !(await this.#identity.projectsById([input.projectId])).has(input.projectId)
        ? ['projectId', `Project ${input.projectId} could not be found.`]
        : !isRoleName(input.roleId)
          ? ['roleId', `There is no role ${input.roleId}; the roles are ${roleNames.join(', ')}.`]
          : null
    if (missing !== null) throw CloudError.invalidReference(`input.${missing[0]}`, missing[1] ?? '')
  }
}

const rowOf = ({ userId, projectId, roleId }: Grant): AssignmentRow => ({
  user_id: userId,
  project_id: projectId,
  role: roleId,
  created_at: 0,
})
