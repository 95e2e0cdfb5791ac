/**
 * Tasks `pause`, `unpause`, `suspend` and `resume`: one piece of work on the server's host, whose undo is its counterpart, so that each
 * can be cancelled until it is done (D-ACT-10…13, 52, 54).
 */
import type { EventPhase } from '@kilonova/contract/events'
import { type PowerState, powerStates, type TaskState, type VmState } from '@kilonova/contract/server-states'
import { z } from 'zod'
import { changeInstance, faultOf, findInstance, type InstanceChange, instanceEvents } from '../../cells/instance.store.js'
import type { CellSchema } from '../../db/schemas.js'
import { operationUpdate } from '../../events/operation-update.js'
import { askAgent, type CellContext, hostIsUp, recheckConsoles } from '../cell-context.js'
import type { SagaDefinition, SagaFailure, SagaRun } from '../saga.js'

export const pauseState = z.object({ host: z.string() })
export type PauseTaskState = z.infer<typeof pauseState>
export type PauseTaskKind = 'pause' | 'unpause' | 'suspend' | 'resume'
type Run = SagaRun<PauseTaskState>

interface PauseTaskShape {
  undo: PauseTaskKind
  task: TaskState
  ends: VmState
  endPower: PowerState
  /** Memory travels to or from a disk. */
  timeoutSeconds: number
  /** D-ACT-52: a failure leaves the vm state; D-ACT-54: it becomes error. */
  failsToError: boolean
}

const shapes: Record<PauseTaskKind, PauseTaskShape> = {
  pause: {
    undo: 'unpause',
    task: 'pausing',
    ends: 'paused',
    endPower: powerStates.PAUSED,
    timeoutSeconds: 120,
    failsToError: false,
  },
  unpause: {
    undo: 'pause',
    task: 'unpausing',
    ends: 'active',
    endPower: powerStates.RUNNING,
    timeoutSeconds: 120,
    failsToError: false,
  },
  suspend: {
    undo: 'resume',
    task: 'suspending',
    ends: 'suspended',
    endPower: powerStates.SHUTDOWN,
    timeoutSeconds: 1000,
    failsToError: true,
  },
  resume: {
    undo: 'suspend',
    task: 'resuming',
    ends: 'active',
    endPower: powerStates.RUNNING,
    timeoutSeconds: 1000,
    failsToError: true,
  },
}

export const pauseTaskKinds = Object.keys(shapes) as PauseTaskKind[]

export function pauseTask(context: CellContext, kind: PauseTaskKind): SagaDefinition<PauseTaskState, CellSchema> {
  const shape = shapes[kind]
  const { database } = context
  const contextOf = (run: Run) => ({ operationId: run.operationId, requestId: run.requestId })
  const operationOf = (run: Run) => ({ operationId: run.operationId, projectId: run.projectId, requestId: run.requestId })
  const notify = (phase: EventPhase) => ({ eventType: `instance.${kind}.${phase.toLowerCase()}`, phase })

  /** Later work on the server (a hard reboot, a delete) decides over the guest: the agent would refuse ours. */
  const isOvertaken = async (run: Run): Promise<boolean> => {
    const row = await findInstance(database.read, run.serverId)
    return row === null || row.fence > run.fence || row.host !== run.state.host
  }

  return {
    kind,
    state: pauseState,
    pivot: null,
    steps: [
      {
        name: kind,
        event: `compute_${kind}_instance`,
        progress: 100,
        host: (state) => state.host,
        async action(run) {
          return {
            ...askAgent(context, run.state.host, kind, {}, shape.timeoutSeconds),
            commit: async (trx) => {
              const row = await findInstance(trx, run.serverId)
              return row === null ? [] : instanceEvents(row, {}, contextOf(run), notify('START')).slice(1)
            },
          }
        },
        async undo(run) {
          if (await isOvertaken(run)) return { kind: 'done' }
          if (!(await hostIsUp(context, run.state.host))) {
            context.log.warn({ host: run.state.host, server: run.serverId }, `the host is down; ${kind} is not taken back`)
            return { kind: 'done' }
          }
          return askAgent(context, run.state.host, shape.undo, {}, shape.timeoutSeconds)
        },
      },
    ],

    finish: (run) => async (trx) => {
      const values: InstanceChange = {
        vm_state: shape.ends,
        task_state: null,
        power_state: shape.endPower,
        fault: null,
        operation_id: null,
      }
      // A delete or a hard reboot that came meanwhile keeps its task state.
      const row = await changeInstance(trx, database.now, run.serverId, values, { taskStates: [shape.task] })
      if (kind === 'suspend') recheckConsoles(context, run.serverId)
      const told = row === null ? [] : instanceEvents(row, values, contextOf(run), notify('END'))
      return [...told, operationUpdate(operationOf(run), { state: 'SUCCEEDED', progress: 100 })]
    },

    async unwound(run, failure, cancelled) {
      const { step: _step, hostAtFault: _hostAtFault, ...error } = failure
      const values = await valuesAfter(run, failure, cancelled)
      return {
        kind: 'end',
        commit: async (trx) => {
          const changed = await changeInstance(trx, database.now, run.serverId, values, { taskStates: [shape.task] })
          const told = changed === null ? [] : instanceEvents(changed, values, contextOf(run))
          return [...told, operationUpdate(operationOf(run), { state: cancelled ? 'CANCELLED' : 'FAILED', error })]
        },
      }
    },
  }

  async function valuesAfter(run: Run, failure: SagaFailure, cancelled: boolean): Promise<InstanceChange> {
    const idle: InstanceChange = { task_state: null, operation_id: null }
    if (cancelled) return idle
    const { step: _step, hostAtFault: _hostAtFault, ...error } = failure
    const lacksFeature = failure.code === 'NOT_IMPLEMENTED'
    const fault = faultOf(error, await database.readClock(), run.operationId, lacksFeature ? 501 : 500)
    return { ...idle, fault: JSON.stringify(fault), ...(shape.failsToError && !lacksFeature ? { vm_state: 'error' } : {}) }
  }
}
