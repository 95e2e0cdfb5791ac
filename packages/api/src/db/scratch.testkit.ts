/** Migrated databases for tests that need no cloud: SQLite in a temporary folder, PostgreSQL where it is installed. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '@kilonova/runtime/logger'
import pg from 'pg'
import { Database, type DialectName } from './database.js'
import { migrate } from './migrator.js'
import type { ApiSchema } from './schemas.js'

const postgres = process.env.KILONOVA_TEST_POSTGRES
export const scratchDialects: DialectName[] = postgres === undefined ? ['sqlite'] : ['sqlite', 'postgres']

async function administer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: postgres })
  await client.connect()
  await client.query(statement)
  await client.end()
}

export interface Scratch {
  database: Database<ApiSchema>
  drop(): Promise<void>
}

export async function scratchDatabase(dialect: DialectName): Promise<Scratch> {
  const name = `scratch_${process.pid}_${Math.random().toString(36).slice(2, 8)}`
  const folder = mkdtempSync(join(tmpdir(), 'kilonova-scratch-'))
  if (dialect === 'postgres') await administer(`create database ${name}`)
  const url = dialect === 'sqlite' ? `sqlite://${join(folder, 'scratch.db')}` : (postgres ?? '').replace(/\/[^/]*$/, `/${name}`)
  const database = new Database<ApiSchema>({ url, name, log: createLogger('silent') })
  await migrate(database, 'api')
  return {
    database,
    drop: async () => {
      await database.close()
      rmSync(folder, { recursive: true, force: true })
      if (dialect === 'postgres') await administer(`drop database ${name} with (force)`)
    },
  }
}
