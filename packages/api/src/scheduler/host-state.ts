/** What the scheduler knows of a host and of a request. Plain data: the decision is a pure function over it. */
import type { ProviderSnapshot, ResourceAmounts } from '../placement/placement.service.js'

export interface HostState {
  readonly host: string
  readonly node: string
  readonly nodeId: string
  readonly cellId: string
  readonly serviceEnabled: boolean
  readonly serviceUp: boolean
  readonly disabledReason: string | null
  readonly availabilityZones: readonly string[]
  readonly hypervisorType: string
  readonly hypervisorVersion: number
  /** [architecture, hypervisor type, vm mode] */
  readonly supportedInstances: readonly (readonly [string, string, string])[]
  readonly provider: ProviderSnapshot
}

export interface ScheduleRequest {
  readonly serverIds: readonly string[]
  readonly amounts: ResourceAmounts
  readonly availabilityZone: string | null
  readonly imageProperties: Readonly<Record<string, string>>
  /** Only this host or node may be used; filters still apply (requested destination). */
  readonly requestedHost: string | null
  readonly requestedNode: string | null
  readonly ignoreHosts: readonly string[]
}

/** Free amount of a class as the weighers see it: may be negative. */
export function freeOf(host: HostState, resourceClass: string): number {
  const inventory = host.provider.inventories[resourceClass]
  if (inventory === undefined) return 0
  return (inventory.total - inventory.reserved) * inventory.ratio - inventory.used
}
