/** Application credentials: keys for programs, bound to one user, one project and some of the user's roles there. */
import { randomUUID } from 'node:crypto'
import { CloudError } from '@kilonova/contract/errors'
import { isPolicyRuleName } from '@kilonova/contract/policy-rules'
import { hashToken, randomToken, Secret } from '@kilonova/runtime/secrets'
import { type Caller, isRoleName } from '../../caller.js'
import type { Database, Row } from '../../db/database.js'
import { listPage } from '../../db/list.js'
import { listFingerprint, type Page, type PageRequest } from '../../db/paging.js'
import { type OrderInput, resourceKeys } from '../../db/resource-order.js'
import type { ApiSchema } from '../../db/schemas.js'
import { parseInput } from '../../parse-input.js'
import { forbidden } from '../../policy/policy.js'
import { createCredentialInput } from './identity.schemas.js'
import { type IdentityServiceOptions, refuseDuplicate } from './identity.service.js'

export type CredentialRow = Row<ApiSchema, 'application_credentials'>

export class ApplicationCredentialService {
  readonly #options: IdentityServiceOptions

  constructor(options: IdentityServiceOptions) {
    this.#options = options
  }

  get #db(): Database<ApiSchema> {
    return this.#options.db
  }

  /** Credentials of the caller; of another user for those who may list them. */
  async list(
    caller: Caller,
    request: PageRequest & { filter?: { userId?: string | null; projectId?: string | null } | null; orderBy?: OrderInput[] | null },
  ): Promise<Page<CredentialRow>> {
    const { filter } = request
    if (filter?.userId != null) this.#options.policy.enforce('identity:list_application_credentials', caller)
    const { keys } = resourceKeys(request.orderBy, { ID: 'id', NAME: 'name', CREATED_AT: 'created_at', UPDATED_AT: 'updated_at' })
    const userId = filter?.userId ?? caller.userId
    let query = this.#db.read.selectFrom('application_credentials').selectAll().where('user_id', '=', userId)
    if (filter?.projectId) query = query.where('project_id', '=', filter.projectId)
    return listPage(this.#db, query, request, {
      keys,
      fingerprint: listFingerprint('applicationCredentials', userId, filter ?? null, request.orderBy ?? null),
      maximum: this.#options.maxPageSize,
      toNode: (row) => row,
    })
  }

  /** The secret is known now and, by the retry key, for ten minutes. */
  async create(caller: Caller, raw: unknown): Promise<{ row: CredentialRow; secret: Secret }> {
    this.#options.policy.enforce('identity:create_application_credential', caller)
    refuseCredential(caller, 'identity:create_application_credential')
    const input = parseInput(createCredentialInput, raw)
    const projectId = caller.projectId
    if (projectId === null) throw new CloudError('BAD_USER_INPUT', 'Choose a project first: a credential is bound to one.')
    let made: Secret | null = null
    const { id } = await this.#options.idempotency.run(caller, {
      mutation: 'createApplicationCredential',
      key: input.idempotencyKey,
      input,
      choose: () => ({ id: randomUUID() }),
      work: async (refs, done) => {
        const roles = this.#rolesFor(caller, input.roleIds)
        refuseUnknownRules(input.allowedRules)
        if (input.expiresAt != null && input.expiresAt <= (await this.#db.readClock())) {
          throw CloudError.badInput('input.expiresAt', 'The end of the credential lies in the past.')
        }
        const secret = new Secret(randomToken())
        const { now } = this.#db
        await refuseDuplicate('credential', input.name, async () =>
          this.#db.transaction(async (trx) => {
            await trx
              .insertInto('application_credentials')
              .values({
                id: refs.id,
                user_id: caller.userId,
                project_id: projectId,
                name: input.name,
                description: input.description ?? null,
                secret_hash: hashToken(secret.reveal()),
                roles: JSON.stringify(roles),
                allowed_rules: input.allowedRules == null ? null : JSON.stringify(input.allowedRules),
                expires_at: input.expiresAt ?? null,
                created_at: now,
                updated_at: now,
              })
              .execute()
            await done(trx, refs, secret)
          }),
        )
        made = secret
        return refs
      },
    })
    const row = await this.#find(id)
    if (row === undefined) throw CloudError.notFound('Application credential', id)
    const secret = made ?? (await this.#options.idempotency.secretOf(caller, input.idempotencyKey))
    if (secret === null) {
      throw new CloudError('GONE', 'The secret of this credential was shown before and is not shown any more: delete it and make another.')
    }
    return { row, secret }
  }

  /** Whoever uses it is signed out at once. */
  async delete(caller: Caller, raw: { applicationCredentialId: string; idempotencyKey?: string | null }): Promise<string> {
    const rule = 'identity:delete_application_credential'
    this.#options.policy.enforce(rule, caller)
    refuseCredential(caller, rule)
    const { id } = await this.#options.idempotency.run(caller, {
      mutation: 'deleteApplicationCredential',
      key: raw.idempotencyKey,
      input: raw,
      choose: () => ({ id: raw.applicationCredentialId }),
      work: async (refs, done) => {
        const row = await this.#find(refs.id)
        const target = row === undefined ? undefined : { project_id: row.project_id, user_id: row.user_id }
        if (target === undefined || !this.#options.policy.allows(rule, caller, target)) {
          throw CloudError.notFound('Application credential', refs.id)
        }
        await this.#db.transaction(async (trx) => {
          await trx.deleteFrom('application_credentials').where('id', '=', refs.id).execute()
          await done(trx, refs)
          await this.#options.rights.record(trx, [{ kind: 'session', id: refs.id }])
        })
        return refs
      },
    })
    return id
  }

  #find(id: string): Promise<CredentialRow | undefined> {
    return this.#db.read.selectFrom('application_credentials').selectAll().where('id', '=', id).executeTakeFirst()
  }

  /** The roles asked for; all that the caller has when none is named. */
  #rolesFor(caller: Caller, asked: readonly string[] | null | undefined): string[] {
    if (asked == null) return [...caller.roles]
    const missing = asked.find((role) => !isRoleName(role) || !caller.roles.includes(role))
    if (missing !== undefined) {
      throw CloudError.invalidReference('input.roleIds', `You do not have the role ${missing} in this project.`, 'RoleNotFound')
    }
    return [...new Set(asked)]
  }
}

/** A credential must not be able to outlive itself by making another. */
function refuseCredential(caller: Caller, rule: string): void {
  if (caller.authMethod === 'APPLICATION_CREDENTIAL') throw forbidden(rule)
}

function refuseUnknownRules(rules: readonly string[] | null | undefined): void {
  const unknown = (rules ?? []).find((rule) => !isPolicyRuleName(rule))
  if (unknown !== undefined) throw CloudError.badInput('input.allowedRules', `There is no policy rule ${unknown}.`)
}
