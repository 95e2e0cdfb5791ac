/**
 * Runs qemu-img on files whose format is known. It never probes: every call names the formats, because a tool that guesses can be led
 * by a guest's bytes to open other files of the host. Each call has limits on memory and processor time, because images are made by
 * strangers and parsers have faults.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { DriverError } from '../driver.js'

const execute = promisify(execFile)

export interface QemuImgLimits {
  memoryBytes: number
  cpuSeconds: number
}

/** For work that touches headers only. */
export const headerLimits: QemuImgLimits = { memoryBytes: 2 ** 30, cpuSeconds: 60 }
/** For work that reads every byte. */
export const copyLimits: QemuImgLimits = { memoryBytes: 2 ** 31, cpuSeconds: 3600 }

export async function qemuImg(args: readonly string[], limits: QemuImgLimits, signal?: AbortSignal): Promise<void> {
  const limited = [`--as=${limits.memoryBytes}`, `--cpu=${limits.cpuSeconds}`, '--core=0', 'qemu-img', ...args]
  try {
    await execute('prlimit', limited, { signal, env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' } })
  } catch (error) {
    if (signal?.aborted) throw cancelled()
    throw asDriverError(error)
  }
}

export const cancelled = (): DriverError => new DriverError('CANCELLED', 'The work was stopped.', { hostAtFault: false })

export const noSpace = (cause?: unknown): DriverError =>
  new DriverError('HOST_REFUSED', 'No space is left on the host for the disks of the server.', { exception: 'InsufficientFreeDisk', cause })

export const isNoSpace = (error: unknown): boolean => {
  const code = (error as { code?: unknown } | null)?.code
  return code === 'ENOSPC' || code === 'EDQUOT'
}

function asDriverError(error: unknown): DriverError {
  const { code, stderr } = error as { code?: unknown; stderr?: string }
  if (code === 'ENOENT') {
    return new DriverError('HOST_REFUSED', 'The host lacks prlimit (package util-linux).', { cause: error })
  }
  const said = stderr?.trim() ?? ''
  if (/No space left on device|Disk quota exceeded/i.test(said)) return noSpace(error)
  return new DriverError('HOST_REFUSED', 'The host could not make the disk of the server; its log says more.', {
    cause: new Error(said === '' ? String((error as Error).message) : said),
  })
}
