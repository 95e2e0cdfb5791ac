/** Applies what happened in a cell to the operation rows of the API database. */
import type { OperationProjection } from '@kilonova/contract/events'
import { finishedStates, type OperationState, type SchedulingTrace } from '@kilonova/contract/operations'
import type { RawBuilder, Transaction } from 'kysely'
import type { ApiSchema } from '../db/schemas.js'

export async function projectOperations(
  trx: Transaction<ApiSchema>,
  now: RawBuilder<number>,
  projections: OperationProjection[],
): Promise<void> {
  for (const projection of projections) await projectOne(trx, now, projection)
}

async function projectOne(trx: Transaction<ApiSchema>, now: RawBuilder<number>, projection: OperationProjection): Promise<void> {
  const operation = await trx.selectFrom('operations').selectAll().where('id', '=', projection.operationId).executeTakeFirst()
  if (operation === undefined) return
  const { step } = projection
  if (step !== undefined) {
    const values = {
      name: step.name,
      host: step.host,
      finished_at: step.finishedAt,
      result: step.result,
      message: step.message,
      details: step.details,
    }
    await trx
      .insertInto('operation_steps')
      .values({ operation_id: operation.id, key: step.key, started_at: step.startedAt, ...values })
      .onConflict((conflict) => conflict.columns(['operation_id', 'key']).doUpdateSet(values))
      .execute()
  }
  const finished = finishedStates.includes(operation.state as OperationState)
  if (finished && operation.kind !== 'CREATE') return
  const state = finished ? operation.state : (projection.state ?? 'RUNNING')
  const trace = tracedBuild(operation.trace, projection)
  await trx
    .updateTable('operations')
    .set({
      state,
      progress: Math.max(operation.progress, projection.progress ?? 0),
      updated_at: now,
      started_at: operation.started_at ?? now,
      ...(projection.error === undefined ? {} : { error: JSON.stringify(projection.error) }),
      ...(trace === null ? {} : { trace }),
      ...(finishedStates.includes(state as OperationState) && !finished ? { finished_at: now } : {}),
    })
    .where('id', '=', operation.id)
    .execute()
  if (operation.parent_id !== null) await projectParent(trx, now, operation.parent_id)
}

/** Adds what the hosts made of the build to the record of the scheduling decision. */
function tracedBuild(stored: string | null, projection: OperationProjection): string | null {
  if (stored === null || (projection.attempts === undefined && projection.buildStage === undefined)) return null
  const trace = JSON.parse(stored) as SchedulingTrace
  trace.attempts = Math.max(trace.attempts, projection.attempts ?? 0)
  const { buildStage } = projection
  if (buildStage !== undefined) {
    trace.stages.push({ kind: 'BUILD', name: 'build', hostsBefore: 1, hostsAfter: buildStage.ok ? 1 : 0, reason: buildStage.reason })
    if (!buildStage.ok) {
      trace.rejections.push({ host: buildStage.host, node: buildStage.host, stage: 'build', reason: buildStage.reason ?? '' })
    } else {
      trace.selectedHost = buildStage.host
    }
  }
  return JSON.stringify(trace)
}

/**
 * A parent is as far as its children: done when all are, failed when one has failed, else cancelled when one was. The first write takes the row, so that children
 * that end at the same time see each other.
 */
export async function projectParent(trx: Transaction<ApiSchema>, now: RawBuilder<number>, parentId: string): Promise<void> {
  const parent = await trx
    .updateTable('operations')
    .set((eb) => ({ updated_at: now, started_at: eb.fn.coalesce('started_at', now) }))
    .where('id', '=', parentId)
    .returning('kind')
    .executeTakeFirst()
  if (parent === undefined) return
  const children = await trx.selectFrom('operations').select(['state', 'progress', 'error']).where('parent_id', '=', parentId).execute()
  const states = children.map((child) => child.state as OperationState)
  const open = states.some((state) => !finishedStates.includes(state))
  const failed = children.filter((child) => child.state === 'FAILED')
  const cancelled = states.filter((child) => child === 'CANCELLED').length
  const state: OperationState = open
    ? 'RUNNING'
    : failed.length > 0
      ? 'FAILED'
      : cancelled > 0 || states.length === 0
        ? 'CANCELLED'
        : 'SUCCEEDED'
  const progress = Math.floor(children.reduce((sum, child) => sum + child.progress, 0) / Math.max(children.length, 1))
  const error =
    failed.length > 0
      ? failureOfParent(parent.kind, failed, children.length)
      : state === 'CANCELLED'
        ? {
            code: 'CANCELLED',
            message: cancelled === states.length ? 'Cancelled by request.' : `${cancelled} of ${states.length} were cancelled.`,
          }
        : null
  await trx
    .updateTable('operations')
    .set((eb) => ({
      state,
      progress: open ? progress : 100,
      ...(open ? {} : { finished_at: eb.fn.coalesce('finished_at', now) }),
      ...(error === null ? {} : { error: JSON.stringify(error) }),
    }))
    .where('id', '=', parentId)
    .execute()
}

function failureOfParent(kind: string, failed: readonly { error: string | null }[], total: number): { code: string; message: string } {
  if (kind === 'CREATE') return { code: 'BUILD_FAILED', message: `${failed.length} of ${total} servers could not be built.` }
  const first = failed[0]?.error ?? null
  const code = first === null ? 'INTERNAL' : (JSON.parse(first) as { code: string }).code
  return { code, message: `${failed.length} of ${total} actions failed.` }
}
