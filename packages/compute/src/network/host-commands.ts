/** Runs the host's network tools, in this network namespace or in another one. */
import { spawn } from 'node:child_process'
import { DriverError } from '../driver.js'

export interface CommandResult {
  code: number
  stdout: string
  stderr: string
}

export class HostCommands {
  readonly #prefix: readonly string[]
  readonly #env: NodeJS.ProcessEnv

  /** The prefix is put before every command: `nsenter --net=… --` works in another namespace. */
  constructor(prefix: readonly string[] = []) {
    this.#prefix = prefix
    this.#env = { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' }
  }

  /** Answers whatever the exit code is; throws only when the program cannot be started. */
  try(command: string, args: readonly string[], input = ''): Promise<CommandResult> {
    const [program = command, ...rest] = [...this.#prefix, command, ...args]
    return new Promise((resolve, reject) => {
      const child = spawn(program, rest, { env: this.#env, stdio: ['pipe', 'pipe', 'pipe'] })
      let [stdout, stderr] = ['', '']
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text
      })
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text
      })
      child.once('error', (error: NodeJS.ErrnoException) => {
        const why = error.code === 'ENOENT' ? `The host lacks the program ${program}.` : `The host could not run ${program}.`
        reject(new DriverError('HOST_REFUSED', why, { cause: error }))
      })
      // A program that ends without reading is judged by its exit code.
      child.stdin.on('error', () => {})
      child.once('close', (code) => resolve({ code: code ?? 1, stdout, stderr }))
      child.stdin.end(input)
    })
  }

  /** Answers the output; throws when the command fails. */
  async run(command: string, args: readonly string[], input = ''): Promise<string> {
    const { code, stdout, stderr } = await this.try(command, args, input)
    if (code === 0) return stdout
    throw new DriverError('HOST_REFUSED', 'The host could not set up the network of the server; its log says more.', {
      cause: new Error(`${command} ${args.join(' ')} failed (${code}): ${stderr.trim()}`),
    })
  }

  ip(...args: string[]): Promise<string> {
    return this.run('ip', args)
  }

  /** Kernel settings are read and written by programs because each namespace has its own. */
  async readSetting(path: string): Promise<string | null> {
    const { code, stdout } = await this.try('cat', [`/proc/sys/${path}`])
    return code === 0 ? stdout.trim() : null
  }

  async writeSetting(path: string, value: string): Promise<void> {
    await this.run('tee', [`/proc/sys/${path}`], value)
  }
}
