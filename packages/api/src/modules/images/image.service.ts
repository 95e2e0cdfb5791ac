/** The embedded image service: records, ticketed upload and download, checks before an image may be used. */
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { CloudError } from '@kilonova/contract/errors'
import { payload } from '@kilonova/contract/events'
import { INT32_MAX, metadataKey, uuid, name as validName } from '@kilonova/contract/inputs'
import type { GuestImage } from '@kilonova/contract/rpc/guest'
import type { SecretBox } from '@kilonova/runtime/secrets'
import type { Transaction } from 'kysely'
import { z } from 'zod'
import { type Caller } from '../../caller.js'
import type { SagaQueue } from '../../conductor/saga-queue.js'
import { type Database, isUniqueViolation, type Row } from '../../db/database.js'
import { listPage } from '../../db/list.js'
import { containsText, listFingerprint, type Page, type PageRequest } from '../../db/paging.js'
import { type OrderInput, sortKeys } from '../../db/resource-order.js'
import type { ApiSchema } from '../../db/schemas.js'
import type { Outbox } from '../../events/outbox.js'
import { parseInput } from '../../parse-input.js'
import type { Policy } from '../../policy/policy.js'
import type { IdempotencyService } from '../idempotency/idempotency.service.js'
import { newOperation } from '../operations/operation.store.js'
import { type ImageStore, UploadTooLargeError } from './image.store.js'

export type ImageRow = Row<ApiSchema, 'images'>
export type UploadRow = Row<ApiSchema, 'image_uploads'>

const diskFormats = ['RAW', 'QCOW2', 'VMDK', 'VHD', 'VHDX', 'ISO'] as const
const checksum = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'A checksum has the form sha256:<64 hex digits>.')
const natural = (what: string) => z.number().int().min(0, `${what} must not be negative.`).max(INT32_MAX)

const createImage = z.object({
  name: validName,
  id: uuid.nullish(),
  diskFormat: z.enum(diskFormats),
  containerFormat: z.literal('BARE'),
  visibility: z.enum(['PUBLIC', 'PRIVATE']),
  protected: z.boolean().nullish(),
  minRamMb: natural('minRamMb'),
  minDiskGb: natural('minDiskGb'),
  properties: z
    .array(z.object({ key: metadataKey, value: z.string().max(255) }))
    .max(128)
    .nullish(),
  tags: z.array(z.string().min(1).max(255)).max(128).nullish(),
  idempotencyKey: z.string().nullish(),
})

export interface ImageFilterInput {
  name?: string | null
  status?: string[] | null
  visibility?: string | null
  projectId?: string | null
  diskFormat?: string | null
  tags?: string[] | null
  properties?: { key: string; value: string }[] | null
  maxSizeBytes?: number | null
  hidden?: boolean | null
  changedSince?: number | null
  changedBefore?: number | null
}

export interface ImageServiceOptions {
  db: Database<ApiSchema>
  store: ImageStore
  outbox: Outbox<ApiSchema>
  policy: Policy
  idempotency: IdempotencyService
  box: SecretBox
  sagas: SagaQueue<ApiSchema>
  /** Address under which agents and clients reach `/images`. */
  baseUrl: () => string | Promise<string>
  maxPageSize: number
  maxSizeBytes: number
  uploadSeconds: number
}

const columns = {
  ID: 'id',
  NAME: 'name',
  STATUS: 'status',
  SIZE_BYTES: 'size_bytes',
  DISK_FORMAT: 'disk_format',
  CREATED_AT: 'created_at',
  UPDATED_AT: 'updated_at',
}

export type TicketMethod = 'GET' | 'PUT'

export class ImageService {
  readonly #options: ImageServiceOptions

  constructor(options: ImageServiceOptions) {
    this.#options = options
  }

