/** The audit log: what was asked of the cloud, by whom, and how it ended. */
import { CloudError } from '@kilonova/contract/errors'
import type { Logger } from '@kilonova/runtime/logger'
import { sql } from 'kysely'
import { type Caller, isAdmin } from '../../caller.js'
import type { Database, Row } from '../../db/database.js'
import { listPage } from '../../db/list.js'
import { listFingerprint, type Page, type PageRequest, type SortKey } from '../../db/paging.js'
import type { ApiSchema } from '../../db/schemas.js'
import type { Policy } from '../../policy/policy.js'

export type AuditRow = Row<ApiSchema, 'audit_log'>

export interface AuditRecord {
  requestId: string
  clientAddress: string
  caller: Caller | null
  field: string
  input: unknown
  /** Null: done or accepted. */
  error: unknown
  targetIds: string[]
  operationId: string | null
}

export interface AuditFilterInput {
  userId?: string | null
  projectId?: string | null
  fields?: string[] | null
  results?: string[] | null
  targetId?: string | null
  requestId?: string | null
  since?: number | null
  until?: number | null
}

export interface AuditServiceOptions {
  db: Database<ApiSchema>
  policy: Policy
  log: Logger
  maxPageSize: number
  retentionDays: number
}

const dayMs = 86_400_000
const purgeEveryMs = 600_000
const secretName = /password|secret|token|credentials|userdata|onetimecode|privatekey/i
const longestText = 1024
const longestInput = 16_384
const mostTargets = 250

export class AuditService {
  readonly #options: AuditServiceOptions
  #waiting: { record: AuditRecord; done: () => void }[] = []
  #writing: Promise<void> | null = null
  #purgeAt = 0

  constructor(options: AuditServiceOptions) {
    this.#options = options
  }

  /** Written when the promise is fulfilled; requests that come at once are written together. It never fails: the request is over. */
  record(record: AuditRecord): Promise<void> {
    return new Promise((done) => {
      this.#waiting.push({ record, done })
      this.#writing ??= this.#writeAll().finally(() => {
        this.#writing = null
      })
    })
  }

  /** Entries of the caller's project; of all projects for those who pass the rule for them. */
  async list(
    caller: Caller,
    request: PageRequest & { filter?: AuditFilterInput | null; orderBy?: { direction: 'ASC' | 'DESC' }[] | null },
  ): Promise<Page<AuditRow>> {
    this.#options.policy.enforce('cloud:audit:read', caller)
    const filter = request.filter ?? {}
    let query = this.#options.db.read.selectFrom('audit_log').selectAll()
    if (!isAdmin(caller)) query = query.where('project_id', '=', caller.projectId ?? '')
    if (filter.projectId != null) query = query.where('project_id', '=', filter.projectId)
    if (filter.userId != null) query = query.where('user_id', '=', filter.userId)
    if (filter.fields != null) query = query.where('field', 'in', [...filter.fields, ''])
    if (filter.results != null) query = query.where('result', 'in', [...filter.results, ''])
    if (filter.requestId != null) query = query.where('request_id', '=', filter.requestId)
    if (filter.since != null) query = query.where('occurred_at', '>=', filter.since)
    if (filter.until != null) query = query.where('occurred_at', '<=', filter.until)
    if (filter.targetId != null) {
      const pattern = `%${JSON.stringify(filter.targetId).replaceAll(/[\\%_]/g, (wildcard) => `\\${wildcard}`)}%`
      query = query.where(sql<boolean>`target_ids like ${pattern} escape '\\'`)
    }
    const direction = request.orderBy?.[0]?.direction ?? 'DESC'
    const keys = (['occurred_at', 'id'] as const).map((column): SortKey => ({ column, property: column, type: 'number', direction }))
    return listPage(this.#options.db, query, request, {
      keys,
      fingerprint: listFingerprint('auditLog', isAdmin(caller) ? null : caller.projectId, filter, direction),
      maximum: this.#options.maxPageSize,
      toNode: (row) => row,
    })
  }

  async #writeAll(): Promise<void> {
    const { db, log } = this.#options
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, 100)
      try {
        await db.transaction(async (trx) => {
          await trx
            .insertInto('audit_log')
            .values(batch.map(({ record }) => ({ ...rowOf(record), occurred_at: db.now })))
            .execute()
          await this.#purge((before) =>
            trx
              .deleteFrom('audit_log')
              .where((eb) => eb('occurred_at', '<', eb(db.now, '-', before)))
              .execute(),
          )
        })
      } catch (error) {
        log.error({ err: error, fields: batch.map(({ record }) => record.field) }, 'the audit log could not be written')
      }
      for (const { done } of batch) done()
    }
  }

  async #purge(remove: (olderThanMs: number) => Promise<unknown>): Promise<void> {
    const now = performance.now()
    if (now < this.#purgeAt) return
    this.#purgeAt = now + purgeEveryMs
    await remove(this.#options.retentionDays * dayMs)
  }
}

function rowOf(record: AuditRecord) {
  const { caller, error } = record
  const code = error === null ? null : error instanceof CloudError ? error.code : 'INTERNAL'
  return {
    request_id: record.requestId,
    user_id: caller?.userId ?? null,
    project_id: caller?.projectId ?? null,
    auth_method: caller === null ? null : (caller.authMethod ?? 'PASSWORD'),
    application_credential_id: caller?.authMethod === 'APPLICATION_CREDENTIAL' ? caller.sessionId : null,
    client_address: record.clientAddress,
    field: record.field,
    input: inputText(record.input),
    result: code === null ? 'SUCCESS' : code === 'FORBIDDEN' ? 'DENIED' : 'ERROR',
    error_code: code,
    target_ids: JSON.stringify([...new Set(record.targetIds)].slice(0, mostTargets)),
    operation_id: record.operationId,
  }
}

/** The input as text, without secrets and without what is too long to keep. */
function inputText(input: unknown): string | null {
  if (input === undefined) return null
  const text = JSON.stringify(input, (key: string, value: unknown) => {
    if (secretName.test(key) && value !== null && value !== undefined) return '[secret]'
    return typeof value === 'string' && value.length > longestText ? `${value.slice(0, longestText)}…` : value
  })
  return text.length > longestInput ? JSON.stringify({ tooLong: text.length }) : text
}
