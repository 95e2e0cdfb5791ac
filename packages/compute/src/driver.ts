/**
 * What a hypervisor driver must do. The fake driver and the libvirt driver pass the same test-suite (drivers/driver-suite.testkit.ts).
 * Every method that changes something may be called again with the same argument and then comes to the same end.
 */

import type { ErrorCode } from '@kilonova/contract/errors'
import type { ConsoleTarget, ConsoleTypeName } from '@kilonova/contract/rpc/agent'
import type { NodeReport } from '@kilonova/contract/rpc/conductor'
import type { GuestSpec } from '@kilonova/contract/rpc/guest'
import type { PowerState } from '@kilonova/contract/server-states'

export interface ConsoleLogSlice {
  /** Text without control characters. */
  output: string
  /** Offset of the first byte of output since the guest was made. */
  startOffset: number
  endOffset: number
  /** True when bytes between the wanted offset and startOffset were dropped. */
  truncated: boolean
}

export interface ConsoleBytes {
  /** As the guest wrote them. */
  bytes: Buffer
  /** Offset of the first byte since the guest was made. */
  startOffset: number
  /** Offset after the last byte that is there; bytes may end before. */
  endOffset: number
}

export interface Driver {
  readonly hypervisorType: 'QEMU' | 'FAKE'
  /** Connects, proves that guests can run. Throws with a sentence for the operator. */
  start(): Promise<void>
  /** Lets go of everything; guests run on. */
  close(): Promise<void>
  node(): Promise<NodeReport>
  uptime(): Promise<string | null>

  /** Image into the cache, root disk, config drive. Stops early when the signal aborts. */
  prepareDisks(guest: GuestSpec, signal: AbortSignal): Promise<void>
  /** Removes disks; the guest must not exist. */
  discardDisks(serverId: string): Promise<void>
  /** Defines and starts the guest on prepared disks. */
  spawn(guest: GuestSpec, signal: AbortSignal): Promise<void>
  /** Ends the guest and removes every trace of it: domain, disks, network, consoles. */
  destroy(serverId: string): Promise<void>

  /** C-IMC-2: deletes cached images that no guest here uses and none has used for so long. */
  cleanImages(usedImageIds: readonly string[], minimumAgeSeconds: number): Promise<void>

  powerOn(serverId: string): Promise<void>
  /** Asks the guest to shut down, then cuts the power when it has not within the time. */
  powerOff(serverId: string, timeoutSeconds: number, signal: AbortSignal): Promise<void>
  /** SOFT asks the guest and goes on as HARD after the time. */
  reboot(serverId: string, type: 'SOFT' | 'HARD', timeoutSeconds: number, signal: AbortSignal): Promise<void>
  /** Freezes the vCPUs; the memory stays. A guest that does not run has nothing to freeze: `DriverError.wrongState`. */
  pause(serverId: string): Promise<void>
  unpause(serverId: string): Promise<void>
  /** Saves the memory to disk and ends the guest; what was saved survives this process and is lost by powerOn and a hard reboot. */
  suspend(serverId: string): Promise<void>
  /** Goes on from the saved memory. `DriverError.wrongState` when there is none. */
  resume(serverId: string): Promise<void>
  /** NOSTATE when there is no such guest. */
  powerState(serverId: string): Promise<PowerState>

  /** Servers of this cloud with a guest, disks or anything else on this host. */
  presentServers(): Promise<string[]>
  /** Told when a guest changes its power state by itself. */
  onPowerState(listener: (serverId: string, state: PowerState) => void): void

  consoleLog(serverId: string, cut: { tailLines: number | null; fromOffset: number | null }): Promise<ConsoleLogSlice>
  /** The last bytes, or those from an offset on. */
  consoleBytes(serverId: string, cut: { fromOffset: number | null; limitBytes: number }): Promise<ConsoleBytes>
  consoleTarget(serverId: string, type: ConsoleTypeName): Promise<ConsoleTarget>
}

/** A failure of the driver, with what the user may read. */
export class DriverError extends Error {
  readonly code: ErrorCode
  /** True when another host may well succeed. */
  readonly hostAtFault: boolean
  readonly exception: string | undefined

  constructor(code: ErrorCode, message: string, options: { hostAtFault?: boolean; exception?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'DriverError'
    this.code = code
    this.hostAtFault = options.hostAtFault ?? true
    this.exception = options.exception
  }

  static noGuest(serverId: string): DriverError {
    return new DriverError('NOT_FOUND', `Instance ${serverId} could not be found on its host.`, { exception: 'InstanceNotFound' })
  }

  /** The guest is in no state in which this could be done; another host would not help. */
  static wrongState(message: string): DriverError {
    return new DriverError('GUEST_ERROR', message, { hostAtFault: false, exception: 'InstanceInvalidState' })
  }

  /** There is no guest, or it is off: what was to be taken back cannot be there any more. */
  get leavesNothingToUndo(): boolean {
    return this.code === 'NOT_FOUND' || this.exception === 'InstanceInvalidState'
  }
}

export const nothingSaved = 'The saved memory of the guest is not there; a hard reboot starts it without.'
