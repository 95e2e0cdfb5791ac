/** Events are written in the transaction of the change they tell of, to that database's own outbox; the relay carries them on. */
import { randomUUID } from 'node:crypto'
import type { NewEvent, OperationProjection } from '@kilonova/contract/events'
import type { Transaction } from 'kysely'
import type { Database } from '../db/database.js'
import type { SharedSchema } from '../db/schemas.js'

export interface OutboxEntry extends NewEvent {
  /** Chosen before, by callers that must know after a crash whether the change was made. */
  eventId?: string
  projection?: OperationProjection
}

export class Outbox<Schema> {
  readonly #database: Database<Schema>
  readonly #publisherId: string

  constructor(database: Database<Schema>, publisherId: string) {
    this.#database = database
    this.#publisherId = publisherId
  }

  async append(trx: Transaction<Schema>, entries: OutboxEntry[]): Promise<void> {
    if (entries.length === 0) return
    const shared = trx as unknown as Transaction<SharedSchema>
    await shared
      .insertInto('outbox')
      .values(
        entries.map((entry) => ({
          event_id: entry.eventId ?? randomUUID(),
          event_type: entry.eventType,
          subject: entry.subject,
          subject_id: entry.subjectId,
          phase: entry.phase ?? null,
          priority: entry.priority ?? 'INFO',
          project_id: entry.projectId,
          user_id: entry.userId ?? null,
          request_id: entry.requestId ?? null,
          operation_id: entry.operationId ?? null,
          publisher_id: this.#publisherId,
          occurred_at: this.#database.now,
          payload: JSON.stringify(entry.payload),
          projection: entry.projection === undefined ? null : JSON.stringify(entry.projection),
        })),
      )
      .execute()
    this.#database.noteOutbox()
  }
}
