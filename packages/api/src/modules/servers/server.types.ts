import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql'
import { ErrorCode, ExtraSpec, MetadataItem } from '../../graphql/common.types.js'
import { OperationPayload } from '../../graphql/operation-payload.js'
import { Policy } from '../../graphql/policy-directive.js'
import { Base64, BigInteger, DateTime, IPAddress, MACAddress } from '../../graphql/scalars.js'
import { KeypairType } from '../../modules/keypairs/keypair.types.js'

export const ServerStatus = {
  ACTIVE: 'ACTIVE',
  BUILD: 'BUILD',
  DELETED: 'DELETED',
  ERROR: 'ERROR',
  HARD_REBOOT: 'HARD_REBOOT',
  MIGRATING: 'MIGRATING',
  PASSWORD: 'PASSWORD',
  PAUSED: 'PAUSED',
  REBOOT: 'REBOOT',
  REBUILD: 'REBUILD',
  RESCUE: 'RESCUE',
  RESIZE: 'RESIZE',
  REVERT_RESIZE: 'REVERT_RESIZE',
  SHELVED: 'SHELVED',
  SHELVED_OFFLOADED: 'SHELVED_OFFLOADED',
  SHUTOFF: 'SHUTOFF',
  SOFT_DELETED: 'SOFT_DELETED',
  SUSPENDED: 'SUSPENDED',
  UNKNOWN: 'UNKNOWN',
  VERIFY_RESIZE: 'VERIFY_RESIZE',
} as const
export type ServerStatus = (typeof ServerStatus)[keyof typeof ServerStatus]
registerEnumType(ServerStatus, {
  name: 'ServerStatus',
  description: 'Status shown to users, computed from vm state and task state.',
  valuesConfig: {
    ACTIVE: { description: 'Running.' },
    BUILD: { description: 'Being created.' },
    DELETED: { description: 'Gone.' },
    ERROR: { description: 'The last action failed; see fault.' },
    HARD_REBOOT: { description: 'Hard reboot under way.' },
    MIGRATING: { description: 'Live migration under way.' },
    PASSWORD: { description: 'Admin password is being set.' },
    PAUSED: { description: 'Frozen in memory.' },
    REBOOT: { description: 'Soft reboot under way.' },
    REBUILD: { description: 'Rebuild or evacuation under way.' },
    RESCUE: { description: 'Running a rescue image.' },
    RESIZE: { description: 'Resize or cold migration under way.' },
    REVERT_RESIZE: { description: 'Going back to the old flavor or host.' },
    SHELVED: { description: 'Snapshot taken, off, still on its host.' },
    SHELVED_OFFLOADED: { description: 'Snapshot taken, host freed.' },
    SHUTOFF: { description: 'Powered off.' },
    SOFT_DELETED: { description: 'Deleted but can be restored.' },
    SUSPENDED: { description: 'Memory saved to disk.' },
    UNKNOWN: { description: 'Its cell does not answer, or the states do not fit.' },
    VERIFY_RESIZE: { description: 'Resized or migrated, waiting for confirm or revert.' },
  },
})

export const VmState = {
  BUILDING: 'BUILDING',
  ACTIVE: 'ACTIVE',
  PAUSED: 'PAUSED',
  SUSPENDED: 'SUSPENDED',
  STOPPED: 'STOPPED',
  RESCUED: 'RESCUED',
  RESIZED: 'RESIZED',
  SOFT_DELETED: 'SOFT_DELETED',
  DELETED: 'DELETED',
  ERROR: 'ERROR',
  SHELVED: 'SHELVED',
  SHELVED_OFFLOADED: 'SHELVED_OFFLOADED',
} as const
export type VmState = (typeof VmState)[keyof typeof VmState]
registerEnumType(VmState, {
  name: 'VmState',
  description: 'Stable state.',
  valuesConfig: {
    BUILDING: { description: 'Being created.' },
    ACTIVE: { description: 'Running.' },
    PAUSED: { description: 'Frozen in memory.' },
    SUSPENDED: { description: 'Saved to disk.' },
    STOPPED: { description: 'Powered off.' },
    RESCUED: { description: 'Running the rescue image.' },
    RESIZED: { description: 'On the new flavor or host, not confirmed.' },
    SOFT_DELETED: { description: 'Deleted, reclaimable.' },
    DELETED: { description: 'Gone.' },
    ERROR: { description: 'An action failed.' },
    SHELVED: { description: 'Snapshot taken, off, on its host.' },
    SHELVED_OFFLOADED: { description: 'Snapshot taken, no host.' },
  },
})

