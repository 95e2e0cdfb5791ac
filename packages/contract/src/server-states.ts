/** States of a server, as Nova stores them (D-VST), the status derived from them, and the table of what is allowed when (D-ACT). */
import type { ErrorCode } from './errors.js'

export const vmStates = [
  'building',
  'active',
  'paused',
  'suspended',
  'stopped',
  'rescued',
  'resized',
  'soft-delete',
  'deleted',
  'error',
  'shelved',
  'shelved_offloaded',
] as const
export type VmState = (typeof vmStates)[number]

/** Task states of the actions built so far; null means idle. */
export const taskStates = [
  'scheduling',
  'block_device_mapping',
  'networking',
  'spawning',
  'rebooting',
  'reboot_pending',
  'reboot_started',
  'rebooting_hard',
  'reboot_pending_hard',
  'reboot_started_hard',
  'pausing',
  'unpausing',
  'suspending',
  'resuming',
  'powering-off',
  'powering-on',
  'deleting',
] as const
export type TaskState = (typeof taskStates)[number]

/** Power state with Nova's numbers (A-GEN-9). */
export const powerStates = {
  NOSTATE: 0,
  RUNNING: 1,
  PAUSED: 3,
  SHUTDOWN: 4,
  CRASHED: 6,
  SUSPENDED: 7,
} as const
export type PowerStateName = keyof typeof powerStates
export type PowerState = (typeof powerStates)[PowerStateName]
export const powerStateName = (value: number): PowerStateName =>
  (Object.keys(powerStates) as PowerStateName[]).find((name) => powerStates[name] === value) ?? 'NOSTATE'

export const serverStatuses = [
  'ACTIVE',
  'BUILD',
  'DELETED',
  'ERROR',
  'HARD_REBOOT',
  'MIGRATING',
  'PASSWORD',
  'PAUSED',
  'REBOOT',
  'REBUILD',
  'RESCUE',
  'RESIZE',
  'REVERT_RESIZE',
  'SHELVED',
  'SHELVED_OFFLOADED',
  'SHUTOFF',
  'SOFT_DELETED',
  'SUSPENDED',
  'UNKNOWN',
  'VERIFY_RESIZE',
] as const
export type ServerStatus = (typeof serverStatuses)[number]

const defaultStatus: Record<VmState, ServerStatus> = {
  building: 'BUILD',
  active: 'ACTIVE',
  paused: 'PAUSED',
  suspended: 'SUSPENDED',
  stopped: 'SHUTOFF',
  rescued: 'RESCUE',
  resized: 'VERIFY_RESIZE',
  'soft-delete': 'SOFT_DELETED',
  deleted: 'DELETED',
  error: 'ERROR',
  shelved: 'SHELVED',
  shelved_offloaded: 'SHELVED_OFFLOADED',
}

const softReboot: readonly string[] = ['rebooting', 'reboot_pending', 'reboot_started']
const hardReboot: readonly string[] = ['rebooting_hard', 'reboot_pending_hard', 'reboot_started_hard']

/** A-GEN-8: the status users see. */
export function serverStatus(vmState: VmState, taskState: TaskState | null): ServerStatus {
  if (vmState === 'active' && taskState !== null) {
    if (softReboot.includes(taskState)) return 'REBOOT'
    if (hardReboot.includes(taskState)) return 'HARD_REBOOT'
  }
  return defaultStatus[vmState]
}

/** D-VST-33: the (vm state, task states) pairs that show as a status; `tasks: 'other'` is every task not named by another pair. */
export interface StatusPair {
  vmState: VmState
  tasks: readonly string[] | 'other'
  except: readonly string[]
}
export function pairsOfStatus(status: ServerStatus): StatusPair[] {
  if (status === 'REBOOT') return [{ vmState: 'active', tasks: softReboot, except: [] }]
  if (status === 'HARD_REBOOT') return [{ vmState: 'active', tasks: hardReboot, except: [] }]
  return vmStates
    .filter((vmState) => defaultStatus[vmState] === status)
    .map((vmState) => ({
      vmState,
      tasks: 'other' as const,
      except: vmState === 'active' ? [...softReboot, ...hardReboot] : [],
    }))
}

