import { Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql'
import { ErrorCode } from '../../graphql/common.types.js'
import { Policy } from '../../graphql/policy-directive.js'
import { DateTime } from '../../graphql/scalars.js'

export const OperationKind = {
  CREATE: 'CREATE',
  DELETE: 'DELETE',
  STOP: 'STOP',
  START: 'START',
  REBOOT: 'REBOOT',
  PAUSE: 'PAUSE',
  UNPAUSE: 'UNPAUSE',
  SUSPEND: 'SUSPEND',
  RESUME: 'RESUME',
  LOCK: 'LOCK',
  UNLOCK: 'UNLOCK',
  RESET_STATE: 'RESET_STATE',
  BULK: 'BULK',
  IMPORT_IMAGE: 'IMPORT_IMAGE',
} as const
export type OperationKind = (typeof OperationKind)[keyof typeof OperationKind]
registerEnumType(OperationKind, {
  name: 'OperationKind',
  description: "What an operation does. The first 38, up to REFRESH_VOLUME_ATTACHMENT, are Nova's instance actions.",
  valuesConfig: {
    CREATE: { description: 'Build a server, or several as children.' },
    DELETE: { description: 'Delete, soft-delete or force-delete.' },
    STOP: { description: 'Power off.' },
    START: { description: 'Power on.' },
    REBOOT: { description: 'Soft or hard reboot.' },
    PAUSE: { description: 'Freeze vCPUs in memory.' },
    UNPAUSE: { description: 'Undo pause.' },
    SUSPEND: { description: 'Save memory to disk.' },
    RESUME: { description: 'Undo suspend.' },
    LOCK: { description: 'Lock.' },
    UNLOCK: { description: 'Unlock.' },
    RESET_STATE: { description: 'Force the state to active or error.' },
    BULK: { description: 'Same action on many servers; one child each.' },
    IMPORT_IMAGE: { description: 'Check and store uploaded or fetched image data.' },
  },
})

export const OperationState = {
  QUEUED: 'QUEUED',
  RUNNING: 'RUNNING',
  SUCCEEDED: 'SUCCEEDED',
  FAILED: 'FAILED',
  CANCELLED: 'CANCELLED',
} as const
export type OperationState = (typeof OperationState)[keyof typeof OperationState]
registerEnumType(OperationState, {
  name: 'OperationState',
  description: 'Where an operation stands.',
  valuesConfig: {
    QUEUED: { description: 'Accepted, not started.' },
    RUNNING: { description: 'Under way.' },
    SUCCEEDED: { description: 'Done.' },
    FAILED: { description: 'Ended with an error.' },
    CANCELLED: { description: 'Stopped by request.' },
  },
})

export const StepResult = {
  SUCCESS: 'SUCCESS',
  ERROR: 'ERROR',
} as const
export type StepResult = (typeof StepResult)[keyof typeof StepResult]
registerEnumType(StepResult, {
  name: 'StepResult',
  description: 'Result of one step.',
  valuesConfig: {
    SUCCESS: { description: 'It worked.' },
    ERROR: { description: 'It failed.' },
  },
})

@ObjectType({ description: "Part of an operation: Nova's instance action event.", simpleResolvers: true })
export class OperationStep {
  @Field(() => String, { description: 'Event name, for example compute_prep_resize, conductor_migrate_server, schedule_instances.' })
  name!: string
  @Field(() => String, { nullable: true, description: 'Host, hidden behind a per-project hash.' })
  hostId!: string | null
  @Policy('os_compute_api:os-instance-actions:events', 'HIDE')
  @Field(() => String, { nullable: true })
  host!: string | null
  @Field(() => DateTime)
  startedAt!: number
  @Field(() => DateTime, { nullable: true })
  finishedAt!: number | null
  @Field(() => StepResult, { nullable: true, description: 'Null while it runs.' })
  result!: StepResult | null
  @Field(() => String, { nullable: true, description: 'Safe text for users.' })
  message!: string | null
  @Policy('os_compute_api:os-instance-actions:events:details', 'HIDE')
  @Field(() => String, { nullable: true, description: 'Fault message of the failed step.' })
  details!: string | null
  @Policy('os_compute_api:os-instance-actions:events', 'HIDE')
  @Field(() => String, { nullable: true })
  traceback!: string | null
}

@ObjectType({ description: 'Why an operation failed.', simpleResolvers: true })
export class OperationError {
  @Field(() => ErrorCode)
  code!: ErrorCode
  @Field(() => String)
  message!: string
  @Field(() => String, { nullable: true, description: 'Nova exception class name.' })
  exception!: string | null
}

export const SchedulingStageKind = {
  PREFILTER: 'PREFILTER',
  PLACEMENT: 'PLACEMENT',
  FILTER: 'FILTER',
  CLAIM: 'CLAIM',
  BUILD: 'BUILD',
} as const
export type SchedulingStageKind = (typeof SchedulingStageKind)[keyof typeof SchedulingStageKind]
registerEnumType(SchedulingStageKind, {
  name: 'SchedulingStageKind',
  description: 'Kind of a stage.',
  valuesConfig: {
    PREFILTER: { description: 'Changed the request before placement was asked.' },
    PLACEMENT: { description: 'Allocation candidates from placement.' },
    FILTER: { description: 'Yes or no per host.' },
    CLAIM: { description: 'Taking the resources in placement.' },
    BUILD: { description: 'Build on the chosen host.' },
  },
})

@ObjectType({ description: 'One prefilter, the placement query or one filter, in the order they ran.', simpleResolvers: true })
export class SchedulingStage {
  @Field(() => SchedulingStageKind)
  kind!: SchedulingStageKind
  @Field(() => String, { description: 'Filter name, for example NUMATopologyFilter.' })
  name!: string
  @Field(() => Int)
  hostsBefore!: number
  @Field(() => Int)
  hostsAfter!: number
  @Field(() => String, { nullable: true, description: 'Plain reason, for example: not enough free pinned CPUs in one NUMA cell.' })
  reason!: string | null
}

@ObjectType({ description: 'Funnel of one scheduling decision.', simpleResolvers: true })
export class SchedulingSummary {
  @Field(() => String, { description: 'For example: 42 hosts, 17 after ComputeFilter, 0 after NUMATopologyFilter.' })
  message!: string
  @Field(() => ErrorCode, { nullable: true, description: 'NO_VALID_HOST or RETRIES_EXHAUSTED; null on success and while undecided.' })
  errorCode!: ErrorCode | null
  @Field(() => [SchedulingStage])
  stages!: SchedulingStage[]
  @Field(() => Int, { description: 'Hosts tried to build on.' })
  attempts!: number
}

@ObjectType({ description: 'Why a host fell out.', simpleResolvers: true })
export class HostRejection {
  @Field(() => String)
  host!: string
  @Field(() => String)
  node!: string
  @Field(() => String)
  stage!: string
  @Field(() => String, { nullable: true })
  reason!: string | null
}

@ObjectType({
  description: 'What one weigher gave: normalized to 0..1 over the survivors, then times the multiplier.',
  simpleResolvers: true,
})
export class WeightPart {
  @Field(() => String)
  weigher!: string
  @Field(() => Float)
  raw!: number
  @Field(() => Float)
  normalized!: number
  @Field(() => Float)
  multiplier!: number
}

@ObjectType({ description: 'A surviving host with its weight.', simpleResolvers: true })
export class WeighedHost {
  @Field(() => String)
  host!: string
  @Field(() => String)
  node!: string
  @Field(() => Float)
  totalWeight!: number
  @Field(() => [WeightPart])
  weights!: WeightPart[]
}

@ObjectType({ description: 'Full record of one scheduling decision.', simpleResolvers: true })
export class SchedulingTrace {
  @Field(() => DateTime)
  startedAt!: number
  @Field(() => DateTime, { nullable: true })
  finishedAt!: number | null
  @Field(() => String, { nullable: true, description: 'Placement query as sent.' })
  placementQuery!: string | null
  @Field(() => [SchedulingStage])
  stages!: SchedulingStage[]
  @Field(() => [HostRejection])
  rejections!: HostRejection[]
  @Field(() => [WeighedHost], { description: 'Survivors, best first.' })
  weighedHosts!: WeighedHost[]
  @Field(() => String, { nullable: true })
  selectedHost!: string | null
  @Field(() => [String], { description: 'Hosts kept for retries, same cell.' })
  alternateHosts!: string[]
}

@ObjectType({
  description: 'Work that goes on after the answer. Kept as long as the audit retention says, also for deleted servers.',
  simpleResolvers: true,
})
export class Operation {
  @Field(() => ID)
  id!: string
  @Field(() => String, { description: "Request that started it; the key of Nova's instance action." })
  requestId!: string
  @Field(() => OperationKind)
  kind!: OperationKind
  @Field(() => OperationState)
  state!: OperationState
  @Field(() => Int, { description: '0 to 100; an estimate from the steps, exact for copies of known size.' })
  progressPercent!: number
  @Field(() => ID)
  projectId!: string
  @Field(() => DateTime)
  createdAt!: number
  @Field(() => DateTime, { nullable: true })
  startedAt!: number | null
  @Field(() => DateTime)
  updatedAt!: number
  @Field(() => DateTime, { nullable: true })
  finishedAt!: number | null
  @Field(() => OperationError, { nullable: true, description: 'Set when FAILED or CANCELLED.' })
  error!: OperationError | null
  @Field(() => ID, { nullable: true })
  serverId!: string | null
}

@ObjectType({ description: 'Signal of operationChanged.', simpleResolvers: true })
export class OperationChange {
  @Field(() => String, { description: 'Pass as after to resume.' })
  cursor!: string
  @Field(() => Operation)
  operation!: Operation
}
