/** A connection to a libvirt daemon for the commands: what stands in the way is said in a sentence. */
import { libvirtSession } from '@kilonova/compute/drivers/libvirt/connect'
import { systemClock } from '@kilonova/runtime/clock'
import type { Logger } from '@kilonova/runtime/logger'
import { OperatorError } from '../cloud/data-folder.js'
import type { HostRecord } from './host-record.js'

/** Connected; whoever asked closes it. */
export async function reachLibvirt({ socketPath, mode }: Pick<HostRecord, 'socketPath' | 'mode'>, log: Logger) {
  const session = libvirtSession({ socketPath, mode, clock: systemClock, log })
  try {
    await session.start()
    return session
  } catch (error) {
    await session.close()
    throw new OperatorError(`The hypervisor cannot be reached: ${(error as Error).message}. Is this libvirt daemon running?`)
  }
}
