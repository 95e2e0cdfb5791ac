/** A cell's conductor: what agents and console proxies are told and may tell, and the repair of what they left behind. */
import { randomUUID } from 'node:crypto'
import { payload } from '@kilonova/contract/events'
import type { ConsoleTypeName } from '@kilonova/contract/rpc/agent'
import { type ConductorService as Contract, type NodeReport } from '@kilonova/contract/rpc/conductor'
import type { HandlersOf, InputOf, OutputOf } from '@kilonova/contract/rpc/method'
import { type PowerState, powerStates, type TaskState, type VmState } from '@kilonova/contract/server-states'
import { changeInstance, findInstance, type InstanceChange, type InstanceRow, instanceEvents } from '../cells/instance.store.js'
import type { CellSchema } from '../db/schemas.js'
import type { Outbox } from '../events/outbox.js'
import { buildsOn } from './builds-on-host.js'
import type { CellContext } from './cell-context.js'
import { showDisabled } from './disabled-hosts.js'
import type { SagaEngine } from './saga-engine.js'

export interface ConductorOptions {
  context: CellContext
  engine: SagaEngine<CellSchema>
  outbox: Outbox<CellSchema>
  consoleTokens: {
    redeem(tokenHash: string, type: ConsoleTypeName, clientAddress: string): Promise<OutputOf<Contract['redeemConsoleToken']>['session']>
    stillAllowed(session: InputOf<Contract['consoleStillAllowed']>): Promise<OutputOf<Contract['consoleStillAllowed']>>
    serialBytes(wanted: InputOf<Contract['serialBytes']>): Promise<OutputOf<Contract['serialBytes']>>
  }
  /** Begins a stop on behalf of the system (D-SYN-1). */
  stopServer: (serverId: string, reason: string) => Promise<void>
}

const buildTasks: readonly string[] = ['scheduling', 'block_device_mapping', 'networking', 'spawning']

