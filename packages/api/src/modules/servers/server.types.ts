import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql'
import { ErrorCode, ExtraSpec, MetadataItem } from '../../graphql/common.types.js'
import { OperationPayload } from '../../graphql/operation-payload.js'
import { Policy } from '../../graphql/policy-directive.js'
import { Base64, BigInteger, DateTime, IPAddress, MACAddress } from '../../graphql/scalars.js'
import { KeypairType } from '../../modules/keypairs/keypair.types.js'
import { AddressType, DiskConfig, LockHolder, PowerState, ServerAction, ServerStatus, TaskState, VmState } from './server.enums.js'

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
  @Field(() => Boolean, { nullable: true, description: 'True when anybody holds the lock.' })
  locked!: boolean | null
  @Field(() => String, { nullable: true })
  lockedReason!: string | null
  @Policy('os_compute_api:servers:allow_all_filters', 'HIDE')
  @Field(() => LockHolder, { nullable: true })
  lockedBy!: LockHolder | null
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
