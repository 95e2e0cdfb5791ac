/** Uploads of image data: a session with a ticketed URL, the bytes, and the operation that checks and stores them. */
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { CloudError } from '@kilonova/contract/errors'
import type { Caller } from '../../caller.js'
import type { SagaQueue } from '../../conductor/saga-queue.js'
import type { Database, Row } from '../../db/database.js'
import type { ApiSchema } from '../../db/schemas.js'
import { parseInput } from '../../parse-input.js'
import type { IdempotencyService } from '../idempotency/idempotency.service.js'
import { newOperation } from '../operations/operation.store.js'
import { type ImageAccess, type ImageRow, wrongStatus } from './image.access.js'
import { checkedProperties, createUpload, type DiskFormatName, finalizeUpload } from './image.rules.js'
import { type ImageStore, UploadTooLargeError } from './image.store.js'

export type UploadRow = Row<ApiSchema, 'image_uploads'>

export interface ImageUploadsOptions {
  access: ImageAccess
  store: ImageStore
  idempotency: IdempotencyService
  sagas: SagaQueue<ApiSchema>
  maxSizeBytes: number
  uploadSeconds: number
}

/** States in which bytes may come. */
const receiving = ['OPEN', 'RECEIVED']

export class ImageUploads {
  readonly #options: ImageUploadsOptions

  constructor(options: ImageUploadsOptions) {
    this.#options = options
  }