export const TaskState = {
  SCHEDULING: 'SCHEDULING',
  BLOCK_DEVICE_MAPPING: 'BLOCK_DEVICE_MAPPING',
  NETWORKING: 'NETWORKING',
  SPAWNING: 'SPAWNING',
  REBOOTING: 'REBOOTING',
  REBOOT_PENDING: 'REBOOT_PENDING',
  REBOOT_STARTED: 'REBOOT_STARTED',
  REBOOTING_HARD: 'REBOOTING_HARD',
  REBOOT_PENDING_HARD: 'REBOOT_PENDING_HARD',
  REBOOT_STARTED_HARD: 'REBOOT_STARTED_HARD',
  POWERING_OFF: 'POWERING_OFF',
  POWERING_ON: 'POWERING_ON',
  DELETING: 'DELETING',
} as const
export type TaskState = (typeof TaskState)[keyof typeof TaskState]
registerEnumType(TaskState, {
  name: 'TaskState',
  description: 'What is being done right now; null when idle.',
  valuesConfig: {
    SCHEDULING: { description: 'Choosing a host.' },
    BLOCK_DEVICE_MAPPING: { description: 'Preparing disks and volumes.' },
    NETWORKING: { description: 'Preparing ports.' },
    SPAWNING: { description: 'Starting the guest.' },
    REBOOTING: { description: 'Soft reboot asked.' },
    REBOOT_PENDING: { description: 'Soft reboot waits.' },
    REBOOT_STARTED: { description: 'Soft reboot begun.' },
    REBOOTING_HARD: { description: 'Hard reboot asked.' },
    REBOOT_PENDING_HARD: { description: 'Hard reboot waits.' },
    REBOOT_STARTED_HARD: { description: 'Hard reboot begun.' },
    POWERING_OFF: { description: 'Powering off.' },
    POWERING_ON: { description: 'Powering on.' },
    DELETING: { description: 'Deleting.' },
  },
})

export const PowerState = {
  NOSTATE: 'NOSTATE',
  RUNNING: 'RUNNING',
  PAUSED: 'PAUSED',
  SHUTDOWN: 'SHUTDOWN',
  CRASHED: 'CRASHED',
  SUSPENDED: 'SUSPENDED',
} as const
export type PowerState = (typeof PowerState)[keyof typeof PowerState]
registerEnumType(PowerState, {
  name: 'PowerState',
  description: "Power state the hypervisor reports; in brackets Nova's number.",
  valuesConfig: {
    NOSTATE: { description: 'Unknown or no domain (0).' },
    RUNNING: { description: 'Running (1).' },
    PAUSED: { description: 'Paused (3).' },
    SHUTDOWN: { description: 'Off (4).' },
    CRASHED: { description: 'Crashed (6).' },
    SUSPENDED: { description: 'Guest sleeps (7).' },
  },
})

export const HostStatus = {
  UP: 'UP',
  DOWN: 'DOWN',
  MAINTENANCE: 'MAINTENANCE',
  UNKNOWN: 'UNKNOWN',
} as const
export type HostStatus = (typeof HostStatus)[keyof typeof HostStatus]
registerEnumType(HostStatus, {
  name: 'HostStatus',
  description: "State of the server's host as its owner may see it.",
  valuesConfig: {
    UP: { description: 'Enabled and reporting.' },
    DOWN: { description: 'Forced down.' },
    MAINTENANCE: { description: 'Disabled.' },
    UNKNOWN: { description: 'Not reporting.' },
  },
})

