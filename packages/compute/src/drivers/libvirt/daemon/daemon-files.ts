/** Where the cloud's own libvirt lives, and how it is configured: nothing of it is shared with a libvirt of the machine. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** System folders of libvirt, each hidden behind a private one inside the daemons' mount namespace. */
export const hiddenFolders = {
  run: '/run/libvirt',
  lib: '/var/lib/libvirt',
  etc: '/etc/libvirt',
  log: '/var/log/libvirt',
  cache: '/var/cache/libvirt',
} as const

export const qemuUser = 'libvirt-qemu'

export const daemonFile = {
  socket: (folder: string): string => join(folder, 'run', 'libvirt-sock'),
  libvirtdPid: (folder: string): string => join(folder, 'libvirtd.pid'),
  virtlogdPid: (folder: string): string => join(folder, 'virtlogd.pid'),
}

/** Longest path a Unix socket may have is 107 bytes. */
export const longestSocketPath = 107

const quoted = (value: string): string => JSON.stringify(value)

/** Writes the daemons' folders and configuration; the same every time. */
export function writeDaemonFiles(folder: string, hostUuid: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o711 })
  for (const name of Object.keys(hiddenFolders)) mkdirSync(join(folder, name), { recursive: true, mode: 0o711 })
  const write = (name: string, lines: string[]): void => {
    writeFileSync(join(folder, 'etc', name), `${lines.join('\n')}\n`, { mode: 0o600 })
  }
  write('libvirtd.conf', [
    'listen_tls = 0',
    'listen_tcp = 0',
    'auth_unix_rw = "none"',
    'auth_unix_ro = "none"',
    // Whoever can reach the folder as root may speak to it; nobody else.
    'unix_sock_rw_perms = "0700"',
    'unix_sock_ro_perms = "0700"',
    `host_uuid = ${quoted(hostUuid)}`,
    // Long calls (a save, a migration) must not hold up short ones.
    'max_client_requests = 50',
    'log_outputs = "3:file:/var/log/libvirt/libvirtd.log"',
  ])
  write('qemu.conf', [
    `user = ${quoted(qemuUser)}`,
    `group = ${quoted(qemuUser)}`,
    'security_driver = "none"',
    'dynamic_ownership = 1',
    'remember_owner = 0',
    'namespaces = [ ]',
    'cgroup_controllers = [ ]',
    'max_core = 0',
    // Serial logs go through virtlogd, which outlives libvirtd.
    'stdio_handler = "logd"',
  ])
  write('virtlogd.conf', ['max_size = 4194304', 'max_backups = 2', 'log_outputs = "3:file:/var/log/libvirt/virtlogd.log"'])
  write('virtlockd.conf', [])
}
