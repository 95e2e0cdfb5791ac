/** Where guests' files and sockets live: in the data folder if that works, else in a folder named after the cloud. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type DaemonMode, longestSessionSocket, longestSocketPath } from '@kilonova/compute/drivers/libvirt/daemon/daemon-files'
import { qemuCanTraverse } from '@kilonova/compute/drivers/libvirt/daemon/qemu-user'
import { type DataFolder, OperatorError } from '../cloud/data-folder.js'
import { guestFolders } from './host-record.js'

export interface GuestRoot {
  path: string
  /** Why it is not the data folder; null when it is. */
  because: string | null
}

export function chooseGuestRoot(data: DataFolder, mode: DaemonMode, home = homedir()): GuestRoot {
  const tooLong = longestSocketIn(data.path, data.cloudId, mode) > longestSocketPath
  if (mode === 'system') {
    if (!tooLong && qemuCanTraverse(data.path)) return { path: data.path, because: null }
    const because = tooLong ? `sockets cannot have a path as long as below ${data.path}` : `QEMU's user cannot reach ${data.path}`
    return { path: join('/var/lib/kilonova', data.shortId), because }
  }
  if (!tooLong) return { path: data.path, because: null }
  const path = join(home, `.kilonova-${data.shortId}`)
  if (longestSocketIn(path, data.cloudId, mode) > longestSocketPath) {
    throw new OperatorError(`The path ${data.path} is too long for sockets of guests, and so is ${home}: choose a shorter one with --data.`)
  }
  return { path, because: `sockets cannot have a path as long as below ${data.path}` }
}

function longestSocketIn(root: string, cloudId: string, mode: DaemonMode): number {
  // A server's id is as long as the cloud's.
  const ofGuest = join(guestFolders.guests(root), cloudId, 'serial.sock')
  const ofDaemon = mode === 'session' ? longestSessionSocket(guestFolders.daemons(root)) : ''
  return Math.max(Buffer.byteLength(ofGuest), Buffer.byteLength(ofDaemon))
}
