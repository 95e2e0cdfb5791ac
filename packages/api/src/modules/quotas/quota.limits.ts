/** Where limits come from, by `quota.driver` (C-QTA-2, C-QTA-8, C-UNL-1): own tables, nowhere, or unified limits of the identity service. */
import type { Transaction } from 'kysely'
import type { ApiSchema } from '../../db/schemas.js'
import {
  isResourceName,
  type LimitSet,
  type Limits,
  limitsFrom,
  quotaResources,
  type ResourceName,
  resourceNames,
} from './quota.resources.js'

export type Reader = Pick<Transaction<ApiSchema>, 'selectFrom'>

export const quotaDrivers = ['nova.quota.DbQuotaDriver', 'nova.quota.NoopQuotaDriver', 'nova.quota.UnifiedLimitsDriver'] as const
export type QuotaDriver = (typeof quotaDrivers)[number]

/** One thing a new server needs, by what is checked for it. */
export interface ServerNeed {
  /** As messages name it. */
  readonly name: string
  readonly resource: ResourceName | null
  /** Claimed in placement under these classes; null: the server itself. */
  readonly resourceClasses: readonly string[] | null
}

const serverNeeds = [
  { name: 'instances', resource: 'instances', resourceClasses: null },
  { name: 'cores', resource: 'cores', resourceClasses: ['VCPU', 'PCPU'] },
  { name: 'ram', resource: 'ram', resourceClasses: ['MEMORY_MB'] },
] as const satisfies ServerNeed[]

export interface LimitSource {
  /** False: limits are kept elsewhere, updates through the API store nothing. */
  readonly isStored: boolean
  readonly hasUserLimits: boolean
  /** What a project without own limits gets; `own`: set through the API or registered. */
  defaults(db: Reader): Promise<LimitSet>
  ofProject(db: Reader, projectId: string | null): Promise<LimitSet>
  /** Own limits of a user in a project; most have none. */
  ofUser(db: Reader, projectId: string, userId: string): Promise<Partial<Limits>>
  /** What is checked when servers that claim these classes are made, with the project's limit of each. */
  needs(db: Reader, projectId: string, classes: readonly string[]): Promise<{ need: ServerNeed; limit: number }[]>
}

const own = (rows: readonly { resource: string; hard_limit: number }[]): Partial<Limits> =>
  Object.fromEntries(rows.filter((row) => isResourceName(row.resource)).map((row) => [row.resource, row.hard_limit]))

const laid = (over: Partial<Limits>, under: Limits): LimitSet => ({
  limits: limitsFrom((name) => over[name] ?? under[name]),
  own: new Set(resourceNames.filter((name) => over[name] !== undefined)),
})

const needsOfLimits = (limits: Limits) => serverNeeds.map((need) => ({ need, limit: limits[need.resource] }))

/** Rows of the project, else of the class `default`, else the options. */
export class StoredLimits implements LimitSource {
  readonly isStored = true
  readonly hasUserLimits = true
  readonly #options: Limits

  constructor(options: Limits) {
    this.#options = options
  }

  async defaults(db: Reader): Promise<LimitSet> {
    const rows = await db.selectFrom('quota_classes').select(['resource', 'hard_limit']).where('class_name', '=', 'default').execute()
    return laid(own(rows), this.#options)
  }

  async ofProject(db: Reader, projectId: string | null): Promise<LimitSet> {
    const defaults = await this.defaults(db)
    if (projectId === null) return { limits: defaults.limits, own: new Set() }
    const rows = await db.selectFrom('quotas').select(['resource', 'hard_limit']).where('project_id', '=', projectId).execute()
    return laid(own(rows), defaults.limits)
  }

  async ofUser(db: Reader, projectId: string, userId: string): Promise<Partial<Limits>> {
    const rows = await db
      .selectFrom('project_user_quotas')
      .select(['resource', 'hard_limit'])
      .where('project_id', '=', projectId)
      .where('user_id', '=', userId)
      .execute()
    return own(rows)
  }

  async needs(db: Reader, projectId: string): Promise<{ need: ServerNeed; limit: number }[]> {
    return needsOfLimits((await this.ofProject(db, projectId)).limits)
  }
}

/** Nothing is limited. */
export class NoLimits implements LimitSource {
  readonly isStored = false
  readonly hasUserLimits = false

  async defaults(): Promise<LimitSet> {
    return { limits: limitsFrom(() => -1), own: new Set() }
  }

  ofProject(): Promise<LimitSet> {
    return this.defaults()
  }

  async ofUser(): Promise<Partial<Limits>> {
    return {}
  }

  async needs(): Promise<{ need: ServerNeed; limit: number }[]> {
    return []
  }
}

/** Registered limits and limits of projects; what is not registered may not be had at all. */
export class UnifiedLimits implements LimitSource {
  readonly isStored = false
  readonly hasUserLimits = false

  async defaults(db: Reader): Promise<LimitSet> {
    return limitSet(await this.#registered(db), new Map())
  }

  async ofProject(db: Reader, projectId: string | null): Promise<LimitSet> {
    return limitSet(await this.#registered(db), await this.#ofProject(db, projectId))
  }

  async ofUser(): Promise<Partial<Limits>> {
    return {}
  }

  async needs(db: Reader, projectId: string, classes: readonly string[]): Promise<{ need: ServerNeed; limit: number }[]> {
    const registered = await this.#registered(db)
    const ofProject = await this.#ofProject(db, projectId)
    const limitOf = (name: string): number => ofProject.get(name) ?? registered.get(name) ?? 0
    const servers: ServerNeed = { name: 'servers', resource: 'instances', resourceClasses: null }
    return [servers, ...classes.map(needOfClass)].map((need) => ({ need, limit: limitOf(need.name) }))
  }

  async #registered(db: Reader): Promise<Map<string, number>> {
    const rows = await db.selectFrom('registered_limits').selectAll().execute()
    return new Map(rows.map((row) => [row.resource_name, row.default_limit]))
  }

  async #ofProject(db: Reader, projectId: string | null): Promise<Map<string, number>> {
    if (projectId === null) return new Map()
    const rows = await db.selectFrom('project_limits').selectAll().where('project_id', '=', projectId).execute()
    return new Map(rows.map((row) => [row.resource_name, row.resource_limit]))
  }
}

function needOfClass(resourceClass: string): ServerNeed {
  const name = `class:${resourceClass}`
  return {
    name,
    resource: resourceNames.find((resource) => quotaResources[resource].unified === name) ?? null,
    resourceClasses: [resourceClass],
  }
}

function limitSet(registered: ReadonlyMap<string, number>, ofProject: ReadonlyMap<string, number>): LimitSet {
  return {
    limits: limitsFrom((name) => {
      const { unified } = quotaResources[name]
      return ofProject.get(unified) ?? registered.get(unified) ?? 0
    }),
    own: new Set(resourceNames.filter((name) => ofProject.has(quotaResources[name].unified))),
  }
}

export function limitSourceFor(driver: QuotaDriver, options: Limits): LimitSource {
  if (driver === 'nova.quota.NoopQuotaDriver') return new NoLimits()
  return driver === 'nova.quota.UnifiedLimitsDriver' ? new UnifiedLimits() : new StoredLimits(options)
}
