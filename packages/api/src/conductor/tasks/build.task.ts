/** Task `build`: finds a host for a server and hands it to that host's cell (A-LAUNCH-17). Runs in the super-conductor. */

import type { SchedulingTrace } from '@kilonova/contract/operations'
import type { ScheduleRequest } from '@kilonova/contract/rpc/scheduler'
import { powerStates } from '@kilonova/contract/server-states'
import { z } from 'zod'
import { type CellsService, cell0Id } from '../../cells/cells.service.js'
import { faultOf, findInstance, instanceEvents, type NewInstance } from '../../cells/instance.store.js'
import type { Database } from '../../db/database.js'
import type { ApiSchema, CellSchema } from '../../db/schemas.js'
import { operationUpdate } from '../../events/operation-update.js'
import { Outbox } from '../../events/outbox.js'
import type { PlacementService } from '../../placement/placement.service.js'
import { NoValidHostError, type SchedulerService } from '../../scheduler/scheduler.service.js'
import type { SagaDefinition, SagaRun } from '../saga.js'
import { WorkFailedError } from '../saga.js'
import { SagaStore } from '../saga-store.js'
import type { BuildOnHostState } from './build-on-host.task.js'

const chosenHost = z.object({ host: z.string(), node: z.string(), nodeId: z.string(), cellId: z.string() })
export const buildState = z.object({
  selected: chosenHost.nullable(),
  alternates: z.array(chosenHost),
})
export type BuildState = z.infer<typeof buildState>
type Run = SagaRun<BuildState>

/** What createServer stores for the scheduler; the server's own values are in the build request. */
export const requestSpec = z.object({
  userId: z.string(),
  projectId: z.string(),
  amounts: z.record(z.string(), z.number()),
  availabilityZone: z.string().nullable(),
  imageProperties: z.record(z.string(), z.string()),
  requestedHost: z.string().nullable(),
  requestedNode: z.string().nullable(),
  networks: z.array(z.object({ networkId: z.string(), fixedIp: z.string().nullable(), tag: z.string().nullable() })),
  /** Sealed; wiped when the build has ended. */
  adminPassword: z.string().nullable(),
})
export type StoredRequestSpec = z.infer<typeof requestSpec>

export interface BuildTaskOptions {
  api: Database<ApiSchema>
  cells: CellsService
  placement: PlacementService
  scheduler: SchedulerService
  defaultZone: string
  publisherId: string
  /** Runs a saga that was written to a cell. */
  pokeCell: (cellId: string, sagaId: string) => void
}

const generationOf = (instance: string): number => (JSON.parse(instance) as NewInstance).generation ?? 1

