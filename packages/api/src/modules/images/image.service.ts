/** The embedded image service: records and who sees them, tickets for their data. Uploads and members have services of their own. */
import { randomUUID } from 'node:crypto'
import { CloudError } from '@kilonova/contract/errors'
import type { GuestImage } from '@kilonova/contract/rpc/guest'
import { Secret, type SecretBox } from '@kilonova/runtime/secrets'
import { type Expression, type SqlBool, sql } from 'kysely'
import { type Caller } from '../../caller.js'
import type { SagaQueue } from '../../conductor/saga-queue.js'
import { type Database, isUniqueViolation } from '../../db/database.js'
import { listPage } from '../../db/list.js'
import { containsText, listFingerprint, type Page, type PageRequest } from '../../db/paging.js'
import { type OrderInput, sortKeys } from '../../db/resource-order.js'
import type { ApiSchema } from '../../db/schemas.js'
import type { Outbox } from '../../events/outbox.js'
import { parseInput } from '../../parse-input.js'
import type { Policy } from '../../policy/policy.js'
import type { IdempotencyService } from '../idempotency/idempotency.service.js'
import { refuseStale } from '../identity/identity.service.js'
import { ImageAccess, type ImageRow, wrongStatus } from './image.access.js'
import { ImageMembers } from './image.members.js'
import {
  checkedProperties,
  checkedTags,
  createImage,
  type MemberStatus,
  refuseTooManyProperties,
  setImageActive,
  updateImage,
  type Visibility,
} from './image.rules.js'
import type { ImageStore } from './image.store.js'
import { ImageUploads } from './image.uploads.js'

export type { ImageRow } from './image.access.js'
export type { UploadRow } from './image.uploads.js'

export interface ImageFilterInput {
  name?: string | null
  status?: string[] | null
  visibility?: Visibility | null
  memberStatus?: MemberStatus | null
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

const downloadSeconds = 3600

export type TicketMethod = 'GET' | 'PUT'

/** What a ticket opens. */
export interface Admission {
  /** The data may be read although the image is deactivated. */
  evenDeactivated: boolean
}

export class ImageService {
  readonly #options: ImageServiceOptions
  readonly #access: ImageAccess
  readonly uploads: ImageUploads
  readonly members: ImageMembers

