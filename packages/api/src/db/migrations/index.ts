/** The migrations of each schema and dialect, oldest first. Add a line here for each file that make-migration writes. */
import type { Constructor } from '@mikro-orm/core'
import type { Migration } from '@mikro-orm/migrations'
import type { DialectName } from '../database.js'
import type { SchemaName } from '../schemas.js'
import { Migration0001 as ApiPostgres0001 } from './api/postgres/0001-initial.js'
import { Migration0001 as ApiSqlite0001 } from './api/sqlite/0001-initial.js'
import { Migration0001 as CellPostgres0001 } from './cell/postgres/0001-initial.js'
import { Migration0001 as CellSqlite0001 } from './cell/sqlite/0001-initial.js'

interface KnownMigration {
  name: string
  class: Constructor<Migration>
}

const known: Record<SchemaName, Record<DialectName, KnownMigration[]>> = {
  api: {
    sqlite: [{ name: '0001-initial', class: ApiSqlite0001 }],
    postgres: [{ name: '0001-initial', class: ApiPostgres0001 }],
  },
  cell: {
    sqlite: [{ name: '0001-initial', class: CellSqlite0001 }],
    postgres: [{ name: '0001-initial', class: CellPostgres0001 }],
  },
}

export const migrationsOf = (schema: SchemaName, dialect: DialectName): KnownMigration[] => known[schema][dialect]