export function conductorHandlers(options: ConductorOptions): HandlersOf<Contract> {
  const { context, engine, outbox } = options
  const { database, log } = context

  const register = async (node: NodeReport, runId: string): Promise<string> => {
    const serviceId = await recordService(node, runId)
    await context.upCalls.placement.reportInventory(node.nodeId, node.hypervisorHostname, inventoriesOf(node), node.traits)
    await showDisabled(database, context.upCalls.placement, node.host)
    await repairServers(node.host)
    await wakeSagas(node.host)
    return serviceId
  }

  const recordService = async (node: NodeReport, runId: string): Promise<string> => {
    const { now } = database
    return database.transaction(async (trx) => {
      const service = await trx
        .insertInto('services')
        .values({
          id: randomUUID(),
          binary: 'nova-compute',
          host: node.host,
          version: node.serviceVersion,
          run_id: runId,
          last_seen_at: now,
          created_at: now,
          updated_at: now,
        })
        .onConflict((conflict) =>
          conflict
            .columns(['host', 'binary'])
            .doUpdateSet({ version: node.serviceVersion, run_id: runId, last_seen_at: now, updated_at: now }),
        )
        .returning(['id', 'created_at', 'updated_at'])
        .executeTakeFirstOrThrow()
      const values = {
        host: node.host,
        hypervisor_hostname: node.hypervisorHostname,
        hypervisor_type: node.hypervisorType,
        hypervisor_version: node.hypervisorVersion,
        host_ip: node.hostIp,
        report: JSON.stringify(node),
        updated_at: now,
      }
      await trx
        .insertInto('compute_nodes')
        .values({ uuid: node.nodeId, created_at: now, ...values })
        .onConflict((conflict) => conflict.column('uuid').doUpdateSet(values))
        .execute()
      const isNew = service.created_at === service.updated_at
      await outbox.append(trx, [
        {
          eventType: isNew ? 'service.create' : 'service.update',
          subject: 'SERVICE',
          subjectId: service.id,
          projectId: null,
          payload: payload('ServiceStatusPayload', { host: node.host, binary: 'nova-compute' }),
        },
      ])
      return service.id
    })
  }

  const serversOn = async (host: string): Promise<InstanceRow[]> =>
    database.read.selectFrom('instances').selectAll().where('host', '=', host).where('deleted_at', 'is', null).execute()

  /** D-SYN-2, for servers over which no saga decides. */
  const repairServers = async (host: string): Promise<void> => {
    const servers = await serversOn(host)
    const alive = await engine.store.aliveFor(servers.map((row) => row.uuid))
    for (const row of servers) {
      if (alive.has(row.uuid) || row.task_state === null) continue
      const values: InstanceChange =
        row.vm_state === 'building' || buildTasks.includes(row.task_state)
          ? { vm_state: 'error', task_state: null, operation_id: null }
          : { task_state: null, operation_id: null }
      await apply(row, values, [row.task_state as TaskState])
      log.warn({ server: row.uuid, taskState: row.task_state }, 'repaired a server that nobody worked on')
    }
  }

  const apply = async (row: InstanceRow, values: InstanceChange, taskStates: readonly (TaskState | null)[]): Promise<void> => {
    await database.transaction(async (trx) => {
      const changed = await changeInstance(trx, database.now, row.uuid, values, { taskStates })
      if (changed !== null) await outbox.append(trx, instanceEvents(changed, values, { operationId: null, requestId: null }))
    })
  }

  /** Requests to an agent that was away are sent again at once. */
  const wakeSagas = async (host: string): Promise<void> => {
    const rows = await database.transaction(async (trx) =>
      trx
        .updateTable('sagas')
        .set((eb) => ({ wake_at: 0, row_version: eb('row_version', '+', 1) }))
        .where('waiting_for', 'is not', null)
        .where('server_id', 'in', (eb) => eb.selectFrom('instances').select('uuid').where('host', '=', host))
        .returning('id')
        .execute(),
    )
    for (const row of rows) engine.poke(row.id)
  }

  /** D-SYN-1, told by the hypervisor or by the periodic look. */
  const syncPowerState = async (host: string, serverId: string, state: PowerState): Promise<void> => {
    const row = await findInstance(database.read, serverId)
    if (row === null || row.host !== host || row.task_state !== null) return
    if ((await engine.store.aliveFor([serverId])).size > 0) return
    if (row.power_state !== state) await apply(row, { power_state: state }, [null])
    const vmState = row.vm_state as VmState
    const off = state === powerStates.SHUTDOWN || state === powerStates.CRASHED
    const running = state === powerStates.RUNNING || state === powerStates.PAUSED || state === powerStates.SUSPENDED
    if (vmState === 'active' && (off || state === powerStates.SUSPENDED)) {
      await options.stopServer(serverId, `the guest was found ${off ? 'powered off' : 'suspended'}`)
    } else if (vmState === 'stopped' && running) {
      await options.stopServer(serverId, 'the guest was found running although it should be off')
    } else if (vmState === 'paused' && off) {
      await options.stopServer(serverId, 'the paused guest was found powered off')
    } else if (vmState === 'active' && state !== powerStates.RUNNING) {
      log.warn({ server: serverId, powerState: state }, 'an active server is neither running nor off')
    }
  }

  return {
    register: async ({ node, agentRunId }) => ({ serviceId: await register(node, agentRunId) }),

    heartbeat: async ({ host, agentRunId }) => {
      const { now } = database
      const result = await database.transaction(async (trx) =>
        trx
          .updateTable('services')
          .set({ last_seen_at: now })
          .where('host', '=', host)
          .where('binary', '=', 'nova-compute')
          .where('run_id', '=', agentRunId)
          .executeTakeFirst(),
      )
      return { known: Number(result.numUpdatedRows) > 0 }
    },

    report: async ({ key, outcome }) => {
      await engine.report(key, outcome)
      return {}
    },

    authorize: async ({ key, host }) => {
      const row = await findInstance(database.read, key.serverId)
      if (row === null || row.host !== host || row.task_state === 'deleting') return { wanted: false }
      return { wanted: await engine.wants(key) }
    },

    hostServers: async ({ host }) => {
      const servers = await serversOn(host)
      const building = await buildsOn(database, host)
      const alive = await engine.store.aliveFor(servers.map((row) => row.uuid))
      const known = servers.map((row) => ({
        serverId: row.uuid,
        vmState: row.vm_state,
        taskState: row.task_state,
        imageId: row.image_id,
        sagaAlive: alive.has(row.uuid),
        fence: row.fence,
      }))
      // A server that is unwound from this host is not on it any more but its saga still works here.
      const leaving = building
        .filter((serverId) => !known.some((server) => server.serverId === serverId))
        .map((serverId) => ({ serverId, vmState: 'building', taskState: null, imageId: null, sagaAlive: true, fence: 0 }))
      return { servers: [...known, ...leaving] }
    },

    powerStateChanged: async ({ host, serverId, powerState }) => {
      await syncPowerState(host, serverId, powerState as PowerState)
      return {}
    },

    redeemConsoleToken: async ({ tokenHash, type, clientAddress }) => ({
      session: await options.consoleTokens.redeem(tokenHash, type, clientAddress),
    }),

    consoleStillAllowed: async (session) => options.consoleTokens.stillAllowed(session),

    serialBytes: async (wanted) => options.consoleTokens.serialBytes(wanted),
  }
}

/** What a host offers, as placement counts it. */
function inventoriesOf(node: NodeReport) {
  const inventory = (amount: 'vcpus' | 'memoryMb' | 'diskGb') => ({
    total: node[amount],
    reserved: Math.min(node.reserved[amount], node[amount]),
    minUnit: 1,
    maxUnit: node[amount],
    stepSize: 1,
    allocationRatio: node.allocationRatios[amount],
    initialAllocationRatio: node.initialAllocationRatios[amount],
  })
  return { VCPU: inventory('vcpus'), MEMORY_MB: inventory('memoryMb'), DISK_GB: inventory('diskGb') }
}
