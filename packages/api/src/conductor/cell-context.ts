/** What the tasks of one cell work with. */
import { type AgentWork, agentService, agentTopic } from '@kilonova/contract/rpc/agent'
import { type ConsoleRecheck, consoleRecheckTopic } from '@kilonova/contract/rpc/conductor'
import type { GuestSpec } from '@kilonova/contract/rpc/guest'
import type { InputOf, RpcMethod } from '@kilonova/contract/rpc/method'
import type { MessageBus } from '@kilonova/runtime/bus/bus'
import type { Clock } from '@kilonova/runtime/clock'
import type { Logger } from '@kilonova/runtime/logger'
import { openTransaction } from '@kilonova/runtime/transaction-scope'
import type { CellDatabase } from '../cells/cells.service.js'
import { type InstanceRow, instanceJson, instanceNameOf } from '../cells/instance.store.js'
import type { CellSchema } from '../db/schemas.js'
import type { SagaState, StepOutcome } from './saga.js'
import type { UpCalls } from './up-calls.js'

export interface CellContext {
  readonly cellId: string
  readonly database: CellDatabase
  readonly bus: MessageBus
  readonly upCalls: UpCalls
  readonly clock: Clock
  readonly log: Logger
  readonly settings: {
    serviceDownSeconds: number
    buildTimeoutSeconds: number
    shutdownTimeoutSeconds: number
    maxAttempts: number
  }
}

/** Whether the compute service of a host reports and is not forced down, by the database's clock. */
export async function hostIsUp(context: CellContext, host: string): Promise<boolean> {
  const { database } = context
  const row = await database.read
    .selectFrom('services')
    .select((eb) => ['forced_down', eb(database.now, '-', eb.ref('last_seen_at')).as('silent_ms')])
    .where('host', '=', host)
    .where('binary', '=', 'nova-compute')
    .executeTakeFirst()
  return row !== undefined && row.forced_down === 0 && Number(row.silent_ms) < context.settings.serviceDownSeconds * 1000
}

/** After the commit: open consoles of the server are looked at again. */
export function recheckConsoles(context: CellContext, serverId: string): void {
  openTransaction()?.afterCommit.push(() => void context.bus.fanout(consoleRecheckTopic, { serverId } satisfies ConsoleRecheck))
}

type WorkInput<W extends AgentWork> = Omit<InputOf<(typeof agentService)[W]>, 'key'>

/** Asks the agent of a host to do a piece of work and waits for its report. */
export function askAgent<W extends AgentWork>(
  context: CellContext,
  host: string,
  work: W,
  input: WorkInput<W>,
  timeoutSeconds: number,
): Extract<StepOutcome<SagaState, CellSchema>, { kind: 'wait' }> {
  const method: RpcMethod = agentService[work]
  return { kind: 'wait', timeoutSeconds, send: (key) => context.bus.cast(agentTopic(host), method, { ...input, key }) }
}

/** Everything an agent needs to build or start the guest of a server. */
export async function guestSpecOf(
  context: CellContext,
  row: InstanceRow,
  build: { interfaces: GuestSpec['interfaces']; adminPassword: string | null },
): Promise<GuestSpec> {
  if (row.image_id === null) throw new Error(`server ${row.uuid} has no image`)
  return {
    serverId: row.uuid,
    instanceName: instanceNameOf(row.id),
    name: row.display_name,
    hostname: row.hostname ?? row.uuid,
    projectId: row.project_id,
    userId: row.user_id,
    reservationId: row.reservation_id,
    launchIndex: row.launch_index,
    availabilityZone: row.availability_zone ?? '',
    flavor: instanceJson.flavor.parse(JSON.parse(row.flavor)),
    image: await context.upCalls.images.forGuest(row.image_id),
    interfaces: build.interfaces,
    keypairs: instanceJson.keypairs.parse(JSON.parse(row.keypairs)),
    metadata: instanceJson.metadata.parse(JSON.parse(row.metadata)),
    configDrive: row.config_drive === 1,
    userData: row.user_data,
    adminPassword: build.adminPassword,
  }
}
