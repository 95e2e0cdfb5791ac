import { Field, ID, InputType, Int, registerEnumType } from 'type-graphql'
import { MetadataItemInput, SortDirection } from '../../graphql/common.types.js'
import { Policy } from '../../graphql/policy-directive.js'
import { Base64, DateTime, IPAddress } from '../../graphql/scalars.js'
import { DiskConfig, LockHolder, PowerState, ServerStatus, TaskState, VmState } from './server.enums.js'

export const RebootType = {
  SOFT: 'SOFT',
  HARD: 'HARD',
} as const
export type RebootType = (typeof RebootType)[keyof typeof RebootType]
registerEnumType(RebootType, {
  name: 'RebootType',
  description: 'How hard to reboot.',
  valuesConfig: {
    SOFT: { description: 'Ask the guest; after a timeout as HARD.' },
    HARD: { description: 'Power cycle, domain rebuilt.' },
  },
})

export const ServerSortKey = {
  NAME: 'NAME',
  ID: 'ID',
  DESCRIPTION: 'DESCRIPTION',
  HOSTNAME: 'HOSTNAME',
  CREATED_AT: 'CREATED_AT',
  UPDATED_AT: 'UPDATED_AT',
  LAUNCHED_AT: 'LAUNCHED_AT',
  TERMINATED_AT: 'TERMINATED_AT',
  VM_STATE: 'VM_STATE',
  TASK_STATE: 'TASK_STATE',
  POWER_STATE: 'POWER_STATE',
  PROGRESS: 'PROGRESS',
  AVAILABILITY_ZONE: 'AVAILABILITY_ZONE',
  CONFIG_DRIVE: 'CONFIG_DRIVE',
  DISK_CONFIG: 'DISK_CONFIG',
  IMAGE_ID: 'IMAGE_ID',
  FLAVOR_ID: 'FLAVOR_ID',
  KEY_NAME: 'KEY_NAME',
  ROOT_DEVICE_NAME: 'ROOT_DEVICE_NAME',
  LAUNCH_INDEX: 'LAUNCH_INDEX',
  LOCKED: 'LOCKED',
  ACCESS_IP_V4: 'ACCESS_IP_V4',
  ACCESS_IP_V6: 'ACCESS_IP_V6',
  USER_ID: 'USER_ID',
  PROJECT_ID: 'PROJECT_ID',
  HOST: 'HOST',
  HYPERVISOR_HOSTNAME: 'HYPERVISOR_HOSTNAME',
} as const
export type ServerSortKey = (typeof ServerSortKey)[keyof typeof ServerSortKey]
registerEnumType(ServerSortKey, {
  name: 'ServerSortKey',
  description: 'Sort keys of servers.',
  valuesConfig: {
    NAME: { description: 'Name.' },
    ID: { description: 'Id.' },
    DESCRIPTION: { description: 'Description.' },
    HOSTNAME: { description: 'Guest host name.' },
    CREATED_AT: { description: 'Creation.' },
    UPDATED_AT: { description: 'Last change.' },
    LAUNCHED_AT: { description: 'Launch.' },
    TERMINATED_AT: { description: 'Termination.' },
    VM_STATE: { description: 'vm state.' },
    TASK_STATE: { description: 'Task state.' },
    POWER_STATE: { description: 'Power state.' },
    PROGRESS: { description: 'Progress.' },
    AVAILABILITY_ZONE: { description: 'Zone.' },
    CONFIG_DRIVE: { description: 'Config drive.' },
    DISK_CONFIG: { description: 'Disk config.' },
    IMAGE_ID: { description: 'Image.' },
    FLAVOR_ID: { description: 'Flavor.' },
    KEY_NAME: { description: 'Key name.' },
    ROOT_DEVICE_NAME: { description: 'Root device.' },
    LOCKED: { description: 'Lock.' },
    LAUNCH_INDEX: { description: 'Launch index.' },
    ACCESS_IP_V4: { description: 'Access IPv4.' },
    ACCESS_IP_V6: { description: 'Access IPv6.' },
    USER_ID: { description: 'User.' },
    PROJECT_ID: { description: 'Project.' },
    HOST: { description: 'Host, admins only.' },
    HYPERVISOR_HOSTNAME: { description: 'Node, admins only.' },
  },
})

@InputType({ description: 'Sort order of servers; absent: CREATED_AT DESC, ID DESC.' })
export class ServerOrder {
  @Field(() => ServerSortKey, { description: 'Sort key.' })
  key!: ServerSortKey
  @Field(() => SortDirection, { description: 'Direction.', defaultValue: 'DESC' })
  direction!: SortDirection
}