export const DiskConfig = {
  AUTO: 'AUTO',
  MANUAL: 'MANUAL',
} as const
export type DiskConfig = (typeof DiskConfig)[keyof typeof DiskConfig]
registerEnumType(DiskConfig, {
  name: 'DiskConfig',
  description: 'How the root disk follows the flavor size.',
  valuesConfig: {
    AUTO: { description: 'Partition and file system are grown to the flavor size.' },
    MANUAL: { description: "The image's layout is kept." },
  },
})

export const AddressType = {
  FIXED: 'FIXED',
} as const
export type AddressType = (typeof AddressType)[keyof typeof AddressType]
registerEnumType(AddressType, {
  name: 'AddressType',
  description: 'Kind of a server address.',
  valuesConfig: {
    FIXED: { description: 'Address of the port itself.' },
  },
})

export const LockHolder = {
  OWNER: 'OWNER',
  ADMIN: 'ADMIN',
} as const
export type LockHolder = (typeof LockHolder)[keyof typeof LockHolder]
registerEnumType(LockHolder, {
  name: 'LockHolder',
  description: 'Who holds the lock.',
  valuesConfig: {
    OWNER: { description: 'A member of the project.' },
    ADMIN: { description: 'An administrator.' },
  },
})

export const ServerAction = {
  UPDATE: 'UPDATE',
  DELETE: 'DELETE',
  START: 'START',
  STOP: 'STOP',
  REBOOT_SOFT: 'REBOOT_SOFT',
  REBOOT_HARD: 'REBOOT_HARD',
  CREATE_CONSOLE: 'CREATE_CONSOLE',
  READ_CONSOLE_LOG: 'READ_CONSOLE_LOG',
} as const
export type ServerAction = (typeof ServerAction)[keyof typeof ServerAction]
registerEnumType(ServerAction, {
  name: 'ServerAction',
  description: 'Everything that can be asked of a server; the description names the root field.',
  valuesConfig: {
    UPDATE: { description: 'updateServer.' },
    DELETE: { description: 'deleteServer.' },
    START: { description: 'startServer.' },
    STOP: { description: 'stopServer.' },
    REBOOT_SOFT: { description: 'rebootServer, type SOFT.' },
    REBOOT_HARD: { description: 'rebootServer, type HARD.' },
    CREATE_CONSOLE: { description: 'createConsole.' },
    READ_CONSOLE_LOG: { description: 'Server.consoleLog.' },
  },
})

@ObjectType({ description: 'May the caller do this now?', simpleResolvers: true })
export class ActionPermission {
  @Field(() => ServerAction)
  action!: ServerAction
  @Field(() => Boolean)
  allowed!: boolean
  @Field(() => String, { nullable: true, description: 'Text to show beside a disabled button.' })
  reason!: string | null
  @Field(() => ErrorCode, { nullable: true, description: 'Code the mutation would give.' })
  errorCode!: ErrorCode | null
}

@ObjectType({ description: 'Why a server is in ERROR.', simpleResolvers: true })
export class ServerFault {
  @Field(() => Int, { description: 'HTTP-like number, 500 for most.' })
  code!: number
  @Field(() => ErrorCode)
  errorCode!: ErrorCode
  @Field(() => String)
  message!: string
  @Field(() => DateTime)
  createdAt!: number
  @Field(() => String, { nullable: true, description: 'Hidden from non-admins when code is 500.' })
  details!: string | null
}

@ObjectType({ description: 'Flavor values stored with a server; later changes of the flavor do not touch them.', simpleResolvers: true })
export class ServerFlavor {
  @Field(() => String, { description: 'Name at that time.' })
  originalName!: string
  @Field(() => Int)
  vcpus!: number
  @Field(() => Int)
  ramMb!: number
  @Field(() => Int)
  diskGb!: number
  @Field(() => Int)
  ephemeralGb!: number
  @Field(() => Int)
  swapMb!: number
  @Policy('os_compute_api:servers:show:flavor-extra-specs', 'HIDE')
  @Field(() => [ExtraSpec], { nullable: true })
  extraSpecs!: ExtraSpec[] | null
}

