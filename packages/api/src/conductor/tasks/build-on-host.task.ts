/** Task `build_on_host`: builds a server on the host the scheduler chose, and on its alternates when that host is at fault. Runs in the cell. */
import { guestInterface } from '@kilonova/contract/rpc/guest'
import { powerStates } from '@kilonova/contract/server-states'
import { z } from 'zod'
import { changeInstance, faultOf, findInstance, type InstanceChange, instanceEvents } from '../../cells/instance.store.js'
import type { CellSchema } from '../../db/schemas.js'
import { operationUpdate } from '../../events/operation-update.js'
import { askAgent, type CellContext, guestSpecOf, hostIsUp } from '../cell-context.js'
import { type Commit, type SagaDefinition, type SagaRun, WorkFailedError } from '../saga.js'

const chosenHost = z.object({ host: z.string(), node: z.string(), nodeId: z.string(), cellId: z.string() })

export const buildOnHostState = z.object({
  selected: chosenHost,
  alternates: z.array(chosenHost),
  amounts: z.record(z.string(), z.number()),
  networks: z.array(z.object({ networkId: z.string(), fixedIp: z.string().nullable(), tag: z.string().nullable() })),
  availabilityZone: z.string(),
  /** Sealed. */
  adminPassword: z.string().nullable(),
  interfaces: z.array(guestInterface),
})
export type BuildOnHostState = z.infer<typeof buildOnHostState>
type Run = SagaRun<BuildOnHostState>

const contextOf = (run: Run) => ({ operationId: run.operationId, requestId: run.requestId })
const operationOf = (run: Run) => ({ operationId: run.operationId, projectId: run.projectId, requestId: run.requestId })

