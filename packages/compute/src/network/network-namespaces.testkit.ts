/** Network namespaces for tests: networks that are as real as the host's, and gone with the test, whatever it did. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, readlinkSync } from 'node:fs'
import { vi } from 'vitest'

/** True where such tests can run: root, and the programs that are used. */
export const canUseNamespaces =
  process.getuid?.() === 0 &&
  ['/usr/sbin/nft', '/usr/sbin/dnsmasq', '/usr/bin/nsenter', '/usr/bin/busybox'].every((path) => existsSync(path))

export class NetworkNamespace {
  readonly pid: number
  readonly #keeper: ChildProcess

  private constructor(pid: number, keeper: ChildProcess) {
    this.pid = pid
    this.#keeper = keeper
  }

  static async make(): Promise<NetworkNamespace> {
    const keeper = spawn('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' })
    const { pid } = keeper
    if (pid === undefined) throw new Error('unshare could not be started.')
    await vi.waitFor(() => {
      if (readlinkSync(`/proc/${pid}/ns/net`) === readlinkSync('/proc/self/ns/net')) throw new Error('not yet')
    })
    const namespace = new NetworkNamespace(pid, keeper)
    namespace.run('ip', 'link', 'set', 'lo', 'up')
    return namespace
  }

  get prefix(): string[] {
    return ['nsenter', `--net=/proc/${this.pid}/ns/net`, '--']
  }

  run(...command: string[]): string {
    const [program = '', ...args] = [...this.prefix, ...command]
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000 })
  }

  succeeds(...command: string[]): boolean {
    try {
      this.run(...command)
      return true
    } catch {
      return false
    }
  }

  start(...command: string[]): ChildProcess {
    const [program = '', ...args] = [...this.prefix, ...command]
    return spawn(program, args, { stdio: 'ignore' })
  }

  /** A cable to another namespace; both ends are up. */
  connect(name: string, other: NetworkNamespace, otherName: string): void {
    this.run('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', otherName, 'netns', String(other.pid))
    this.run('ip', 'link', 'set', name, 'up')
    other.run('ip', 'link', 'set', otherName, 'up')
  }

  remove(): void {
    this.#keeper.kill('SIGKILL')
  }
}
