/** The unprivileged user that QEMU runs as where libvirt runs as root. */
import { execFileSync } from 'node:child_process'
import { qemuUser } from './daemon-files.js'

/** Debian makes this user with libvirt-daemon-system only; the QEMU driver does not start without it. */
export function ensureQemuUser(): void {
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
