/** The folder that holds one cloud: its identity, key, databases, images and guests. One process at a time works on it. */
import { randomBytes, randomUUID } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statfsSync, writeFileSync, writeSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Secret } from '@kilonova/runtime/secrets'
import { z } from 'zod'

/** A situation the operator must know of; the message is the whole answer. */
export class OperatorError extends Error {
  override name = 'OperatorError'
}

const identity = z.object({ cloudId: z.string(), createdAt: z.string() })
export const adminFile = z.object({
  url: z.string(),
  username: z.string(),
  password: z.string().transform((text) => new Secret(text)),
  project: z.string(),
})
export type AdminFile = z.infer<typeof adminFile>

/** Enough for databases, logs and the tiny image. */
const neededBytes = 512 * 2 ** 20

export class DataFolder {
  readonly path: string
  readonly cloudId: string
  readonly key: Buffer
  #locked = false

  private constructor(path: string, cloudId: string, key: Buffer) {
    this.path = path
    this.cloudId = cloudId
    this.key = key
  }

  /** Opens the folder, making it at the first start. Throws OperatorError with a sentence. */
  static open(folder: string): DataFolder {
    const path = resolve(folder)
    try {
      mkdirSync(path, { recursive: true, mode: 0o711 })
    } catch (error) {
      throw new OperatorError(`The data folder ${path} cannot be made: ${(error as Error).message}`)
    }
    const { bavail, bsize } = statfsSync(path)
    if (bavail * bsize < neededBytes) {
      throw new OperatorError(
        `There is too little disk space at ${path}: ${Math.floor((bavail * bsize) / 2 ** 20)} MiB free, ${neededBytes / 2 ** 20} MiB are needed.`,
      )
    }
    const idFile = join(path, 'cloud.json')
    if (!existsSync(idFile)) {
      writeFileSync(idFile, `${JSON.stringify({ cloudId: randomUUID(), createdAt: new Date().toISOString() })}\n`, { mode: 0o600 })
    }
    const keyFile = join(path, 'secret.key')
    if (!existsSync(keyFile)) writeFileSync(keyFile, randomBytes(48).toString('base64'), { mode: 0o600 })
    const { cloudId } = identity.parse(JSON.parse(readFileSync(idFile, 'utf8')))
    return new DataFolder(path, cloudId, Buffer.from(readFileSync(keyFile, 'utf8'), 'base64'))
  }

  /** Enough of the cloud's id for names on this machine. */
  get shortId(): string {
    return this.cloudId.slice(0, 8)
  }

  file(...parts: string[]): string {
    return join(this.path, ...parts)
  }

  /** Takes the lock; a folder that a living process holds is refused. */
  lock(): void {
    const lockFile = this.file('kilonova.pid')
    for (let attempt = 1; attempt <= 3; attempt++) {
      try {
        const handle = openSync(lockFile, 'wx', 0o600)
        writeSync(handle, `${process.pid} ${startTimeOf(process.pid)}\n`)
        closeSync(handle)
        this.#locked = true
        return
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
        const holder = this.holder()
        if (holder !== null)
          throw new OperatorError(`A Kilonova runs on ${this.path} already (process ${holder}). Stop it with \`./kilonova down\`.`)
        rmSync(lockFile, { force: true })
      }
    }
    throw new OperatorError(`The lock ${lockFile} cannot be taken.`)
  }

  /** The living process that holds the folder, or null. A process id that was given to another program does not count. */
  holder(): number | null {
    try {
      const [pid, startTime] = readFileSync(this.file('kilonova.pid'), 'utf8').trim().split(' ')
      const number = Number(pid)
      return Number.isInteger(number) && number > 0 && startTimeOf(number) === startTime ? number : null
    } catch {
      return null
    }
  }

  unlock(): void {
    if (this.#locked) rmSync(this.file('kilonova.pid'), { force: true })
    this.#locked = false
  }

  readAdmin(): AdminFile | null {
    const file = this.file('admin.json')
    return existsSync(file) ? adminFile.parse(JSON.parse(readFileSync(file, 'utf8'))) : null
  }

  /** Written before the user is made, so that a crash in between loses no password. */
  writeAdmin(admin: { url: string; username: string; password: Secret; project: string }): void {
    const content = { ...admin, password: admin.password.reveal() }
    const file = this.file('admin.json')
    writeFileSync(`${file}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }
}

/** When a process started, in clock ticks since boot; '' when there is no such process. */
function startTimeOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? '' : (fields[19] ?? '')
  } catch {
    return ''
  }
}
