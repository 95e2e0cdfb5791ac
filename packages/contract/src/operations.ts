/** Operations: Nova's instance actions made first-class. Only the kinds built so far are named. */
export const operationKinds = {
  CREATE: 'create',
  DELETE: 'delete',
  START: 'start',
  STOP: 'stop',
  REBOOT: 'reboot',
  PAUSE: 'pause',
  UNPAUSE: 'unpause',
  SUSPEND: 'suspend',
  RESUME: 'resume',
  LOCK: 'lock',
  UNLOCK: 'unlock',
  RESET_STATE: 'resetState',
  BULK: 'bulk',
  IMPORT_IMAGE: 'import_image',
} as const
export type OperationKind = keyof typeof operationKinds

export const operationStates = ['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'] as const
export type OperationState = (typeof operationStates)[number]
export const finishedStates: readonly OperationState[] = ['SUCCEEDED', 'FAILED', 'CANCELLED']

export type SchedulingStageKind = 'PREFILTER' | 'PLACEMENT' | 'FILTER' | 'CLAIM' | 'BUILD'
export interface SchedulingStage {
  kind: SchedulingStageKind
  name: string
  hostsBefore: number
  hostsAfter: number
  reason: string | null
}
export interface HostRejection {
  host: string
  node: string
  stage: string
  reason: string
}
export interface WeightPart {
  weigher: string
  raw: number
  normalized: number
  multiplier: number
}
export interface WeighedHost {
  host: string
  node: string
  totalWeight: number
  weights: WeightPart[]
}
/** Full record of one scheduling decision, stored with the operation. */
export interface SchedulingTrace {
  startedAt: number
  finishedAt: number | null
  placementQuery: string | null
  stages: SchedulingStage[]
  rejections: HostRejection[]
  weighedHosts: WeighedHost[]
  selectedHost: string | null
  alternateHosts: string[]
  attempts: number
}
