/** Statements of a database, counted and timed by kind. */
import type { Metrics } from '@kilonova/runtime/observability/metrics'
import type { LogEvent } from 'kysely'

const kinds: Record<string, string> = {
  SelectQueryNode: 'select',
  InsertQueryNode: 'insert',
  UpdateQueryNode: 'update',
  DeleteQueryNode: 'delete',
}

export function observeStatements(metrics: Metrics, database: string): (event: LogEvent) => void {
  const statements = metrics.histogram(
    'kilonova_database_statement_seconds',
    'Statements of the databases, with their way there and back.',
    ['database', 'statement', 'outcome'],
  )
  return ({ level, query, queryDurationMillis }) => {
    const labels = { database, statement: kinds[query.query.kind] ?? 'other', outcome: level === 'query' ? 'ok' : 'failed' }
    statements.observe(labels, queryDurationMillis / 1000)
  }
}
