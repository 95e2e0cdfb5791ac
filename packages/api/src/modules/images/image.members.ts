/** Projects an image is shared with. A member sees the image by id at once, and in its lists when it has accepted. */
import { CloudError } from '@kilonova/contract/errors'
import { imageLimits } from '@kilonova/contract/image-properties'
import type { Transaction } from 'kysely'
import type { Caller } from '../../caller.js'
import type { Row } from '../../db/database.js'
import type { ApiSchema } from '../../db/schemas.js'
import { parseInput } from '../../parse-input.js'
import type { IdempotencyService } from '../idempotency/idempotency.service.js'
import type { ImageAccess, ImageRow } from './image.access.js'
import { answerInput, memberInput, tooManyMembers } from './image.rules.js'

export type MemberRow = Row<ApiSchema, 'image_members'>

export class ImageMembers {
  readonly #access: ImageAccess
  readonly #idempotency: IdempotencyService

  constructor(access: ImageAccess, idempotency: IdempotencyService) {
    this.#access = access
    this.#idempotency = idempotency
  }

  /** Members by image. */
  async of(imageIds: readonly string[]): Promise<Map<string, MemberRow[]>> {
    const rows = await this.#access.db.read
      .selectFrom('image_members')
      .selectAll()
      .where('image_id', 'in', [...imageIds])
      .orderBy('created_at')
      .orderBy('project_id')
      .execute()
    const members = new Map<string, MemberRow[]>(imageIds.map((id) => [id, []]))
    for (const row of rows) members.get(row.image_id)?.push(row)
    return members
  }

  async add(caller: Caller, raw: unknown): Promise<ImageRow> {
    const input = parseInput(memberInput, raw)
    const { projectId } = input
    return this.#change(caller, 'addImageMember', 'image:add_member', input, async (trx, image) => {
      if (image.visibility !== 'SHARED') {
        throw new CloudError('INVALID_STATE', `Image ${image.id} is ${image.visibility}: only SHARED images have members.`, {
          exception: 'ImageNotShared',
        })
      }
      if (projectId === image.project_id) throw CloudError.badInput('input.projectId', 'The owner of an image needs no membership.')
      const known = await trx.selectFrom('projects').select('id').where('id', '=', projectId).executeTakeFirst()
      if (known === undefined) {
        throw CloudError.invalidReference('input.projectId', `Project ${projectId} could not be found.`, 'ProjectNotFound')
      }
      const members = await trx.selectFrom('image_members').select('project_id').where('image_id', '=', image.id).execute()
      if (members.some((member) => member.project_id === projectId)) {
        throw new CloudError('ALREADY_EXISTS', `Image ${image.id} is shared with project ${projectId} already.`, {
          exception: 'ImageMemberExists',
          fields: ['input.projectId'],
        })
      }
      if (members.length >= imageLimits.members) throw tooManyMembers()
      const { now } = this.#access.db
      await trx
        .insertInto('image_members')
        .values({ image_id: image.id, project_id: projectId, status: 'PENDING', created_at: now, updated_at: now })
        .execute()
      return projectId
    })
  }

  async remove(caller: Caller, raw: unknown): Promise<ImageRow> {
    const input = parseInput(memberInput, raw)
    return this.#change(caller, 'removeImageMember', 'image:delete_member', input, async (trx, image) => {
      const result = await trx
        .deleteFrom('image_members')
        .where('image_id', '=', image.id)
        .where('project_id', '=', input.projectId)
        .executeTakeFirst()
      if (Number(result.numDeletedRows) === 0) throw noMember(image.id, input.projectId)
      return input.projectId
    })
  }

  /** The answer of the caller's own project, to what is shared with it. */
  async answer(caller: Caller, raw: unknown): Promise<ImageRow> {
    const input = parseInput(answerInput, raw)
    const access = this.#access
    access.policy.enforce('image:modify_member', caller)
    const projectId = caller.projectId ?? ''
    await this.#idempotency.run(caller, {
      mutation: 'answerImageMembership',
      key: input.idempotencyKey,
      input,
      choose: () => ({ imageId: input.imageId }),
      work: async (refs, done) => {
        await access.require(caller, input.imageId)
        await access.db.transaction(async (trx) => {
          const image = await access.lock(trx, input.imageId)
          const result = await trx
            .updateTable('image_members')
            .set({ status: input.status, updated_at: access.db.now })
            .where('image_id', '=', image.id)
            .where('project_id', '=', projectId)
            .executeTakeFirst()
          if (Number(result.numUpdatedRows) === 0) throw noMember(image.id, projectId)
          await access.tell(trx, image, 'image.update', caller, [projectId])
          await done(trx, refs)
        })
        return refs
      },
    })
    return access.require(caller, input.imageId)
  }

  async #change(
    caller: Caller,
    mutation: string,
    rule: 'image:add_member' | 'image:delete_member',
    input: { imageId: string; idempotencyKey?: string | null | undefined },
    change: (trx: Transaction<ApiSchema>, image: ImageRow) => Promise<string>,
  ): Promise<ImageRow> {
    const access = this.#access
    await this.#idempotency.run(caller, {
      mutation,
      key: input.idempotencyKey,
      input,
      choose: () => ({ imageId: input.imageId }),
      work: async (refs, done) => {
        await access.mine(caller, input.imageId, rule)
        await access.db.transaction(async (trx) => {
          const image = await access.lock(trx, input.imageId)
          const projectId = await change(trx, image)
          await access.tell(trx, image, 'image.update', caller, [projectId])
          await done(trx, refs)
        })
        return refs
      },
    })
    return access.require(caller, input.imageId)
  }
}

const noMember = (imageId: string, projectId: string): CloudError =>
  new CloudError('NOT_FOUND', `Image ${imageId} is not shared with project ${projectId}.`, { exception: 'ImageMemberNotFound' })