@ObjectType({ description: 'A key given to a server, as it was then.', simpleResolvers: true })
export class ServerKeypair {
  @Field(() => String)
  name!: string
  @Field(() => KeypairType)
  type!: KeypairType
  @Field(() => String)
  fingerprint!: string
  @Field(() => String)
  publicKey!: string
}

@ObjectType({ description: 'An address of a server.', simpleResolvers: true })
export class ServerAddress {
  @Field(() => String, { description: 'Name of the network.' })
  networkLabel!: string
  @Field(() => IPAddress)
  address!: string
  @Field(() => Int, { description: '4 or 6.' })
  version!: number
  @Field(() => AddressType)
  type!: AddressType
  @Field(() => MACAddress)
  macAddress!: string
}

@ObjectType({ description: 'Serial console output.', simpleResolvers: true })
export class ConsoleLog {
  @Field(() => String, { description: 'Text without control characters.' })
  output!: string
  @Field(() => BigInteger, { description: 'Offset of the first byte of output since boot.' })
  startOffset!: number
  @Field(() => BigInteger, { description: 'Offset to continue at.' })
  endOffset!: number
  @Field(() => Boolean, { description: 'True when older bytes were dropped from the ring.' })
  truncated!: boolean
}

@ObjectType({
  description: 'A virtual machine. When its cell does not answer, isPartial is true and most nullable fields are null.',
  simpleResolvers: true,
})
export class Server {
  @Field(() => ID)
  id!: string
  @Field(() => String, { nullable: true, description: 'Null only when partial.' })
  name!: string | null
  @Field(() => String, { nullable: true })
  description!: string | null
  @Field(() => String, { nullable: true, description: 'Host name inside the guest, 2-63 characters.' })
  hostname!: string | null
  @Field(() => ServerStatus)
  status!: ServerStatus
  @Field(() => VmState, { nullable: true })
  vmState!: VmState | null
  @Field(() => TaskState, { nullable: true })
  taskState!: TaskState | null
  @Field(() => PowerState, { nullable: true, description: 'Last known; read from the hypervisor at least every 600 s.' })
  powerState!: PowerState | null
  @Field(() => Int, { nullable: true, description: 'Percent; only in ACTIVE, BUILD, REBUILD, RESIZE, VERIFY_RESIZE and MIGRATING.' })
  progressPercent!: number | null
  @Field(() => ServerFault, { nullable: true, description: 'Only in ERROR and DELETED.' })
  fault!: ServerFault | null
  @Field(() => Boolean, { description: 'True when only centrally known fields could be read.' })
  isPartial!: boolean
  @Field(() => DateTime)
  createdAt!: number
  @Field(() => DateTime, { nullable: true })
  updatedAt!: number | null
  @Field(() => DateTime, { nullable: true })
  launchedAt!: number | null
  @Field(() => DateTime, { nullable: true })
  terminatedAt!: number | null
  @Field(() => Int, { description: 'Grows with each change.' })
  generation!: number
  @Field(() => ID)
  projectId!: string
  @Field(() => ID)
  userId!: string
  @Field(() => ServerFlavor, { nullable: true, description: 'The flavor as it was at create or last resize.' })
  flavor!: ServerFlavor | null
  @Field(() => ID, { nullable: true })
  imageId!: string | null
  @Field(() => [ServerKeypair], { description: 'Public keys put into the guest at build.' })
  keypairs!: ServerKeypair[]
  @Field(() => [ServerAddress], { description: 'Empty while building.' })
  addresses!: ServerAddress[]
  @Field(() => IPAddress, { nullable: true })
  accessIpV4!: string | null
  @Field(() => IPAddress, { nullable: true })
  accessIpV6!: string | null
  @Field(() => [MetadataItem])
  metadata!: MetadataItem[]
  @Field(() => [String])
  tags!: string[]
  @Field(() => DiskConfig, { nullable: true })
  diskConfig!: DiskConfig | null
  @Field(() => Boolean, { nullable: true })
  configDrive!: boolean | null
  @Field(() => String, { nullable: true, description: 'Zone of its host; the asked one while it has no host.' })
  availabilityZone!: string | null
  @Field(() => String, { nullable: true, description: 'Zone it is bound to in later moves; null when free.' })
  pinnedAvailabilityZone!: string | null
  @Field(() => String, { description: 'Same value = same host, within one project; empty without host.' })
  hostId!: string
  @Policy('os_compute_api:os-extended-server-attributes', 'HIDE')
  @Field(() => String, { nullable: true })
  host!: string | null
  @Policy('os_compute_api:os-extended-server-attributes', 'HIDE')
  @Field(() => String, { nullable: true })
  hypervisorHostname!: string | null
  @Policy('os_compute_api:os-extended-server-attributes', 'HIDE')
  @Field(() => String, { nullable: true, description: 'Domain name on the hypervisor, instance-%08x.' })
  instanceName!: string | null
  @Policy('os_compute_api:os-extended-server-attributes', 'HIDE')
  @Field(() => String, { nullable: true, description: 'Shared by all servers of one createServer call.' })
  reservationId!: string | null
  @Policy('os_compute_api:os-extended-server-attributes', 'HIDE')
  @Field(() => Int, { nullable: true, description: 'Position in that call, from 0.' })
  launchIndex!: number | null
  @Policy('os_compute_api:os-extended-server-attributes', 'HIDE')
  @Field(() => String, { nullable: true })
  rootDeviceName!: string | null
  @Policy('os_compute_api:os-extended-server-attributes', 'HIDE')
  @Field(() => Base64, { nullable: true })
  userData!: string | null
}

