/** Operation rows as the contract shows them. */
import { createHash } from 'node:crypto'
import { CloudError } from '@kilonova/contract/errors'
import type { SchedulingTrace } from '@kilonova/contract/operations'
import type { RequestContext } from '../../graphql/context.js'
import { summaryText } from './operation.service.js'
import type { OperationRow, StepRow } from './operation.store.js'
import { Operation, type OperationError, type OperationStep, type SchedulingSummary } from './operation.types.js'

/** `userId` and `projectId` are read by the policies of its fields. */
export type OperationNode = Operation & { row: OperationRow }

export const toOperation = (row: OperationRow): OperationNode => ({
  id: row.id,
  requestId: row.request_id,
  kind: row.kind as Operation['kind'],
  state: row.state as Operation['state'],
  progressPercent: row.progress,
  projectId: row.project_id,
  createdAt: row.created_at,
  startedAt: row.started_at,
  updatedAt: row.updated_at,
  finishedAt: row.finished_at,
  error: row.error === null ? null : ({ exception: null, ...(JSON.parse(row.error) as object) } as OperationError),
  serverId: row.server_id,
  row,
})

export const toStep = (step: StepRow, projectId: string): OperationStep & { projectId: string } => ({
  name: step.name,
  hostId: step.host === null ? null : hostIdOf(projectId, step.host),
  host: step.host,
  startedAt: step.started_at,
  finishedAt: step.finished_at,
  result: step.result as OperationStep['result'],
  message: step.message,
  details: step.message,
  traceback: step.details,
  projectId,
})

/** A-GEN-10: tells same host from different host without names. */
export const hostIdOf = (projectId: string, host: string): string =>
  createHash('sha224')
    .update(projectId + host)
    .digest('hex')

export const toSummary = (row: OperationRow): SchedulingSummary | null => {
  if (row.trace === null) return null
  const trace = JSON.parse(row.trace) as SchedulingTrace
  const code = row.error === null ? null : (JSON.parse(row.error) as { code: string }).code
  return {
    message: summaryText(trace),
    errorCode: code === 'NO_VALID_HOST' || code === 'RETRIES_EXHAUSTED' ? code : null,
    stages: trace.stages,
    attempts: trace.attempts,
  }
}

export async function requireOperation(context: RequestContext, id: string): Promise<OperationNode> {
  const row = await context.services.operations.operation(context.caller, id)
  if (row === null) throw CloudError.notFound('Operation', id)
  return toOperation(row)
}
