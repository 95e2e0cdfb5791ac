import { registerEnumType } from 'type-graphql'

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
  PAUSING: 'PAUSING',
  UNPAUSING: 'UNPAUSING',
  SUSPENDING: 'SUSPENDING',
  RESUMING: 'RESUMING',
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
    PAUSING: { description: 'Pausing.' },
    UNPAUSING: { description: 'Unpausing.' },
    SUSPENDING: { description: 'Suspending.' },
    RESUMING: { description: 'Resuming.' },
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
  PAUSE: 'PAUSE',
  UNPAUSE: 'UNPAUSE',
  SUSPEND: 'SUSPEND',
  RESUME: 'RESUME',
  LOCK: 'LOCK',
  UNLOCK: 'UNLOCK',
  RESET_STATE: 'RESET_STATE',
  CHANGE_METADATA: 'CHANGE_METADATA',
  CHANGE_TAGS: 'CHANGE_TAGS',
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
    PAUSE: { description: 'pauseServer.' },
    UNPAUSE: { description: 'unpauseServer.' },
    SUSPEND: { description: 'suspendServer.' },
    RESUME: { description: 'resumeServer.' },
    LOCK: { description: 'lockServer.' },
    UNLOCK: { description: 'unlockServer.' },
    RESET_STATE: { description: 'resetServerState.' },
    CHANGE_METADATA: { description: 'Any mutation of metadata.' },
    CHANGE_TAGS: { description: 'Any mutation of tags.' },
    CREATE_CONSOLE: { description: 'createConsole.' },
    READ_CONSOLE_LOG: { description: 'Server.consoleLog.' },
  },
})
