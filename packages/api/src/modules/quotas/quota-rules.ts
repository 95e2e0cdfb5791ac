/** What a new limit must keep to (C-QTA-6): not below what is used or given to users, and a user's not above the project's. */
import { CloudError } from '@kilonova/contract/errors'
import type { LimitSource, Reader } from './quota.limits.js'
import { isResourceName, quotaResources, type ResourceName } from './quota.resources.js'
import { usedOf } from './quota.service.js'
import type { CellView, Usage, UsageCounter } from './quota.usage.js'

export interface WantedLimit {
  resource: ResourceName
  limit: number
  /** Path of the input. */
  field: string
}

const orInfinite = (limit: number): number => (limit < 0 ? Number.POSITIVE_INFINITY : limit)

export class LimitRules {
  readonly #db: Reader
  readonly #limits: LimitSource
  readonly #usage: UsageCounter
  readonly #view: CellView | null

  constructor(db: Reader, limits: LimitSource, usage: UsageCounter, view: CellView | null) {
    this.#db = db
    this.#limits = limits
    this.#usage = usage
    this.#view = view
  }

  /** BAD_USER_INPUT names every limit at fault. `force` allows what is below the use, never more for a user than for the project. */
  async check(owner: { projectId: string; userId: string | null }, wanted: readonly WantedLimit[], force: boolean): Promise<void> {
    const usage = await this.#usage.count(this.#db, owner, this.#view)
    const project = (await this.#limits.ofProject(this.#db, owner.projectId)).limits
    const others = await this.#givenToUsers(owner)
    const faults = wanted.flatMap((limit) => {
      const message = faultOf(limit, {
        usage,
        project: project[limit.resource],
        givenToUsers: others.get(limit.resource) ?? 0,
        ofUser: owner.userId !== null,
        force,
      })
      return message === null ? [] : [{ field: limit.field, message }]
    })
    const [first] = faults
    if (first === undefined) return
    throw new CloudError('BAD_USER_INPUT', faults.map((fault) => fault.message).join(' '), {
      exception: 'ValidationError',
      fields: faults.map((fault) => fault.field),
    })
  }

  /** Sums of the limits of users in the project; of the other users, when a user's limits are asked about. */
  async #givenToUsers(owner: { projectId: string; userId: string | null }): Promise<Map<ResourceName, number>> {
    let query = this.#db
      .selectFrom('project_user_quotas')
      .select((eb) => ['resource', eb.fn.sum<number>('hard_limit').as('given')])
      .where('project_id', '=', owner.projectId)
      .where('hard_limit', '>=', 0)
      .groupBy('resource')
    if (owner.userId !== null) query = query.where('user_id', '!=', owner.userId)
    const rows = await query.execute()
    return new Map(rows.flatMap((row) => (isResourceName(row.resource) ? [[row.resource, Number(row.given)] as const] : [])))
  }
}

interface Situation {
  usage: Usage
  /** The project's limit of the resource. */
  project: number
  givenToUsers: number
  ofUser: boolean
  force: boolean
}

function faultOf({ resource, limit }: WantedLimit, situation: Situation): string | null {
  const { shownAs, isCounted } = quotaResources[resource]
  const wanted = orInfinite(limit)
  const { ofUser, force, givenToUsers, project } = situation
  const used = usedOf(situation.usage, resource)
  if (!force && wanted < used) {
    return `The limit of ${shownAs} must be at least ${used}, which is in use.`
  }
  if (!ofUser) {
    if (!force && isCounted && wanted < givenToUsers) {
      return `The limit of ${shownAs} must be at least ${givenToUsers}, which its users have been given.`
    }
    return null
  }
  // What is shared is divided among the users; limits per server or user are not.
  const most = orInfinite(project) - (isCounted ? givenToUsers : 0)
  if (wanted <= Math.max(most, 0)) return null
  const wording = limit < 0 ? 'cannot be unlimited' : 'is too high'
  return `The user’s limit of ${shownAs} ${wording}: the project’s limit leaves ${Math.max(most, 0)}.`
}
