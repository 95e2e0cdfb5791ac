/** Task `delete`: takes a server apart (D-ACT-2, A-ACT-41). Its pivot is its first step: nothing brings the server back. */
import { powerStates } from '@kilonova/contract/server-states'
import { z } from 'zod'
import { changeInstance, findInstance, type InstanceChange, instanceEvents } from '../../cells/instance.store.js'
import type { CellSchema } from '../../db/schemas.js'
import { operationUpdate } from '../../events/operation-update.js'
import { askAgent, type CellContext, hostIsUp, recheckConsoles } from '../cell-context.js'
import type { SagaDefinition, SagaRun } from '../saga.js'
import type { SagaStore } from '../saga-store.js'

export const deleteState = z.object({ host: z.string().nullable() })
export type DeleteState = z.infer<typeof deleteState>

export interface DeleteTaskOptions {
  context: CellContext
  /** Late: the engine that runs this very task. */
  sagas: () => SagaStore<CellSchema>
  poke: (sagaId: string) => void
}

export function deleteTask({ context, sagas, poke }: DeleteTaskOptions): SagaDefinition<DeleteState, CellSchema> {
  const { database, upCalls } = context
  const contextOf = (run: SagaRun<DeleteState>) => ({ operationId: run.operationId, requestId: run.requestId })
  const operationOf = (run: SagaRun<DeleteState>) => ({
    operationId: run.operationId,
    projectId: run.projectId,
    requestId: run.requestId,
  })

  return {
    kind: 'delete',
    state: deleteState,
    pivot: 'stop_others',
    steps: [
      {
        name: 'stop_others',
        progress: 10,
        async action(run) {
          const alive = await sagas().cancelOthers(run.serverId, run.sagaId)
          for (const id of alive) poke(id)
          if (alive.length > 0) return { kind: 'later', afterMs: 25 }
          const row = await findInstance(database.read, run.serverId)
          return { kind: 'done', patch: { host: row?.host ?? null } }
        },
      },
      {
        name: 'terminate',
        event: 'compute_terminate_instance',
        progress: 60,
        host: (state) => state.host,
        async action(run) {
          if (run.state.host === null) return { kind: 'done' }
          if (!(await hostIsUp(context, run.state.host))) {
            context.log.warn(
              { host: run.state.host, server: run.serverId },
              'deleted while its host is down; the agent cleans up when it returns',
            )
            return { kind: 'done' }
          }
          return askAgent(context, run.state.host, 'destroy', {}, 120)
        },
      },
      {
        name: 'release_network',
        progress: 80,
        async action(run) {
          await upCalls.networks.release(run.serverId)
          return { kind: 'done' }
        },
      },
      {
        name: 'release_resources',
        progress: 100,
        async action(run) {
          await upCalls.placement.release(run.serverId)
          return { kind: 'done' }
        },
      },
    ],

    finish: (run) => async (trx) => {
      const values: InstanceChange = {
        vm_state: 'deleted',
        task_state: null,
        power_state: powerStates.NOSTATE,
        network_info: '[]',
        user_data: null,
        operation_id: null,
        terminated_at: database.now,
        deleted_at: database.now,
      }
      await trx.deleteFrom('console_auth_tokens').where('instance_uuid', '=', run.serverId).execute()
      const row = await changeInstance(trx, database.now, run.serverId, values)
      recheckConsoles(context, run.serverId)
      const told = row === null ? [] : instanceEvents(row, values, contextOf(run), { eventType: 'instance.delete.end', phase: 'END' })
      return [...told, operationUpdate(operationOf(run), { state: 'SUCCEEDED', progress: 100 })]
    },

    async unwound() {
      throw new Error('a delete is never unwound')
    },
  }
}
