/**
 * Retry keys (contract rule 8): the key is written, with the ids already chosen, before any effect, and the work uses those ids; a
 * retry after a crash finishes the same work. References are kept, never answers.
 */
import { CloudError } from '@kilonova/contract/errors'
import { Secret, type SecretBox } from '@kilonova/runtime/secrets'
import type { Transaction } from 'kysely'
import type { Caller } from '../../caller.js'
import { type Database, isUniqueViolation } from '../../db/database.js'
import type { ApiSchema } from '../../db/schemas.js'

export type References = Record<string, string | number | string[] | null>

export interface KeyedMutation<Refs extends References> {
  mutation: string
  key: string | null | undefined
  /** The whole input; only its keyed hash is stored. */
  input: unknown
  /** Ids the work will use; called once per key. */
  choose: () => Refs
  /**
   * Does the work with the ids. `done` must be called in the API-database transaction that completes it; it may add references.
   * The work may run again with the same ids and must then come to the same end.
   */
  work: (refs: Refs, done: Done<Refs>) => Promise<Refs>
}

export type Done<Refs> = (trx: Transaction<ApiSchema>, refs: Refs, secret?: Secret) => Promise<void>

const keptMs = 24 * 3600 * 1000
const secretKeptMs = 600_000

export class IdempotencyService {
  readonly #db: Database<ApiSchema>
  readonly #box: SecretBox
  readonly #running = new Map<string, { hash: string; work: Promise<References> }>()

  constructor(db: Database<ApiSchema>, box: SecretBox) {
    this.#db = db
    this.#box = box
  }

  /** Runs the mutation, or answers what an earlier call with the key has made. */
  async run<Refs extends References>(caller: Caller, mutation: KeyedMutation<Refs>): Promise<Refs> {
    const { key } = mutation
    if (key === null || key === undefined) return mutation.work(mutation.choose(), async () => {})
    if (key.length < 1 || key.length > 255) throw CloudError.badInput('input.idempotencyKey', 'A retry key has 1 to 255 characters.')
    const id = { user_id: caller.userId, project_id: caller.projectId ?? '', key }
    const hash = this.#box.keyedHash(JSON.stringify([mutation.mutation, mutation.input]))
    const lockName = JSON.stringify(id)
    const running = this.#running.get(lockName)
    if (running !== undefined) {
      if (running.hash !== hash) throw keyReused()
      return (await running.work) as Refs
    }
    const work = this.#runKeyed(id, hash, mutation)
    this.#running.set(lockName, { hash, work })
    try {
      return await work
    } finally {
      this.#running.delete(lockName)
    }
  }

  /** A secret shown with the first answer, while it may still be shown again. */
  async secretOf(caller: Caller, key: string | null | undefined): Promise<Secret | null> {
    if (key === null || key === undefined) return null
    const row = await this.#db.read
      .selectFrom('idempotency_keys')
      .select(['sealed', 'created_at'])
      .where('user_id', '=', caller.userId)
      .where('project_id', '=', caller.projectId ?? '')
      .where('key', '=', key)
      .executeTakeFirst()
    if (row?.sealed == null || row.created_at + secretKeptMs < (await this.#db.readClock())) return null
    return this.#box.unseal(row.sealed)
  }

  /** Forgets old keys, and secrets that may not be shown any more. */
  async purge(): Promise<void> {
    await this.#db.transaction(async (trx) => {
      const { now } = this.#db
      await trx.deleteFrom('idempotency_keys').where('expires_at', '<', now).execute()
      await trx
        .updateTable('idempotency_keys')
        .set({ sealed: null })
        .where('sealed', 'is not', null)
        .where((eb) => eb('created_at', '<', eb(now, '-', secretKeptMs)))
        .execute()
    })
  }

  async #runKeyed<Refs extends References>(id: KeyId, hash: string, mutation: KeyedMutation<Refs>): Promise<Refs> {
    const stored = await this.#reserve(id, hash, mutation)
    if (stored.state === 'done') return stored.refs
    try {
      return await mutation.work(stored.refs, async (trx, refs, secret) => {
        await trx
          .updateTable('idempotency_keys')
          .set({ refs: JSON.stringify(refs), state: 'done', sealed: secret === undefined ? null : this.#box.seal(secret) })
          .where('user_id', '=', id.user_id)
          .where('project_id', '=', id.project_id)
          .where('key', '=', id.key)
          .execute()
      })
    } catch (error) {
      // A refused request has no effect: the key may be used again for a corrected one.
      if (error instanceof CloudError) await this.#forget(id)
      throw error
    }
  }

  async #reserve<Refs extends References>(id: KeyId, hash: string, mutation: KeyedMutation<Refs>): Promise<{ state: string; refs: Refs }> {
    const refs = mutation.choose()
    const { now } = this.#db
    try {
      return await this.#db.transaction(async (trx) => {
        const row = await findKey(trx, id)
        if (row !== undefined) {
          if (row.input_hash !== hash) throw keyReused()
          return { state: row.state, refs: JSON.parse(row.refs) as Refs }
        }
        await trx
          .insertInto('idempotency_keys')
          .values((eb) => ({
            ...id,
            mutation: mutation.mutation,
            input_hash: hash,
            refs: JSON.stringify(refs),
            state: 'pending',
            created_at: now,
            expires_at: eb(now, '+', keptMs),
          }))
          .execute()
        return { state: 'pending', refs }
      })
    } catch (error) {
      if (isUniqueViolation(error)) return this.#reserve(id, hash, mutation)
      throw error
    }
  }

  async #forget(id: KeyId): Promise<void> {
    await this.#db.transaction(async (trx) => {
      await trx
        .deleteFrom('idempotency_keys')
        .where('user_id', '=', id.user_id)
        .where('project_id', '=', id.project_id)
        .where('key', '=', id.key)
        .where('state', '=', 'pending')
        .execute()
    })
  }
}

interface KeyId {
  user_id: string
  project_id: string
  key: string
}

const findKey = (db: Pick<Transaction<ApiSchema>, 'selectFrom'>, id: KeyId) =>
  db
    .selectFrom('idempotency_keys')
    .selectAll()
    .where('user_id', '=', id.user_id)
    .where('project_id', '=', id.project_id)
    .where('key', '=', id.key)
    .executeTakeFirst()

const keyReused = (): CloudError =>
  new CloudError('IDEMPOTENCY_KEY_REUSED', 'The idempotency key was used with different input.', { fields: ['input.idempotencyKey'] })