export function buildOnHostTask(context: CellContext): SagaDefinition<BuildOnHostState, CellSchema> {
  const { database, upCalls } = context

  /** A change of the building server; it does nothing once somebody deletes the server. */
  const change =
    (run: Run, values: InstanceChange): Commit<CellSchema> =>
    async (trx) => {
      const row = await changeInstance(trx, database.now, run.serverId, values, {
        vmStates: ['building'],
        taskStates: ['scheduling', 'networking', 'block_device_mapping', 'spawning'],
      })
      return row === null ? [] : instanceEvents(row, values, contextOf(run))
    }

  const loadBuilding = async (run: Run) => {
    const row = await findInstance(database.read, run.serverId)
    if (row === null || row.task_state === 'deleting') {
      throw new WorkFailedError({ code: 'CANCELLED', message: 'The server was deleted while it was built.' }, false)
    }
    return row
  }

  return {
    kind: 'build_on_host',
    state: buildOnHostState,
    pivot: null,
    steps: [
      {
        name: 'claim_resources',
        event: 'claim_resources',
        progress: 20,
        host: (state) => state.selected.host,
        async action(run) {
          const row = await loadBuilding(run)
          const consumer = { id: run.serverId, projectId: row.project_id, userId: row.user_id }
          if (!(await upCalls.placement.claim(consumer, run.state.selected.nodeId, run.state.amounts))) {
            throw new WorkFailedError(
              { code: 'HOST_REFUSED', message: 'The host has no room any more.', exception: 'ComputeResourcesUnavailable' },
              true,
            )
          }
          const values: InstanceChange = {
            host: run.state.selected.host,
            node: run.state.selected.node,
            availability_zone: run.state.availabilityZone,
            task_state: 'networking',
            fence: run.fence,
          }
          return {
            kind: 'done',
            commit: async (trx) => {
              const events = await change(run, values)(trx)
              const begun = await findInstance(trx, run.serverId)
              return begun === null || run.attempt > 1
                ? events
                : [...events, ...instanceEvents(begun, {}, contextOf(run), { eventType: 'instance.create.start', phase: 'START' }).slice(1)]
            },
          }
        },
        async undo(run) {
          await upCalls.placement.release(run.serverId)
          return { kind: 'done', commit: change(run, { host: null, node: null, task_state: 'scheduling' }) }
        },
      },
      {
        name: 'allocate_network',
        event: 'allocate_network',
        progress: 30,
        host: (state) => state.selected.host,
        async action(run) {
          const row = await loadBuilding(run)
          const interfaces = await upCalls.networks.allocate(
            { id: run.serverId, projectId: row.project_id, host: run.state.selected.host, availabilityZone: run.state.availabilityZone },
            run.state.networks,
          )
          return { kind: 'done', patch: { interfaces }, commit: change(run, { task_state: 'block_device_mapping' }) }
        },
        async undo(run) {
          await upCalls.networks.release(run.serverId)
          return { kind: 'done', patch: { interfaces: [] } }
        },
      },
      {
        name: 'prepare_disks',
        event: 'prepare_disks',
        progress: 60,
        host: (state) => state.selected.host,
        async action(run) {
          const row = await loadBuilding(run)
          const guest = await guestSpecOf(context, row, run.state)
          return askAgent(context, run.state.selected.host, 'prepareDisks', { guest }, context.settings.buildTimeoutSeconds)
        },
        onReport: (run) => ({ commit: change(run, { task_state: 'spawning' }) }),
        undo: (run) => undoOnHost(context, run, 'discardDisks'),
      },
      {
        name: 'spawn',
        event: 'compute__do_build_and_run_instance',
        progress: 100,
        host: (state) => state.selected.host,
        async action(run) {
          const row = await loadBuilding(run)
          const guest = await guestSpecOf(context, row, run.state)
          return askAgent(context, run.state.selected.host, 'spawn', { guest }, context.settings.buildTimeoutSeconds)
        },
        undo: (run) => undoOnHost(context, run, 'destroy'),
      },
    ],

    finish: (run) => async (trx) => {
      const values: InstanceChange = {
        vm_state: 'active',
        task_state: null,
        power_state: powerStates.RUNNING,
        progress: 100,
        network_info: JSON.stringify(run.state.interfaces),
        launched_at: database.now,
        operation_id: null,
        root_device_name: '/dev/vda',
      }
      const row = await changeInstance(trx, database.now, run.serverId, values, { vmStates: ['building'], taskStates: ['spawning'] })
      // A delete began in this very moment: it takes the guest away, and this operation ends here.
      if (row === null) {
        const error = { code: 'CANCELLED', message: 'The server was deleted while it was built.' }
        return [operationUpdate(operationOf(run), { state: 'CANCELLED', error, attempts: run.attempt })]
      }
      return [
        ...instanceEvents(row, values, contextOf(run), { eventType: 'instance.create.end', phase: 'END' }),
        operationUpdate(operationOf(run), {
          state: 'SUCCEEDED',
          progress: 100,
          attempts: run.attempt,
          buildStage: { host: run.state.selected.host, ok: true, reason: null },
        }),
      ]
    },

    async unwound(run, failure, cancelled) {
      const buildStage = { host: run.state.selected.host, ok: false, reason: failure.message }
      const [next, ...later] = run.state.alternates
      if (!cancelled && failure.hostAtFault && next !== undefined && run.attempt < context.settings.maxAttempts) {
        return {
          kind: 'again',
          patch: { selected: next, alternates: later, interfaces: [] },
          commit: async (trx) => {
            await change(run, { fence: run.fence + 1 })(trx)
            return [operationUpdate(operationOf(run), { attempts: run.attempt, buildStage })]
          },
        }
      }
      const now = await database.readClock()
      const isCancelled = cancelled || failure.code === 'CANCELLED'
      const error = isCancelled
        ? { code: 'CANCELLED' as const, message: 'Cancelled by request.' }
        : failure.hostAtFault
          ? {
              code: 'RETRIES_EXHAUSTED' as const,
              message: `All chosen hosts failed to build the server; the last one said: ${failure.message}`,
              exception: 'MaxRetriesExceeded',
              details: failure.details,
            }
          : {
              code: failure.code,
              message: failure.message,
              exception: failure.exception ?? 'BuildAbortException',
              details: failure.details,
            }
      const values: InstanceChange = {
        vm_state: 'error',
        task_state: null,
        power_state: powerStates.NOSTATE,
        host: null,
        node: null,
        operation_id: null,
        fault: JSON.stringify(faultOf(error, now, run.operationId)),
      }
      return {
        kind: 'end',
        commit: async (trx) => {
          const row = await changeInstance(trx, database.now, run.serverId, values, {
            vmStates: ['building'],
            taskStates: ['scheduling', 'networking', 'block_device_mapping', 'spawning'],
          })
          const told =
            row === null
              ? []
              : instanceEvents(row, values, contextOf(run), { eventType: 'instance.create.error', phase: 'ERROR', priority: 'ERROR' })
          if (isCancelled) {
            const why = row === null ? { ...error, message: 'The server was deleted while it was built.' } : error
            return [...told, operationUpdate(operationOf(run), { state: 'CANCELLED', error: why, attempts: run.attempt })]
          }
          return [...told, operationUpdate(operationOf(run), { state: 'FAILED', error, attempts: run.attempt, buildStage })]
        },
      }
    },
  }
}

/** Undoes on the host; a host that is down is left to the clean-up its agent does when it comes back. */
async function undoOnHost(context: CellContext, run: Run, work: 'discardDisks' | 'destroy') {
  const { host } = run.state.selected
  if (!(await hostIsUp(context, host))) {
    context.log.warn({ host, server: run.serverId, work }, 'the host is down; its agent cleans up when it returns')
    return { kind: 'done' as const }
  }
  return askAgent(context, host, work, {}, 120)
}
