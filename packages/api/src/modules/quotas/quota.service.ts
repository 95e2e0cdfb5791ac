/** Refuses what would go above a limit (A-ACT-42, C-QTA-1, C-QTA-5): before anything is written, and again beside the written rows. */
import { CloudError } from '@kilonova/contract/errors'
import type { Transaction } from 'kysely'
import type { Database } from '../../db/database.js'
import type { ApiSchema } from '../../db/schemas.js'
import type { ResourceAmounts } from '../../placement/placement.service.js'
import type { LimitSource, Reader, ServerNeed } from './quota.limits.js'
import { type QuotaOwner, quotaResources, type ResourceName } from './quota.resources.js'
import { type CellView, lockProject, type Usage, type UsageCounter } from './quota.usage.js'

/** A limit that new servers of one size can meet. */
interface Bound {
  readonly need: ServerNeed
  readonly limit: number
  readonly perServer: number
  /** Set: the limit of this user in the project. */
  readonly userId: string | null
}
interface Measured extends Bound {
  readonly used: number
}

/** Another request has taken the room since it was counted. */
class RoomTaken extends Error {
  override name = 'RoomTaken'
  readonly refusal: CloudError

  constructor(refusal: CloudError) {
    super(refusal.message)
    this.refusal = refusal
  }
}

/** Each failed try means that another request got through, so this is only met under a flood of requests of one project. */
const maxTries = 20

export interface QuotaServiceOptions {
  db: Database<ApiSchema>
  limits: LimitSource
  usage: UsageCounter
  /** `quota.recheck_quota`. */
  recheck: boolean
}

export class QuotaService {
  readonly #options: QuotaServiceOptions

  constructor(options: QuotaServiceOptions) {
    this.#options = options
  }

