/**
 * Tells every API process whose rights have changed, within a second: the change is a row written in the transaction that makes it; a
 * notice over the bus saves the wait, and who misses the notice finds the row.
 */
import { type ConsoleRecheck, consoleRecheckTopic } from '@kilonova/contract/rpc/conductor'
import { rightsTopic } from '@kilonova/contract/rpc/notices'
import type { MessageBus, Subscription } from '@kilonova/runtime/bus/bus'
import type { Clock } from '@kilonova/runtime/clock'
import type { Logger } from '@kilonova/runtime/logger'
import { openTransaction } from '@kilonova/runtime/transaction-scope'
import { sql, type Transaction } from 'kysely'
import type { Database } from '../../db/database.js'
import type { ApiSchema } from '../../db/schemas.js'

/** A login (session or application credential), or everything a user or a project has. */
export interface RightsSubject {
  kind: 'session' | 'user' | 'project'
  id: string
}
/** `all`: it is not known whose. */
export type RightsNews = readonly RightsSubject[] | 'all'

export interface RightsLogOptions {
  db: Database<ApiSchema>
  bus: MessageBus
  clock: Clock
  log: Logger
}

const counterName = 'rights_version'
const pollMs = 400
const keptMs = 3_600_000
const batch = 500

export class RightsLog {
  readonly #options: RightsLogOptions
  readonly #listeners = new Set<(news: RightsNews) => void>()
  readonly #stop = new AbortController()
  #wake = new AbortController()
  #version = 0
  #loop: Promise<void> | undefined
  #notices: Subscription | undefined

  constructor(options: RightsLogOptions) {
    this.#options = options
  }

  onChange(listener: (news: RightsNews) => void): void {
    this.#listeners.add(listener)
  }

  /** Call it last in the transaction: it holds a lock that all others wait for. */
  async record(trx: Transaction<ApiSchema>, subjects: readonly RightsSubject[]): Promise<void> {
    if (subjects.length === 0) return
    const { now } = this.#options.db
    const { value } = await trx
      .insertInto('settings')
      .values({ name: counterName, value: String(subjects.length) })
      .onConflict((conflict) =>
        conflict.column('name').doUpdateSet({ value: sql`cast(cast(settings.value as bigint) + ${subjects.length} as text)` }),
      )
      .returning('value')
      .executeTakeFirstOrThrow()
    const first = Number(value) - subjects.length + 1
    await trx
      .insertInto('rights_changes')
      .values(subjects.map(({ kind, id }, index) => ({ version: first + index, kind, subject_id: id, changed_at: now })))
      .execute()
    await trx
      .deleteFrom('rights_changes')
      .where((eb) => eb('changed_at', '<', eb(now, '-', keptMs)))
      .execute()
    openTransaction()?.afterCommit.push(() => {
      this.#announce(subjects)
      void this.#notify(subjects)
    })
  }

  /** The rules themselves have changed, in the policy file of this process. */
  everythingChanged(): void {
    this.#announce('all')
    void this.#options.bus.fanout(consoleRecheckTopic, { all: true } satisfies ConsoleRecheck)
  }

  async start(): Promise<void> {
    const { bus, db } = this.#options
    const counter = await db.read.selectFrom('settings').select('value').where('name', '=', counterName).executeTakeFirst()
    this.#version = Number(counter?.value ?? 0)
    // SQLite serves one process only, which knows its own changes.
    if (db.dialect === 'sqlite') return
    this.#notices = await bus.listen(rightsTopic, () => this.#wake.abort())
    this.#loop = this.#follow()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.#wake.abort()
    await this.#notices?.close()
    await this.#loop
  }

  async #follow(): Promise<void> {
    const { clock, log } = this.#options
    while (!this.#stop.signal.aborted) {
      this.#wake = new AbortController()
      try {
        while (await this.#read());
      } catch (error) {
        log.error({ err: error }, 'reading changed rights failed')
      }
      if (!this.#stop.signal.aborted) await clock.sleep(pollMs, this.#wake.signal)
    }
  }

  /** True: there may be more. */
  async #read(): Promise<boolean> {
    const rows = await this.#options.db.read
      .selectFrom('rights_changes')
      .selectAll()
      .where('version', '>', this.#version)
      .orderBy('version')
      .limit(batch)
      .execute()
    const [first] = rows
    const last = rows.at(-1)
    if (first === undefined || last === undefined) return false
    const missedSome = first.version !== this.#version + 1
    this.#version = last.version
    this.#announce(missedSome ? 'all' : rows.map((row) => ({ kind: row.kind as RightsSubject['kind'], id: row.subject_id })))
    return rows.length === batch
  }

  #announce(news: RightsNews): void {
    for (const listener of this.#listeners) listener(news)
  }

  async #notify(subjects: readonly RightsSubject[]): Promise<void> {
    const { bus } = this.#options
    const sessionIds = subjects.flatMap(({ kind, id }) => (kind === 'session' ? [id] : []))
    const notice: ConsoleRecheck = sessionIds.length === subjects.length ? { sessionIds } : { all: true }
    await Promise.all([bus.fanout(rightsTopic, {}), bus.fanout(consoleRecheckTopic, notice)])
  }
}

/** Whether news of changed rights are about a login. */
export const concerns = (news: RightsNews, login: { sessionId: string; userId: string; projectId: string | null }): boolean =>
  news === 'all' ||
  news.some(
    ({ kind, id }) =>
      (kind === 'session' && id === login.sessionId) ||
      (kind === 'user' && id === login.userId) ||
      (kind === 'project' && id === login.projectId),
  )
