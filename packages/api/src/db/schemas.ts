/** The two schemas of the cloud: the API database, and the one every cell (cell0 too) has. */
import type { InferKyselyDB } from '@mikro-orm/sqlite'
import * as audit from './api/audit.entities.js'
import * as catalog from './api/catalog.entities.js'
import * as cells from './api/cells.entities.js'
import * as identity from './api/identity.entities.js'
import * as operations from './api/operations.entities.js'
import * as placement from './api/placement.entities.js'
import * as quotas from './api/quotas.entities.js'
import * as cell from './cell/cell.entities.js'
import * as usage from './cell/usage.entities.js'
import { ApiLease, ApiOutbox, ApiSaga, ApiSetting, CellLease, CellOutbox, CellSaga } from './shared.entities.js'

export const apiEntities = [
  cells.CellMapping,
  cells.HostMapping,
  cells.InstanceMapping,
  cells.RequestSpec,
  cells.BuildRequest,
  operations.Operation,
  operations.OperationStep,
  operations.IdempotencyKey,
  operations.EventLog,
  identity.Project,
  identity.User,
  identity.RoleAssignment,
  identity.Session,
  identity.ApplicationCredential,
  identity.RightsChange,
  audit.AuditEntry,
  catalog.Flavor,
  catalog.FlavorProject,
  catalog.Keypair,
  quotas.Quota,
  quotas.ProjectUserQuota,
  quotas.QuotaClass,
  quotas.QuotaGeneration,
  quotas.RegisteredLimit,
  quotas.ProjectLimit,
  catalog.Image,
  catalog.ImageMember,
  catalog.ImageUpload,
  catalog.Network,
  catalog.Subnet,
  catalog.Port,
  catalog.IpAllocation,
  placement.ResourceProvider,
  placement.Inventory,
  placement.ProviderTrait,
  placement.Consumer,
  placement.Allocation,
  ApiSaga,
  ApiOutbox,
  ApiLease,
  ApiSetting,
] as const
export const cellEntities = [
  cell.Instance,
  cell.Service,
  cell.ComputeNode,
  cell.ConsoleAuthToken,
  usage.UsageAudit,
  CellSaga,
  CellOutbox,
  CellLease,
] as const

export type ApiSchema = InferKyselyDB<(typeof apiEntities)[number]>
export type CellSchema = InferKyselyDB<(typeof cellEntities)[number]>
/** The tables both schemas share. */
export type SharedSchema = InferKyselyDB<typeof CellSaga | typeof CellOutbox | typeof CellLease>
export type SchemaName = 'api' | 'cell'
