/** The services behind the gateway, as resolvers and endpoints see them. */

import type { SecretBox } from '@kilonova/runtime/secrets'
import type { ApiConfig } from './config.js'
import type { EventHub } from './events/event-hub.js'
import type { AuditService } from './modules/audit/audit.service.js'
import type { FlavorService } from './modules/flavors/flavor.service.js'
import type { ComputeServices } from './modules/hypervisors/compute-services.js'
import type { HypervisorService } from './modules/hypervisors/hypervisor.service.js'
import type { ApplicationCredentialService } from './modules/identity/application-credential.service.js'
import type { GrantService } from './modules/identity/grant.service.js'
import type { IdentityService } from './modules/identity/identity.service.js'
import type { LiveLogins } from './modules/identity/live-logins.js'
import type { ProjectService } from './modules/identity/project.service.js'
import type { SessionService } from './modules/identity/session.service.js'
import type { ImageService } from './modules/images/image.service.js'
import type { KeypairService } from './modules/keypairs/keypair.service.js'
import type { NetworkService } from './modules/networks/network.service.js'
import type { OperationService } from './modules/operations/operation.service.js'
import type { OperationCancel } from './modules/operations/operation-cancel.js'
import type { QuotaSetService } from './modules/quotas/quota-set.service.js'
import type { UsageService } from './modules/quotas/usage.service.js'
import type { UsageAuditService } from './modules/quotas/usage-audit.service.js'
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
  readonly liveLogins: LiveLogins
  readonly identity: IdentityService
  readonly projects: ProjectService
  readonly grants: GrantService
  readonly credentials: ApplicationCredentialService
  readonly flavors: FlavorService
  readonly keypairs: KeypairService
  readonly images: ImageService
  readonly networks: NetworkService
  readonly hypervisors: HypervisorService
  readonly computeServices: ComputeServices
  readonly operations: OperationService
  readonly cancels: OperationCancel
  readonly servers: ServerService
  readonly createServer: CreateServer
  readonly quotaSets: QuotaSetService
  readonly usage: UsageService
  readonly usageAudits: UsageAuditService
  readonly placement: PlacementService
  /** Filters and weighers of the configuration. */
  readonly schedulerSetup: SchedulerSetup
  readonly events: EventHub
  readonly audit: AuditService
  readonly box: SecretBox
  /** Address under which browsers reach this cloud. */
  readonly publicUrl: () => string
}
