/** Brings a database to the schema of this build. A landed migration is never edited; a database from the future is refused. */
import type { EntitySchema } from '@mikro-orm/core'
import { Migrator } from '@mikro-orm/migrations'
import { MikroORM as PostgresORM } from '@mikro-orm/postgresql'
import { MikroORM as SqliteORM } from '@mikro-orm/sqlite'
import { sql } from 'kysely'
import type { Database, DialectName } from './database.js'
import { migrationsOf } from './migrations/index.js'
import { apiEntities, cellEntities, type SchemaName } from './schemas.js'

export class NewerSchemaError extends Error {
  constructor(database: string, migration: string) {
    super(
      `The ${database} database was written by a newer Kilonova (it has migration ${migration}, which this build does not know). Start the newer build, or restore a backup.`,
    )
    this.name = 'NewerSchemaError'
  }
}

/** An ORM over an open database; used for migrations and schema comparison, never for queries. */
export async function schemaTools<Schema>(database: Database<Schema>, schema: SchemaName) {
  // Their types say too much: what is declared here would name every column.
  const entities: EntitySchema[] = [...(schema === 'api' ? apiEntities : cellEntities)]
  const options = {
    entities,
    driverOptions: database.migrationClient,
    // The migrator makes the database when this name does not exist; it is made by whoever installs, so name the real one.
    dbName: database.dialect === 'sqlite' ? database.name : new URL(database.url).pathname.slice(1),
    ensureDatabase: false,
    extensions: [Migrator],
    logger: () => {},
    discovery: { warnWhenNoEntities: false },
    migrations: {
      tableName: 'migrations',
      migrationsList: migrationsOf(schema, database.dialect),
      snapshot: false,
      transactional: true,
      allOrNothing: true,
      disableForeignKeys: false,
    },
  }
  return database.dialect === 'sqlite' ? SqliteORM.init(options) : PostgresORM.init(options)
}

/** Number of the lock that processes which start together take before they look at the schema. */
const migrationLock = 7_411_802_233

/** Applies what is missing and tells what it did. Processes that start together wait for each other; SQLite has one process only. */
export async function migrate<Schema>(database: Database<Schema>, schema: SchemaName): Promise<string[]> {
  if (database.dialect === 'sqlite') return migrateNow(database, schema)
  return database.migrationClient.connection().execute(async (connection) => {
    await sql`select pg_advisory_lock(${migrationLock})`.execute(connection)
    try {
      return await migrateNow(database, schema)
    } finally {
      await sql`select pg_advisory_unlock(${migrationLock})`.execute(connection)
    }
  })
}

async function migrateNow<Schema>(database: Database<Schema>, schema: SchemaName): Promise<string[]> {
  await refuseNewer(database, schema, database.dialect)
  const orm = await schemaTools(database, schema)
  const applied = await orm.migrator.up()
  return applied.map((migration) => migration.name)
}

async function refuseNewer<Schema>(database: Database<Schema>, schema: SchemaName, dialect: DialectName): Promise<void> {
  const known = new Set(migrationsOf(schema, dialect).map((migration) => migration.name))
  const tables = await database.migrationClient.introspection.getTables()
  if (!tables.some((table) => table.name === 'migrations')) return
  const { rows } = await sql<{ name: string }>`select name from migrations order by id`.execute(database.migrationClient)
  const unknown = rows.find((row) => !known.has(row.name))
  if (unknown !== undefined) throw new NewerSchemaError(database.name, unknown.name)
}
