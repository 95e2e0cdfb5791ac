/** The event that carries a change of an operation from the database where the work is done to the API database. */
import { type OperationProjection, payload } from '@kilonova/contract/events'
import type { OutboxEntry } from './outbox.js'

export interface OperationReference {
  operationId: string
  projectId: string | null
  requestId: string | null
}

export function operationUpdate(operation: OperationReference, change: Omit<OperationProjection, 'operationId'>): OutboxEntry {
  return {
    eventType: 'operation.update',
    subject: 'OPERATION',
    subjectId: operation.operationId,
    projectId: operation.projectId,
    requestId: operation.requestId,
    operationId: operation.operationId,
    payload: payload('OperationPayload', {
      operationId: operation.operationId,
      state: change.state ?? null,
      step: change.step?.name ?? null,
    }),
    projection: { operationId: operation.operationId, ...change },
  }
}
