/** Where the cloud's own libvirt lives, and how it is configured: nothing of it is shared with a libvirt of the machine. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Root runs libvirt's system daemons; anybody else runs their session daemons, with guests that are the user's own processes. */
export type DaemonMode = 'system' | 'session'

/** System folders of libvirt, each hidden behind a private one inside the daemons' mount namespace. */
export const hiddenFolders = {
  run: '/run/libvirt',
  lib: '/var/lib/libvirt',
  etc: '/etc/libvirt',
  log: '/var/log/libvirt',
  cache: '/var/cache/libvirt',
} as const

const sessionFolders = ['run', 'cache', 'data', 'log'] as const

export const qemuUser = 'libvirt-qemu'

export const daemonFile = {
  socket: (folder: string, mode: DaemonMode): string => join(folder, 'run', ...(mode === 'system' ? [] : ['libvirt']), 'libvirt-sock'),
  libvirtdPid: (folder: string): string => join(folder, 'libvirtd.pid'),
  virtlogdPid: (folder: string): string => join(folder, 'virtlogd.pid'),
}

/** Longest path a Unix socket may have is 107 bytes. */
export const longestSocketPath = 107

/** The longest path of a socket that session daemons make themselves, with the number they give a guest each time it starts. */
export const longestSessionSocket = (folder: string): string =>
  join(folder, 'qemu', 'lib', 'domain-999999-instance-00000001', 'monitor.sock')

/** Session daemons find everything by these; libvirt adds its own name to each, so the folder is `libvirt` below the first. */
export function sessionEnvironment(folder: string): NodeJS.ProcessEnv {
  if (basename(folder) !== 'libvirt') throw new Error(`a folder of session daemons is called libvirt, not ${folder}`)
  return {
    XDG_CONFIG_HOME: dirname(folder),
    XDG_RUNTIME_DIR: join(folder, 'run'),
    XDG_CACHE_HOME: join(folder, 'cache'),
    XDG_DATA_HOME: join(folder, 'data'),
  }
}

const quoted = (value: string): string => JSON.stringify(value)

/** Writes the daemons' folders and configuration; the same every time. */
export function writeDaemonFiles(folder: string, hostUuid: string, mode: DaemonMode): void {
  const system = mode === 'system'
  const folderMode = system ? 0o711 : 0o700
  mkdirSync(folder, { recursive: true, mode: folderMode })
  for (const name of system ? Object.keys(hiddenFolders) : sessionFolders) {
    mkdirSync(join(folder, name), { recursive: true, mode: folderMode })
  }
  const configurations = system ? join(folder, 'etc') : folder
  const logs = system ? hiddenFolders.log : join(folder, 'log')
  const write = (name: string, lines: string[]): void => {
    writeFileSync(join(configurations, name), `${lines.join('\n')}\n`, { mode: 0o600 })
  }
  const logTo = (file: string): string => `log_outputs = ${quoted(`3:file:${logs}/${file}`)}`
  write('libvirtd.conf', [
    'listen_tls = 0',
    'listen_tcp = 0',
    'auth_unix_rw = "none"',
    'auth_unix_ro = "none"',
    // Whoever can reach the folder as the owner may speak to it; nobody else.
    'unix_sock_rw_perms = "0700"',
    'unix_sock_ro_perms = "0700"',
    `host_uuid = ${quoted(hostUuid)}`,
    // Long calls (a save, a migration) must not hold up short ones.
    'max_client_requests = 50',
    logTo('libvirtd.log'),
  ])
  write('qemu.conf', [
    ...(system ? [`user = ${quoted(qemuUser)}`, `group = ${quoted(qemuUser)}`, 'dynamic_ownership = 1', 'remember_owner = 0'] : []),
    'security_driver = "none"',
    'namespaces = [ ]',
    'cgroup_controllers = [ ]',
    'max_core = 0',
    // Serial logs go through virtlogd, which outlives libvirtd.
    'stdio_handler = "logd"',
  ])
  write('virtlogd.conf', ['max_size = 4194304', 'max_backups = 2', logTo('virtlogd.log')])
  if (system) write('virtlockd.conf', [])
}
