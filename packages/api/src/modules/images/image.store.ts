/** Where image bytes lie: one file per image and one per open upload, in a folder of the API service. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { constants, copyFile, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

export class ImageStore {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  fileOf(imageId: string): string {
    return join(this.#folder, `${imageId}.image`)
  }

  partOf(uploadId: string): string {
    return join(this.#folder, `${uploadId}.part`)
  }

  /** What is checked and published: nobody writes it, however slow a PUT of the same upload still is. */
  sealedOf(uploadId: string): string {
    return join(this.#folder, `${uploadId}.sealed`)
  }

  async prepare(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
  }

  /** Appends a body at an offset, at most `limit` bytes in all; tells progress now and then. Answers the size afterwards. */
  async receive(
    uploadId: string,
    body: Readable,
    offset: number,
    limit: number,
    onProgress: (bytes: number) => Promise<void>,
  ): Promise<number> {
    await this.prepare()
    const file = await open(this.partOf(uploadId), offset === 0 ? 'w' : 'r+', 0o600)
    let position = offset
    let told = offset
    try {
      await file.truncate(offset)
      for await (const chunk of body as AsyncIterable<Buffer>) {
        if (position + chunk.length > limit) throw new UploadTooLargeError(limit)
        await file.write(chunk, 0, chunk.length, position)
        position += chunk.length
        if (position - told >= 4 * 1024 * 1024) {
          told = position
          await onProgress(position)
        }
      }
      await file.datasync()
    } finally {
      await file.close()
    }
    return position
  }

  /** Copies what was received, without using space where the file system can. Safe to repeat. */
  async seal(uploadId: string): Promise<void> {
    await copyFile(this.partOf(uploadId), this.sealedOf(uploadId), constants.COPYFILE_FICLONE)
  }

  async sizeOfPart(uploadId: string): Promise<number | null> {
    try {
      return (await stat(this.partOf(uploadId))).size
    } catch {
      return null
    }
  }

  async sha256(path: string): Promise<string> {
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
    return hash.digest('hex')
  }

  /** Makes a sealed upload the image's data. Safe to repeat. */
  async publish(uploadId: string, imageId: string): Promise<void> {
    try {
      await rename(this.sealedOf(uploadId), this.fileOf(imageId))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      await stat(this.fileOf(imageId))
    }
    await this.removePart(uploadId)
  }

  async removePart(uploadId: string): Promise<void> {
    await rm(this.partOf(uploadId), { force: true })
    await rm(this.sealedOf(uploadId), { force: true })
  }

  async removeImage(imageId: string): Promise<void> {
    await rm(this.fileOf(imageId), { force: true })
  }
}

export class UploadTooLargeError extends Error {
  constructor(readonly limit: number) {
    super(`more than ${limit} bytes were sent`)
    this.name = 'UploadTooLargeError'
  }
}