@InputType({ description: 'Which servers. Given fields must all match; those with @policy are for admins.' })
export class ServerFilter {
  @Field(() => [ID], { nullable: true, description: 'These ids.' })
  ids?: string[] | null
  @Field(() => String, { nullable: true, description: 'Text in name, id or an address.' })
  search?: string | null
  @Field(() => String, { nullable: true, description: 'Regular expression on the name.' })
  name?: string | null
  @Field(() => String, { nullable: true, description: 'Host name inside the guest.' })
  hostname?: string | null
  @Field(() => [ServerStatus], { nullable: true, description: 'Any of these.' })
  status?: ServerStatus[] | null
  @Field(() => [VmState], { nullable: true, description: 'Any of these.' })
  vmState?: VmState[] | null
  @Field(() => [TaskState], { nullable: true, description: 'Any of these.' })
  taskState?: TaskState[] | null
  @Field(() => [PowerState], { nullable: true, description: 'Any of these.' })
  powerState?: PowerState[] | null
  @Field(() => Int, { nullable: true, description: 'Exact percentage.' })
  progressPercent?: number | null
  @Field(() => ID, { nullable: true, description: 'Built from this image.' })
  imageId?: string | null
  @Field(() => ID, { nullable: true, description: 'With this flavor.' })
  flavorId?: string | null
  @Field(() => String, { nullable: true, description: 'Regular expression on IPv4 addresses.' })
  ip?: string | null
  @Field(() => String, { nullable: true, description: 'Regular expression on IPv6 addresses.' })
  ip6?: string | null
  @Field(() => String, { nullable: true, description: 'With this key.' })
  keyName?: string | null
  @Field(() => ID, { nullable: true, description: 'Of this user.' })
  userId?: string | null
  @Field(() => Boolean, { nullable: true, description: 'With or without config drive.' })
  configDrive?: boolean | null
  @Field(() => String, { nullable: true, description: 'In this zone.' })
  availabilityZone?: string | null
  @Field(() => Boolean, { nullable: true, description: 'Locked or not.' })
  locked?: boolean | null
  @Field(() => String, { nullable: true, description: 'Of one createServer call.' })
  reservationId?: string | null
  @Field(() => DateTime, { nullable: true, description: 'Created at.' })
  createdAt?: number | null
  @Field(() => DateTime, { nullable: true, description: 'Launched at.' })
  launchedAt?: number | null
  @Field(() => DateTime, { nullable: true, description: 'Terminated at.' })
  terminatedAt?: number | null
  @Field(() => String, { nullable: true, description: 'Text in the description.' })
  description?: string | null
  @Field(() => DateTime, { nullable: true, description: 'Changed at or after; includes recently deleted ones.' })
  changedSince?: number | null
  @Field(() => DateTime, { nullable: true, description: 'Changed at or before.' })
  changedBefore?: number | null
  @Field(() => [String], { nullable: true, description: 'Carrying all of these tags.' })
  tags?: string[] | null
  @Field(() => [String], { nullable: true, description: 'Carrying any of these.' })
  tagsAny?: string[] | null
  @Field(() => [String], { nullable: true, description: 'Not carrying all of these.' })
  notTags?: string[] | null
  @Field(() => [String], { nullable: true, description: 'Carrying none of these.' })
  notTagsAny?: string[] | null
  @Field(() => [MetadataItemInput], { nullable: true, description: 'With these metadata items.' })
  metadata?: MetadataItemInput[] | null
  @Policy('os_compute_api:servers:detail:get_all_tenants')
  @Field(() => Boolean, { nullable: true, description: 'Of all projects.' })
  allProjects?: boolean | null
  @Policy('os_compute_api:servers:detail:get_all_tenants')
  @Field(() => ID, { nullable: true, description: 'Of another project.' })
  projectId?: string | null
  @Policy('os_compute_api:servers:allow_all_filters')
  @Field(() => Boolean, { nullable: true, description: 'Deleted ones instead of live ones.' })
  deleted?: boolean | null
  @Policy('os_compute_api:servers:allow_all_filters')
  @Field(() => String, { nullable: true, description: 'On this compute host.' })
  host?: string | null
  @Policy('os_compute_api:servers:allow_all_filters')
  @Field(() => String, { nullable: true, description: 'On this node.' })
  hypervisorHostname?: string | null
  @Policy('os_compute_api:servers:allow_all_filters')
  @Field(() => LockHolder, { nullable: true, description: 'Locked by.' })
  lockedBy?: LockHolder | null
  @Policy('os_compute_api:servers:allow_all_filters')
  @Field(() => Int, { nullable: true, description: 'Position in its createServer call.' })
  launchIndex?: number | null
}

export const NetworkAllocation = {
  AUTO: 'AUTO',
  NONE: 'NONE',
  LIST: 'LIST',
} as const
export type NetworkAllocation = (typeof NetworkAllocation)[keyof typeof NetworkAllocation]
registerEnumType(NetworkAllocation, {
  name: 'NetworkAllocation',
  description: 'How networks are chosen.',
  valuesConfig: {
    AUTO: { description: "Use the project's network, making one with router the first time; several networks are an error." },
    NONE: { description: 'No network.' },
    LIST: { description: 'The entries of list.' },
  },
})

@InputType({ description: 'One interface: a network or an existing port.' })
export class ServerNetworkInput {
  @Field(() => ID, { nullable: true, description: 'Network to make a port on.' })
  networkId?: string | null
  @Field(() => IPAddress, { nullable: true, description: 'Wanted address; not with portId.' })
  fixedIp?: string | null
  @Field(() => String, { nullable: true, description: 'Device tag, 1-60 characters without / and comma.' })
  tag?: string | null
}

