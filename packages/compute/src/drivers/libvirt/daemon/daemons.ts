/**
 * The cloud's own libvirtd and virtlogd. They outlive the cloud: guests run on when it stops or is killed, and the next start adopts
 * them. As root they run in a private mount namespace, for a user in folders of their own by the XDG variables; so a libvirt of the machine
 * or of the user is neither seen nor touched.
 */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Clock } from '@kilonova/runtime/clock'
import { type DaemonMode, daemonFile, sessionEnvironment, writeDaemonFiles } from './daemon-files.js'
import { rootIsMount, rootIsShared } from './mounts.js'
import { ensureQemuUser } from './qemu-user.js'
import { type DaemonName, runDaemons } from './run-daemons.js'

const execute = promisify(execFile)

export interface DaemonOptions {
  /** Private folder of the daemons; QEMU's user must be able to traverse it. For session daemons its name is `libvirt`. */
  folder: string
  mode: DaemonMode
  hostUuid: string
  /** Whether guests run on KVM; otherwise root hides /dev/kvm from the daemons. */
  kvm: boolean
  clock: Clock
  /** The compiled enter-and-run; only who runs from source names it. */
  entry?: string
}

/** What this process may run. */
export const daemonMode = (): DaemonMode => (process.getuid?.() === 0 ? 'system' : 'session')

/** The daemons cannot be had; the message is for the operator. */
export class DaemonError extends Error {
  override name = 'DaemonError'
}

const startMs = 20_000

/** Starts what does not run. Answers the socket of libvirtd. */
export async function startDaemons(options: DaemonOptions): Promise<string> {
  const { folder, mode, clock } = options
  if (mode === 'system') ensureQemuUser()
  writeDaemonFiles(folder, options.hostUuid, mode)
  const virtlogd = runningPid(daemonFile.virtlogdPid(folder), 'virtlogd')
  const libvirtd = runningPid(daemonFile.libvirtdPid(folder), 'libvirtd')
  const missing: DaemonName[] = [...(virtlogd === null ? ['virtlogd' as const] : []), ...(libvirtd === null ? ['libvirtd' as const] : [])]
  for (const name of missing) rmSync(name === 'virtlogd' ? daemonFile.virtlogdPid(folder) : daemonFile.libvirtdPid(folder), { force: true })
  if (missing.length > 0) {
    if (mode === 'system') await runInNamespace(options, missing, virtlogd ?? libvirtd)
    else runDaemons(missing, { folder, configurations: folder, env: sessionEnvironment(folder) })
  }
  const socket = daemonFile.socket(folder, mode)
  const deadline = clock.monotonic() + startMs
  while (!(await answers(socket))) {
    if (clock.monotonic() > deadline) throw new DaemonError(`libvirtd does not answer at ${socket}; its log is ${join(folder, 'log')}.`)
    await clock.sleep(50)
  }
  return socket
}

/** What still runs has the namespace; otherwise makes one. */
async function runInNamespace({ folder, entry, kvm }: DaemonOptions, missing: readonly string[], living: number | null): Promise<void> {
  const program = [process.execPath, entry ?? join(import.meta.dirname, 'enter-and-run.js'), folder]
  const device = kvm ? 'kvm' : 'no-kvm'
  const command =
    living === null
      ? ['unshare', '--mount', '--propagation', propagation(), ...program, 'mount', device, ...missing]
      : ['nsenter', '--mount', '--root', '--target', String(living), ...program, 'mounted', device, ...missing]
  const [file, ...args] = command
  await execute(file ?? '', args)
}

/** What `unshare` is to do to the mounts it copies; where it can do nothing to `/`, enter-and-run does what is left. */
function propagation(): 'private' | 'unchanged' {
  if (rootIsMount()) return 'private'
  if (!rootIsShared()) return 'unchanged'
  throw new DaemonError(
    'This is a chroot on a shared mount, where libvirt cannot be kept apart. Make it a mount of its own first (mount --bind <folder> <folder>), or use --driver fake.',
  )
}

/** Ends both daemons. Guests that still run are not touched: end them first. */
export async function stopDaemons(folder: string, clock: Clock): Promise<void> {
  for (const [pidFile, program] of [
    [daemonFile.libvirtdPid(folder), 'libvirtd'],
    [daemonFile.virtlogdPid(folder), 'virtlogd'],
  ] as const) {
    const pid = runningPid(pidFile, program)
    if (pid === null) continue
    process.kill(pid, 'SIGTERM')
    const deadline = clock.monotonic() + 10_000
    while (runningPid(pidFile, program) === pid) {
      if (clock.monotonic() > deadline) process.kill(pid, 'SIGKILL')
      await clock.sleep(50)
    }
    rmSync(pidFile, { force: true })
  }
}

/** The process of a pid file, if it lives and still is that program with that pid file. */
function runningPid(pidFile: string, program: string): number | null {
  try {
    const pid = Number(readFileSync(pidFile, 'utf8').trim())
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return command[0]?.endsWith(program) === true && command.includes(pidFile) ? pid : null
  } catch {
    return null
  }
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    if (!existsSync(socket)) return resolve(false)
    const probe = connect(socket)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
}
