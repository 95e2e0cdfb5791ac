/**
 * Kysely dialect over better-sqlite3 for the embedded database. It differs from Kysely's own in two things: transactions begin
 * IMMEDIATE (so that a writer never fails half-way with SQLITE_BUSY), and statements are prepared once.
 */
import SqliteDatabase from 'better-sqlite3'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { LRUCache } from 'lru-cache'

type Native = InstanceType<typeof SqliteDatabase>

export interface SqliteDialectOptions {
  file: string
  /** A connection for reads only never waits for a writer (WAL). */
  readOnly: boolean
}

class Connection implements DatabaseConnection {
  readonly #prepared = new LRUCache<string, ReturnType<Native['prepare']>>({ max: 300 })
  constructor(readonly native: Native) {}

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    let statement = this.#prepared.get(query.sql)
    if (statement === undefined) {
      statement = this.native.prepare(query.sql)
      this.#prepared.set(query.sql, statement)
    }
    if (statement.reader) return { rows: statement.all(query.parameters) as R[] }
    const { changes, lastInsertRowid } = statement.run(query.parameters)
    return { rows: [], insertId: BigInt(lastInsertRowid), numAffectedRows: BigInt(changes) }
  }

  // biome-ignore lint/correctness/useYield: nothing streams from SQLite here
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('streaming is not used with SQLite')
  }
}

class SqliteDriver implements Driver {
  readonly #options: SqliteDialectOptions
  #connection: Connection | undefined
  /** Tail of the queue for the one connection. */
  #queue: Promise<void> = Promise.resolve()
  #release: (() => void) | undefined

  constructor(options: SqliteDialectOptions) {
    this.#options = options
  }

  async init(): Promise<void> {
    const native = new SqliteDatabase(this.#options.file, { timeout: 5000 })
    native.pragma('journal_mode = WAL')
    native.pragma('synchronous = normal')
    native.pragma('foreign_keys = on')
    native.pragma('cache_size = -16000')
    if (this.#options.readOnly) native.pragma('query_only = on')
    this.#connection = new Connection(native)
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#queue
    let release: () => void = () => {}
    this.#queue = new Promise((resolve) => {
      release = resolve
    })
    await before
    this.#release = release
    if (this.#connection === undefined) throw new Error('the database is closed')
    return this.#connection
  }

  async releaseConnection(): Promise<void> {
    this.#release?.()
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }
  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'))
  }
  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('rollback'))
  }
  async savepoint(connection: DatabaseConnection, savepointName: string): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(`savepoint "${savepointName}"`))
  }
  async rollbackToSavepoint(connection: DatabaseConnection, savepointName: string): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(`rollback to "${savepointName}"`))
  }
  async releaseSavepoint(connection: DatabaseConnection, savepointName: string): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(`release "${savepointName}"`))
  }
  async destroy(): Promise<void> {
    this.#connection?.native.close()
    this.#connection = undefined
  }
}

export const sqliteDialect = (options: SqliteDialectOptions): Dialect => ({
  createAdapter: () => new SqliteAdapter(),
  createDriver: () => new SqliteDriver(options),
  createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
  createQueryCompiler: () => new SqliteQueryCompiler(),
})
