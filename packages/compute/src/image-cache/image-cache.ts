/**
 * Base images of this host (C-IMC-1, C-IMC-2): fetched once, checked, and shared by the disks of all guests that were made from them.
 * A file under its final name is whole, has the right checksum and is what its image says it is; everything else has another name.
 */
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat, statfs, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { GuestImage } from '@kilonova/contract/rpc/guest'
import { type ImageFormat, inspectImage } from '@kilonova/runtime/format-inspector/inspect'
import type { Logger } from '@kilonova/runtime/logger'
import { DriverError } from '../driver.js'
import { cancelled, copyLimits, isNoSpace, noSpace, qemuImg } from '../storage/qemu-img.js'
import { download } from './download.js'

export interface ImageCacheOptions {
  /** The cache is its sub-folder `_base`. */
  folder: string
  log: Logger
}

/** One fetch that any number of guests wait for; it stops when nobody waits any more. */
interface Flight {
  readonly path: Promise<string>
  readonly stop: AbortController
  waiting: number
}

const partial = '.part'
/** What qemu-img calls the formats that are converted. */
const convertedFrom: Partial<Record<ImageFormat, string>> = { vmdk: 'vmdk', vhd: 'vpc', vhdx: 'vhdx' }

export class ImageCache {
  readonly #folder: string
  readonly #log: Logger
  readonly #flights = new Map<string, Flight>()
  #prepared: Promise<void> | undefined

  constructor({ folder, log }: ImageCacheOptions) {
    this.#folder = join(folder, '_base')
    this.#log = log
  }

  /** Where an image lies, or will lie. */
  pathOf(imageId: string): string {
    return join(this.#folder, createHash('sha1').update(imageId).digest('hex'))
  }

  /** The path of the base image; fetches it if need be. Its format is `baseFormatOf(image.diskFormat)`. */
  async get(image: GuestImage, signal: AbortSignal): Promise<string> {
    if (signal.aborted) throw cancelled()
    await this.#prepare()
    const path = this.pathOf(image.imageId)
    const known = this.#flights.get(path)
    if (known === undefined && (await touch(path))) return path
    const flight = this.#flights.get(path) ?? this.#launch(path, image)
    return this.#wait(flight, signal)
  }

  /**
   * Deletes base images that no guest of this host uses and none has used for a while (C-IMC-2). `usedImageIds` must hold the images
   * of all guests of this host. Answers the names of the deleted files.
   */
  async clean(usedImageIds: Iterable<string>, minimumAgeSeconds: number, nowMs: number): Promise<string[]> {
    await this.#prepare()
    const used = new Set([...usedImageIds].map((id) => this.pathOf(id)))
    const deleted: string[] = []
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name)
      if (name.endsWith(partial) || this.#flights.has(path)) continue
      if (used.has(path)) {
        await touch(path)
        continue
      }
      const { mtimeMs } = await stat(path)
      if (nowMs - mtimeMs < minimumAgeSeconds * 1000) continue
      await rm(path, { force: true })
      deleted.push(name)
    }
    if (deleted.length > 0) this.#log.info({ files: deleted }, 'unused base images deleted')
    return deleted
  }

  /** The first caller makes the folder and removes what an interrupted run left. */
  #prepare(): Promise<void> {
    this.#prepared ??= (async () => {
      await mkdir(this.#folder, { recursive: true, mode: 0o711 })
      for (const name of await readdir(this.#folder)) if (name.endsWith(partial)) await rm(join(this.#folder, name), { force: true })
    })().catch((error: unknown) => {
      this.#prepared = undefined
      throw error
    })
    return this.#prepared
  }

  #launch(path: string, image: GuestImage): Flight {
    const stop = new AbortController()
    const flight: Flight = {
      path: this.#fetch(path, image, stop.signal).finally(() => {
        if (this.#flights.get(path) === flight) this.#flights.delete(path)
      }),
      stop,
      waiting: 0,
    }
    // Whoever waits gets the failure; when all have left, nobody does.
    flight.path.catch(() => {})
    this.#flights.set(path, flight)
    return flight
  }

  async #wait(flight: Flight, signal: AbortSignal): Promise<string> {
    flight.waiting += 1
    const left = Promise.withResolvers<never>()
    const leave = (): void => left.reject(cancelled())
    signal.addEventListener('abort', leave, { once: true })
    if (signal.aborted) leave()
    try {
      return await Promise.race([flight.path, left.promise])
    } finally {
      signal.removeEventListener('abort', leave)
      flight.waiting -= 1
      if (flight.waiting === 0) {
        flight.stop.abort()
        // A later caller must not join a flight that is being stopped.
        for (const [path, known] of this.#flights) if (known === flight) this.#flights.delete(path)
      }
    }
  }

  async #fetch(path: string, image: GuestImage, signal: AbortSignal): Promise<string> {
    const attempt = `${path}.${randomUUID()}`
    const fetched = `${attempt}${partial}`
    const converted = `${attempt}.converted${partial}`
    const startedMs = performance.now()
    try {
      await this.#requireSpace(image)
      await download(image, fetched, signal)
      await verifyFormat(image, fetched)
      const source = convertedFrom[image.diskFormat]
      if (source !== undefined) {
        await qemuImg(['convert', '-q', '-f', source, '-O', 'qcow2', fetched, converted], copyLimits, signal)
        await sync(converted)
      }
      if (signal.aborted) throw cancelled()
      await rename(source === undefined ? fetched : converted, path)
      const ms = Math.round(performance.now() - startedMs)
      this.#log.info({ imageId: image.imageId, sizeBytes: image.sizeBytes, ms }, 'image cached')
      return path
    } catch (error) {
      throw isNoSpace(error) ? noSpace(error) : error
    } finally {
      await Promise.all([rm(fetched, { force: true }), rm(converted, { force: true })])
    }
  }

  /** Cheaper to say now than after gigabytes. */
  async #requireSpace(image: GuestImage): Promise<void> {
    const { bavail, bsize } = await statfs(this.#folder)
    if (bavail * bsize < image.sizeBytes) throw noSpace()
  }
}

async function verifyFormat(image: GuestImage, path: string): Promise<void> {
  const found = await inspectImage(path)
  const why =
    found.refusal ?? (found.format === image.diskFormat ? null : `The data is ${found.format}, but the image says ${image.diskFormat}.`)
  if (why !== null) throw new DriverError('IMAGE_REJECTED', why, { hostAtFault: false, exception: 'ImageUnacceptable' })
}

/** Marks a file as used now. False: there is no such file. */
async function touch(path: string): Promise<boolean> {
  const now = new Date()
  return utimes(path, now, now).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.chmod(0o600)
    await file.sync()
  } finally {
    await file.close()
  }
}