  get #db(): Database<ApiSchema> {
    return this.#options.access.db
  }

  /** Upload sessions by image. */
  async of(imageIds: readonly string[]): Promise<Map<string, UploadRow>> {
    const rows = await this.#db.read
      .selectFrom('image_uploads')
      .selectAll()
      .where('image_id', 'in', [...imageIds])
      .execute()
    return new Map(rows.map((row) => [row.image_id, row]))
  }

  async uploadOf(imageId: string): Promise<UploadRow | null> {
    return (await this.of([imageId])).get(imageId) ?? null
  }

  /** Opens an upload session; it replaces one that is open. */
  async create(caller: Caller, raw: unknown): Promise<UploadRow> {
    const { access, idempotency, store, uploadSeconds } = this.#options
    const input = parseInput(createUpload, raw)
    await access.mine(caller, input.imageId, 'image:upload_image')
    if (input.sizeBytes != null) this.#refuseTooLarge(input.sizeBytes)
    const { uploadId } = await idempotency.run(caller, {
      mutation: 'createImageUpload',
      key: input.idempotencyKey,
      input,
      choose: () => ({ uploadId: randomUUID() }),
      work: async (refs, done) => {
        const old = await this.uploadOf(input.imageId)
        await this.#db.transaction(async (trx) => {
          const { now } = this.#db
          const image = await access.lock(trx, input.imageId)
          if (!['QUEUED', 'UPLOADING'].includes(image.status)) throw wrongStatus(image, 'take an upload')
          await trx.deleteFrom('image_uploads').where('image_id', '=', image.id).execute()
          await trx
            .insertInto('image_uploads')
            .values((eb) => ({
              id: refs.uploadId,
              image_id: image.id,
              state: 'OPEN',
              size_bytes: input.sizeBytes ?? null,
              checksum: input.checksum ?? null,
              expires_at: eb(now, '+', uploadSeconds * 1000),
              created_at: now,
            }))
            .execute()
          await trx.updateTable('images').set({ status: 'QUEUED', updated_at: now }).where('id', '=', image.id).execute()
          await done(trx, refs)
        })
        if (old !== null && old.id !== refs.uploadId) await store.removePart(old.id)
        return refs
      },
    })
    return this.#require(uploadId)
  }

  /** The PUT of an upload's bytes; `offset` is the start of a Content-Range. */
  async receive(uploadId: string, body: Readable, offset: number): Promise<UploadRow> {
    const { store, maxSizeBytes } = this.#options
    const upload = await this.#require(uploadId)
    if (!receiving.includes(upload.state)) throw ended()
    const limit = upload.size_bytes ?? maxSizeBytes
    const present = (await store.sizeOfPart(uploadId)) ?? 0
    if (offset > present) throw CloudError.badInput('Content-Range', `The upload goes on at byte ${present}.`)
    await this.#progress(upload, { state: 'OPEN', received_bytes: offset })
    try {
      const size = await store.receive(uploadId, body, offset, limit, (bytes) => this.#progress(upload, { received_bytes: bytes }))
      const whole = upload.size_bytes === null || size >= upload.size_bytes
      await this.#progress(upload, { received_bytes: size, state: whole ? 'RECEIVED' : 'OPEN' })
    } catch (error) {
      if (error instanceof UploadTooLargeError) {
        throw new CloudError('BAD_USER_INPUT', `More bytes were sent than the ${error.limit} that may be.`, {
          exception: 'ImageSizeLimitExceeded',
        })
      }
      throw error
    }
    return this.#require(uploadId)
  }

  /** Checks and stores what was received; the rest is the operation. */
  async finalize(caller: Caller, raw: unknown): Promise<{ image: ImageRow; operationId: string }> {
    const { access, idempotency, sagas } = this.#options
    const input = parseInput(finalizeUpload, raw)
    const upload = await this.#uploadFor(caller, input.uploadId)
    const { operationId } = await idempotency.run(caller, {
      mutation: 'finalizeImageUpload',
      key: input.idempotencyKey,
      input,
      choose: () => ({ operationId: randomUUID() }),
      work: async (refs, done) => {
        if (upload.state !== 'RECEIVED') {
          throw new CloudError(
            upload.state === 'EXPIRED' ? 'GONE' : 'INVALID_STATE',
            `The upload is ${upload.state}, not all bytes are here.`,
          )
        }
        await this.#db.transaction(async (trx) => {
          const { now } = this.#db
          const image = await access.lock(trx, upload.image_id)
          const result = await trx
            .updateTable('image_uploads')
            .set({ state: 'FINALIZING', operation_id: refs.operationId, ...(input.checksum == null ? {} : { checksum: input.checksum }) })
            .where('id', '=', upload.id)
            .where('state', '=', 'RECEIVED')
            .executeTakeFirst()
          if (Number(result.numUpdatedRows) === 0) throw new CloudError('INVALID_STATE', 'Bytes of the upload are on their way again.')
          await trx.updateTable('images').set({ status: 'IMPORTING', updated_at: now }).where('id', '=', image.id).execute()
          await newOperation(trx, this.#db, {
            id: refs.operationId,
            kind: 'IMPORT_IMAGE',
            caller,
            projectId: image.project_id,
            imageId: image.id,
          })
          await sagas.begin(trx, {
            id: refs.operationId,
            kind: 'import_image',
            operationId: refs.operationId,
            serverId: null,
            projectId: image.project_id,
            requestId: caller.requestId,
            fence: 0,
            state: { uploadId: upload.id, imageId: image.id },
          })
          await access.tell(trx, image, 'image.update', caller)
          await done(trx, refs)
        })
        return refs
      },
    })
    return { image: await access.require(caller, upload.image_id), operationId }
  }

  async cancel(caller: Caller, raw: { uploadId: string; idempotencyKey?: string | null }): Promise<ImageRow> {
    const { access, idempotency, store } = this.#options
    const refs = await idempotency.run(caller, {
      mutation: 'cancelImageUpload',
      key: raw.idempotencyKey,
      input: raw,
      choose: () => ({ imageId: '' }),
      work: async (_refs, done) => {
        const upload = await this.#uploadFor(caller, raw.uploadId)
        const made = { imageId: upload.image_id }
        await this.#db.transaction(async (trx) => {
          const image = await access.lock(trx, upload.image_id)
          const result = await trx
            .deleteFrom('image_uploads')
            .where('id', '=', upload.id)
            .where('state', 'not in', ['FINALIZING', 'COMPLETED'])
            .executeTakeFirst()
          if (Number(result.numDeletedRows) === 0) {
            throw new CloudError('INVALID_STATE', 'The upload is being checked or done, and cannot be cancelled.')
          }
          await trx.updateTable('images').set({ status: 'QUEUED', updated_at: this.#db.now }).where('id', '=', image.id).execute()
          await access.tell(trx, image, 'image.update', caller)
          await done(trx, made)
        })
        await store.removePart(upload.id)
        return made
      },
    })
    return access.require(caller, refs.imageId)
  }

  /** Takes a file of this machine as a public image, checked as an upload is. For the first start; answers its operation. */
  async importFile(file: {
    path: string
    name: string
    projectId: string
    diskFormat: DiskFormatName
    minRamMb: number
    minDiskGb: number
    properties: Record<string, string>
  }): Promise<{ imageId: string; operationId: string }> {
    const { access, sagas, store, maxSizeBytes, uploadSeconds } = this.#options
    const properties = checkedProperties(
      'properties',
      Object.entries(file.properties).map(([key, value]) => ({ key, value })),
    )
    const ids = { imageId: randomUUID(), uploadId: randomUUID(), operationId: randomUUID() }
    await store.receive(ids.uploadId, createReadStream(file.path), 0, maxSizeBytes, async () => {})
    await this.#db.transaction(async (trx) => {
      const { now } = this.#db
      await trx
        .insertInto('images')
        .values({
          id: ids.imageId,
          name: file.name,
          status: 'IMPORTING',
          visibility: 'PUBLIC',
          project_id: file.projectId,
          tags: '[]',
          properties: JSON.stringify(properties),
          min_ram_mb: file.minRamMb,
          min_disk_gb: file.minDiskGb,
          disk_format: file.diskFormat,
          container_format: 'BARE',
          created_at: now,
          updated_at: now,
        })
        .execute()
      await trx
        .insertInto('image_uploads')
        .values((eb) => ({
          id: ids.uploadId,
          image_id: ids.imageId,
          state: 'FINALIZING',
          operation_id: ids.operationId,
          expires_at: eb(now, '+', uploadSeconds * 1000),
          created_at: now,
        }))
        .execute()
      await newOperation(trx, this.#db, {
        id: ids.operationId,
        kind: 'IMPORT_IMAGE',
        caller: null,
        projectId: file.projectId,
        imageId: ids.imageId,
      })
      await sagas.begin(trx, {
        id: ids.operationId,
        kind: 'import_image',
        operationId: ids.operationId,
        serverId: null,
        projectId: file.projectId,
        requestId: null,
        fence: 0,
        state: { uploadId: ids.uploadId, imageId: ids.imageId },
      })
      await access.tell(trx, { id: ids.imageId, project_id: file.projectId }, 'image.create', null)
    })
    return { imageId: ids.imageId, operationId: ids.operationId }
  }

  async #require(id: string): Promise<UploadRow> {
    const row = await this.#db.read.selectFrom('image_uploads').selectAll().where('id', '=', id).executeTakeFirst()
    if (row === undefined) throw CloudError.notFound('Upload', id, 'UploadNotFound')
    const expired = row.expires_at < (await this.#db.readClock()) && receiving.includes(row.state)
    return expired ? { ...row, state: 'EXPIRED' } : row
  }

  async #uploadFor(caller: Caller, uploadId: string): Promise<UploadRow> {
    const { access } = this.#options
    const upload = await this.#require(uploadId)
    const image = await access.find(caller, upload.image_id)
    if (image === null) throw CloudError.notFound('Upload', uploadId, 'UploadNotFound')
    access.policy.enforce('image:upload_image', caller, { project_id: image.project_id, user_id: caller.userId })
    return upload
  }

  /** Notes how far the bytes are; GONE when the session was replaced, cancelled or finalized meanwhile. */
  async #progress(upload: UploadRow, values: { state?: string; received_bytes: number }): Promise<void> {
    const { access } = this.#options
    await this.#db.transaction(async (trx) => {
      const result = await trx
        .updateTable('image_uploads')
        .set(values)
        .where('id', '=', upload.id)
        .where('state', 'in', receiving)
        .executeTakeFirst()
      if (Number(result.numUpdatedRows) === 0) throw ended()
      const image = await trx
        .updateTable('images')
        .set({ status: 'UPLOADING', updated_at: this.#db.now })
        .where('id', '=', upload.image_id)
        .where('status', 'in', ['QUEUED', 'UPLOADING'])
        .returning('project_id')
        .executeTakeFirst()
      if (image !== undefined) await access.tell(trx, { id: upload.image_id, project_id: image.project_id }, 'image.update', null)
    })
  }

  #refuseTooLarge(sizeBytes: number): void {
    const { maxSizeBytes } = this.#options
    if (sizeBytes > maxSizeBytes) {
      throw CloudError.badInput('input.sizeBytes', `An image may have at most ${maxSizeBytes} bytes.`, 'ImageSizeLimitExceeded')
    }
  }
}

const ended = (): CloudError => new CloudError('GONE', 'The upload session has ended.')
