/** Finds servers wherever they are: in their cell, in cell0, or still waiting for a cell. */
import { CloudError } from '@kilonova/contract/errors'
import { type Kysely, sql } from 'kysely'
import type { Cell, CellsService } from '../../cells/cells.service.js'
import { type InstanceRow, instanceNotFound } from '../../cells/instance.store.js'
import type { Database, DialectName } from '../../db/database.js'
import { countRows } from '../../db/list.js'
import {
  afterValues,
  compareRows,
  decodeListCursor,
  encodeListCursor,
  orderOf,
  type Page,
  type PageRequest,
  pageSize,
  type SortKey,
  type SortValue,
  sortValuesOf,
} from '../../db/paging.js'
import type { ApiSchema, CellSchema } from '../../db/schemas.js'
import { filterServers, rowTest, type ServerFilterInput } from './server.query.js'

/** A server and where it was found; no cell: it waits for one. */
export interface FoundServer {
  row: InstanceRow
  cell: Cell | null
}

export interface ServerListRequest extends PageRequest {
  filter: ServerFilterInput
  /** Null: all projects. */
  projectId: string | null
  keys: readonly SortKey[]
  fingerprint: string
  maximum: number
}

/** Rows read at once when a regular expression must look at each. */
const scanBatch = 500

export class ServerRepository {
  readonly #api: Database<ApiSchema>
  readonly #cells: CellsService

  constructor(api: Database<ApiSchema>, cells: CellsService) {
    this.#api = api
    this.#cells = cells
  }

  /** A live server by id, in a project or (null) in any; null when there is none. */
  async find(id: string, projectId: string | null): Promise<FoundServer | null> {
    const mapping = await this.#mapping(id)
    if (mapping === undefined || (projectId !== null && mapping.project_id !== projectId)) return null
    if (mapping.cell_uuid !== null) {
      const found = await this.#inCell(id, mapping.cell_uuid)
      if (found !== null) return found
    }
    const request = await this.#api.read.selectFrom('build_requests').selectAll().where('instance_uuid', '=', id).executeTakeFirst()
    if (request !== undefined) return { row: asRow(request.instance), cell: null }
    // It may have got its cell between the two reads.
    const later = mapping.cell_uuid === null ? await this.#mapping(id) : undefined
    return later?.cell_uuid == null ? null : this.#inCell(id, later.cell_uuid)
  }

