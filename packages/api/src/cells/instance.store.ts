/** Rows of servers in a cell: every change goes through here, with its event in the same transaction. */

import type { ErrorReport } from '@kilonova/contract/errors'
import { CloudError } from '@kilonova/contract/errors'
import type { EventPhase, EventPriority } from '@kilonova/contract/events'
import { payload } from '@kilonova/contract/events'
import { guestFlavor, guestInterface, guestKeypair } from '@kilonova/contract/rpc/guest'
import type { TaskState, VmState } from '@kilonova/contract/server-states'
import type { Insertable, RawBuilder, Transaction } from 'kysely'
import { z } from 'zod'
import type { Row } from '../db/database.js'
import type { CellSchema } from '../db/schemas.js'
import type { OutboxEntry } from '../events/outbox.js'

export type InstanceRow = Row<CellSchema, 'instances'>
export type NewInstance = Omit<Insertable<CellSchema['instances']>, 'id'>

export interface InstanceFault {
  code: number
  errorCode: string
  message: string
  exception?: string | undefined
  details?: string | undefined
  createdAt: number
  operationId: string | null
}

/** JSON columns of an instance, decoded. */
export const instanceJson = {
  flavor: guestFlavor,
  keypairs: z.array(guestKeypair),
  metadata: z.record(z.string(), z.string()),
  tags: z.array(z.string()),
  networkInfo: z.array(guestInterface),
}

/** Column to the name of the GraphQL field that shows it, for `changedFields`. */
const fieldOf: Record<string, string> = {
  display_name: 'name',
  display_description: 'description',
  hostname: 'hostname',
  vm_state: 'vmState',
  task_state: 'taskState',
  power_state: 'powerState',
  progress: 'progressPercent',
  host: 'host',
  network_info: 'addresses',
  fault: 'fault',
  launched_at: 'launchedAt',
  terminated_at: 'terminatedAt',
  deleted_at: 'status',
  access_ip_v4: 'accessIpV4',
  access_ip_v6: 'accessIpV6',
  disk_config: 'diskConfig',
  operation_id: 'currentOperation',
  availability_zone: 'availabilityZone',
  metadata: 'metadata',
  tags: 'tags',
  locked: 'locked',
  locked_reason: 'lockedReason',
  locked_by: 'lockedBy',
}

export type InstanceChange = Partial<
  Omit<InstanceRow, 'id' | 'uuid' | 'generation' | 'updated_at' | 'launched_at' | 'terminated_at' | 'deleted_at'>
> & {
  launched_at?: number | RawBuilder<number>
  terminated_at?: number | RawBuilder<number>
  deleted_at?: number | RawBuilder<number>
}

export interface ChangeContext {
  operationId: string | null
  requestId: string | null
}

/** Task states the first write of an action may find; 'any' for deletion, which needs no expectation (D-VST-25). */
export interface Expectation {
  vmStates?: readonly VmState[] | 'any'
  taskStates: readonly (TaskState | null)[] | 'any'
  generation?: number | undefined
}

/** Changes a live server if it is as expected; answers the new row, or null when it is not. */
export async function changeInstance(
  trx: Transaction<CellSchema>,
  now: RawBuilder<number>,
  uuid: string,
  change: InstanceChange,
  expected: Expectation = { taskStates: 'any' },
): Promise<InstanceRow | null> {
  let query = trx
    .updateTable('instances')
    .set((eb) => ({ ...change, generation: eb('generation', '+', 1), updated_at: now }))
    .where('uuid', '=', uuid)
    .where('deleted_at', 'is', null)
  if (expected.taskStates !== 'any') {
    const allowed: readonly (TaskState | null)[] = expected.taskStates
    const named = allowed.filter((state) => state !== null)
    query = query.where((eb) =>
      eb.or([
        ...(allowed.includes(null) ? [eb('task_state', 'is', null)] : []),
        ...(named.length > 0 ? [eb('task_state', 'in', named)] : []),
      ]),
    )
  }
  if (expected.vmStates !== undefined && expected.vmStates !== 'any') query = query.where('vm_state', 'in', [...expected.vmStates])
  if (expected.generation !== undefined) query = query.where('generation', '=', expected.generation)
  return (await query.returningAll().executeTakeFirst()) ?? null
}

/** The events of a change: always `instance.update`, and the one of the action where there is one. */
export function instanceEvents(
  row: InstanceRow,
  change: object,
  context: ChangeContext,
  action?: { eventType: string; phase: EventPhase | null; priority?: EventPriority },
): OutboxEntry[] {
  const changedFields = [...new Set(['status', ...Object.keys(change).flatMap((column) => fieldOf[column] ?? [])])]
  const common = {
    subject: 'SERVER' as const,
    subjectId: row.uuid,
    projectId: row.project_id,
    userId: row.user_id,
    requestId: context.requestId,
    operationId: context.operationId,
  }
  const data = {
    uuid: row.uuid,
    display_name: row.display_name,
    state: row.vm_state,
    task_state: row.task_state,
    power_state: row.power_state,
    changedFields,
    deleted: row.deleted_at !== null,
  }
  const update: OutboxEntry = { ...common, eventType: 'instance.update', payload: payload('InstanceUpdatePayload', data) }
  if (action === undefined) return [update]
  return [
    update,
    {
      ...common,
      eventType: action.eventType,
      phase: action.phase,
      priority: action.priority ?? 'INFO',
      payload: payload('InstanceActionPayload', data),
    },
  ]
}

export const faultOf = (report: ErrorReport, createdAt: number, operationId: string | null, code = 500): InstanceFault => ({
  code,
  errorCode: report.code,
  message: report.message,
  exception: report.exception,
  details: report.details,
  createdAt,
  operationId,
})

export async function findInstance(db: Pick<Transaction<CellSchema>, 'selectFrom'>, uuid: string): Promise<InstanceRow | null> {
  return (await db.selectFrom('instances').selectAll().where('uuid', '=', uuid).where('deleted_at', 'is', null).executeTakeFirst()) ?? null
}

export const instanceNotFound = (uuid: string): CloudError =>
  new CloudError('NOT_FOUND', `Instance ${uuid} could not be found.`, { exception: 'InstanceNotFound' })

/** Domain name on the hypervisor (Nova's default instance_name_template). */
export const instanceNameOf = (id: number): string => `instance-${id.toString(16).padStart(8, '0')}`