  /**
   * Makes as many servers of a size, from `minCount` to `maxCount`, as the limits allow; QUOTA_EXCEEDED names all that is short.
   *
   * @param make writes them in one transaction; it must await `recheck` there once all rows are written. When that throws, nothing
   *   stays, and `make` may be called again with a smaller count.
   */
  async admitServers<T>(
    owner: { projectId: string; userId: string },
    amounts: ResourceAmounts,
    counts: { minCount: number; maxCount: number },
    make: (admitted: number, recheck: (trx: Transaction<ApiSchema>) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    const { db, usage, recheck } = this.#options
    for (let attempt = 1; ; attempt++) {
      const bounds = await this.#bounds(db.read, owner, amounts)
      if (bounds.length === 0) return make(counts.maxCount, async () => {})
      const view = await usage.prepare(owner.projectId)
      const admitted = admit(await this.#measure(db.read, owner, bounds, view), counts)
      try {
        return await make(admitted, async (trx) => {
          if (!recheck) return
          await lockProject(db, trx, owner.projectId)
          const over = (await this.#measure(trx, owner, bounds, view)).filter((bound) => bound.used > bound.limit)
          if (over.length === 0) return
          const before = over.map((bound) => ({ ...bound, used: bound.used - bound.perServer * admitted }))
          throw new RoomTaken(tooMany(before, counts.minCount))
        })
      } catch (error) {
        if (!(error instanceof RoomTaken)) throw error
        if (attempt >= maxTries) throw error.refusal
      }
    }
  }

  /**
   * Refuses more metadata items than a server of the owner may have.
   *
   * @param count items the server would have in the end, not only those that are added
   * @param field path of the input at fault
   * @param db the transaction, for callers inside one
   */
  async checkMetadataItems(owner: QuotaOwner, count: number, field = 'input.metadata', db?: Reader): Promise<void> {
    if (count === 0) return
    const limit = await this.#limitOf(db ?? this.#options.db.read, owner, 'metadata_items')
    if (limit < 0 || count <= limit) return
    throw overQuota(
      `Quota exceeded for metadata_items: Requested ${count}, but the limit is ${limit}`,
      [{ name: 'metadata_items', resource: 'metadata_items', requested: count, inUse: 0, limit }],
      { exception: 'MetadataLimitExceeded', fields: [field] },
    )
  }

  /** Refuses one more key pair of a user; to be called in the transaction that writes it, before it is written. */
  async checkKeyPairs(trx: Transaction<ApiSchema>, owner: QuotaOwner): Promise<void> {
    const limit = await this.#limitOf(trx, owner, 'key_pairs')
    if (limit < 0) return
    if (this.#options.recheck && this.#options.db.dialect === 'postgres') {
      await trx.selectFrom('users').select('id').where('id', '=', owner.userId).forUpdate().execute()
    }
    const row = await trx
      .selectFrom('keypairs')
      .select((eb) => eb.fn.countAll<number>().as('used'))
      .where('user_id', '=', owner.userId)
      .executeTakeFirstOrThrow()
    const used = Number(row.used)
    if (used < limit) return
    throw overQuota(
      `Quota exceeded for key_pairs: Requested 1, but already used ${used} of ${limit} key_pairs`,
      [{ name: 'key_pairs', resource: 'key_pairs', requested: 1, inUse: used, limit }],
      { exception: 'KeypairLimitExceeded' },
    )
  }

  /** For limits that are not shared: the user's own, else the project's. */
  async #limitOf(db: Reader, owner: QuotaOwner, name: ResourceName): Promise<number> {
    const { limits } = this.#options
    const { limits: ofProject } = await limits.ofProject(db, owner.projectId)
    if (!limits.hasUserLimits || owner.projectId === null) return ofProject[name]
    return (await limits.ofUser(db, owner.projectId, owner.userId))[name] ?? ofProject[name]
  }

  /** Limits that servers of a size can meet at all. */
  async #bounds(db: Reader, owner: { projectId: string; userId: string }, amounts: ResourceAmounts): Promise<Bound[]> {
    const { limits } = this.#options
    const classes = Object.keys(amounts).filter((name) => (amounts[name] ?? 0) > 0)
    const needs = await limits.needs(db, owner.projectId, classes)
    const ofUser = limits.hasUserLimits ? await limits.ofUser(db, owner.projectId, owner.userId) : {}
    const bounds = needs.flatMap(({ need, limit }): Bound[] => {
      const perServer = need.resourceClasses === null ? 1 : sum(need.resourceClasses.map((name) => amounts[name] ?? 0))
      const own = need.resource === null ? undefined : ofUser[need.resource]
      const project: Bound = { need, limit, perServer, userId: null }
      return own === undefined ? [project] : [project, { ...project, limit: own, userId: owner.userId }]
    })
    return bounds.filter((bound) => bound.limit >= 0 && bound.perServer > 0)
  }

  /** Users are only counted where one has limits of its own. */
  async #measure(
    db: Reader,
    owner: { projectId: string; userId: string },
    bounds: readonly Bound[],
    view: CellView | null,
  ): Promise<Measured[]> {
    const { usage } = this.#options
    const ofProject = await usage.count(db, { projectId: owner.projectId, userId: null }, view)
    const ofUser = bounds.some((bound) => bound.userId !== null) ? await usage.count(db, owner, view) : ofProject
    return bounds.map((bound) => ({ ...bound, used: usedFor(bound.userId === null ? ofProject : ofUser, bound.need) }))
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

const usedFor = (usage: Usage, need: ServerNeed): number =>
  need.resourceClasses === null ? usage.servers : sum(need.resourceClasses.map((name) => usage.amounts[name] ?? 0))

/** Use as it is shown: limits per server and per user have none. */
export function usedOf(usage: Usage, name: ResourceName): number {
  if (name === 'instances') return usage.servers
  if (name === 'cores') return (usage.amounts.VCPU ?? 0) + (usage.amounts.PCPU ?? 0)
  return name === 'ram' ? (usage.amounts.MEMORY_MB ?? 0) : 0
}

/** How many fit, at least `minCount`. */
function admit(bounds: readonly Measured[], counts: { minCount: number; maxCount: number }): number {
  const roomOf = (bound: Measured): number => Math.floor((bound.limit - bound.used) / bound.perServer)
  const short = bounds.filter((bound) => roomOf(bound) < counts.minCount)
  if (short.length > 0) throw tooMany(short, counts.minCount)
  return Math.min(counts.maxCount, ...bounds.map(roomOf))
}

function tooMany(short: readonly Measured[], count: number): CloudError {
  // One line for a limit of the project and of the user in it: the narrower one.
  const byName = new Map<string, Measured>()
  for (const bound of short) {
    const known = byName.get(bound.need.name)
    if (known === undefined || bound.limit - bound.used < known.limit - known.used) byName.set(bound.need.name, bound)
  }
  const overs = [...byName.values()].map(({ need, limit, used, perServer }) => ({
    name: need.name,
    resource: need.resource,
    requested: perServer * count,
    inUse: used,
    limit,
  }))
  const join = (part: (over: Over) => string | number): string => overs.map(part).join(', ')
  const names = join((over) => over.name)
  return overQuota(
    `Quota exceeded for ${names}: Requested ${join((over) => over.requested)}, but already used ${join((over) => over.inUse)} of ${join((over) => over.limit)} ${names}`,
    overs,
    { exception: 'TooManyInstances' },
  )
}

interface Over {
  name: string
  resource: ResourceName | null
  requested: number
  inUse: number
  limit: number
}

const overQuota = (message: string, overs: readonly Over[], options: { exception: string; fields?: string[] }): CloudError =>
  new CloudError('QUOTA_EXCEEDED', message, {
    ...options,
    extra: {
      exceeded: overs.map(({ name, resource, requested, inUse, limit }) => ({
        resource: resource === null ? name : quotaResources[resource].shownAs,
        requested,
        inUse,
        limit,
      })),
    },
  })
