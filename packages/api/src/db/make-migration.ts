/**
 * Developer's tool: writes the migrations that lead from the last landed schema to the entities, for both dialects.
 * `node dist/db/make-migration.js <name> <postgres-url>`; the PostgreSQL database must be empty.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '@kilonova/runtime/logger'
import { sql } from 'kysely'
import { Database } from './database.js'
import { migrate, schemaTools } from './migrator.js'

const [migrationName, postgresUrl] = process.argv.slice(2)
if (migrationName === undefined || postgresUrl === undefined) {
  process.stderr.write('usage: make-migration <name> <postgres-url>\n')
  process.exit(2)
}
const root = join(import.meta.dirname, '../../src/db/migrations')
const stamp = new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14)

for (const dialect of ['sqlite', 'postgres'] as const) {
  for (const schema of ['api', 'cell'] as const) {
    const file = join(tmpdir(), `kilonova-migration-${process.pid}-${schema}.db`)
    const url = dialect === 'sqlite' ? `sqlite://${file}` : postgresUrl
    const database = new Database({ url, name: schema, log: createLogger('warn') })
    if (dialect === 'postgres') {
      await sql`drop schema public cascade`.execute(database.migrationClient)
      await sql`create schema public`.execute(database.migrationClient)
    }
    await migrate(database, schema)
    const orm = await schemaTools(database, schema)
    const statements = (await orm.schema.getUpdateSchemaSQL({ wrap: false, safe: false, dropTables: false }))
      .split(/;\s*\n/)
      .map((statement) => statement.replace(/;\s*$/, '').trim())
      .filter((statement) => statement !== '' && !statement.includes('migrations'))
    await database.close()
    rmSync(file, { force: true })
    if (statements.length === 0) continue
    const folder = join(root, schema, dialect)
    mkdirSync(folder, { recursive: true })
    const number = String(readdirSync(folder).length + 1).padStart(4, '0')
    const className = `Migration${number}`
    const body = statements.map((statement) => `    this.addSql(\`${statement.replaceAll('`', '\\`')}\`)`).join('\n')
    writeFileSync(
      join(folder, `${number}-${migrationName}.ts`),
      `// Made ${stamp} by make-migration. Never edit a landed migration.\nimport { Migration } from '@mikro-orm/migrations'\n\nexport class ${className} extends Migration {\n  override up(): void {\n${body}\n  }\n}\n`,
    )
    process.stdout.write(`${schema}/${dialect}/${number}-${migrationName}: ${statements.length} statements\n`)
  }
}
