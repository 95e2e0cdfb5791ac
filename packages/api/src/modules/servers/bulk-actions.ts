/**
 * bulkServerAction: one action on many servers. Each server is judged by the rule and guards of its own mutation; what is refused is a
 * result, not an error. The parent operation and one child per server are written first, so that nothing is begun that nobody shows.
 */
import { randomUUID } from 'node:crypto'
import { CloudError, type ErrorCode, toErrorReport } from '@kilonova/contract/errors'
import { tag } from '@kilonova/contract/inputs'
import type { OperationKind } from '@kilonova/contract/operations'
import { type ServerAction, serverActionNames } from '@kilonova/contract/server-states'
import { z } from 'zod'
import type { Caller } from '../../caller.js'
import type { Database } from '../../db/database.js'
import type { ApiSchema } from '../../db/schemas.js'
import { projectParent } from '../../events/operation-projection.js'
import type { Outbox } from '../../events/outbox.js'
import { parseInput } from '../../parse-input.js'
import type { IdempotencyService, References } from '../idempotency/idempotency.service.js'
import { requireProject } from '../images/image.service.js'
import { type NewOperation, newOperation, operationBegun } from '../operations/operation.store.js'
import { type GuestActions, isGuestAction, operationKindOf } from './guest-actions.js'
import { isRecordAction, lockReason, type RecordActions } from './record-actions.js'
import type { ServerDeletion } from './server-deletion.js'
import type { ServerGuard } from './server-guard.js'
import { type LabelChange, metadataItems, type ServerLabels } from './server-labels.js'

export const maxBulkServers = 250
/** Servers whose action is begun at the same time. */
const atOnce = 8

const bulkInput = z
  .object({
    serverIds: z
      .array(z.string())
      .min(1, 'Name at least one server.')
      .max(maxBulkServers, `At most ${maxBulkServers} servers at once.`)
      .superRefine((ids, context) => {
        for (const [index, id] of ids.entries()) {
          if (ids.indexOf(id) < index) context.addIssue({ code: 'custom', message: `Server ${id} is named twice.`, path: [index] })
        }
      }),
    action: z.enum(serverActionNames),
    reason: lockReason.nullish(),
    addTags: z.array(tag).nullish(),
    removeTags: z.array(tag).nullish(),
    metadata: metadataItems.nullish(),
    state: z.enum(['ACTIVE', 'ERROR']).nullish(),
    idempotencyKey: z.string().nullish(),
  })
  .superRefine((input, context) => {
    const refuse = (field: string, message: string): void => void context.addIssue({ code: 'custom', message, path: [field] })
    const { action } = input
    if (!isGuestAction(action) && !isRecordAction(action) && !['DELETE', 'CHANGE_TAGS', 'CHANGE_METADATA'].includes(action)) {
      refuse('action', `${action} needs more input than a bulk action has.`)
      return
    }
    for (const [field, of] of optionOf) {
      if (input[field] != null && action !== of) refuse(field, `${field} is only for ${of}.`)
    }
    if (action === 'CHANGE_TAGS' && !input.addTags?.length && !input.removeTags?.length) {
      refuse('addTags', 'Name tags to add or to remove.')
    }
    if (action === 'CHANGE_METADATA' && !input.metadata?.length) refuse('metadata', 'Give items to write.')
  })
type BulkInput = z.infer<typeof bulkInput>

const optionOf = [
  ['reason', 'LOCK'],
  ['addTags', 'CHANGE_TAGS'],
  ['removeTags', 'CHANGE_TAGS'],
  ['metadata', 'CHANGE_METADATA'],
  ['state', 'RESET_STATE'],
] as const

export interface BulkRefusal {
  code: ErrorCode
  message: string
  exception: string | null
  field: string[] | null
}
export interface BulkResult {
  serverId: string
  error: BulkRefusal | null
  operationId: string | null
}

interface BulkRefs extends References {
  parentId: string
  operationIds: string[]
  changeIds: string[]
  /** Per server: empty, or the refusal as JSON. */
  refusals: string[]
}

export interface BulkActionsOptions {
  api: Database<ApiSchema>
  apiOutbox: Outbox<ApiSchema>
  guard: ServerGuard
  idempotency: IdempotencyService
  actions: GuestActions
  deletion: ServerDeletion
  labels: ServerLabels
  records: RecordActions
}

export class BulkActions {
  readonly #options: BulkActionsOptions

  constructor(options: BulkActionsOptions) {
    this.#options = options
  }

