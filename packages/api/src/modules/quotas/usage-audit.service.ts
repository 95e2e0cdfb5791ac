/** What the usage audit has done, host by host. */
import type { Caller } from '../../caller.js'
import type { CellsService } from '../../cells/cells.service.js'
import type { Database } from '../../db/database.js'
import type { ApiSchema } from '../../db/schemas.js'
import type { Policy } from '../../policy/policy.js'
import { type AuditPeriod, lastPeriod } from './audit-period.js'
import type { UsageAuditState } from './usage-audit.types.js'

export interface UsageAuditView {
  periodStart: number
  periodEnd: number
  overallStatus: string
  totalServers: number
  totalErrors: number
  hosts: { host: string; state: UsageAuditState; message: string; servers: number; errors: number }[]
}

export interface UsageAuditServiceOptions {
  api: Database<ApiSchema>
  cells: CellsService
  policy: Policy
  period: AuditPeriod
  isEnabled: boolean
}

export class UsageAuditService {
  readonly #options: UsageAuditServiceOptions

  constructor(options: UsageAuditServiceOptions) {
    this.#options = options
  }

  /** Null where the audit is off and has never been done for that period. */
  async usageAudit(caller: Caller, before?: number | null): Promise<UsageAuditView | null> {
    const { api, cells, isEnabled, period, policy } = this.#options
    policy.enforce('os_compute_api:os-instance-usage-audit-log:list', caller)
    if (before != null) policy.enforce('os_compute_api:os-instance-usage-audit-log:show', caller)
    const now = await api.readClock()
    const window = lastPeriod(period, Math.min(before ?? now, now))
    const { answers } = await cells.scatter(await cells.withHosts(), async ({ database }) => ({
      services: await database.read.selectFrom('services').select('host').where('binary', '=', 'nova-compute').execute(),
      rows: await database.read
        .selectFrom('usage_audits')
        .selectAll()
        .where('period_start', '=', window.start)
        .where('period_end', '=', window.end)
        .execute(),
    }))
    const rows = new Map(answers.flatMap(({ value }) => value.rows.map((row) => [row.host, row] as const)))
    if (!isEnabled && rows.size === 0) return null
    const names = new Set([...answers.flatMap(({ value }) => value.services.map((service) => service.host)), ...rows.keys()])
    const hosts = [...names].sort().map((host): UsageAuditView['hosts'][number] => {
      const row = rows.get(host)
      if (row === undefined) return { host, state: 'NOT_RUN', message: 'Not run.', servers: 0, errors: 0 }
      return { host, state: row.state === 'done' ? 'DONE' : 'RUNNING', message: row.message, servers: row.servers, errors: row.errors }
    })
    const sum = (amount: 'servers' | 'errors'): number => hosts.reduce((total, host) => total + host[amount], 0)
    const done = hosts.filter((host) => host.state === 'DONE').length
    return {
      periodStart: window.start,
      periodEnd: window.end,
      overallStatus: `${done} of ${hosts.length} hosts done. ${sum('errors')} errors.`,
      totalServers: sum('servers'),
      totalErrors: sum('errors'),
      hosts,
    }
  }
}
