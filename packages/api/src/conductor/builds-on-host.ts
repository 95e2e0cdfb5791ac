/** Builds that have chosen a host: the server may not be on it yet, or not any more, but its saga still works there. */
import type { CellDatabase } from '../cells/cells.service.js'

/** The servers that are being built on a host, or unwound from it. */
export async function buildsOn(database: CellDatabase, host: string): Promise<string[]> {
  const rows = await database.read.selectFrom('sagas').select(['server_id', 'state']).where('kind', '=', 'build_on_host').execute()
  return rows
    .filter((row) => (JSON.parse(row.state) as { selected?: { host?: string } }).selected?.host === host)
    .map((row) => row.server_id)
    .filter((id): id is string => id !== null)
}
