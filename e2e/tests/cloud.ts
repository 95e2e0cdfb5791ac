/** A cloud for one test file: its own process, port and folder. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

export interface CloudOptions {
  driver?: 'fake' | 'libvirt'
  /** Text of the options file. */
  options?: string
  /** Runs before the cloud starts, with its data folder. */
  before?: (folder: string) => void
}

const main = join(import.meta.dirname, '../../packages/kilonova/dist/main.js')

export class TestCloud {
  readonly #driver: string
  readonly #port: number
  #child: ChildProcess | null = null
  #password = ''

  private constructor(
    readonly folder: string,
    driver: string,
    port: number,
  ) {
    this.#driver = driver
    this.#port = port
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get password(): string {
    return this.#password
  }

  /** Starts a cloud and waits until it says that it is up. */
  static async start({ driver = 'fake', options = '', before }: CloudOptions = {}): Promise<TestCloud> {
    const folder = mkdtempSync(join(tmpdir(), 'kilonova-e2e-'))
    writeFileSync(join(folder, 'kilonova.yaml'), options)
    before?.(folder)
    const cloud = new TestCloud(folder, driver, await freePort())
    await cloud.up()
    return cloud
  }

  /** Starts the process, in a process group of its own as a shell's job would be. */
  async up(): Promise<void> {
    const args = ['up', '--driver', this.#driver, '--data', this.folder, '--port', String(this.#port), '--no-install']
    const child = spawn(process.execPath, [main, ...args], { detached: true })
    this.#child = child
    let output = ''
    await new Promise<void>((resolve, reject) => {
      const read = (chunk: Buffer): void => {
        output += chunk.toString('utf8')
        if (output.includes('Kilonova is up')) resolve()
      }
      child.stdout.on('data', read)
      child.stderr.on('data', read)
      child.once('exit', (code) => reject(new Error(`the cloud ended with ${code}:\n${output}`)))
    })
    const admin = JSON.parse(readFileSync(join(this.folder, 'admin.json'), 'utf8')) as { password: string }
    this.#password = admin.password
  }

  /** Sends a signal to the whole process group and waits for the process to end. */
  async kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child?.pid === undefined || child.exitCode !== null) return
    const ended = once(child, 'exit')
    process.kill(-child.pid, signal)
    await ended
  }

  /** Ends the cloud, its guests and its hypervisor, and removes every trace. */
  async purge(): Promise<void> {
    await this.kill('SIGTERM')
    const result = spawnSync(process.execPath, [main, 'down', '--purge', '--data', this.folder], { encoding: 'utf8' })
    rmSync(this.folder, { recursive: true, force: true })
    if (result.status !== 0) throw new Error(`down --purge failed:\n${result.stdout}${result.stderr}`)
  }
}
