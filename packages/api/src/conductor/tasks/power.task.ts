/** Tasks `start`, `stop` and `reboot`: one piece of work on the server's host (D-ACT-6…9, 52, 53). */
import type { EventPhase } from '@kilonova/contract/events'
import { type PowerState, powerStates, type VmState } from '@kilonova/contract/server-states'
import { z } from 'zod'
import { changeInstance, faultOf, findInstance, type InstanceChange, instanceEvents } from '../../cells/instance.store.js'
import type { CellSchema } from '../../db/schemas.js'
import { operationUpdate } from '../../events/operation-update.js'
import { askAgent, type CellContext, recheckConsoles } from '../cell-context.js'
import type { SagaDefinition, SagaRun } from '../saga.js'

export const powerState = z.object({ host: z.string() })
export type PowerTaskState = z.infer<typeof powerState>
export type PowerTaskKind = 'start' | 'stop' | 'reboot_soft' | 'reboot_hard'

interface PowerTaskShape {
  step: string
  event: string
  notification: string
  ends: VmState
  endPower: PowerState
  request: (context: CellContext, run: SagaRun<PowerTaskState>) => ReturnType<typeof askAgent>
}

const reboot = (type: 'SOFT' | 'HARD'): PowerTaskShape => ({
  step: 'reboot',
  event: 'compute_reboot_instance',
  notification: 'instance.reboot',
  ends: 'active',
  endPower: powerStates.RUNNING,
  request: (context, run) => {
    const timeoutSeconds = context.settings.shutdownTimeoutSeconds
    return askAgent(context, run.state.host, 'reboot', { type, timeoutSeconds }, timeoutSeconds + 120)
  },
})

const shapes: Record<PowerTaskKind, PowerTaskShape> = {
  start: {
    step: 'start',
    event: 'compute_start_instance',
    notification: 'instance.power_on',
    ends: 'active',
    endPower: powerStates.RUNNING,
    request: (context, run) => askAgent(context, run.state.host, 'powerOn', {}, 120),
  },
  stop: {
    step: 'stop',
    event: 'compute_stop_instance',
    notification: 'instance.power_off',
    ends: 'stopped',
    endPower: powerStates.SHUTDOWN,
    request: (context, run) => {
      const timeoutSeconds = context.settings.shutdownTimeoutSeconds
      return askAgent(context, run.state.host, 'powerOff', { timeoutSeconds }, timeoutSeconds + 120)
    },
  },
  reboot_soft: reboot('SOFT'),
  reboot_hard: reboot('HARD'),
}

export function powerTask(context: CellContext, kind: PowerTaskKind): SagaDefinition<PowerTaskState, CellSchema> {
  const shape = shapes[kind]
  const { database } = context
  const contextOf = (run: SagaRun<PowerTaskState>) => ({ operationId: run.operationId, requestId: run.requestId })
  const operationOf = (run: SagaRun<PowerTaskState>) => ({
    operationId: run.operationId,
    projectId: run.projectId,
    requestId: run.requestId,
  })
  const notify = (phase: EventPhase) => ({
    eventType: `${shape.notification}.${phase.toLowerCase()}`,
    phase,
    priority: phase === 'ERROR' ? ('ERROR' as const) : ('INFO' as const),
  })

  return {
    kind,
    state: powerState,
    pivot: null,
    steps: [
      {
        name: shape.step,
        event: shape.event,
        progress: 100,
        host: (state) => state.host,
        async action(run) {
          const wait = shape.request(context, run)
          return {
            ...wait,
            commit: async (trx) => {
              const row = await findInstance(trx, run.serverId)
              return row === null ? [] : instanceEvents(row, {}, contextOf(run), notify('START')).slice(1)
            },
          }
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
      // A delete that came meanwhile keeps its task state.
      const row = await changeInstance(trx, database.now, run.serverId, values, { taskStates: tasksOf[kind] })
      if (kind === 'stop') recheckConsoles(context, run.serverId)
      const told = row === null ? [] : instanceEvents(row, values, contextOf(run), notify('END'))
      return [...told, operationUpdate(operationOf(run), { state: 'SUCCEEDED', progress: 100 })]
    },

    async unwound(run, failure, cancelled) {
      const now = await database.readClock()
      const { step: _step, hostAtFault: _hostAtFault, ...error } = failure
      const row = await findInstance(database.read, run.serverId)
      const stillRuns = row?.power_state === powerStates.RUNNING
      const values: InstanceChange = {
        task_state: null,
        operation_id: null,
        ...(cancelled ? {} : { fault: JSON.stringify(faultOf(error, now, run.operationId)) }),
        ...(shape.step === 'reboot' && !stillRuns && !cancelled ? { vm_state: 'error' } : {}),
      }
      return {
        kind: 'end',
        commit: async (trx) => {
          const changed = await changeInstance(trx, database.now, run.serverId, values, { taskStates: tasksOf[kind] })
          const told =
            changed === null ? [] : instanceEvents(changed, values, contextOf(run), shape.step === 'reboot' ? notify('ERROR') : undefined)
          return [...told, operationUpdate(operationOf(run), { state: cancelled ? 'CANCELLED' : 'FAILED', error })]
        },
      }
    },
  }
}

const tasksOf = {
  start: ['powering-on'],
  stop: ['powering-off'],
  reboot_soft: ['rebooting', 'reboot_pending', 'reboot_started'],
  reboot_hard: ['rebooting_hard', 'reboot_pending_hard', 'reboot_started_hard'],
} as const satisfies Record<PowerTaskKind, readonly string[]>