/** Statuses in which `progress` is shown (A-GEN-8). */
export const statusesWithProgress: readonly ServerStatus[] = ['ACTIVE', 'BUILD', 'REBUILD', 'RESIZE', 'VERIFY_RESIZE', 'MIGRATING']

export const serverActionNames = [
  'UPDATE',
  'DELETE',
  'START',
  'STOP',
  'REBOOT_SOFT',
  'REBOOT_HARD',
  'PAUSE',
  'UNPAUSE',
  'SUSPEND',
  'RESUME',
  'LOCK',
  'UNLOCK',
  'RESET_STATE',
  'CHANGE_METADATA',
  'CHANGE_TAGS',
  'CREATE_CONSOLE',
  'READ_CONSOLE_LOG',
] as const
export type ServerAction = (typeof serverActionNames)[number]

export interface ActionRule {
  /** Name in "Cannot '<verb>' instance …" (A-GEN-3). */
  verb: string
  vmStates: readonly VmState[] | 'any'
  /** Task states besides null that are allowed; 'any' skips the check. */
  taskStates: readonly TaskState[] | 'any'
  /** Task states that forbid the action where any other is allowed. */
  refusedTaskStates?: readonly TaskState[]
  mustHaveLaunched: boolean
  needsHost: boolean
  lockChecked: boolean
  policy: string
}

/** D-ACT-10…13: from one state, idle. */
const onGuest = (verb: string, from: VmState, policy: string): ActionRule => ({
  verb,
  vmStates: [from],
  taskStates: [],
  mustHaveLaunched: true,
  needsHost: false,
  lockChecked: true,
  policy,
})
/** D-ACT-32, 33: from any state, whoever holds the lock. */
const onRecord = (verb: string, policy: string): ActionRule => ({
  verb,
  vmStates: 'any',
  taskStates: 'any',
  mustHaveLaunched: false,
  needsHost: false,
  lockChecked: false,
  policy,
})
/** D-ACT-38, 39: during any task. */
const onLabels = (verb: string, lockChecked: boolean, policy: string): ActionRule => ({
  verb,
  vmStates: ['active', 'paused', 'suspended', 'stopped'],
  taskStates: 'any',
  mustHaveLaunched: true,
  needsHost: false,
  lockChecked,
  policy,
})

