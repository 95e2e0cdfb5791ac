/**
 * What is limited in this cloud (T10), under Nova's names: as stored, as options of `[quota]`, and in error messages. Server groups,
 * volumes and what else does not exist here has no limit; file injection is gone from Nova since 2.57.
 */
import type { QuotaResource } from './quota.types.js'

export const quotaResources = {
  instances: { shownAs: 'SERVERS', unified: 'servers', isCounted: true },
  cores: { shownAs: 'CORES', unified: 'class:VCPU', isCounted: true },
  ram: { shownAs: 'RAM_MB', unified: 'class:MEMORY_MB', isCounted: true },
  metadata_items: { shownAs: 'METADATA_ITEMS', unified: 'server_metadata_items', isCounted: false },
  key_pairs: { shownAs: 'KEY_PAIRS', unified: 'server_key_pairs', isCounted: false },
} as const satisfies Record<string, ResourceRule>

interface ResourceRule {
  readonly shownAs: QuotaResource
  /** Name among unified limits (C-UNL-2). */
  readonly unified: string
  /** False for limits per server or user: their use in a project is shown as 0. */
  readonly isCounted: boolean
}

export type ResourceName = keyof typeof quotaResources
export const resourceNames = Object.keys(quotaResources) as ResourceName[]
export const shownResources = resourceNames.map((name): QuotaResource => quotaResources[name].shownAs)
export const isResourceName = (name: string): name is ResourceName => Object.hasOwn(quotaResources, name)
export const resourceOf = (shown: QuotaResource): ResourceName | undefined =>
  resourceNames.find((name) => quotaResources[name].shownAs === shown)

/** -1: unlimited. */
export type Limits = Record<ResourceName, number>

export const limitsFrom = (limitOf: (name: ResourceName) => number): Limits => ({
  instances: limitOf('instances'),
  cores: limitOf('cores'),
  ram: limitOf('ram'),
  metadata_items: limitOf('metadata_items'),
  key_pairs: limitOf('key_pairs'),
})

/** Limits, and which of them are set where they are asked for and not inherited. */
export interface LimitSet {
  readonly limits: Limits
  readonly own: ReadonlySet<ResourceName>
}

/** A project, or a user in it; no project: what applies where none is chosen. */
export interface QuotaOwner {
  readonly projectId: string | null
  readonly userId: string
}
