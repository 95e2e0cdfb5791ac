/** What the scheduler knows of a host. Plain data: the decision is a pure function over it. */
import type { ProviderSnapshot } from '../placement/placement.service.js'

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

/** Free amount of a class as the weighers see it: may be negative. */
export function freeOf(host: HostState, resourceClass: string): number {
  const inventory = host.provider.inventories[resourceClass]
  if (inventory === undefined) return 0
  return (inventory.total - inventory.reserved) * inventory.ratio - inventory.used
}
