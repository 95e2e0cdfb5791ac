/** The address of a libvirt daemon that the operator names instead of having Kilonova start its own. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { DaemonMode } from '@kilonova/compute/drivers/libvirt/daemon/daemon-files'
import { OperatorError } from '../cloud/data-folder.js'

/** The socket of `qemu:///system`, `qemu:///session`, or either with `qemu+unix:` and `?socket=/path`. */
export function daemonAt(uri: string, mode: DaemonMode, env: NodeJS.ProcessEnv = process.env): string {
  const url = URL.canParse(uri) ? new URL(uri) : null
  const named = url?.pathname === '/system' ? 'system' : url?.pathname === '/session' ? 'session' : null
  if (url === null || named === null || !['qemu:', 'qemu+unix:'].includes(url.protocol) || url.host !== '') {
    throw new OperatorError(
      `${uri} is no address of a libvirt daemon on this machine, such as qemu:///system or qemu+unix:///system?socket=/path.`,
    )
  }
  if (named !== mode) {
    throw new OperatorError(
      mode === 'session'
        ? `${uri} needs root, because its guests belong to another user. Without root use qemu:///session.`
        : `${uri} is for users who are not root. As root use qemu:///system.`,
    )
  }
  return url.searchParams.get('socket') ?? (mode === 'system' ? '/run/libvirt/libvirt-sock' : sessionSocket(env))
}

/** Where libvirt puts it for a user. */
function sessionSocket({ XDG_RUNTIME_DIR: run, XDG_CACHE_HOME: cache }: NodeJS.ProcessEnv): string {
  const folder = run !== undefined && run !== '' ? run : cache !== undefined && cache !== '' ? cache : join(homedir(), '.cache')
  return join(folder, 'libvirt', 'libvirt-sock')
}
