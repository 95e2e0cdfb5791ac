/** Writes new operations. */
import { payload } from '@kilonova/contract/events'
import type { OperationKind, OperationState } from '@kilonova/contract/operations'
import type { Transaction } from 'kysely'
import { type Caller } from '../../caller.js'
import type { Database, Row } from '../../db/database.js'
import type { ApiSchema } from '../../db/schemas.js'
import type { OutboxEntry } from '../../events/outbox.js'

export type OperationRow = Row<ApiSchema, 'operations'>
export type StepRow = Row<ApiSchema, 'operation_steps'>

export interface NewOperation {
  id: string
  kind: OperationKind
  /** Null for work the system begins itself. */
  caller: Caller | null
  projectId: string
  serverId?: string | null
  imageId?: string | null
  parentId?: string | null
  state?: OperationState
}

/** Operations are made with ids chosen before: a second time it changes nothing, or ends one that was made before it was done. */
export async function newOperation(trx: Transaction<ApiSchema>, db: Database<ApiSchema>, operation: NewOperation): Promise<void> {
  const { now } = db
  const state = operation.state ?? 'RUNNING'
  const finished = state === 'SUCCEEDED' || state === 'CANCELLED' || state === 'FAILED'
  await trx
    .insertInto('operations')
    .values({
      id: operation.id,
      request_id: operation.caller?.requestId ?? `req-${operation.id}`,
      kind: operation.kind,
      state,
      progress: finished ? 100 : 0,
      project_id: operation.projectId,
      user_id: operation.caller?.userId ?? null,
      server_id: operation.serverId ?? null,
      image_id: operation.imageId ?? null,
      parent_id: operation.parentId ?? null,
      created_at: now,
      started_at: state === 'QUEUED' ? null : now,
      updated_at: now,
      finished_at: finished ? now : null,
    })
    .onConflict((conflict) =>
      finished
        ? conflict
            .column('id')
            .doUpdateSet({ state, progress: 100, started_at: now, updated_at: now, finished_at: now })
            .where('operations.state', 'in', ['QUEUED', 'RUNNING'])
        : conflict.column('id').doNothing(),
    )
    .execute()
}

export const operationBegun = (operation: NewOperation): OutboxEntry => ({
  eventType: 'operation.update',
  subject: 'OPERATION',
  subjectId: operation.id,
  projectId: operation.projectId,
  userId: operation.caller?.userId ?? null,
  requestId: operation.caller?.requestId ?? null,
  operationId: operation.id,
  payload: payload('OperationPayload', { operationId: operation.id, state: operation.state ?? 'RUNNING', step: null }),
})