  #mapping(id: string) {
    return this.#api.read.selectFrom('instance_mappings').selectAll().where('instance_uuid', '=', id).executeTakeFirst()
  }

  async #inCell(id: string, cellId: string): Promise<FoundServer | null> {
    const cell = await this.#cells.get(cellId)
    const { answers } = await this.#cells.scatter([cell], ({ database }) =>
      database.read.selectFrom('instances').selectAll().where('uuid', '=', id).where('deleted_at', 'is', null).executeTakeFirst(),
    )
    const [answer] = answers
    if (answer === undefined) throw new CloudError('CELL_UNAVAILABLE', `The cell of server ${id} does not answer.`)
    return answer.value === undefined ? null : { row: answer.value, cell }
  }

  async require(id: string, projectId: string | null): Promise<FoundServer> {
    const found = await this.find(id, projectId)
    if (found === null) throw instanceNotFound(id)
    return found
  }

  /** Live servers by id, whatever their project; absent where there are none. */
  async findMany(ids: readonly string[]): Promise<Map<string, FoundServer>> {
    const found = new Map<string, FoundServer>()
    const waiting = await this.#waiting(null, ids)
    for (const row of waiting) found.set(row.uuid, { row, cell: null })
    const { answers } = await this.#cells.scatter(await this.#cells.all(), ({ database }) =>
      database.read
        .selectFrom('instances')
        .selectAll()
        .where('uuid', 'in', [...ids])
        .where('deleted_at', 'is', null)
        .execute(),
    )
    for (const { cell, value } of answers) for (const row of value) found.set(row.uuid, { row, cell })
    return found
  }

  /** One page over all cells, merged in order (A-CELL-36). The number of statements does not depend on the number of servers. */
  async list(request: ServerListRequest): Promise<Page<FoundServer>> {
    const { keys, fingerprint, filter, projectId } = request
    const size = pageSize(request.first, request.maximum)
    const after = request.after == null ? null : decodeListCursor(request.after, fingerprint, keys)
    const test = rowTest(filter)
    const take = { keys, after, limit: size + 1, test }
    const waiting = await this.#waiting(projectId, null)
    const { answers, missing } = await this.#cells.scatter(await this.#cells.all(), async (cell) => {
      const source = filterServers(cell.database.read.selectFrom('instances').selectAll(), filter, projectId, cell.database.dialect)
      return fetchRows(source, cell.database.dialect, take)
    })
    const merged = new Map<string, FoundServer>()
    if (waiting.length > 0) {
      const source = filterServers(asTable(this.#api, waiting).selectFrom('instances').selectAll(), filter, projectId, this.#api.dialect)
      for (const row of await fetchRows(source, this.#api.dialect, take)) merged.set(row.uuid, { row, cell: null })
    }
    for (const { cell, value } of answers) for (const row of value) merged.set(row.uuid, { row, cell })
    const sorted = [...merged.values()]
      .map((found) => ({ found, values: sortValuesOf(keys, found.row) }))
      .sort((a, b) => compareRows(keys, a.values, b.values))
    return {
      edges: sorted.slice(0, size).map(({ found, values }) => ({ cursor: encodeListCursor(fingerprint, values), node: found })),
      hasNextPage: sorted.length > size,
      hasPreviousPage: after !== null,
      totalCount: () => this.#count(request, waiting, test),
      isPartial: missing.length > 0,
    }
  }

  async #count(request: ServerListRequest, waiting: InstanceRow[], test: ((row: InstanceRow) => boolean) | null): Promise<number> {
    const { filter, projectId } = request
    // One that has come into a cell since it was seen waiting is counted once.
    const seen = waiting.map((row) => row.uuid)
    const { answers } = await this.#cells.scatter(await this.#cells.all(), async (cell) => {
      const all = filterServers(cell.database.read.selectFrom('instances').selectAll(), filter, projectId, cell.database.dialect)
      const source = seen.length === 0 ? all : all.where('uuid', 'not in', seen)
      return test === null ? countRows(source) : countMatching(source, cell.database.dialect, test)
    })
    let total = answers.reduce((sum, { value }) => sum + value, 0)
    if (waiting.length > 0) {
      const source = filterServers(asTable(this.#api, waiting).selectFrom('instances').selectAll(), filter, projectId, this.#api.dialect)
      total += test === null ? await countRows(source) : await countMatching(source, this.#api.dialect, test)
    }
    return total
  }

  async #waiting(projectId: string | null, ids: readonly string[] | null): Promise<InstanceRow[]> {
    let query = this.#api.read.selectFrom('build_requests').select('instance')
    if (projectId !== null) query = query.where('project_id', '=', projectId)
    if (ids !== null) query = query.where('instance_uuid', 'in', [...ids])
    return (await query.execute()).map((row) => asRow(row.instance))
  }
}

const asRow = (instance: string): InstanceRow => ({ id: 0, ...(JSON.parse(instance) as Omit<InstanceRow, 'id'>) })

/** Shows rows in memory to the database under the name of the table, so that the same conditions apply to them. */
function asTable(api: Database<ApiSchema>, rows: readonly InstanceRow[]): Kysely<CellSchema> {
  const columns = Object.keys(rows[0] ?? {}) as (keyof InstanceRow)[]
  const numeric = new Set(columns.filter((column) => rows.some((row) => typeof row[column] === 'number') || /_at$/.test(column)))
  const tuples = rows.map(
    (row) =>
      sql`(${sql.join(columns.map((column) => (numeric.has(column) ? sql`cast(${row[column]} as bigint)` : sql`cast(${row[column]} as text)`)))})`,
  )
  const reader = api.read as unknown as Kysely<CellSchema>
  const name = `instances(${columns.join(', ')})` as 'instances'
  return reader.with(name, () => sql<InstanceRow>`(values ${sql.join(tuples)})`) as unknown as Kysely<CellSchema>
}

type RowQuery = ReturnType<typeof filterServers<InstanceRow>>
interface Take {
  keys: readonly SortKey[]
  after: readonly SortValue[] | null
  limit: number
  test: ((row: InstanceRow) => boolean) | null
}

async function fetchRows(source: RowQuery, dialect: DialectName, take: Take): Promise<InstanceRow[]> {
  const { keys, limit, test } = take
  const ordered = orderOf(keys, dialect).reduce<RowQuery>((query, part) => query.orderBy(part) as RowQuery, source)
  const batch = async (after: readonly SortValue[] | null, count: number): Promise<InstanceRow[]> =>
    (after === null ? ordered : (ordered.where(afterValues(keys, after, dialect)) as RowQuery)).limit(count).execute()
  if (test === null) return batch(take.after, limit)
  const matching: InstanceRow[] = []
  let { after } = take
  for (;;) {
    const rows = await batch(after, scanBatch)
    for (const row of rows) if (test(row)) matching.push(row)
    const last = rows.at(-1)
    if (last === undefined || rows.length < scanBatch || matching.length >= limit) return matching.slice(0, limit)
    after = sortValuesOf(keys, last)
  }
}

async function countMatching(source: RowQuery, dialect: DialectName, test: (row: InstanceRow) => boolean): Promise<number> {
  const keys: SortKey[] = [{ column: 'uuid', property: 'uuid', type: 'text', direction: 'ASC' }]
  const all = await fetchRows(source, dialect, { keys, after: null, limit: Number.MAX_SAFE_INTEGER, test })
  return all.length
}
