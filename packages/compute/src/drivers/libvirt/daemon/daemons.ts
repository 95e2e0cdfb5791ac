/**
 * The cloud's own libvirtd and virtlogd. They outlive the cloud: guests run on when it stops or is killed, and the next start adopts
 * them. As root they run in a private mount namespace, so that a libvirt of the machine is neither seen nor touched.
 */
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Clock } from '@kilonova/runtime/clock'
import { daemonFile, qemuUser, writeDaemonFiles } from './daemon-files.js'
import { rootIsMount, rootIsShared } from './mounts.js'

const execute = promisify(execFile)

export interface DaemonOptions {
  /** Private folder of the daemons; QEMU's user must be able to traverse it. */
  folder: string
  hostUuid: string
  /** Whether guests run on KVM; otherwise /dev/kvm is hidden from the daemons. */
  kvm: boolean
  clock: Clock
  /** The compiled enter-and-run; only who runs from source names it. */
  entry?: string
}

/** The daemons cannot be had; the message is for the operator. */
export class DaemonError extends Error {
  override name = 'DaemonError'
}

const startMs = 20_000

/** Starts what does not run. Answers the socket of libvirtd. */
export async function startDaemons(options: DaemonOptions): Promise<string> {
  const { folder } = options
  ensureQemuUser()
  writeDaemonFiles(folder, options.hostUuid)
  const virtlogd = runningPid(daemonFile.virtlogdPid(folder), 'virtlogd')
  const libvirtd = runningPid(daemonFile.libvirtdPid(folder), 'libvirtd')
  const missing = [...(virtlogd === null ? ['virtlogd'] : []), ...(libvirtd === null ? ['libvirtd'] : [])]
  if (missing.length > 0) {
    const program = [process.execPath, options.entry ?? join(import.meta.dirname, 'enter-and-run.js'), folder]
    const living = virtlogd ?? libvirtd
    const kvm = options.kvm ? 'kvm' : 'no-kvm'
    // What still runs has the namespace; otherwise make one.
    const command =
      living === null
        ? ['unshare', '--mount', '--propagation', propagation(), ...program, 'mount', kvm, ...missing]
        : ['nsenter', '--mount', '--root', '--target', String(living), ...program, 'mounted', kvm, ...missing]
    const [file, ...args] = command
    for (const name of missing)
      rmSync(name === 'virtlogd' ? daemonFile.virtlogdPid(folder) : daemonFile.libvirtdPid(folder), { force: true })
    await execute(file ?? '', args)
  }
  const socket = daemonFile.socket(folder)
  const deadline = options.clock.monotonic() + startMs
  while (!(await answers(socket))) {
    if (options.clock.monotonic() > deadline)
      throw new DaemonError(`libvirtd does not answer at ${socket}; its log is ${join(folder, 'log')}.`)
    await options.clock.sleep(50)
  }
  return socket
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

export const daemonsRun = (folder: string): boolean => runningPid(daemonFile.libvirtdPid(folder), 'libvirtd') !== null

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

/** Debian makes this user with libvirt-daemon-system only; the QEMU driver does not start without it. */
function ensureQemuUser(): void {
  if (existsEntry('passwd', qemuUser)) return
  const kvmGroup = existsEntry('group', 'kvm') ? ['--groups', 'kvm'] : []
  if (!existsEntry('group', qemuUser)) execFileSync('groupadd', ['--system', qemuUser])
  execFileSync('useradd', [
    '--system',
    '--gid',
    qemuUser,
    ...kvmGroup,
    '--home-dir',
    '/var/lib/libvirt',
    '--no-create-home',
    '--shell',
    '/usr/sbin/nologin',
    qemuUser,
  ])
}

function existsEntry(database: 'passwd' | 'group', name: string): boolean {
  try {
    execFileSync('getent', [database, name], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Ids of QEMU's user, made if need be. */
export function qemuIdentity(): { uid: number; gid: number } {
  ensureQemuUser()
  const [, , uid, gid] = execFileSync('getent', ['passwd', qemuUser], { encoding: 'utf8' }).split(':')
  return { uid: Number(uid), gid: Number(gid) }
}

/** Whether QEMU's user can pass through every folder on the way. */
export function qemuCanTraverse(folder: string): boolean {
  try {
    execFileSync('/usr/bin/test', ['-x', folder], { ...qemuIdentity(), stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
