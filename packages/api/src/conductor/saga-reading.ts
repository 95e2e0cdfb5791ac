/** What the row of a saga says, read with its definition. */
import type { WorkKey } from '@kilonova/contract/rpc/agent'
import { operationUpdate } from '../events/operation-update.js'
import type { OutboxEntry } from '../events/outbox.js'
import type { SagaDefinition, SagaFailure, SagaRun, SagaState } from './saga.js'
import type { SagaDirection, SagaRow } from './saga-store.js'

/** A definition whose state type only it knows. */
// biome-ignore lint/suspicious/noExplicitAny: the engine reads the state through the definition's own schema
export type AnyDefinition<Schema> = SagaDefinition<any, Schema>
export type AnyStep<Schema> = AnyDefinition<Schema>['steps'][number]

export function stepOf<Schema>(definition: AnyDefinition<Schema>, row: SagaRow): AnyStep<Schema> {
  const step = definition.steps[row.step]
  if (step === undefined) throw new Error(`saga ${row.kind} has no step ${row.step}`)
  return step
}

/** Infinity: there is no such step. */
export function pivotOf<Schema>(definition: AnyDefinition<Schema>): number {
  const index = definition.steps.findIndex((step) => step.name === definition.pivot)
  return index < 0 ? Number.POSITIVE_INFINITY : index
}

export const stateOf = <Schema>(definition: AnyDefinition<Schema>, row: SagaRow): SagaState =>
  definition.state.parse(JSON.parse(row.state)) as SagaState

export const runOf = <Schema>(definition: AnyDefinition<Schema>, row: SagaRow): SagaRun<SagaState> => ({
  sagaId: row.id,
  operationId: row.operation_id,
  serverId: row.server_id ?? '',
  projectId: row.project_id,
  requestId: row.request_id,
  attempt: row.attempt,
  fence: row.fence,
  state: stateOf(definition, row),
})

export const workKeyOf = (row: SagaRow, step: string): WorkKey => ({
  serverId: row.server_id ?? '',
  operationId: row.operation_id,
  sagaId: row.id,
  step,
  direction: row.direction as SagaDirection,
  attempt: row.attempt,
  fence: row.fence,
})

/** As `waiting_for` holds it. */
export const workKeyText = (key: WorkKey): string => `${key.step}:${key.direction}:${key.attempt}`

/** How users see the step that runs, where they see it. */
export function stepEvents<Schema>(
  definition: AnyDefinition<Schema>,
  row: SagaRow,
  now: number,
  moment: 'begun' | 'ended',
  failure?: SagaFailure,
): OutboxEntry[] {
  const step = definition.steps[row.step]
  if (step?.event === undefined || row.direction !== 'forward') return []
  return [
    operationUpdate(
      { operationId: row.operation_id, projectId: row.project_id, requestId: row.request_id },
      {
        progress: failure === undefined && moment === 'ended' ? step.progress : undefined,
        step: {
          key: `${step.name}#${row.attempt}`,
          name: step.event,
          host: step.host?.(stateOf(definition, row)) ?? null,
          startedAt: row.waiting_for === null ? now : (row.waiting_since ?? row.updated_at),
          finishedAt: moment === 'ended' ? now : null,
          result: moment === 'begun' ? null : failure === undefined ? 'SUCCESS' : 'ERROR',
          message: failure?.message ?? null,
          details: failure?.details ?? null,
        },
      },
    ),
  ]
}
