/** What may go up from a cell: placement, and the image and network services. Nothing else (architecture decision 2). */
import type { GuestImage, GuestInterface } from '@kilonova/contract/rpc/guest'
import type { PlacementService } from '../placement/placement.service.js'

export interface RequestedNetwork {
  networkId: string
  fixedIp: string | null
  tag: string | null
}

export interface UpCalls {
  readonly placement: Pick<PlacementService, 'claim' | 'release' | 'reportInventory' | 'setTrait'>
  readonly networks: {
    /** Makes the ports of a server; a second time it answers those that exist. */
    allocate(
      server: { id: string; projectId: string; host: string; availabilityZone: string },
      networks: readonly RequestedNetwork[],
    ): Promise<GuestInterface[]>
    release(serverId: string): Promise<void>
  }
  readonly images: {
    /** With a fresh ticket. INVALID_REFERENCE when the image is gone or not active. */
    forGuest(imageId: string): Promise<GuestImage>
  }
}