  get #db(): Database<ApiSchema> {
    return this.#options.db
  }

  async visibleById(caller: Caller, ids: readonly string[]): Promise<Map<string, ImageRow>> {
    const rows = await this.#visible(caller)
      .where('id', 'in', [...ids])
      .execute()
    return new Map(rows.map((row) => [row.id, row]))
  }

  async image(caller: Caller, id: string): Promise<ImageRow | null> {
    return (await this.visibleById(caller, [id])).get(id) ?? null
  }

  async images(
    caller: Caller,
    request: PageRequest & { filter?: ImageFilterInput | null; orderBy?: OrderInput[] | null },
  ): Promise<Page<ImageRow>> {
    this.#options.policy.enforce('image:get_images', caller)
    const { filter } = request
    let query = this.#visible(caller).where('hidden', '=', filter?.hidden === true ? 1 : 0)
    if (filter?.name) query = query.where(containsText('name', filter.name))
    if (filter?.status != null) query = query.where('status', 'in', filter.status)
    if (filter?.visibility != null) query = query.where('visibility', '=', filter.visibility)
    if (filter?.projectId != null) query = query.where('project_id', '=', filter.projectId)
    if (filter?.diskFormat != null) query = query.where('disk_format', '=', filter.diskFormat)
    if (filter?.maxSizeBytes != null) query = query.where('size_bytes', '<=', filter.maxSizeBytes)
    if (filter?.changedSince != null) query = query.where('updated_at', '>=', filter.changedSince)
    if (filter?.changedBefore != null) query = query.where('updated_at', '<=', filter.changedBefore)
    for (const tag of filter?.tags ?? []) query = query.where('tags', 'like', `%${JSON.stringify(tag)}%`)
    for (const { key, value } of filter?.properties ?? []) {
      query = query.where('properties', 'like', `%${JSON.stringify({ [key]: value }).slice(1, -1)}%`)
    }
    return listPage(this.#db, query, request, {
      keys: sortKeys(request.orderBy, columns, { key: 'CREATED_AT', direction: 'DESC' }),
      fingerprint: listFingerprint('images', caller.projectId, filter ?? null, request.orderBy ?? null),
      maximum: this.#options.maxPageSize,
      toNode: (row) => row,
    })
  }

  async uploadOf(imageId: string): Promise<UploadRow | null> {
    return (await this.#db.read.selectFrom('image_uploads').selectAll().where('image_id', '=', imageId).executeTakeFirst()) ?? null
  }

  async create(caller: Caller, raw: unknown): Promise<ImageRow> {
    this.#options.policy.enforce('image:add_image', caller)
    const input = parseInput(createImage, raw)
    if (input.visibility === 'PUBLIC') this.#options.policy.enforce('image:publicize_image', caller)
    const projectId = requireProject(caller)
    const { id } = await this.#options.idempotency.run(caller, {
      mutation: 'createImage',
      key: input.idempotencyKey,
      input,
      choose: () => ({ id: input.id ?? randomUUID() }),
      work: async (refs, done) => {
        try {
          await this.#db.transaction(async (trx) => {
            const { now } = this.#db
            await trx
              .insertInto('images')
              .values({
                id: refs.id,
                name: input.name,
                status: 'QUEUED',
                visibility: input.visibility,
                protected: input.protected === true ? 1 : 0,
                project_id: projectId,
                tags: JSON.stringify([...new Set(input.tags ?? [])]),
                properties: JSON.stringify(Object.fromEntries((input.properties ?? []).map(({ key, value }) => [key, value]))),
                min_ram_mb: input.minRamMb,
                min_disk_gb: input.minDiskGb,
                disk_format: input.diskFormat,
                container_format: 'BARE',
                created_at: now,
                updated_at: now,
              })
              .execute()
            await this.#tell(trx, refs.id, projectId, 'image.create', caller)
            await done(trx, refs)
          })
        } catch (error) {
          if (!isUniqueViolation(error)) throw error
          throw new CloudError('ALREADY_EXISTS', `Image ${refs.id} exists.`, { exception: 'ImageDuplicate', fields: ['input.id'] })
        }
        return refs
      },
    })
    return this.#require(caller, id)
  }

  /** Opens an upload session; it replaces one that is open. */
  async createUpload(
    caller: Caller,
    raw: { imageId: string; sizeBytes?: number | null; checksum?: string | null; idempotencyKey?: string | null },
  ): Promise<UploadRow> {
    const image = await this.#mine(caller, raw.imageId, 'image:upload_image')
    const input = parseInput(z.object({ checksum: checksum.nullish(), sizeBytes: z.number().int().min(1).nullish() }), raw)
    if (input.sizeBytes != null) this.#refuseTooLarge(input.sizeBytes)
    const { uploadId } = await this.#options.idempotency.run(caller, {
      mutation: 'createImageUpload',
      key: raw.idempotencyKey,
      input: raw,
      choose: () => ({ uploadId: randomUUID() }),
      work: async (refs, done) => {
        if (!['QUEUED', 'UPLOADING'].includes(image.status)) throw wrongStatus(image, 'take an upload')
        const old = await this.uploadOf(image.id)
        await this.#db.transaction(async (trx) => {
          const { now } = this.#db
          await trx.deleteFrom('image_uploads').where('image_id', '=', image.id).execute()
          await trx
            .insertInto('image_uploads')
            .values((eb) => ({
              id: refs.uploadId,
              image_id: image.id,
              state: 'OPEN',
              size_bytes: input.sizeBytes ?? null,
              checksum: input.checksum ?? null,
              expires_at: eb(now, '+', this.#options.uploadSeconds * 1000),
              created_at: now,
            }))
            .execute()
          await trx.updateTable('images').set({ status: 'QUEUED', updated_at: now }).where('id', '=', image.id).execute()
          await done(trx, refs)
        })
        if (old !== null && old.id !== refs.uploadId) await this.#options.store.removePart(old.id)
        return refs
      },
    })
    return this.#requireUpload(uploadId)
  }

  /** The PUT of an upload's bytes; `offset` is the start of a Content-Range. */
  async receive(uploadId: string, body: Readable, offset: number): Promise<UploadRow> {
    const upload = await this.#requireUpload(uploadId)
    if (!['OPEN', 'RECEIVED'].includes(upload.state)) throw new CloudError('GONE', 'The upload session has ended.')
    const limit = upload.size_bytes ?? this.#options.maxSizeBytes
    const present = (await this.#options.store.sizeOfPart(uploadId)) ?? 0
    if (offset > present) throw CloudError.badInput('Content-Range', `The upload goes on at byte ${present}.`)
    await this.#setUpload(upload, { state: 'OPEN', received_bytes: offset }, 'UPLOADING')
    try {
      const size = await this.#options.store.receive(uploadId, body, offset, limit, (bytes) =>
        this.#setUpload(upload, { received_bytes: bytes }, 'UPLOADING'),
      )
      const whole = upload.size_bytes === null || size >= upload.size_bytes
      await this.#setUpload(upload, { received_bytes: size, state: whole ? 'RECEIVED' : 'OPEN' }, 'UPLOADING')
    } catch (error) {
      if (error instanceof UploadTooLargeError) {
        throw new CloudError('BAD_USER_INPUT', `More bytes were sent than the ${error.limit} that may be.`, {
          exception: 'ImageSizeLimitExceeded',
        })
      }
      throw error
    }
    return this.#requireUpload(uploadId)
  }

  /** Checks and stores what was received; the rest is the operation. */
  async finalize(
    caller: Caller,
    raw: { uploadId: string; checksum?: string | null; idempotencyKey?: string | null },
  ): Promise<{ image: ImageRow; operationId: string }> {
    const upload = await this.#uploadFor(caller, raw.uploadId)
    const input = parseInput(z.object({ checksum: checksum.nullish() }), raw)
    const { operationId } = await this.#options.idempotency.run(caller, {
      mutation: 'finalizeImageUpload',
      key: raw.idempotencyKey,
      input: raw,
      choose: () => ({ operationId: randomUUID() }),
      work: async (refs, done) => {
        if (upload.state !== 'RECEIVED') {
          throw new CloudError(
            upload.state === 'EXPIRED' ? 'GONE' : 'INVALID_STATE',
            `The upload is ${upload.state}, not all bytes are here.`,
          )
        }
        const image = await this.#require(caller, upload.image_id)
        await this.#db.transaction(async (trx) => {
          const { now } = this.#db
          await trx
            .updateTable('image_uploads')
            .set({ state: 'FINALIZING', operation_id: refs.operationId, ...(input.checksum == null ? {} : { checksum: input.checksum }) })
            .where('id', '=', upload.id)
            .execute()
          await trx.updateTable('images').set({ status: 'IMPORTING', updated_at: now }).where('id', '=', image.id).execute()
          await newOperation(trx, this.#db, {
            id: refs.operationId,
            kind: 'IMPORT_IMAGE',
            caller,
            projectId: image.project_id,
            imageId: image.id,
          })
          await this.#options.sagas.begin(trx, {
            id: refs.operationId,
            kind: 'import_image',
            operationId: refs.operationId,
            serverId: null,
            projectId: image.project_id,
            requestId: caller.requestId,
            fence: 0,
            state: { uploadId: upload.id, imageId: image.id },
          })
          await this.#tell(trx, image.id, image.project_id, 'image.update', caller)
          await done(trx, refs)
        })
        return refs
      },
    })
    return { image: await this.#require(caller, upload.image_id), operationId }
  }

  async cancelUpload(caller: Caller, raw: { uploadId: string; idempotencyKey?: string | null }): Promise<ImageRow> {
    const refs = await this.#options.idempotency.run(caller, {
      mutation: 'cancelImageUpload',
      key: raw.idempotencyKey,
      input: raw,
      choose: () => ({ imageId: '' }),
      work: async (_refs, done) => {
        const upload = await this.#uploadFor(caller, raw.uploadId)
        if (upload.state === 'FINALIZING' || upload.state === 'COMPLETED') {
          throw new CloudError('INVALID_STATE', `The upload is ${upload.state} and cannot be cancelled.`)
        }
        const made = { imageId: upload.image_id }
        await this.#db.transaction(async (trx) => {
          await trx.deleteFrom('image_uploads').where('id', '=', upload.id).execute()
          await trx.updateTable('images').set({ status: 'QUEUED', updated_at: this.#db.now }).where('id', '=', upload.image_id).execute()
          await done(trx, made)
        })
        await this.#options.store.removePart(upload.id)
        return made
      },
    })
    return this.#require(caller, refs.imageId)
  }

  async createDownload(caller: Caller, raw: { imageId: string }): Promise<{ url: string; expiresAt: number }> {
    this.#options.policy.enforce('image:download_image', caller)
    const image = await this.#require(caller, raw.imageId)
    if (image.status !== 'ACTIVE') throw wrongStatus(image, 'be downloaded')
    return this.ticketedUrl(image.id, 'GET', 3600)
  }

  async delete(caller: Caller, raw: { imageId: string; idempotencyKey?: string | null }): Promise<string> {
    const refs = await this.#options.idempotency.run(caller, {
      mutation: 'deleteImage',
      key: raw.idempotencyKey,
      input: raw,
      choose: () => ({ id: raw.imageId }),
      work: async (chosen, done) => {
        const image = await this.#mine(caller, raw.imageId, 'image:delete_image')
        if (image.protected === 1)
          throw new CloudError('CONFLICT', `Image ${image.id} is protected and cannot be deleted.`, { exception: 'ForbiddenImage' })
        const upload = await this.uploadOf(image.id)
        if (image.status === 'IMPORTING') throw wrongStatus(image, 'be deleted while its data is checked')
        await this.#db.transaction(async (trx) => {
          await trx.deleteFrom('image_uploads').where('image_id', '=', image.id).execute()
          await trx.deleteFrom('images').where('id', '=', image.id).execute()
          await this.#tell(trx, image.id, image.project_id, 'image.delete', caller)
          await done(trx, chosen)
        })
        if (upload !== null) await this.#options.store.removePart(upload.id)
        await this.#options.store.removeImage(image.id)
        return chosen
      },
    })
    return refs.id
  }

  /** Takes a file of this machine as a public image, checked as an upload is. For the first start; answers its operation. */
  async importFile(file: {
    path: string
    name: string
    projectId: string
    diskFormat: (typeof diskFormats)[number]
    minRamMb: number
    minDiskGb: number
    properties: Record<string, string>
  }): Promise<{ imageId: string; operationId: string }> {
    const ids = { imageId: randomUUID(), uploadId: randomUUID(), operationId: randomUUID() }
    await this.#options.store.receive(ids.uploadId, createReadStream(file.path), 0, this.#options.maxSizeBytes, async () => {})
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
          properties: JSON.stringify(file.properties),
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
          expires_at: eb(now, '+', this.#options.uploadSeconds * 1000),
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
      await this.#options.sagas.begin(trx, {
        id: ids.operationId,
        kind: 'import_image',
        operationId: ids.operationId,
        serverId: null,
        projectId: file.projectId,
        requestId: null,
        fence: 0,
        state: { uploadId: ids.uploadId, imageId: ids.imageId },
      })
      await this.#tell(trx, ids.imageId, file.projectId, 'image.create', null)
    })
    return { imageId: ids.imageId, operationId: ids.operationId }
  }

  /** A URL with a ticket for one object and one method. */
  async ticketedUrl(objectId: string, method: TicketMethod, seconds: number): Promise<{ url: string; expiresAt: number }> {
    const expiresAt = (await this.#db.readClock()) + seconds * 1000
    const ticket = this.#options.box.sign({ object: objectId, method, exp: expiresAt })
    const path = method === 'PUT' ? `uploads/${objectId}` : objectId
    return { url: `${await this.#options.baseUrl()}/images/${path}?ticket=${ticket}`, expiresAt }
  }

  /** Whether a ticket opens this object with this method, now. */
  async admits(ticket: string, objectId: string, method: TicketMethod): Promise<boolean> {
    const claims = this.#options.box.verify(ticket)
    return claims !== null && claims.object === objectId && claims.method === method && Number(claims.exp) > (await this.#db.readClock())
  }

  fileOf(imageId: string): string {
    return this.#options.store.fileOf(imageId)
  }

  async describe(imageId: string): Promise<ImageRow | null> {
    return (await this.#db.read.selectFrom('images').selectAll().where('id', '=', imageId).executeTakeFirst()) ?? null
  }

  readonly forGuest = async (imageId: string): Promise<GuestImage> => {
    const image = await this.describe(imageId)
    if (image?.status !== 'ACTIVE' || image.hash_value === null || image.disk_format === null) {
      throw new CloudError('BUILD_FAILED', `Image ${imageId} is not there any more.`, { exception: 'ImageNotFound' })
    }
    const { url } = await this.ticketedUrl(imageId, 'GET', 3600)
    return {
      imageId,
      diskFormat: image.disk_format.toLowerCase() as GuestImage['diskFormat'],
      sizeBytes: image.size_bytes ?? 0,
      virtualSizeBytes: image.virtual_size_bytes ?? 0,
      hashAlgorithm: 'sha256',
      hashValue: image.hash_value,
      url,
      properties: JSON.parse(image.properties) as Record<string, string>,
    }
  }

  #visible(caller: Caller) {
    const query = this.#db.read.selectFrom('images').selectAll()
    if (caller.roles.includes('admin')) return query
    return query.where((eb) => eb.or([eb('visibility', '=', 'PUBLIC'), eb('project_id', '=', caller.projectId ?? '')]))
  }

  async #require(caller: Caller, id: string): Promise<ImageRow> {
    const row = await this.image(caller, id)
    if (row === null) throw CloudError.notFound('Image', id)
    return row
  }

  /** An image the caller may change: of its project, or any for admins. */
  async #mine(caller: Caller, id: string, rule: 'image:upload_image' | 'image:delete_image'): Promise<ImageRow> {
    const image = await this.#require(caller, id)
    this.#options.policy.enforce(rule, caller, { project_id: image.project_id, user_id: caller.userId })
    return image
  }

  async #requireUpload(id: string): Promise<UploadRow> {
    const row = await this.#db.read.selectFrom('image_uploads').selectAll().where('id', '=', id).executeTakeFirst()
    if (row === undefined) throw CloudError.notFound('Upload', id, 'UploadNotFound')
    const expired = row.expires_at < (await this.#db.readClock()) && ['OPEN', 'RECEIVED'].includes(row.state)
    return expired ? { ...row, state: 'EXPIRED' } : row
  }

  async #uploadFor(caller: Caller, uploadId: string): Promise<UploadRow> {
    const upload = await this.#requireUpload(uploadId)
    const image = await this.image(caller, upload.image_id)
    if (image === null) throw CloudError.notFound('Upload', uploadId, 'UploadNotFound')
    this.#options.policy.enforce('image:upload_image', caller, { project_id: image.project_id, user_id: caller.userId })
    return upload
  }

  async #setUpload(upload: UploadRow, values: Partial<UploadRow>, imageStatus: string): Promise<void> {
    await this.#db.transaction(async (trx) => {
      await trx.updateTable('image_uploads').set(values).where('id', '=', upload.id).execute()
      const image = await trx
        .updateTable('images')
        .set({ status: imageStatus, updated_at: this.#db.now })
        .where('id', '=', upload.image_id)
        .returning('project_id')
        .executeTakeFirst()
      if (image !== undefined) await this.#tell(trx, upload.image_id, image.project_id, 'image.update', null)
    })
  }

  #refuseTooLarge(sizeBytes: number): void {
    if (sizeBytes > this.#options.maxSizeBytes) {
      throw CloudError.badInput(
        'input.sizeBytes',
        `An image may have at most ${this.#options.maxSizeBytes} bytes.`,
        'ImageSizeLimitExceeded',
      )
    }
  }

  async #tell(trx: Transaction<ApiSchema>, imageId: string, projectId: string, eventType: string, caller: Caller | null): Promise<void> {
    await this.#options.outbox.append(trx, [
      {
        eventType,
        subject: 'IMAGE',
        subjectId: imageId,
        projectId,
        userId: caller?.userId ?? null,
        requestId: caller?.requestId ?? null,
        payload: payload('ImagePayload', { id: imageId }),
      },
    ])
  }
}

export function requireProject(caller: Caller): string {
  if (caller.projectId === null)
    throw new CloudError('FORBIDDEN', 'The session has no project; refresh it with one.', { exception: 'Forbidden' })
  return caller.projectId
}

const wrongStatus = (image: ImageRow, what: string): CloudError =>
  new CloudError('INVALID_STATE', `Image ${image.id} is ${image.status} and cannot ${what}.`, { exception: 'ImageNotActive' })
