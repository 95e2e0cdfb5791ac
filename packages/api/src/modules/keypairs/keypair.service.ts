/** Key pairs belong to a user (D-POL-T123…): stored public keys and certificates that servers are given. */
import { CloudError } from '@kilonova/contract/errors'
import { payload } from '@kilonova/contract/events'
import { keypairName } from '@kilonova/contract/inputs'
import type { Secret } from '@kilonova/runtime/secrets'
import type { Transaction } from 'kysely'
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
import type { QuotaService } from '../quotas/quota.service.js'
import { generateCertificate, generateSshKey } from './generate-key.js'
import { readCertificate, readSshKey } from './public-key.js'

export type KeypairRow = Row<ApiSchema, 'keypairs'>

const createKeypair = z.object({
  name: keypairName,
  type: z.enum(['SSH', 'X509']),
  userId: z.string().nullish(),
  idempotencyKey: z.string().nullish(),
})
const importKeypair = createKeypair.extend({ publicKey: z.string() })

export interface KeypairServiceOptions {
  db: Database<ApiSchema>
  outbox: Outbox<ApiSchema>
  policy: Policy
  idempotency: IdempotencyService
  maxPageSize: number
  quotas: QuotaService
  /** Whether key pairs may be made here. */
  generation: boolean
}

interface NewKeypair {
  owner: string
  name: string
  type: 'SSH' | 'X509'
  publicKey: string
  fingerprint: string
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
    const { id } = await this.#options.idempotency.run(caller, {
      mutation: 'importKeypair',
      key: input.idempotencyKey,
      input,
      choose: () => ({ id: '' }),
      work: (_refs, done) => this.#store(caller, 'import', { owner, name: input.name, type: input.type, ...key }, done),
    })
    return this.#byId(id, input.name)
  }

  /** Makes a key pair; the private half is answered now, and to a retry for a short while. */
  async create(caller: Caller, raw: unknown): Promise<{ keypair: KeypairRow; privateKey: Secret }> {
    const { generation, idempotency, policy } = this.#options
    const input = parseInput(createKeypair, raw)
    const owner = input.userId ?? caller.userId
    policy.enforce('os_compute_api:os-keypairs:create', caller, { user_id: owner })
    if (!generation) {
      throw new CloudError('NOT_IMPLEMENTED', 'This cloud does not make key pairs: make one yourself and import its public key.', {
        exception: 'HTTPNotImplemented',
      })
    }
    let made: Secret | null = null
    const { id } = await idempotency.run(caller, {
      mutation: 'createKeypair',
      key: input.idempotencyKey,
      input,
      choose: () => ({ id: '' }),
      work: async (_refs, done) => {
        await this.#refuseTaken(owner, input.name)
        const { privateKey, ...key } = await (input.type === 'SSH' ? generateSshKey() : generateCertificate(owner))
        const refs = await this.#store(caller, 'create', { owner, name: input.name, type: input.type, ...key }, (trx, stored) =>
          done(trx, stored, privateKey),
        )
        made = privateKey
        return refs
      },
    })
    const privateKey = (made as Secret | null) ?? (await idempotency.secretOf(caller, input.idempotencyKey))
    if (privateKey === null) {
      throw new CloudError('GONE', 'The private key was shown before and is not kept: delete the key pair and make a new one.', {
        fields: ['input.idempotencyKey'],
      })
    }
    return { keypair: await this.#byId(id, input.name), privateKey }
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

  /** Spares the making of a key for a name that is taken; the unique index decides. */
  async #refuseTaken(owner: string, name: string): Promise<void> {
    if ((await this.ofUser(owner, [name])).has(name)) throw taken(name)
  }

  async #store(
    caller: Caller,
    what: 'create' | 'import',
    key: NewKeypair,
    done: (trx: Transaction<ApiSchema>, refs: { id: string }) => Promise<void>,
  ): Promise<{ id: string }> {
    try {
      return await this.#db.transaction(async (trx) => {
        const user = await trx.selectFrom('users').select('id').where('id', '=', key.owner).executeTakeFirst()
        if (user === undefined) throw CloudError.invalidReference('input.userId', `User ${key.owner} could not be found.`, 'UserNotFound')
        await this.#options.quotas.checkKeyPairs(trx, { projectId: caller.projectId, userId: key.owner })
        const { id } = await trx
          .insertInto('keypairs')
          .values({
            user_id: key.owner,
            name: key.name,
            type: key.type.toLowerCase(),
            public_key: key.publicKey,
            fingerprint: key.fingerprint,
            created_at: this.#db.now,
          })
          .returning('id')
          .executeTakeFirstOrThrow()
        const refs = { id: String(id) }
        await this.#options.outbox.append(trx, [this.#event(caller, `keypair.${what}.end`, key.owner, key.name)])
        await done(trx, refs)
        return refs
      })
    } catch (error) {
      throw isUniqueViolation(error) ? taken(key.name) : error
    }
  }

  async #byId(id: string, name: string): Promise<KeypairRow> {
    const row = await this.#db.read.selectFrom('keypairs').selectAll().where('id', '=', Number(id)).executeTakeFirst()
    if (row === undefined) throw CloudError.notFound('Keypair', name)
    return row
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

const taken = (name: string): CloudError =>
  new CloudError('ALREADY_EXISTS', `Key pair '${name}' already exists.`, { exception: 'KeyPairExists', fields: ['input.name'] })
