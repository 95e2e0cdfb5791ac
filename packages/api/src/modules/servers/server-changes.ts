/**
 * Changes of a server's record that need no work on its host: names, metadata, tags, lock, forced state. The change, its events and the
 * end of its operation are one transaction, in the server's cell or, while it waits for one, beside its build request.
 */
import { CloudError } from '@kilonova/contract/errors'
import type { Transaction } from 'kysely'
import type { Cell } from '../../cells/cells.service.js'
import { changeInstance, type InstanceChange, type InstanceRow, instanceEvents, type NewInstance } from '../../cells/instance.store.js'
import type { Database } from '../../db/database.js'
import type { ApiSchema, SharedSchema } from '../../db/schemas.js'
import { Outbox, type OutboxEntry } from '../../events/outbox.js'
import { generationMismatch } from '../identity/identity.service.js'
import type { FoundServer, ServerRepository } from './server.repository.js'

export interface ServerChange {
  serverId: string
  /** Names the change in its event: a retry after a crash then finds that it was made. */
  changeId: string
  requestId: string
  /** The same change may have been begun before, under the same retry key. */
  mayBeRepeat: boolean
  expectedGeneration?: number | null | undefined
  /** Looks at the server as it is and answers what to write; null: nothing. Throws where it must not be. */
  decide: (found: FoundServer) => Promise<InstanceChange | null> | InstanceChange | null
  /** The notification beside `instance.update`. */
  eventType?: string
  /** Told in the same transaction, also when there is nothing to write. */
  also?: OutboxEntry
  operationId?: string
}

const maxTries = 20

export class ServerChanges {
  readonly #api: Database<ApiSchema>
  readonly #repository: ServerRepository
  readonly #publisherId: string

  constructor(options: { api: Database<ApiSchema>; repository: ServerRepository; publisherId: string }) {
    this.#api = options.api
    this.#repository = options.repository
    this.#publisherId = options.publisherId
  }

  async apply(change: ServerChange): Promise<void> {
    for (let attempt = 1; attempt <= maxTries; attempt++) {
      const found = await this.#repository.require(change.serverId, null)
      if (change.mayBeRepeat && (await this.#wasMade(found, change.changeId))) return
      if (change.expectedGeneration != null && change.expectedGeneration !== found.row.generation) {
        throw generationMismatch(found.row.generation)
      }
      const values = await change.decide(found)
      if (values === null && change.also === undefined) return
      const done =
        found.cell === null
          ? await this.#writeWaiting(found.row, values, change)
          : await this.#writeInCell(found.cell, found.row, values, change)
      if (done) return
      // The server changed, or moved into its cell, since we looked.
      await new Promise((resolve) => setImmediate(resolve))
    }
    throw new CloudError('CONFLICT', `Server ${change.serverId} changes too quickly; try again.`)
  }

  /** The event goes from the outbox to the log: looked for in that order it is found, wherever it is. */
  async #wasMade({ cell }: FoundServer, changeId: string): Promise<boolean> {
    for (const database of [cell?.database, this.#api]) {
      if (database === undefined) continue
      const read = database.read as unknown as Pick<Transaction<SharedSchema>, 'selectFrom'>
      if ((await read.selectFrom('outbox').select('id').where('event_id', '=', changeId).executeTakeFirst()) !== undefined) return true
    }
    const logged = await this.#api.read.selectFrom('event_log').select('position').where('event_id', '=', changeId).executeTakeFirst()
    return logged !== undefined
  }

  async #writeInCell(cell: Cell, row: InstanceRow, values: InstanceChange | null, change: ServerChange): Promise<boolean> {
    const { database } = cell
    return database.transaction(async (trx) => {
      let events: OutboxEntry[] = []
      if (values !== null) {
        const expected = { taskStates: 'any', generation: row.generation } as const
        const changed = await changeInstance(trx, database.now, row.uuid, values, expected)
        if (changed === null) return false
        events = eventsOf(changed, values, change)
      }
      await new Outbox(database, this.#publisherId).append(trx, named(events, change))
      return true
    })
  }

  async #writeWaiting(row: InstanceRow, values: InstanceChange | null, change: ServerChange): Promise<boolean> {
    const api = this.#api
    return api.transaction(async (trx) => {
      // The mapping first: the build writes it when it takes the request into a cell.
      let mapped = trx.selectFrom('instance_mappings').select('cell_uuid').where('instance_uuid', '=', row.uuid)
      if (api.dialect === 'postgres') mapped = mapped.forUpdate()
      const mapping = await mapped.executeTakeFirst()
      const request = await trx.selectFrom('build_requests').select('instance').where('instance_uuid', '=', row.uuid).executeTakeFirst()
      if (request === undefined || mapping?.cell_uuid != null) return false
      let events: OutboxEntry[] = []
      if (values !== null) {
        const stored = JSON.parse(request.instance) as NewInstance
        if (stored.generation !== row.generation) return false
        const instance = { ...stored, ...values, generation: row.generation + 1 }
        const written = await trx
          .updateTable('build_requests')
          .set({ instance: JSON.stringify(instance), updated_at: api.now })
          .where('instance_uuid', '=', row.uuid)
          .where('instance', '=', request.instance)
          .executeTakeFirst()
        if (Number(written.numUpdatedRows) === 0) return false
        events = eventsOf({ id: 0, ...instance } as InstanceRow, values, change)
      }
      await new Outbox(api, this.#publisherId).append(trx, named(events, change))
      return true
    })
  }
}

const eventsOf = (row: InstanceRow, values: InstanceChange, change: ServerChange): OutboxEntry[] => {
  const action = change.eventType === undefined ? undefined : { eventType: change.eventType, phase: null }
  return instanceEvents(row, values, { operationId: change.operationId ?? null, requestId: change.requestId }, action)
}

/** The first event carries the name of the change. */
function named(events: readonly OutboxEntry[], change: ServerChange): OutboxEntry[] {
  const all = change.also === undefined ? [...events] : [...events, change.also]
  return all.map((event, index) => (index === 0 ? { ...event, eventId: change.changeId } : event))
}
