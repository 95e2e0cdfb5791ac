/**
 * Who sees which image: everybody public and community ones, the owner its own, a member what is shared with it. Lists are narrower
 * than look-ups: what others offer appears in them only once the project has accepted it.
 */
import { CloudError } from '@kilonova/contract/errors'
import { payload } from '@kilonova/contract/events'
import type { PolicyRuleName } from '@kilonova/contract/policy-rules'
import type { Transaction } from 'kysely'
import type { Caller } from '../../caller.js'
import type { Database, Row } from '../../db/database.js'
import type { ApiSchema } from '../../db/schemas.js'
import type { Outbox } from '../../events/outbox.js'
import type { Policy } from '../../policy/policy.js'
import type { MemberStatus } from './image.rules.js'

export type ImageRow = Row<ApiSchema, 'images'>

/** Others than the owner may be members of these. */
const offered = ['SHARED', 'COMMUNITY']

export interface ImageAccessOptions {
  db: Database<ApiSchema>
  outbox: Outbox<ApiSchema>
  policy: Policy
}

export class ImageAccess {
  readonly db: Database<ApiSchema>
  readonly policy: Policy
  readonly #outbox: Outbox<ApiSchema>

  constructor(options: ImageAccessOptions) {
    this.db = options.db
    this.policy = options.policy
    this.#outbox = options.outbox
  }

  isAdmin(caller: Caller): boolean {
    return this.policy.allows('context_is_admin', caller)
  }

  /** Images the caller may look up by id. */
  visible(caller: Caller) {
    const query = this.db.read.selectFrom('images').selectAll()
    if (this.isAdmin(caller)) return query
    const projectId = caller.projectId ?? ''
    return query.where((eb) =>
      eb.or([
        eb('visibility', 'in', ['PUBLIC', 'COMMUNITY']),
        eb('project_id', '=', projectId),
        eb.and([eb('visibility', '=', 'SHARED'), eb('id', 'in', this.#memberships(projectId))]),
      ]),
    )
  }

  /** Images in the caller's lists. */
  listed(caller: Caller) {
    const query = this.db.read.selectFrom('images').selectAll()
    if (this.isAdmin(caller)) return query
    const projectId = caller.projectId ?? ''
    return query.where((eb) =>
      eb.or([
        eb('visibility', '=', 'PUBLIC'),
        eb('project_id', '=', projectId),
        eb.and([eb('visibility', 'in', offered), eb('id', 'in', this.#memberships(projectId, 'ACCEPTED'))]),
      ]),
    )
  }

  /** Images others share with the caller's project, by its answer. */
  sharedWith(caller: Caller, status: MemberStatus) {
    return this.db.read
      .selectFrom('images')
      .selectAll()
      .where('visibility', 'in', offered)
      .where('id', 'in', this.#memberships(caller.projectId ?? '', status))
  }

  async find(caller: Caller, id: string): Promise<ImageRow | null> {
    return (await this.visible(caller).where('id', '=', id).executeTakeFirst()) ?? null
  }

  async require(caller: Caller, id: string): Promise<ImageRow> {
    const row = await this.find(caller, id)
    if (row === null) throw CloudError.notFound('Image', id)
    return row
  }

  /** An image the caller may change: NOT_FOUND for what it does not see, FORBIDDEN for what is not its project's. */
  async mine(caller: Caller, id: string, rule: PolicyRuleName): Promise<ImageRow> {
    const image = await this.require(caller, id)
    this.policy.enforce(rule, caller, { project_id: image.project_id, user_id: caller.userId })
    return image
  }

  /** The image as it is now, held until the transaction ends. */
  async lock(trx: Transaction<ApiSchema>, id: string): Promise<ImageRow> {
    const row = await trx.selectFrom('images').selectAll().where('id', '=', id).modifyEnd(this.db.lockClause()).executeTakeFirst()
    if (row === undefined) throw CloudError.notFound('Image', id)
    return row
  }

  /** Projects, beside the owner, that a change of the image concerns. */
  async othersOf(trx: Transaction<ApiSchema>, image: ImageRow): Promise<string[]> {
    if (!offered.includes(image.visibility)) return []
    const members = await trx.selectFrom('image_members').select('project_id').where('image_id', '=', image.id).execute()
    return members.map((member) => member.project_id)
  }

  /** Writes an event for the owner and for the other projects it concerns. */
  async tell(
    trx: Transaction<ApiSchema>,
    image: { id: string; project_id: string },
    eventType: 'image.create' | 'image.update' | 'image.delete',
    caller: Caller | null,
    others: readonly string[] = [],
  ): Promise<void> {
    await this.#outbox.append(
      trx,
      [image.project_id, ...others].map((projectId) => ({
        eventType,
        subject: 'IMAGE' as const,
        subjectId: image.id,
        projectId,
        userId: caller?.userId ?? null,
        requestId: caller?.requestId ?? null,
        payload: payload('ImagePayload', { id: image.id }),
      })),
    )
  }

  #memberships(projectId: string, status?: MemberStatus) {
    const query = this.db.read.selectFrom('image_members').select('image_id').where('project_id', '=', projectId)
    return status === undefined ? query : query.where('status', '=', status)
  }
}

export const wrongStatus = (image: ImageRow, what: string): CloudError =>
  new CloudError('INVALID_STATE', `Image ${image.id} is ${image.status} and cannot ${what}.`, { exception: 'ImageNotActive' })
