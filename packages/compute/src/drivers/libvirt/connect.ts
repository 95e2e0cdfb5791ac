/** A connection to a libvirt daemon on this machine, for who composes a driver. The protocol itself stays in `rpc/`. */
import type { Clock } from '@kilonova/runtime/clock'
import type { Logger } from '@kilonova/runtime/logger'
import type { DaemonMode } from './daemon/daemon-files.js'
import { LibvirtSession } from './rpc/session.js'

export interface ConnectOptions {
  /** The daemon's unix socket. */
  socketPath: string
  /** Whether it is root's or a user's. */
  mode: DaemonMode
  clock: Clock
  log: Logger
}

/** Not connected yet: `start` connects, and from then on the session reconnects by itself. */
export const libvirtSession = ({ mode, ...options }: ConnectOptions): LibvirtSession =>
  new LibvirtSession({ ...options, uri: `qemu:///${mode}` })
