/** Leases: one process at a time does a thing, by the database's clock. A restarted owner takes its lease back at once. */
import type { Transaction } from 'kysely'
import type { Database } from './database.js'
import type { SharedSchema } from './schemas.js'

export async function takeLease<Schema>(database: Database<Schema>, name: string, owner: string, ms: number): Promise<boolean> {
  const { now } = database
  return database.transaction(async (trx) => {
    const shared = trx as unknown as Transaction<SharedSchema>
    const row = await shared
      .insertInto('leases')
      .values((eb) => ({ name, owner, until: eb(now, '+', ms) }))
      .onConflict((conflict) =>
        conflict
          .column('name')
          .doUpdateSet((eb) => ({ owner, until: eb(now, '+', ms) }))
          .where((eb) => eb.or([eb('leases.until', '<=', now), eb('leases.owner', '=', owner)])),
      )
      .returning('owner')
      .executeTakeFirst()
    return row?.owner === owner
  })
}
