/** What the checks of the auditor compare: the contents of all databases, and what is in motion. */
import type { InstanceRow } from '../cells/instance.store.js'
import type { Database, Row } from '../db/database.js'
import type { ApiSchema, SharedSchema } from '../db/schemas.js'

export interface HostPresence {
  host: string
  /** Servers with a guest, disks or anything else on the host, as its driver tells. */
  present: readonly string[]
}

export interface LocatedInstance {
  row: InstanceRow
  cellId: string
}
export type SagaInfo = Pick<Row<SharedSchema, 'sagas'>, 'id' | 'kind' | 'operation_id' | 'server_id' | 'state'>

/** Everything of the databases that the checks compare. */
export interface Inventory {
  api: Database<ApiSchema>
  live: Map<string, LocatedInstance[]>
  sagas: SagaInfo[]
  /** Servers a saga works on. */
  inMotion: ReadonlySet<string>
  find: (kind: string, subject: string, message: string) => void
}

/** The instance that has a host, if the server lives and has one. */
export const placed = (inventory: Inventory, serverId: string): InstanceRow | null =>
  inventory.live.get(serverId)?.find(({ row }) => row.host !== null)?.row ?? null
