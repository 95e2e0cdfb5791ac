/**
 * The folder of a cloud on this machine: its identity, key, databases, images and guests. An all-in-one cloud has it for itself;
 * processes that run only some roles share it, each under a name of its own.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
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

/** The lock of a process that runs every role. */
export const wholeCloud = 'kilonova'

/** Enough for databases, logs and the tiny image. */
const neededBytes = 512 * 2 ** 20

export class DataFolder {
  readonly path: string
  readonly cloudId: string
  readonly key: Buffer
  #lockFile: string | null = null

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
    const keyFile = join(path, 'secret.key')
    try {
      writeOnce(idFile, () => `${JSON.stringify({ cloudId: randomUUID(), createdAt: new Date().toISOString() })}\n`)
      writeOnce(keyFile, () => randomBytes(48).toString('base64'))
      const { cloudId } = identity.parse(JSON.parse(readFileSync(idFile, 'utf8')))
      return new DataFolder(path, cloudId, Buffer.from(readFileSync(keyFile, 'utf8'), 'base64'))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error
      throw new OperatorError(`The data folder ${path} belongs to another user: run this as that user, or choose another with --data.`)
    }
  }

  /** Enough of the cloud's id for names on this machine. */
  get shortId(): string {
    return this.cloudId.slice(0, 8)
  }

  file(...parts: string[]): string {
    return join(this.path, ...parts)
  }

  /** Takes the folder for a process; one that a living process holds is refused. */
  lock(unit = wholeCloud): void {
    const others = this.holders().filter((holder) => (unit === wholeCloud) !== (holder.unit === wholeCloud))
    const [other] = others
    if (other !== undefined) {
      throw new OperatorError(
        other.unit === wholeCloud
          ? `A whole cloud runs on ${this.path} (process ${other.pid}); stop it with \`./kilonova down\` before its roles run in processes of their own.`
          : `Roles of this cloud run on ${this.path} already (${others.map((held) => held.unit).join(', ')}). Stop them with \`./kilonova down\`.`,
      )
    }
    const lockFile = this.file(`${unit}.pid`)
    for (let attempt = 1; attempt <= 3; attempt++) {
      try {
        const handle = openSync(lockFile, 'wx', 0o600)
        writeSync(handle, `${process.pid} ${startTimeOf(process.pid)}\n`)
        closeSync(handle)
        this.#lockFile = lockFile
        return
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
        const holder = this.holder(unit)
        if (holder !== null)
          throw new OperatorError(`A Kilonova runs on ${this.path} already (process ${holder}). Stop it with \`./kilonova down\`.`)
        rmSync(lockFile, { force: true })
      }
    }
    throw new OperatorError(`The lock ${lockFile} cannot be taken.`)
  }

  /** The living process that holds the folder, or null. A process id that was given to another program does not count. */
  holder(unit = wholeCloud): number | null {
    try {
      const [pid, startTime] = readFileSync(this.file(`${unit}.pid`), 'utf8')
        .trim()
        .split(' ')
      const number = Number(pid)
      return Number.isInteger(number) && number > 0 && startTimeOf(number) === startTime ? number : null
    } catch {
      return null
    }
  }

  /** The living processes of this folder. */
  holders(): { unit: string; pid: number }[] {
    return readdirSync(this.path)
      .filter((name) => name.endsWith('.pid'))
      .flatMap((name) => {
        const unit = name.slice(0, -'.pid'.length)
        const pid = this.holder(unit)
        return pid === null ? [] : [{ unit, pid }]
      })
  }

  unlock(): void {
    if (this.#lockFile !== null) rmSync(this.#lockFile, { force: true })
    this.#lockFile = null
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

/** Two processes that start at once end up with the same content. */
function writeOnce(file: string, content: () => string): void {
  if (existsSync(file)) return
  const own = `${file}.${process.pid}`
  writeFileSync(own, content(), { mode: 0o600 })
  try {
    linkSync(own, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(own, { force: true })
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
