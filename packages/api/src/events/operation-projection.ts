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

/** A parent is as far as its children: done when all are, failed when one has failed. */
async function projectParent(trx: Transaction<ApiSchema>, now: RawBuilder<number>, parentId: string): Promise<void> {
  const children = await trx.selectFrom('operations').select(['state', 'progress']).where('parent_id', '=', parentId).execute()
  const states = children.map((child) => child.state as OperationState)
  const open = states.some((state) => !finishedStates.includes(state))
  const failed = states.filter((state) => state === 'FAILED').length
  const state: OperationState = open
    ? 'RUNNING'
    : failed > 0
      ? 'FAILED'
      : states.every((child) => child === 'CANCELLED')
        ? 'CANCELLED'
        : 'SUCCEEDED'
  const progress = Math.floor(children.reduce((sum, child) => sum + child.progress, 0) / Math.max(children.length, 1))
  await trx
    .updateTable('operations')
    .set((eb) => ({
      state,
      progress: open ? progress : 100,
      updated_at: now,
      started_at: eb.fn.coalesce('started_at', now),
      ...(open ? {} : { finished_at: eb.fn.coalesce('finished_at', now) }),
      ...(failed === 0
        ? {}
        : { error: JSON.stringify({ code: 'BUILD_FAILED', message: `${failed} of ${children.length} servers could not be built.` }) }),
    }))
    .where('id', '=', parentId)
    .execute()
}
