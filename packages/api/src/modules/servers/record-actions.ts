/** Actions that are done once the server's record says so: lock and unlock (A-ACT-29), forced states (A-ACT-38). Each is an operation. */
import { randomUUID } from 'node:crypto'
import { CloudError } from '@kilonova/contract/errors'
import type { OperationProjection } from '@kilonova/contract/events'
import { printable } from '@kilonova/contract/inputs'
import { z } from 'zod'
import type { Caller } from '../../caller.js'
import type { InstanceChange } from '../../cells/instance.store.js'
import type { Database } from '../../db/database.js'
import type { ApiSchema } from '../../db/schemas.js'
import { projectOperations } from '../../events/operation-projection.js'
import { operationUpdate } from '../../events/operation-update.js'
import type { Outbox } from '../../events/outbox.js'
import { parseInput } from '../../parse-input.js'
import type { IdempotencyService } from '../idempotency/idempotency.service.js'
import { newOperation, operationBegun } from '../operations/operation.store.js'
import { notReady } from './guest-actions.js'
import type { FoundServer } from './server.repository.js'
import type { ServerChanges } from './server-changes.js'
import { lockHolderOf, type ServerGuard } from './server-guard.js'

export const lockReason = printable('A reason', 1, 255)
const common = { serverId: z.string(), idempotencyKey: z.string().nullish() }
const inputs = {
  LOCK: z.object({ ...common, reason: lockReason.nullish() }),
  UNLOCK: z.object(common),
  RESET_STATE: z.object({ ...common, state: z.enum(['ACTIVE', 'ERROR']).nullish() }),
}
const mutations = { LOCK: 'lockServer', UNLOCK: 'unlockServer', RESET_STATE: 'resetServerState' } as const
export type RecordAction = keyof typeof mutations
export const isRecordAction = (action: string): action is RecordAction => Object.hasOwn(mutations, action)

export interface RecordActionOptions {
  reason?: string | null | undefined
  state?: 'ACTIVE' | 'ERROR' | null | undefined
}

/** Nova's event of the action and its notification, where there are any. */
const told = {
  LOCK: { step: 'api_lock', eventType: 'instance.lock' },
  UNLOCK: { step: 'api_unlock', eventType: 'instance.unlock' },
  RESET_STATE: { step: null, eventType: null },
} as const

export interface RecordActionsOptions {
  api: Database<ApiSchema>
  apiOutbox: Outbox<ApiSchema>
  guard: ServerGuard
  changes: ServerChanges
  idempotency: IdempotencyService
}

export class RecordActions {
  readonly #options: RecordActionsOptions

  constructor(options: RecordActionsOptions) {
    this.#options = options
  }

  async run(
    caller: Caller,
    action: RecordAction,
    raw: { serverId: string; idempotencyKey?: string | null },
  ): Promise<{ operationId: string }> {
    const input = parseInput<z.ZodType<{ serverId: string } & RecordActionOptions>>(inputs[action], raw)
    return this.#options.idempotency.run(caller, {
      mutation: mutations[action],
      key: raw.idempotencyKey,
      input: raw,
      choose: () => ({ operationId: randomUUID() as string, changeId: randomUUID() as string }),
      work: async (refs, done) => {
        await this.apply(caller, action, input.serverId, input, { ...refs, mayBeRepeat: raw.idempotencyKey != null })
        await this.#options.api.transaction((trx) => done(trx, refs))
        return refs
      },
    })
  }

  /** Does it under ids chosen before; refused, it leaves no operation. */
  async apply(
    caller: Caller,
    action: RecordAction,
    serverId: string,
    options: RecordActionOptions,
    at: { operationId: string; changeId: string; mayBeRepeat: boolean },
  ): Promise<void> {
    const { api, apiOutbox, changes, guard } = this.#options
    const { row } = at.mayBeRepeat ? await guard.requireSeen(caller, serverId) : await guard.require(caller, serverId, action)
    const operation = {
      id: at.operationId,
      kind: action,
      caller,
      projectId: row.project_id,
      serverId,
    }
    await api.transaction(async (trx) => {
      await newOperation(trx, api, operation)
      await apiOutbox.append(trx, [operationBegun(operation)])
    })
    const ended = endOf(action, at.operationId, await api.readClock())
    const { eventType } = told[action]
    try {
      await changes.apply({
        serverId,
        changeId: at.changeId,
        requestId: caller.requestId,
        mayBeRepeat: at.mayBeRepeat,
        operationId: at.operationId,
        ...(eventType === null ? {} : { eventType }),
        also: operationUpdate({ operationId: at.operationId, projectId: row.project_id, requestId: caller.requestId }, ended),
        decide: (found) => {
          const refusal = guard.refusal(caller, action, found.row)
          if (refusal !== null) throw refusal
          return this.#valuesOf(caller, action, found, options)
        },
      })
    } catch (error) {
      if (error instanceof CloudError)
        await api.transaction((trx) => trx.deleteFrom('operations').where('id', '=', at.operationId).execute())
      throw error
    }
    // The event brings the same; here it is done already when the caller reads the answer.
    await api.transaction((trx) => projectOperations(trx, api.now, [{ operationId: at.operationId, ...ended }]))
  }

  #valuesOf(caller: Caller, action: RecordAction, { row, cell }: FoundServer, options: RecordActionOptions): InstanceChange | null {
    if (action === 'UNLOCK') return { locked: 0, locked_by: null, locked_reason: null }
    if (action === 'LOCK') {
      const holder = lockHolderOf(caller, row)
      if (row.locked === 1 && holder === 'owner') return null
      return { locked: 1, locked_by: holder, locked_reason: options.reason ?? null }
    }
    // A build that has not reached its cell would go on from a state that is not its own.
    if (cell === null) throw notReady(row)
    return { vm_state: options.state === 'ACTIVE' ? 'active' : 'error', task_state: null, operation_id: null }
  }
}

/** These actions have no duration. */
function endOf(action: RecordAction, operationId: string, now: number): Omit<OperationProjection, 'operationId'> {
  const { step } = told[action]
  const done = { state: 'SUCCEEDED' as const, progress: 100 }
  if (step === null) return done
  return {
    ...done,
    step: {
      key: `${step}#${operationId}`,
      name: step,
      host: null,
      startedAt: now,
      finishedAt: now,
      result: 'SUCCESS',
      message: null,
      details: null,
    },
  }
}