  constructor(options: ImageServiceOptions) {
    this.#options = options
    this.#access = new ImageAccess(options)
    this.members = new ImageMembers(this.#access, options.idempotency)
    this.uploads = new ImageUploads({ ...options, access: this.#access })
  }

  get #db(): Database<ApiSchema> {
    return this.#options.db
  }

  async visibleById(caller: Caller, ids: readonly string[]): Promise<Map<string, ImageRow>> {
    const rows = await this.#access
      .visible(caller)
      .where('id', 'in', [...ids])
      .execute()
    return new Map(rows.map((row) => [row.id, row]))
  }

  async image(caller: Caller, id: string): Promise<ImageRow | null> {
    this.#options.policy.enforce('image:get_image', caller)
    return this.#access.find(caller, id)
  }

  async images(
    caller: Caller,
    request: PageRequest & { filter?: ImageFilterInput | null; orderBy?: OrderInput[] | null },
  ): Promise<Page<ImageRow>> {
    this.#options.policy.enforce('image:get_images', caller)
    const { filter } = request
    const listed = filter?.memberStatus == null ? this.#access.listed(caller) : this.#access.sharedWith(caller, filter.memberStatus)
    let query = listed.where('hidden', '=', filter?.hidden === true ? 1 : 0)
    if (filter?.name) query = query.where(containsText('name', filter.name))
    if (filter?.status != null) query = query.where('status', 'in', filter.status)
    if (filter?.visibility != null) query = query.where('visibility', '=', filter.visibility)
    if (filter?.projectId != null) query = query.where('project_id', '=', filter.projectId)
    if (filter?.diskFormat != null) query = query.where('disk_format', '=', filter.diskFormat)
    if (filter?.maxSizeBytes != null) query = query.where('size_bytes', '<=', filter.maxSizeBytes)
    if (filter?.changedSince != null) query = query.where('updated_at', '>=', filter.changedSince)
    if (filter?.changedBefore != null) query = query.where('updated_at', '<=', filter.changedBefore)
    for (const tag of filter?.tags ?? []) query = query.where(this.#holds('tags', JSON.stringify(tag)))
    for (const { key, value } of filter?.properties ?? []) {
      query = query.where(this.#holds('properties', JSON.stringify({ [key]: value }).slice(1, -1)))
    }
    return listPage(this.#db, query, request, {
      keys: sortKeys(request.orderBy, columns, { key: 'CREATED_AT', direction: 'DESC' }),
      fingerprint: listFingerprint('images', caller.projectId, filter ?? null, request.orderBy ?? null),
      maximum: this.#options.maxPageSize,
      toNode: (row) => row,
    })
  }

  async create(caller: Caller, raw: unknown): Promise<ImageRow> {
    const { policy, idempotency } = this.#options
    policy.enforce('image:add_image', caller)
    const input = parseInput(createImage, raw)
    const properties = checkedProperties('input.properties', input.properties)
    const tags = checkedTags(input.tags)
    const projectId = requireProject(caller)
    this.#refuseVisibility(caller, input.visibility, projectId)
    const { id } = await idempotency.run(caller, {
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
                tags: JSON.stringify(tags),
                properties: JSON.stringify(properties),
                min_ram_mb: input.minRamMb ?? 0,
                min_disk_gb: input.minDiskGb ?? 0,
                disk_format: input.diskFormat,
                container_format: 'BARE',
                created_at: now,
                updated_at: now,
              })
              .execute()
            await this.#access.tell(trx, { id: refs.id, project_id: projectId }, 'image.create', caller)
            await done(trx, refs)
          })
        } catch (error) {
          if (!isUniqueViolation(error)) throw error
          throw new CloudError('ALREADY_EXISTS', `Image ${refs.id} exists.`, { exception: 'ImageDuplicate', fields: ['input.id'] })
        }
        return refs
      },
    })
    return this.#access.require(caller, id)
  }

  /** Changes what is given; null takes the name and the tags away and leaves all else. */
  async update(caller: Caller, raw: unknown): Promise<ImageRow> {
    const input = parseInput(updateImage, raw)
    const added = checkedProperties('input.setProperties', input.setProperties)
    const removed = input.removeProperties ?? []
    const both = removed.findIndex((key) => Object.hasOwn(added, key))
    if (both >= 0) {
      throw CloudError.badInput(`input.removeProperties.${both}`, `Image property '${removed[both]}' is both written and removed.`)
    }
    const tags = input.tags === undefined ? undefined : checkedTags(input.tags)
    return this.#change(caller, 'updateImage', 'image:modify_image', input, (image) => {
      if (input.visibility != null && input.visibility !== image.visibility) {
        this.#refuseVisibility(caller, input.visibility, image.project_id)
      }
      const before = propertiesOf(image)
      for (const [index, key] of removed.entries()) {
        if (!Object.hasOwn(before, key)) {
          throw new CloudError('NOT_FOUND', `Image ${image.id} has no property '${key}'.`, {
            exception: 'ImagePropertyNotFound',
            fields: [`input.removeProperties.${index}`],
          })
        }
      }
      const kept = Object.entries(before).filter(([key]) => !removed.includes(key))
      const properties = { ...Object.fromEntries(kept), ...added }
      refuseTooManyProperties('input.setProperties', properties)
      return {
        properties: JSON.stringify(properties),
        ...(input.name === undefined ? {} : { name: input.name }),
        ...(tags === undefined ? {} : { tags: JSON.stringify(tags) }),
        ...(input.visibility == null ? {} : { visibility: input.visibility }),
        ...(input.protected == null ? {} : { protected: input.protected ? 1 : 0 }),
        ...(input.hidden == null ? {} : { hidden: input.hidden ? 1 : 0 }),
        ...(input.minRamMb == null ? {} : { min_ram_mb: input.minRamMb }),
        ...(input.minDiskGb == null ? {} : { min_disk_gb: input.minDiskGb }),
      }
    })
  }

  /** Stops or allows again downloads by others than administrators, and new servers from the image. */
  async setActive(caller: Caller, raw: unknown): Promise<ImageRow> {
    const input = parseInput(setImageActive, raw)
    return this.#change(caller, 'setImageActive', 'image:deactivate', input, (image) => {
      if (!['ACTIVE', 'DEACTIVATED'].includes(image.status)) {
        throw wrongStatus(image, input.active ? 'be activated' : 'be deactivated')
      }
      return { status: input.active ? 'ACTIVE' : 'DEACTIVATED' }
    })
  }

  async createDownload(caller: Caller, raw: { imageId: string }): Promise<{ url: string; expiresAt: number }> {
    this.#options.policy.enforce('image:download_image', caller)
    const image = await this.#access.require(caller, raw.imageId)
    const evenDeactivated = this.#access.isAdmin(caller)
    if (image.status !== 'ACTIVE' && !(evenDeactivated && image.status === 'DEACTIVATED')) throw wrongStatus(image, 'be downloaded')
    return this.ticketedUrl(image.id, 'GET', downloadSeconds, { evenDeactivated })
  }

  async delete(caller: Caller, raw: { imageId: string; idempotencyKey?: string | null }): Promise<string> {
    const { idempotency, store } = this.#options
    const refs = await idempotency.run(caller, {
      mutation: 'deleteImage',
      key: raw.idempotencyKey,
      input: raw,
      choose: () => ({ id: raw.imageId }),
      work: async (chosen, done) => {
        const { id } = await this.#access.mine(caller, raw.imageId, 'image:delete_image')
        const upload = await this.uploads.uploadOf(id)
        await this.#db.transaction(async (trx) => {
          const image = await this.#access.lock(trx, id)
          if (image.protected === 1) {
            throw new CloudError('CONFLICT', `Image ${id} is protected and cannot be deleted.`, { exception: 'ForbiddenImage' })
          }
          if (image.status === 'IMPORTING') throw wrongStatus(image, 'be deleted while its data is checked')
          const others = await this.#access.othersOf(trx, image)
          await trx.deleteFrom('image_members').where('image_id', '=', id).execute()
          await trx.deleteFrom('image_uploads').where('image_id', '=', id).execute()
          await trx.deleteFrom('images').where('id', '=', id).execute()
          await this.#access.tell(trx, image, 'image.delete', caller, others)
          await done(trx, chosen)
        })
        if (upload !== null) await store.removePart(upload.id)
        await store.removeImage(id)
        return chosen
      },
    })
    return refs.id
  }

  /** A URL with a ticket for one object and one method. */
  async ticketedUrl(
    objectId: string,
    method: TicketMethod,
    seconds: number,
    { evenDeactivated }: Admission = { evenDeactivated: false },
  ): Promise<{ url: string; expiresAt: number }> {
    const expiresAt = (await this.#db.readClock()) + seconds * 1000
    const claims = { object: objectId, method, exp: expiresAt, ...(evenDeactivated ? { deactivated: 1 } : {}) }
    const path = method === 'PUT' ? `uploads/${objectId}` : objectId
    return { url: `${await this.#options.baseUrl()}/images/${path}?ticket=${this.#options.box.sign(claims)}`, expiresAt }
  }

  /** What a ticket opens of this object with this method, now; null: nothing. */
  async admits(ticket: string, objectId: string, method: TicketMethod): Promise<Admission | null> {
    const claims = this.#options.box.verify(ticket)
    if (claims === null || claims.object !== objectId || claims.method !== method) return null
    if (Number(claims.exp) <= (await this.#db.readClock())) return null
    return { evenDeactivated: claims.deactivated === 1 }
  }

  fileOf(imageId: string): string {
    return this.#options.store.fileOf(imageId)
  }

  async describe(imageId: string): Promise<ImageRow | null> {
    return (await this.#db.read.selectFrom('images').selectAll().where('id', '=', imageId).executeTakeFirst()) ?? null
  }

  /** For hosts, which ask before they use even a copy of their own: a deactivated image is built from nowhere. */
  readonly forGuest = async (imageId: string): Promise<GuestImage> => {
    const image = await this.describe(imageId)
    if (image?.status === 'DEACTIVATED') {
      throw new CloudError('BUILD_FAILED', `Image ${imageId} is deactivated.`, { exception: 'ImageNotActive' })
    }
    if (image?.status !== 'ACTIVE' || image.hash_value === null || image.disk_format === null) {
      throw new CloudError('BUILD_FAILED', `Image ${imageId} is not there any more.`, { exception: 'ImageNotFound' })
    }
    const { url } = await this.ticketedUrl(imageId, 'GET', downloadSeconds)
    return {
      imageId,
      diskFormat: image.disk_format.toLowerCase() as GuestImage['diskFormat'],
      sizeBytes: image.size_bytes ?? 0,
      virtualSizeBytes: image.virtual_size_bytes ?? 0,
      hashAlgorithm: 'sha256',
      hashValue: image.hash_value,
      url: this.#options.box.seal(new Secret(url)),
      properties: propertiesOf(image),
    }
  }

  async #change(
    caller: Caller,
    mutation: string,
    rule: 'image:modify_image' | 'image:deactivate',
    input: { imageId: string; expectedGeneration?: number | null | undefined; idempotencyKey?: string | null | undefined },
    change: (image: ImageRow) => Partial<ImageRow>,
  ): Promise<ImageRow> {
    await this.#options.idempotency.run(caller, {
      mutation,
      key: input.idempotencyKey,
      input,
      choose: () => ({ id: input.imageId }),
      work: async (refs, done) => {
        await this.#access.mine(caller, input.imageId, rule)
        await this.#db.transaction(async (trx) => {
          const image = await this.#access.lock(trx, input.imageId)
          refuseStale(image.generation, input.expectedGeneration)
          const values = change(image)
          await trx
            .updateTable('images')
            .set((eb) => ({ ...values, generation: eb('generation', '+', 1), updated_at: this.#db.now }))
            .where('id', '=', image.id)
            .execute()
          await this.#access.tell(trx, image, 'image.update', caller, await this.#access.othersOf(trx, image))
          await done(trx, refs)
        })
        return refs
      },
    })
    return this.#access.require(caller, input.imageId)
  }

  /** Two visibilities reach beyond the members an owner names, and have rules of their own. */
  #refuseVisibility(caller: Caller, visibility: Visibility, projectId: string): void {
    const target = { project_id: projectId, user_id: caller.userId }
    if (visibility === 'PUBLIC') this.#options.policy.enforce('image:publicize_image', caller, target)
    if (visibility === 'COMMUNITY') this.#options.policy.enforce('image:communitize_image', caller, target)
  }

  /** JSON text that holds a piece of JSON, byte by byte on both dialects. */
  #holds(column: 'tags' | 'properties', piece: string): Expression<SqlBool> {
    return this.#db.dialect === 'sqlite'
      ? sql<SqlBool>`instr(${sql.ref(column)}, ${piece}) > 0`
      : sql<SqlBool>`strpos(${sql.ref(column)}, ${piece}) > 0`
  }
}

export const propertiesOf = (image: { properties: string }): Record<string, string> =>
  JSON.parse(image.properties) as Record<string, string>

export function requireProject(caller: Caller): string {
  if (caller.projectId === null)
    throw new CloudError('FORBIDDEN', 'The session has no project; refresh it with one.', { exception: 'Forbidden' })
  return caller.projectId
}
