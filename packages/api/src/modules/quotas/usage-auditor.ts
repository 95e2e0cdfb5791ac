/**
 * The periodic usage audit: once per host and period an `instance.exists` event for each server that was there, for those who bill
 * (D-NTF-16). The rows in the cell tell who does it and what is done, so any number of processes may try.
 */
import { payload } from '@kilonova/contract/events'
import type { Logger } from '@kilonova/runtime/logger'
import type { Cell, CellsService } from '../../cells/cells.service.js'
import { type InstanceRow, instanceJson } from '../../cells/instance.store.js'
import type { Database } from '../../db/database.js'
import type { ApiSchema } from '../../db/schemas.js'
import { Outbox, type OutboxEntry } from '../../events/outbox.js'
import { type AuditPeriod, lastPeriod } from './audit-period.js'
import type { Window } from './usage.service.js'

/** Whoever has taken a host for so long without an end has died over it. */
const claimMs = 600_000

export interface UsageAuditorOptions {
  api: Database<ApiSchema>
  cells: CellsService
  period: AuditPeriod
  /** Distinguishes processes. */
  owner: string
  publisherId: string
  log: Logger
}

export class UsageAuditor {
  readonly #options: UsageAuditorOptions
  /** Hosts with nothing left to do in the period that ends then; others may still register. */
  #done = { end: 0, hosts: new Set<string>() }

  constructor(options: UsageAuditorOptions) {
    this.#options = options
  }

  /** Does what is due; called often, and costs one query of each cell when nothing is. */
  async run(): Promise<void> {
    const { api, cells, period } = this.#options
    const window = lastPeriod(period, await api.readClock())
    if (this.#done.end !== window.end) this.#done = { end: window.end, hosts: new Set() }
    await cells.scatter(await cells.withHosts(), (cell) => this.#auditCell(cell, window))
  }

  async #auditCell(cell: Cell, window: Window): Promise<void> {
    const { read } = cell.database
    const rows = await read.selectFrom('services').select('host').where('binary', '=', 'nova-compute').orderBy('host').execute()
    for (const { host } of rows) {
      if (this.#done.hosts.has(host)) continue
      const claimed = await this.#claim(cell, host, window)
      if (claimed === 'done' || (claimed === 'mine' && (await this.#auditHost(cell, host, window)))) this.#done.hosts.add(host)
    }
  }

  /** Takes a host for this process, also from one that died over it. */
  async #claim({ database }: Cell, host: string, window: Window): Promise<'mine' | 'taken' | 'done'> {
    const { owner } = this.#options
    const { now } = database
    return database.transaction(async (trx) => {
      const taken = await trx
        .insertInto('usage_audits')
        .values((eb) => ({
          host,
          period_start: window.start,
          period_end: window.end,
          state: 'running',
          owner,
          claimed_until: eb(now, '+', claimMs),
          servers: 0,
          errors: 0,
          message: 'Under way.',
        }))
        .onConflict((conflict) =>
          conflict
            .columns(['host', 'period_start', 'period_end'])
            .doUpdateSet((eb) => ({ owner, claimed_until: eb(now, '+', claimMs) }))
            .where('usage_audits.state', '=', 'running')
            .where((eb) => eb.or([eb('usage_audits.claimed_until', '<=', now), eb('usage_audits.owner', '=', owner)])),
        )
        .returning('owner')
        .executeTakeFirst()
      if (taken !== undefined) return 'mine'
      const row = await trx
        .selectFrom('usage_audits')
        .select('state')
        .where('host', '=', host)
        .where('period_start', '=', window.start)
        .where('period_end', '=', window.end)
        .executeTakeFirst()
      return row?.state === 'done' ? 'done' : 'taken'
    })
  }

  /** All events and the end in one transaction: a server is told of once, whoever dies when. */
  async #auditHost({ database }: Cell, host: string, window: Window): Promise<boolean> {
    const { owner, publisherId, log } = this.#options
    const outbox = new Outbox(database, publisherId)
    return database.transaction(async (trx) => {
      const rows = await trx
        .selectFrom('instances')
        .selectAll()
        .where('host', '=', host)
        .where('launched_at', '<', window.end)
        .where((eb) => eb.or([eb('terminated_at', 'is', null), eb('terminated_at', '>', window.start)]))
        .execute()
      const events: OutboxEntry[] = []
      let errors = 0
      for (const row of rows) {
        try {
          events.push(existsEvent(row, window))
        } catch (error) {
          errors += 1
          log.error({ err: error, server: row.uuid }, 'a server cannot be told of in the usage audit')
        }
      }
      const ended = await trx
        .updateTable('usage_audits')
        .set({ state: 'done', servers: rows.length, errors, message: `${rows.length} servers, ${errors} errors.` })
        .where('host', '=', host)
        .where('period_start', '=', window.start)
        .where('period_end', '=', window.end)
        .where('owner', '=', owner)
        .where('state', '=', 'running')
        .returning('host')
        .executeTakeFirst()
      if (ended === undefined) return false
      await outbox.append(trx, events)
      return true
    })
  }
}

function existsEvent(row: InstanceRow, window: Window): OutboxEntry {
  const flavor = instanceJson.flavor.parse(JSON.parse(row.flavor))
  return {
    eventType: 'instance.exists',
    subject: 'SERVER',
    subjectId: row.uuid,
    projectId: row.project_id,
    userId: row.user_id,
    payload: payload('InstanceExistsPayload', {
      uuid: row.uuid,
      display_name: row.display_name,
      state: row.vm_state,
      deleted: row.deleted_at !== null,
      flavor: { name: flavor.name, vcpus: flavor.vcpus, memory_mb: flavor.ramMb, root_gb: flavor.diskGb, ephemeral_gb: flavor.ephemeralGb },
      launched_at: isoOrNull(row.launched_at),
      terminated_at: isoOrNull(row.terminated_at),
      audit_period: {
        audit_period_beginning: new Date(window.start).toISOString(),
        audit_period_ending: new Date(window.end).toISOString(),
      },
    }),
  }
}

const isoOrNull = (time: number | null): string | null => (time === null ? null : new Date(time).toISOString())
