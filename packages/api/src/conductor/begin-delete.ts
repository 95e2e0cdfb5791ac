/** Begins the deletion of a server in its cell: one saga per server, whoever asks and however often. */

import type { CellDatabase } from '../cells/cells.service.js'
import { changeInstance, type InstanceChange, instanceEvents } from '../cells/instance.store.js'
import type { CellSchema } from '../db/schemas.js'
import { Outbox } from '../events/outbox.js'
import { SagaStore } from './saga-store.js'

export interface DeleteRequest {
  serverId: string
  operationId: string
  projectId: string
  requestId: string | null
}

/** Room above every attempt that a build under way may still make. */
const fenceStep = 1000

/** Answers the operation that deletes the server (an earlier one where a deletion runs already), or null when it is gone. */
export async function beginDelete(database: CellDatabase, publisherId: string, request: DeleteRequest): Promise<string | null> {
  const { serverId, operationId, projectId, requestId } = request
  return database.transaction(async (trx) => {
    let live = trx.selectFrom('instances').select('fence').where('uuid', '=', serverId).where('deleted_at', 'is', null)
    // Two requests at once: the second waits here and then finds the saga of the first.
    if (database.dialect === 'postgres') live = live.forUpdate()
    const row = await live.executeTakeFirst()
    if (row === undefined) return null
    const running = await trx
      .selectFrom('sagas')
      .select('operation_id')
      .where('server_id', '=', serverId)
      .where('kind', '=', 'delete')
      .executeTakeFirst()
    if (running !== undefined) return running.operation_id
    const values: InstanceChange = { task_state: 'deleting', operation_id: operationId, fence: row.fence + fenceStep }
    const changed = await changeInstance(trx, database.now, serverId, values)
    if (changed === null) return null
    await new SagaStore<CellSchema>(database, '').insert(trx, {
      id: actionSagaId(operationId),
      kind: 'delete',
      operationId,
      serverId,
      projectId,
      requestId,
      fence: changed.fence,
      state: { host: null },
    })
    const told = instanceEvents(changed, values, { operationId, requestId }, { eventType: 'instance.delete.start', phase: 'START' })
    await new Outbox(database, publisherId).append(trx, told)
    return operationId
  })
}

/** The saga of an action has a name of its own, so that a repeat finds it. */
export const actionSagaId = (operationId: string): string => `act-${operationId}`