@InputType({ description: 'Networks of a new server.' })
export class ServerNetworksInput {
  @Field(() => NetworkAllocation, { description: 'How to choose.' })
  mode!: NetworkAllocation
  @Field(() => [ServerNetworkInput], { nullable: true, description: 'Interfaces in order; required for LIST, refused otherwise.' })
  list?: ServerNetworkInput[] | null
}

@InputType({ description: 'A new server, or several.' })
export class CreateServerInput {
  @Field(() => String, { description: '1-255 printable characters; with several servers -1, -2 … is appended.' })
  name!: string
  @Field(() => String, { nullable: true, description: 'At most 255 characters.' })
  description?: string | null
  @Field(() => String, { nullable: true, description: 'Guest host name, 2-63; not with several servers; default from name.' })
  hostname?: string | null
  @Field(() => ID, { description: 'Flavor; disk 0 with image boot needs os_compute_api:servers:create:zero_disk_flavor.' })
  flavorId!: string
  @Field(() => ID, { nullable: true, description: 'Image to boot; absent when a block device gives the root.' })
  imageId?: string | null
  @Policy('os_compute_api:servers:create:attach_network')
  @Field(() => ServerNetworksInput, { description: 'Networks; external ones need network:attach_external_network.' })
  networks!: ServerNetworksInput
  @Field(() => [String], { nullable: true, description: 'Key pairs of the caller to inject.' })
  keyNames?: string[] | null
  @Field(() => Base64, { nullable: true, description: 'cloud-init data, at most 65535 characters encoded.' })
  userData?: string | null
  @Field(() => Boolean, { nullable: true, description: 'Attach a config drive.' })
  configDrive?: boolean | null
  @Field(() => [MetadataItemInput], { nullable: true, description: 'At most quota METADATA_ITEMS.' })
  metadata?: MetadataItemInput[] | null
  @Field(() => [String], { nullable: true, description: 'At most 50, 1-60 characters without / and comma.' })
  tags?: string[] | null
  @Field(() => String, { nullable: true, description: 'Admin password; absent: generated and shown once.' })
  adminPassword?: string | null
  @Field(() => IPAddress, { nullable: true, description: 'IPv4 to publish.' })
  accessIpV4?: string | null
  @Field(() => IPAddress, { nullable: true, description: 'IPv6 to publish.' })
  accessIpV6?: string | null
  @Field(() => DiskConfig, { nullable: true, description: 'Root disk layout.' })
  diskConfig?: DiskConfig | null
  @Field(() => String, { nullable: true, description: 'Bind to this zone; absent: free, or the deployment default.' })
  availabilityZone?: string | null
  @Policy('compute:servers:create:requested_destination')
  @Field(() => String, { nullable: true, description: 'Only this host, filters still apply.' })
  host?: string | null
  @Policy('compute:servers:create:requested_destination')
  @Field(() => String, { nullable: true, description: 'Only this node, filters still apply.' })
  hypervisorHostname?: string | null
  @Field(() => Int, { nullable: true, description: 'Build at least so many, or none.', defaultValue: 1 })
  minCount?: number | null
  @Field(() => Int, {
    nullable: true,
    description: 'Build up to so many as quota allows; default minCount; 1 with portId, fixedIp, hostname or an existing volume.',
  })
  maxCount?: number | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Changes to a server; absent fields stay.' })
export class UpdateServerInput {
  @Field(() => ID, { description: 'Server.' })
  serverId!: string
  @Field(() => String, { nullable: true, description: 'New name.' })
  name?: string | null
  @Field(() => String, { nullable: true, description: 'New text, null clears.' })
  description?: string | null
  @Field(() => String, { nullable: true, description: 'New guest host name, seen by the guest when it re-reads its metadata.' })
  hostname?: string | null
  @Field(() => IPAddress, { nullable: true, description: 'IPv4 to publish, null clears.' })
  accessIpV4?: string | null
  @Field(() => IPAddress, { nullable: true, description: 'IPv6 to publish, null clears.' })
  accessIpV6?: string | null
  @Field(() => DiskConfig, { nullable: true, description: 'Root disk layout.' })
  diskConfig?: DiskConfig | null
  @Field(() => Int, { nullable: true, description: 'Generation read.' })
  expectedGeneration?: number | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Which server.' })
export class DeleteServerInput {
  @Field(() => ID, { description: 'Server.' })
  serverId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Which server.' })
export class StartServerInput {
  @Field(() => ID, { description: 'Server.' })
  serverId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Which server.' })
export class StopServerInput {
  @Field(() => ID, { description: 'Server.' })
  serverId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Which server, how.' })
export class RebootServerInput {
  @Field(() => ID, { description: 'Server.' })
  serverId!: string
  @Field(() => RebootType, { description: 'How hard.', defaultValue: 'SOFT' })
  type!: RebootType
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}
