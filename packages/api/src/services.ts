/** The services behind the gateway, as resolvers and endpoints see them. */

import type { SecretBox } from '@kilonova/runtime/secrets'
import type { ApiConfig } from './config.js'
import type { EventHub } from './events/event-hub.js'
import type { FlavorService } from './modules/flavors/flavor.service.js'
import type { HypervisorService } from './modules/hypervisors/hypervisor.service.js'
import type { IdentityService } from './modules/identity/identity.service.js'
import type { SessionService } from './modules/identity/session.service.js'
import type { ImageService } from './modules/images/image.service.js'
import type { KeypairService } from './modules/keypairs/keypair.service.js'
import type { NetworkService } from './modules/networks/network.service.js'
import type { OperationService } from './modules/operations/operation.service.js'
import type { CreateServer } from './modules/servers/create-server.js'
import type { ServerService } from './modules/servers/server.service.js'
import type { PlacementService } from './placement/placement.service.js'
import type { Policy } from './policy/policy.js'
import type { SchedulerSetup } from './scheduler/schedule.js'

export interface Services {
  readonly config: ApiConfig
  readonly version: string
  readonly policy: Policy
  readonly sessions: SessionService
  readonly identity: IdentityService
  readonly flavors: FlavorService
  readonly keypairs: KeypairService
  readonly images: ImageService
  readonly networks: NetworkService
  readonly hypervisors: HypervisorService
  readonly operations: OperationService
  readonly servers: ServerService
  readonly createServer: CreateServer
  readonly placement: PlacementService
  /** Filters and weighers of the configuration. */
  readonly schedulerSetup: SchedulerSetup
  readonly events: EventHub
  readonly box: SecretBox
  /** Address under which browsers reach this cloud. */
  readonly publicUrl: () => string
  /** Address under which browsers reach the console proxy. */
  readonly consoleUrl: () => string
}
