/**
 * One database (the API database, or a cell's) on one of the two dialects. Entities give the schema and its types; every query is
 * written with Kysely. Reads go through `read`; every write is in a `transaction`.
 */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Logger } from '@kilonova/runtime/logger'
import type { Metrics } from '@kilonova/runtime/observability/metrics'
import { assertNoTransaction, type OpenTransaction, openTransaction, runInTransactionScope } from '@kilonova/runtime/transaction-scope'
import { Kysely, type LogEvent, PostgresDialect, type RawBuilder, type Selectable, sql, type Transaction } from 'kysely'
import pg from 'pg'
import { sqliteDialect } from './sqlite-dialect.js'
import { observeStatements } from './statement-metrics.js'

export type DialectName = 'sqlite' | 'postgres'
export type Row<Schema, Table extends keyof Schema> = Selectable<Schema[Table]>

export interface DatabaseOptions {
  /** `sqlite:///path/to/file` or `postgres://…`. */
  url: string
  name: string
  log: Logger
  poolSize?: number
  /** Absent: statements are not measured. */
  metrics?: Metrics
}

// int8 as a number: every bigint column holds milliseconds or bytes, far below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, (text: string) => Number(text))
pg.types.setTypeParser(pg.types.builtins.NUMERIC, (text: string) => Number(text))

const retryable = new Set(['40001', '40P01'])
const statementCounters = new Set<(sql: string) => void>()

/** Counts SQL statements of all databases while `work` runs; for tests and benchmarks. */
export async function countStatements<T>(work: () => Promise<T>): Promise<{ result: T; statements: string[] }> {
  const statements: string[] = []
  const counter = (text: string): void => void statements.push(text)
  statementCounters.add(counter)
  try {
    return { result: await work(), statements }
  } finally {
    statementCounters.delete(counter)
  }
}

export class Database<Schema> {
  readonly name: string
  readonly dialect: DialectName
  readonly url: string
  readonly #reader: Kysely<Schema>
  readonly #writer: Kysely<Schema>
  readonly #outboxListeners = new Set<() => void>()

  constructor(options: DatabaseOptions) {
    this.name = options.name
    this.url = options.url
    const observe = options.metrics === undefined ? undefined : observeStatements(options.metrics, options.name)
    const log = (event: LogEvent): void => {
      observe?.(event)
      if (event.level === 'query') for (const counter of statementCounters) counter(event.query.sql)
    }
    if (options.url.startsWith('sqlite://')) {
      this.dialect = 'sqlite'
      const file = options.url.slice('sqlite://'.length)
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
      this.#writer = new Kysely<Schema>({ dialect: sqliteDialect({ file, readOnly: false }), log })
      this.#reader = new Kysely<Schema>({ dialect: sqliteDialect({ file, readOnly: true }), log })
    } else {
      this.dialect = 'postgres'
      const pool = new pg.Pool({ connectionString: options.url, max: options.poolSize ?? 10, options: '-c timezone=UTC' })
      const lost = (error: Error): void => options.log.warn({ err: error, database: this.name }, 'a database connection was lost')
      pool.on('error', lost)
      // The pool does not listen to those that are in use.
      pool.on('connect', (client) => client.on('error', lost))
      this.#writer = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }), log })
      this.#reader = this.#writer
    }
  }

  /** For reads. Inside a transaction this throws: use the transaction. */
  get read(): Kysely<Schema> {
    assertNoTransaction(`a query of ${this.name}`)
    return this.#reader
  }

  /** The connection that writes; for the migrator only. */
  get migrationClient(): Kysely<Schema> {
    return this.#writer
  }

  /** All of `work` or nothing. It may run again after a deadlock, so it must have no effect but on this database. */
  async transaction<T>(work: (trx: Transaction<Schema>) => Promise<T>): Promise<T> {
    assertNoTransaction(`a transaction of ${this.name}`)
    for (let attempt = 1; ; attempt++) {
      const scope: OpenTransaction = { database: this.name, afterCommit: [] }
      try {
        const result = await this.#writer.transaction().execute((trx) => runInTransactionScope(scope, () => work(trx)))
        for (const run of scope.afterCommit) run()
        return result
      } catch (error) {
        const code = (error as { code?: string }).code ?? ''
        if (attempt >= 5 || !retryable.has(code)) throw error
        await new Promise((resolve) => setTimeout(resolve, 5 * attempt + Math.random() * 20))
      }
    }
  }

  /** The database's clock, in milliseconds since the epoch: the one clock that all services of a cell share. */
  get now(): RawBuilder<number> {
    return this.dialect === 'sqlite'
      ? sql<number>`cast(unixepoch('now', 'subsec') * 1000 as integer)`
      : sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`
  }

  /** Reads the database's clock. */
  async readClock(): Promise<number> {
    const { rows } = await sql<{ now: number }>`select ${this.now} as now`.execute(this.read)
    return Number(rows[0]?.now)
  }

  /** Locks rows for the rest of the transaction; SQLite's single writer needs no lock. */
  lockClause(): RawBuilder<unknown> {
    return this.dialect === 'sqlite' ? sql`` : sql`for update`
  }

  /** Called by the outbox: tells the relay once the transaction has committed. */
  noteOutbox(): void {
    const scope = openTransaction()
    if (scope === undefined) throw new Error('the outbox is written inside a transaction')
    scope.afterCommit.push(() => {
      for (const listener of this.#outboxListeners) listener()
    })
  }

  onOutbox(listener: () => void): () => void {
    this.#outboxListeners.add(listener)
    return () => this.#outboxListeners.delete(listener)
  }

  /** Whether a statement gets through now. */
  async answers(): Promise<boolean> {
    await sql`select 1`.execute(this.read)
    return true
  }

  async close(): Promise<void> {
    await this.#writer.destroy()
    if (this.#reader !== this.#writer) await this.#reader.destroy()
  }
}

/** Rejects a duplicate on either dialect. */
export const isUniqueViolation = (error: unknown): boolean => {
  const { code } = error as { code?: string }
  return code === '23505' || code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY'
}