/** D-ACT rows of the actions built so far. */
export const serverActions: Record<ServerAction, ActionRule> = {
  UPDATE: {
    verb: 'update',
    vmStates: 'any',
    taskStates: 'any',
    mustHaveLaunched: false,
    needsHost: false,
    lockChecked: false,
    policy: 'os_compute_api:servers:update',
  },
  DELETE: {
    verb: 'delete',
    vmStates: 'any',
    taskStates: 'any',
    mustHaveLaunched: false,
    needsHost: false,
    lockChecked: true,
    policy: 'os_compute_api:servers:delete',
  },
  START: {
    verb: 'start',
    vmStates: ['stopped'],
    taskStates: [],
    mustHaveLaunched: true,
    needsHost: true,
    lockChecked: true,
    policy: 'os_compute_api:servers:start',
  },
  STOP: {
    verb: 'stop',
    vmStates: ['active', 'error'],
    taskStates: [],
    mustHaveLaunched: true,
    needsHost: true,
    lockChecked: true,
    policy: 'os_compute_api:servers:stop',
  },
  REBOOT_SOFT: {
    verb: 'reboot',
    vmStates: ['active'],
    taskStates: [],
    mustHaveLaunched: true,
    needsHost: false,
    lockChecked: true,
    policy: 'os_compute_api:servers:reboot',
  },
  REBOOT_HARD: {
    verb: 'reboot',
    vmStates: ['active', 'stopped', 'paused', 'suspended', 'error'],
    taskStates: ['rebooting', 'reboot_pending', 'reboot_started', 'rebooting_hard', 'pausing', 'unpausing', 'suspending', 'resuming'],
    mustHaveLaunched: true,
    needsHost: false,
    lockChecked: true,
    policy: 'os_compute_api:servers:reboot',
  },
  PAUSE: onGuest('pause', 'active', 'os_compute_api:os-pause-server:pause'),
  UNPAUSE: onGuest('unpause', 'paused', 'os_compute_api:os-pause-server:unpause'),
  SUSPEND: onGuest('suspend', 'active', 'os_compute_api:os-suspend-server:suspend'),
  RESUME: onGuest('resume', 'suspended', 'os_compute_api:os-suspend-server:resume'),
  LOCK: onRecord('lock', 'os_compute_api:os-lock-server:lock'),
  UNLOCK: onRecord('unlock', 'os_compute_api:os-lock-server:unlock'),
  RESET_STATE: onRecord('reset state of', 'os_compute_api:os-admin-actions:reset_state'),
  CHANGE_METADATA: onLabels('update metadata of', true, 'os_compute_api:server-metadata:create'),
  CHANGE_TAGS: onLabels('update tags of', false, 'os_compute_api:os-server-tags:update'),
  CREATE_CONSOLE: {
    verb: 'get console of',
    vmStates: 'any',
    taskStates: 'any',
    refusedTaskStates: ['deleting'],
    mustHaveLaunched: false,
    needsHost: true,
    lockChecked: false,
    policy: 'os_compute_api:os-remote-consoles',
  },
  READ_CONSOLE_LOG: {
    verb: 'get console output of',
    vmStates: 'any',
    taskStates: 'any',
    mustHaveLaunched: false,
    needsHost: true,
    lockChecked: false,
    policy: 'os_compute_api:os-console-output',
  },
}

export interface ActionSubject {
  uuid: string
  vmState: VmState
  taskState: TaskState | null
  host: string | null
  launched: boolean
  locked: boolean
}

export interface ActionRefusal {
  code: ErrorCode
  exception: string
  message: string
}

/** The state guard (A-GEN-3) and the lock guard (A-GEN-4). Null: the action may begin. Policy is checked elsewhere. */
export function refuseAction(action: ServerAction, server: ActionSubject, callerIsAdmin: boolean): ActionRefusal | null {
  const rule = serverActions[action]
  const invalid = (attribute: string, value: string | null): ActionRefusal => ({
    code: 'INVALID_STATE',
    exception: 'InstanceInvalidState',
    message: `Cannot '${rule.verb}' instance ${server.uuid} while it is in ${attribute} ${value ?? 'none'}`,
  })
  if (rule.lockChecked && server.locked && !callerIsAdmin) {
    return { code: 'LOCKED', exception: 'InstanceIsLocked', message: `Instance ${server.uuid} is locked` }
  }
  if (rule.needsHost && server.host === null) {
    return { code: 'NOT_READY', exception: 'InstanceNotReady', message: `Instance ${server.uuid} has no host` }
  }
  if (rule.vmStates !== 'any' && !rule.vmStates.includes(server.vmState)) {
    return invalid('vm_state', server.vmState)
  }
  if (server.taskState !== null) {
    const refused = rule.refusedTaskStates?.includes(server.taskState) ?? false
    const allowed = rule.taskStates === 'any' || rule.taskStates.includes(server.taskState)
    if (refused || !allowed) return invalid('task_state', server.taskState)
  }
  if (rule.mustHaveLaunched && !server.launched) {
    return {
      code: 'NOT_READY',
      exception: 'InstanceNotReady',
      message: `Instance ${server.uuid} has never been launched`,
    }
  }
  return null
}