@ObjectType({ description: 'Result of createServer.', simpleResolvers: true, implements: OperationPayload })
export class CreateServerPayload extends OperationPayload {
  @Field(() => Server, { description: 'The first one.' })
  server!: Server
  @Field(() => [Server], { description: 'All, in order of launchIndex.' })
  servers!: Server[]
  @Field(() => String)
  reservationId!: string
  @Field(() => String, { nullable: true, description: 'Password set or generated; null when the deployment shows none.' })
  adminPassword!: string | null
}

@ObjectType({ description: 'Result of updateServer.', simpleResolvers: true })
export class UpdateServerPayload {
  @Field(() => Server)
  server!: Server
}

@ObjectType({ description: 'Result of deleteServer.', simpleResolvers: true, implements: OperationPayload })
export class DeleteServerPayload extends OperationPayload {
  @Field(() => ID)
  deletedId!: string
  @Field(() => Server, { nullable: true, description: 'Null when it was never scheduled and is gone at once.' })
  server!: Server | null
}

@ObjectType({ description: 'Result of startServer.', simpleResolvers: true, implements: OperationPayload })
export class StartServerPayload extends OperationPayload {
  @Field(() => Server)
  server!: Server
}

@ObjectType({ description: 'Result of stopServer.', simpleResolvers: true, implements: OperationPayload })
export class StopServerPayload extends OperationPayload {
  @Field(() => Server)
  server!: Server
}

@ObjectType({ description: 'Result of rebootServer.', simpleResolvers: true, implements: OperationPayload })
export class RebootServerPayload extends OperationPayload {
  @Field(() => Server)
  server!: Server
}

export const ChangeKind = {
  CREATED: 'CREATED',
  UPDATED: 'UPDATED',
  DELETED: 'DELETED',
} as const
export type ChangeKind = (typeof ChangeKind)[keyof typeof ChangeKind]
registerEnumType(ChangeKind, {
  name: 'ChangeKind',
  description: 'What happened to an object.',
  valuesConfig: {
    CREATED: { description: 'Made.' },
    UPDATED: { description: 'Changed.' },
    DELETED: { description: 'Gone.' },
  },
})

@ObjectType({ description: 'Signal of serverChanged.', simpleResolvers: true })
export class ServerChange {
  @Field(() => String, { description: 'Pass as after to resume.' })
  cursor!: string
  @Field(() => ChangeKind)
  change!: ChangeKind
  @Field(() => ID)
  serverId!: string
  @Field(() => [String], { description: 'Names of Server fields whose value changed.' })
  changedFields!: string[]
}