export function buildTask(options: BuildTaskOptions): SagaDefinition<BuildState, ApiSchema> {
  const { api, cells, placement, scheduler } = options

  const loadSpec = async (serverId: string): Promise<StoredRequestSpec> => {
    const row = await api.read.selectFrom('request_specs').select('spec').where('instance_uuid', '=', serverId).executeTakeFirstOrThrow()
    return requestSpec.parse(JSON.parse(row.spec))
  }
  const loadBuildRequest = async (serverId: string): Promise<NewInstance | null> => {
    const row = await api.read.selectFrom('build_requests').select('instance').where('instance_uuid', '=', serverId).executeTakeFirst()
    return row === undefined ? null : (JSON.parse(row.instance) as NewInstance)
  }
  const requireBuildRequest = async (serverId: string): Promise<NewInstance> => {
    const request = await loadBuildRequest(serverId)
    if (request === null) throw new WorkFailedError({ code: 'CANCELLED', message: 'The server was deleted before it had a host.' }, false)
    return request
  }
  const operationOf = (run: Run) => ({ operationId: run.operationId, projectId: run.projectId, requestId: run.requestId })
  const storeTrace = async (run: Run, trace: SchedulingTrace): Promise<void> => {
    await api.transaction(async (trx) => {
      await trx
        .updateTable('operations')
        .set({ trace: JSON.stringify(trace) })
        .where('id', '=', run.operationId)
        .execute()
    })
  }
  const insertInstance = async (cellId: string, instance: NewInstance, run: Run): Promise<void> => {
    const { database } = await cells.get(cellId)
    const outbox = new Outbox(database, options.publisherId)
    await database.transaction(async (trx) => {
      const inserted = await trx
        .insertInto('instances')
        .values(instance)
        .onConflict((conflict) => conflict.column('uuid').doNothing())
        .returningAll()
        .executeTakeFirst()
      if (inserted !== undefined) {
        await outbox.append(
          trx,
          instanceEvents(inserted, { vm_state: '', task_state: '' }, { operationId: run.operationId, requestId: run.requestId }),
        )
      }
    })
  }

  return {
    kind: 'build',
    state: buildState,
    pivot: 'map_instance',
    steps: [
      {
        name: 'schedule',
        event: 'schedule_instances',
        progress: 10,
        async action(run) {
          await requireBuildRequest(run.serverId)
          const spec = await loadSpec(run.serverId)
          // A claim without a recorded choice is from a run that crashed in between: choose afresh.
          await placement.release(run.serverId)
          const request: ScheduleRequest = {
            serverIds: [run.serverId],
            amounts: spec.amounts,
            availabilityZone: spec.availabilityZone,
            imageProperties: spec.imageProperties,
            requestedHost: spec.requestedHost,
            requestedNode: spec.requestedNode,
            ignoreHosts: [],
          }
          const consumer = { id: run.serverId, projectId: spec.projectId, userId: spec.userId }
          try {
            const { selection, trace } = await scheduler.select(request, consumer)
            return {
              kind: 'done',
              patch: { selected: selection.selected, alternates: selection.alternates },
              commit: async (trx) => {
                await trx
                  .updateTable('operations')
                  .set({ trace: JSON.stringify(trace) })
                  .where('id', '=', run.operationId)
                  .execute()
                return []
              },
            }
          } catch (error) {
            if (error instanceof NoValidHostError) await storeTrace(run, error.trace)
            throw error
          }
        },
        async undo(run) {
          await placement.release(run.serverId)
          return { kind: 'done' }
        },
      },
      {
        name: 'create_in_cell',
        async action(run) {
          const { selected } = run.state
          if (selected === null) throw new Error('no host was selected')
          await insertInstance(selected.cellId, await requireBuildRequest(run.serverId), run)
          return { kind: 'done' }
        },
        async undo(run) {
          if (run.state.selected !== null) {
            const { database } = await cells.get(run.state.selected.cellId)
            await database.transaction(async (trx) => {
              await trx.deleteFrom('instances').where('uuid', '=', run.serverId).execute()
            })
          }
          return { kind: 'done' }
        },
      },
      {
        name: 'map_instance',
        async action(run) {
          const { selected } = run.state
          if (selected === null) throw new Error('no host was selected')
          const copied = await copyChanges(selected.cellId, run.serverId)
          return {
            kind: 'done',
            commit: async (trx) => {
              await trx
                .updateTable('instance_mappings')
                .set({ cell_uuid: selected.cellId })
                .where('instance_uuid', '=', run.serverId)
                .where('queued_for_delete', '=', 0)
                .execute()
              // Who changes the server takes the mapping first: whatever was changed before is seen here.
              const request = await trx
                .selectFrom('build_requests')
                .select('instance')
                .where('instance_uuid', '=', run.serverId)
                .executeTakeFirst()
              if (request !== undefined && generationOf(request.instance) !== copied)
                throw new Error('the server was changed; copied again')
              return []
            },
          }
        },
      },
      {
        name: 'begin_build',
        async action(run) {
          const { selected, alternates } = run.state
          if (selected === null) throw new Error('no host was selected')
          const spec = await loadSpec(run.serverId)
          const { database } = await cells.get(selected.cellId)
          const state: BuildOnHostState = {
            selected,
            alternates,
            amounts: spec.amounts,
            networks: spec.networks,
            availabilityZone: spec.availabilityZone ?? options.defaultZone,
            adminPassword: spec.adminPassword,
            interfaces: [],
          }
          const sagaId = `build-${run.operationId}`
          const mapping = await api.read
            .selectFrom('instance_mappings')
            .select(['cell_uuid', 'queued_for_delete'])
            .where('instance_uuid', '=', run.serverId)
            .executeTakeFirst()
          if (mapping?.cell_uuid === selected.cellId && mapping.queued_for_delete === 0) {
            await database.transaction(async (trx) => {
              const row = await findInstance(trx, run.serverId)
              // Only a server that still waits for its build: a repeat after the build has ended must not begin a second one.
              if (row?.vm_state !== 'building' || row.task_state !== 'scheduling' || row.fence > 0) return
              await trx.updateTable('instances').set({ fence: 1 }).where('uuid', '=', run.serverId).execute()
              await new SagaStore<CellSchema>(database, '').insert(trx, {
                id: sagaId,
                kind: 'build_on_host',
                operationId: run.operationId,
                serverId: run.serverId,
                projectId: run.projectId,
                requestId: run.requestId,
                fence: 1,
                state,
              })
            })
            options.pokeCell(selected.cellId, sagaId)
          } else {
            await abandon(run, selected.cellId)
          }
          return {
            kind: 'done',
            commit: async (trx) => {
              await trx.deleteFrom('build_requests').where('instance_uuid', '=', run.serverId).execute()
              await wipePassword(trx, run.serverId)
              return []
            },
          }
        },
      },
    ],

    finish: () => async () => [],

    async unwound(run, failure) {
      // Deleted servers have no request any more; one whose build was cancelled is buried as one whose build failed.
      const request = await loadBuildRequest(run.serverId)
      const { step: _step, hostAtFault: _hostAtFault, ...error } = failure
      if (request === null) {
        return {
          kind: 'end',
          commit: async (trx) => {
            await wipePassword(trx, run.serverId)
            return [
              operationUpdate(operationOf(run), {
                state: 'CANCELLED',
                error: { code: 'CANCELLED', message: 'The server was deleted before it had a host.' },
              }),
            ]
          },
        }
      }
      // Buried in cell0 (A-CELL-7): listed like others, in ERROR with its fault.
      const now = await api.readClock()
      await insertInstance(
        cell0Id,
        {
          ...request,
          vm_state: 'error',
          task_state: null,
          power_state: powerStates.NOSTATE,
          operation_id: null,
          fault: JSON.stringify(faultOf(error, now, run.operationId)),
        },
        run,
      )
      return {
        kind: 'end',
        commit: async (trx) => {
          await trx
            .updateTable('instance_mappings')
            .set({ cell_uuid: cell0Id })
            .where('instance_uuid', '=', run.serverId)
            .where('queued_for_delete', '=', 0)
            .execute()
          await trx.deleteFrom('build_requests').where('instance_uuid', '=', run.serverId).execute()
          await wipePassword(trx, run.serverId)
          return [operationUpdate(operationOf(run), { state: failure.code === 'CANCELLED' ? 'CANCELLED' : 'FAILED', error })]
        },
      }
    },
  }

  /** Brings what the owner changed since the row was put into the cell; until it is mapped nobody else writes it. Answers its generation. */
  async function copyChanges(cellId: string, serverId: string): Promise<number | null> {
    const request = await loadBuildRequest(serverId)
    if (request === null) return null
    const { database } = await cells.get(cellId)
    const { uuid, ...values } = request
    const generation = request.generation ?? 1
    await database.transaction((trx) =>
      trx
        .updateTable('instances')
        .set(values)
        .where('uuid', '=', uuid)
        .where('fence', '=', 0)
        .where('generation', '<', generation)
        .execute(),
    )
    return generation
  }

  /** The server was deleted between being mapped and being begun: nothing of it stays. */
  async function abandon(run: Run, cellId: string): Promise<void> {
    const { database } = await cells.get(cellId)
    await database.transaction(async (trx) => {
      await trx.deleteFrom('instances').where('uuid', '=', run.serverId).where('fence', '=', 0).execute()
    })
    await placement.release(run.serverId)
    const outbox = new Outbox(api, options.publisherId)
    await api.transaction(async (trx) => {
      await outbox.append(trx, [
        operationUpdate(operationOf(run), {
          state: 'CANCELLED',
          error: { code: 'CANCELLED', message: 'The server was deleted before it had a host.' },
        }),
      ])
    })
  }

  async function wipePassword(trx: Parameters<Parameters<typeof api.transaction>[0]>[0], serverId: string): Promise<void> {
    const row = await trx.selectFrom('request_specs').select('spec').where('instance_uuid', '=', serverId).executeTakeFirst()
    if (row === undefined) return
    const spec = JSON.stringify({ ...requestSpec.parse(JSON.parse(row.spec)), adminPassword: null })
    await trx.updateTable('request_specs').set({ spec }).where('instance_uuid', '=', serverId).execute()
  }
}
