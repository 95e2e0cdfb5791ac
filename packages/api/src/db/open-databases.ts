/** Opens the databases of a deployment, brings them to this build's schema, and keeps the map of its cells current. */
import type { Logger } from '@kilonova/runtime/logger'
import type { Metrics } from '@kilonova/runtime/observability/metrics'
import type { Cell } from '../cells/cells.service.js'
import { Database } from './database.js'
import { migrate } from './migrator.js'
import type { ApiSchema, CellSchema } from './schemas.js'

export interface DatabaseAddresses {
  apiUrl: string
  /** cell0 first, then the cells with hosts. */
  cells: { id: string; name: string; url: string; transportUrl: string }[]
}

export async function openDatabases(
  { apiUrl, cells: addresses }: DatabaseAddresses,
  log: Logger,
  metrics: Metrics,
): Promise<{ api: Database<ApiSchema>; cells: Cell[] }> {
  const api = new Database<ApiSchema>({ url: apiUrl, name: 'api', log, metrics })
  const applied = await migrate(api, 'api')
  const cells: Cell[] = []
  for (const cell of addresses) {
    const database = new Database<CellSchema>({ url: cell.url, name: cell.name, log, metrics })
    applied.push(...(await migrate(database, 'cell')))
    cells.push({ id: cell.id, database })
  }
  const { now } = api
  await api.transaction(async (trx) => {
    for (const cell of addresses) {
      const values = { name: cell.name, transport_url: cell.transportUrl, database_connection: cell.url, updated_at: now }
      await trx
        .insertInto('cell_mappings')
        .values({ uuid: cell.id, created_at: now, ...values })
        .onConflict((conflict) => conflict.column('uuid').doUpdateSet(values))
        .execute()
    }
  })
  if (applied.length > 0) log.info({ migrations: applied.length }, 'databases brought to this version')
  return { api, cells }
}
