/** Starts libvirt's daemons as processes of their own, which outlive the one that starts them. */
import { spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import { join } from 'node:path'
import { daemonFile } from './daemon-files.js'

export type DaemonName = 'virtlogd' | 'libvirtd'

export const isDaemonName = (name: string): name is DaemonName => name === 'virtlogd' || name === 'libvirtd'

export interface RunOptions {
  /** Of the daemons; their output goes to its folder `log`. */
  folder: string
  /** Where `libvirtd.conf` and `virtlogd.conf` are. */
  configurations: string
  env?: NodeJS.ProcessEnv
}

export function runDaemons(names: readonly DaemonName[], { folder, configurations, env }: RunOptions): void {
  for (const name of names) {
    const output = openSync(join(folder, 'log', `${name}.out`), 'a', 0o600)
    const pidFile = name === 'virtlogd' ? daemonFile.virtlogdPid(folder) : daemonFile.libvirtdPid(folder)
    const program = [`/usr/sbin/${name}`, '--config', join(configurations, `${name}.conf`), '--pid-file', pidFile]
    // A session of its own: signals to the cloud's process group do not reach it. tini adopts and reaps what the daemon leaves behind:
    // libvirt waits for a QEMU it has ended, and where process 1 reaps late (containers) it would wait in vain.
    const child = spawn('/usr/bin/tini', ['-s', '--', ...program], {
      detached: true,
      stdio: ['ignore', output, output],
      cwd: '/',
      env: { ...process.env, ...env },
    })
    // A daemon that could not be started does not answer; whoever waits for it says so.
    child.on('error', () => {})
    child.unref()
  }
}