  async run(caller: Caller, raw: unknown): Promise<{ parentId: string; results: BulkResult[] }> {
    const input = parseInput(bulkInput, raw)
    const projectId = requireProject(caller)
    const ids = (): string[] => input.serverIds.map(() => randomUUID())
    const refs = await this.#options.idempotency.run<BulkRefs>(caller, {
      mutation: 'bulkServerAction',
      key: input.idempotencyKey,
      input: raw,
      choose: () => ({ parentId: randomUUID(), operationIds: ids(), changeIds: ids(), refusals: [] }),
      work: async (chosen, done) => {
        const made = await this.#carryOut(caller, projectId, input, chosen)
        await this.#settle(caller, projectId, made, (trx) => done(trx, made))
        return made
      },
    })
    const results = input.serverIds.map((serverId, index): BulkResult => {
      const refusal = refs.refusals[index] ?? ''
      const operationId = refs.operationIds[index] ?? ''
      return {
        serverId,
        error: refusal === '' ? null : (JSON.parse(refusal) as BulkRefusal),
        operationId: refusal === '' && operationId !== '' ? operationId : null,
      }
    })
    return { parentId: refs.parentId, results }
  }

  async #carryOut(caller: Caller, projectId: string, input: BulkInput, chosen: BulkRefs): Promise<BulkRefs> {
    const refusals: string[] = input.serverIds.map(() => '')
    const operationIds = [...chosen.operationIds]
    const kind = kindOf(input.action)
    if (kind === null) operationIds.fill('')
    else await this.#prepare(caller, projectId, input, chosen, kind)
    const mayBeRepeat = input.idempotencyKey != null
    for (let from = 0; from < input.serverIds.length; from += atOnce) {
      const part = input.serverIds.slice(from, from + atOnce)
      await Promise.all(
        part.map(async (serverId, offset) => {
          const index = from + offset
          const at = { operationId: chosen.operationIds[index] ?? '', changeId: chosen.changeIds[index] ?? '', mayBeRepeat }
          try {
            const begun = await this.#begin(caller, input, serverId, at)
            if (kind !== null) operationIds[index] = begun
          } catch (error) {
            refusals[index] = JSON.stringify(this.#refusalOf(error))
            await this.#forget(at.operationId)
          }
        }),
      )
    }
    return { ...chosen, operationIds, refusals }
  }

  /** The parent, and a child for each server that may take the action as it looks now. */
  async #prepare(caller: Caller, projectId: string, input: BulkInput, chosen: BulkRefs, kind: OperationKind): Promise<void> {
    const { api, apiOutbox, guard } = this.#options
    const children: NewOperation[] = []
    const seen = await guard.visibleById(caller, input.serverIds)
    for (const [index, serverId] of input.serverIds.entries()) {
      const found = seen.get(serverId)
      if (found === undefined || guard.refusal(caller, input.action, found.row) !== null) continue
      const id = chosen.operationIds[index] ?? ''
      children.push({ id, kind, caller, projectId: found.row.project_id, serverId, parentId: chosen.parentId, state: 'QUEUED' })
    }
    const parent: NewOperation = { id: chosen.parentId, kind: 'BULK', caller, projectId }
    await api.transaction(async (trx) => {
      for (const operation of [parent, ...children]) await newOperation(trx, api, operation)
      await apiOutbox.append(trx, [parent, ...children].map(operationBegun))
    })
  }

  /** Answers the operation that does it. */
  async #begin(
    caller: Caller,
    input: BulkInput,
    serverId: string,
    at: { operationId: string; changeId: string; mayBeRepeat: boolean },
  ): Promise<string> {
    const { actions, deletion, labels, records } = this.#options
    const { action } = input
    if (isGuestAction(action)) {
      await actions.begin(caller, action, serverId, at.operationId, at.mayBeRepeat)
      return at.operationId
    }
    if (isRecordAction(action)) {
      await records.apply(caller, action, serverId, input, at)
      return at.operationId
    }
    if (action === 'DELETE') return (await deletion.begin(caller, serverId, at.operationId, at.mayBeRepeat)).operationId
    await labels.apply(caller, serverId, this.#labelChange(input), at)
    return ''
  }

  #labelChange(input: BulkInput): LabelChange {
    const { labels } = this.#options
    if (input.action === 'CHANGE_METADATA') return labels.metadataChange(input.metadata ?? [])
    const fields = { add: 'input.addTags', remove: 'input.removeTags' }
    return labels.tagsChange({ add: input.addTags ?? [], remove: input.removeTags ?? [] }, fields)
  }

  #refusalOf(error: unknown): BulkRefusal {
    if (!(error instanceof CloudError)) throw error
    const { code, message, exception } = toErrorReport(error)
    return { code, message, exception: exception ?? null, field: error.fields[0]?.split('.') ?? null }
  }

  /** A refused server has no operation. */
  async #forget(operationId: string): Promise<void> {
    const { api } = this.#options
    await api.transaction((trx) => trx.deleteFrom('operations').where('id', '=', operationId).where('state', '=', 'QUEUED').execute())
  }

  /** The parent is as far as its children; without any it is over. */
  async #settle(
    caller: Caller,
    projectId: string,
    made: BulkRefs,
    done: (trx: Parameters<Parameters<Database<ApiSchema>['transaction']>[0]>[0]) => Promise<void>,
  ): Promise<void> {
    const { api, apiOutbox } = this.#options
    await api.transaction(async (trx) => {
      const child = await trx.selectFrom('operations').select('id').where('parent_id', '=', made.parentId).executeTakeFirst()
      if (child !== undefined) await projectParent(trx, api.now, made.parentId)
      else {
        const taken = made.refusals.some((refusal) => refusal === '')
        const parent: NewOperation = { id: made.parentId, kind: 'BULK', caller, projectId, state: taken ? 'SUCCEEDED' : 'FAILED' }
        await newOperation(trx, api, parent)
        if (!taken) {
          const { code } = JSON.parse(made.refusals[0] ?? '{}') as BulkRefusal
          const error = { code, message: 'No server took the action.' }
          await trx
            .updateTable('operations')
            .set({ error: JSON.stringify(error) })
            .where('id', '=', made.parentId)
            .execute()
        }
        await apiOutbox.append(trx, [operationBegun(parent)])
      }
      await done(trx)
    })
  }
}

/** Kind of the children; null: the action is done at once and is no operation. */
function kindOf(action: ServerAction): OperationKind | null {
  if (isGuestAction(action)) return operationKindOf(action)
  if (isRecordAction(action) || action === 'DELETE') return action
  return null
}
