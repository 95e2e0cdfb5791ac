/** Key pairs belong to a user (D-POL-T123…): stored public keys and certificates that servers are given. */
import { CloudError } from '@kilonova/contract/errors'
import { payload } from '@kilonova/contract/events'
import { keypairName } from '@kilonova/contract/inputs'
import { z } from 'zod'
import { type Caller } from '../../caller.js'
import { type Database, isUniqueViolation, type Row } from '../../db/database.js'
import { listPage } from '../../db/list.js'
import { containsText, listFingerprint, type Page, type PageRequest } from '../../db/paging.js'
import { type OrderInput, sortKeys } from '../../db/resource-order.js'
import type { ApiSchema } from '../../db/schemas.js'
import type { Outbox } from '../../events/outbox.js'
import { parseInput } from '../../parse-input.js'
import type { Policy } from '../../policy/policy.js'
import type { IdempotencyService } from '../idempotency/idempotency.service.js'
import { readCertificate, readSshKey } from './public-key.js'

export type KeypairRow = Row<ApiSchema, 'keypairs'>

const importKeypair = z.object({
  name: keypairName,
  publicKey: z.string(),
  type: z.enum(['SSH', 'X509']),
  userId: z.string().nullish(),
  idempotencyKey: z.string().nullish(),
})

export interface KeypairServiceOptions {
  db: Database<ApiSchema>
  outbox: Outbox<ApiSchema>
  policy: Policy
  idempotency: IdempotencyService
  maxPageSize: number
  /** -1: unlimited. */
  keyPairLimit: number
}

export class KeypairService {
  readonly #options: KeypairServiceOptions

  constructor(options: KeypairServiceOptions) {
    this.#options = options
  }

  get #db(): Database<ApiSchema> {
    return this.#options.db
  }

  async keypair(caller: Caller, name: string, userId?: string | null): Promise<KeypairRow | null> {
    const owner = userId ?? caller.userId
    if (!this.#options.policy.allows('os_compute_api:os-keypairs:show', caller, { user_id: owner })) return null
    return (await this.ofUser(owner, [name])).get(name) ?? null
  }

  /** Keys of a user by name; names that do not exist are absent. */
  async ofUser(userId: string, names: readonly string[]): Promise<Map<string, KeypairRow>> {
    if (names.length === 0) return new Map()
    const rows = await this.#db.read
      .selectFrom('keypairs')
      .selectAll()
      .where('user_id', '=', userId)
      .where('name', 'in', [...names])
      .execute()
    return new Map(rows.map((row) => [row.name, row]))
  }

  async keypairs(
    caller: Caller,
    request: PageRequest & {
      filter?: { userId?: string | null; type?: string | null; name?: string | null } | null
      orderBy?: OrderInput[] | null
    },
  ): Promise<Page<KeypairRow>> {
    const { filter } = request
    const owner = filter?.userId ?? caller.userId
    this.#options.policy.enforce('os_compute_api:os-keypairs:index', caller, { user_id: owner })
    let query = this.#db.read.selectFrom('keypairs').selectAll().where('user_id', '=', owner)
    if (filter?.type) query = query.where('type', '=', filter.type.toLowerCase())
    if (filter?.name) query = query.where(containsText('name', filter.name))
    return listPage(this.#db, query, request, {
      keys: sortKeys(request.orderBy, { NAME: 'name', CREATED_AT: 'created_at' }, { key: 'NAME', direction: 'ASC' }, 'name'),
      fingerprint: listFingerprint('keypairs', owner, filter ?? null, request.orderBy ?? null),
      maximum: this.#options.maxPageSize,
      toNode: (row) => row,
    })
  }

  async import(caller: Caller, raw: unknown): Promise<KeypairRow> {
    const input = parseInput(importKeypair, raw)
    const owner = input.userId ?? caller.userId
    this.#options.policy.enforce('os_compute_api:os-keypairs:create', caller, { user_id: owner })
    const key = input.type === 'SSH' ? readSshKey(input.publicKey) : readCertificate(input.publicKey)
    await this.#options.idempotency.run(caller, {
      mutation: 'importKeypair',
      key: input.idempotencyKey,
      input,
      choose: () => ({ name: input.name, userId: owner }),
      work: async (refs, done) => {
        try {
          await this.#db.transaction(async (trx) => {
            const user = await trx.selectFrom('users').select('id').where('id', '=', owner).executeTakeFirst()
            if (user === undefined) throw CloudError.invalidReference('input.userId', `User ${owner} could not be found.`, 'UserNotFound')
            const { used } = await trx
              .selectFrom('keypairs')
              .select((eb) => eb.fn.countAll<number>().as('used'))
              .where('user_id', '=', owner)
              .executeTakeFirstOrThrow()
            const limit = this.#options.keyPairLimit
            if (limit >= 0 && Number(used) >= limit) {
              throw new CloudError(
                'QUOTA_EXCEEDED',
                `Quota exceeded for key_pairs: Requested 1, but already used ${used} of ${limit} key_pairs`,
                { exception: 'KeypairLimitExceeded' },
              )
            }
            await trx
              .insertInto('keypairs')
              .values({
                user_id: owner,
                name: input.name,
                type: input.type.toLowerCase(),
                public_key: key.publicKey,
                fingerprint: key.fingerprint,
                created_at: this.#db.now,
              })
              .execute()
            await this.#options.outbox.append(trx, [this.#event(caller, 'keypair.import.end', owner, input.name)])
            await done(trx, refs)
          })
        } catch (error) {
          if (!isUniqueViolation(error)) throw error
          throw new CloudError('ALREADY_EXISTS', `Key pair '${input.name}' already exists.`, {
            exception: 'KeyPairExists',
            fields: ['input.name'],
          })
        }
        return refs
      },
    })
    const row = (await this.ofUser(owner, [input.name])).get(input.name)
    if (row === undefined) throw CloudError.notFound('Keypair', input.name)
    return row
  }

  async delete(caller: Caller, raw: { name: string; userId?: string | null; idempotencyKey?: string | null }): Promise<string> {
    const owner = raw.userId ?? caller.userId
    this.#options.policy.enforce('os_compute_api:os-keypairs:delete', caller, { user_id: owner })
    const refs = await this.#options.idempotency.run(caller, {
      mutation: 'deleteKeypair',
      key: raw.idempotencyKey,
      input: raw,
      choose: () => ({ name: raw.name }),
      work: async (chosen, done) => {
        await this.#db.transaction(async (trx) => {
          const result = await trx.deleteFrom('keypairs').where('user_id', '=', owner).where('name', '=', raw.name).executeTakeFirst()
          if (Number(result.numDeletedRows) === 0) throw CloudError.notFound('Keypair', raw.name)
          await this.#options.outbox.append(trx, [this.#event(caller, 'keypair.delete.end', owner, raw.name)])
          await done(trx, chosen)
        })
        return chosen
      },
    })
    return refs.name
  }

  #event(caller: Caller, eventType: string, owner: string, name: string) {
    return {
      eventType,
      subject: 'KEYPAIR' as const,
      subjectId: name,
      phase: 'END' as const,
      projectId: caller.projectId,
      userId: owner,
      requestId: caller.requestId,
      payload: payload('KeypairPayload', { name, user_id: owner }),
    }
  }
}
