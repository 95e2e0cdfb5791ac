import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql'
import { DateTime, IPAddress } from '../../graphql/scalars.js'

export const ServiceBinary = {
  COMPUTE: 'COMPUTE',
  CONDUCTOR: 'CONDUCTOR',
  SCHEDULER: 'SCHEDULER',
  CONSOLE_PROXY: 'CONSOLE_PROXY',
} as const
export type ServiceBinary = (typeof ServiceBinary)[keyof typeof ServiceBinary]
registerEnumType(ServiceBinary, {
  name: 'ServiceBinary',
  description: 'Program of a service.',
  valuesConfig: {
    COMPUTE: { description: 'Compute agent.' },
    CONDUCTOR: { description: 'Conductor.' },
    SCHEDULER: { description: 'Scheduler.' },
    CONSOLE_PROXY: { description: 'Console proxy.' },
  },
})

export const ServiceStatus = {
  ENABLED: 'ENABLED',
  DISABLED: 'DISABLED',
  UNKNOWN: 'UNKNOWN',
} as const
export type ServiceStatus = (typeof ServiceStatus)[keyof typeof ServiceStatus]
registerEnumType(ServiceStatus, {
  name: 'ServiceStatus',
  description: 'Administrative status.',
  valuesConfig: {
    ENABLED: { description: 'Gets new servers.' },
    DISABLED: { description: 'Gets none; running ones stay.' },
    UNKNOWN: { description: 'Its cell does not answer.' },
  },
})

export const ServiceState = {
  UP: 'UP',
  DOWN: 'DOWN',
} as const
export type ServiceState = (typeof ServiceState)[keyof typeof ServiceState]
registerEnumType(ServiceState, {
  name: 'ServiceState',
  description: 'Liveness.',
  valuesConfig: {
    UP: { description: 'Heartbeat is fresh.' },
    DOWN: { description: 'Heartbeat is old, or forced down.' },
  },
})

export const HypervisorType = {
  QEMU: 'QEMU',
  FAKE: 'FAKE',
} as const
export type HypervisorType = (typeof HypervisorType)[keyof typeof HypervisorType]
registerEnumType(HypervisorType, {
  name: 'HypervisorType',
  description: 'Kind of hypervisor.',
  valuesConfig: {
    QEMU: { description: 'KVM or plain QEMU by libvirt.' },
    FAKE: { description: 'Simulated, for tests.' },
  },
})

export const HostUsageScope = {
  TOTAL: 'TOTAL',
  USED_NOW: 'USED_NOW',
  USED_MAX: 'USED_MAX',
  PROJECT: 'PROJECT',
} as const
export type HostUsageScope = (typeof HostUsageScope)[keyof typeof HostUsageScope]
registerEnumType(HostUsageScope, {
  name: 'HostUsageScope',
  description: 'Row of the usage table.',
  valuesConfig: {
    TOTAL: { description: 'Physical.' },
    USED_NOW: { description: 'Used with host reserve.' },
    USED_MAX: { description: 'Sum of flavors.' },
    PROJECT: { description: 'One project.' },
  },
})

@ObjectType({ description: 'One row of what a host has and what is used, from flavors and tracker, not measured.', simpleResolvers: true })
export class HostUsage {
  @Field(() => HostUsageScope)
  scope!: HostUsageScope
  @Field(() => Int)
  vcpus!: number
  @Field(() => Int)
  ramMb!: number
  @Field(() => Int)
  diskGb!: number
}

@ObjectType({ description: 'A service process on a host.', simpleResolvers: true })
export class ComputeService {
  @Field(() => ID)
  id!: string
  @Field(() => ServiceBinary)
  binary!: ServiceBinary
  @Field(() => String)
  host!: string
  @Field(() => String, { nullable: true, description: 'Zone; internal for services that are no compute agents.' })
  zone!: string | null
  @Field(() => ServiceStatus)
  status!: ServiceStatus
  @Field(() => ServiceState, { nullable: true, description: 'Null when its cell does not answer.' })
  state!: ServiceState | null
  @Field(() => String, { nullable: true, description: 'Set with DISABLED; begins with AUTO: when the agent did it itself.' })
  disabledReason!: string | null
  @Field(() => Boolean, { nullable: true, description: 'Declared down by an admin, whatever the heartbeat says.' })
  forcedDown!: boolean | null
  @Field(() => Int, { nullable: true, description: 'Service version, for upgrade checks.' })
  version!: number | null
  @Field(() => DateTime, { nullable: true })
  lastSeenAt!: number | null
  @Field(() => DateTime, { nullable: true })
  updatedAt!: number | null
  @Field(() => Int)
  generation!: number
}

@ObjectType({ description: 'A compute node.', simpleResolvers: true })
export class Hypervisor {
  @Field(() => ID, { description: 'UUID of the compute node and of its root resource provider.' })
  id!: string
  @Field(() => String)
  hypervisorHostname!: string
  @Field(() => ServiceState)
  state!: ServiceState
  @Field(() => ServiceStatus)
  status!: ServiceStatus
  @Field(() => IPAddress, { nullable: true })
  hostIp!: string | null
  @Field(() => HypervisorType, { nullable: true })
  hypervisorType!: HypervisorType | null
  @Field(() => Int, { nullable: true })
  hypervisorVersion!: number | null
  @Field(() => String, { nullable: true })
  availabilityZone!: string | null
}

@ObjectType({ description: 'Result of updateComputeService.', simpleResolvers: true })
export class UpdateComputeServicePayload {
  @Field(() => ComputeService)
  service!: ComputeService
}

@ObjectType({ description: 'Result of deleteComputeService.', simpleResolvers: true })
export class DeleteComputeServicePayload {
  @Field(() => ID)
  deletedId!: string
}
