/** Follows the event log for the subscriptions of one process: one reader, many listeners, resumable by position. */
import { CloudError } from '@kilonova/contract/errors'
import type { Clock } from '@kilonova/runtime/clock'
import type { Logger } from '@kilonova/runtime/logger'
import type { Database, Row } from '../db/database.js'
import type { ApiSchema } from '../db/schemas.js'

export type EventRow = Row<ApiSchema, 'event_log'>

export type FollowedItem =
  | { kind: 'event'; event: EventRow }
  | { kind: 'gap'; from: number; to: EventRow }
  | { kind: 'heartbeat'; position: number }

export const encodeCursor = (position: number): string => Buffer.from(`e:${position}`).toString('base64url')
export function decodeCursor(cursor: string): number {
  const match = /^e:(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'))
  if (match?.[1] === undefined) throw new CloudError('CURSOR_INVALID', 'The cursor is not one of an event stream.')
  return Number(match[1])
}

const ringSize = 5000
const pollMs = 1000
export const heartbeatMs = 15_000

export class EventHub {
  readonly #api: Database<ApiSchema>
  readonly #clock: Clock
  readonly #log: Logger
  readonly #retentionSeconds: number
  /** The newest events, oldest first, without a hole. */
  #ring: EventRow[] = []
  #position = 0
  #waiters = new Set<() => void>()
  #wake = new AbortController()
  readonly #stop = new AbortController()
  #loop: Promise<void> | undefined

  constructor(options: { api: Database<ApiSchema>; clock: Clock; log: Logger; retentionSeconds: number }) {
    this.#api = options.api
    this.#clock = options.clock
    this.#log = options.log
    this.#retentionSeconds = options.retentionSeconds
  }

  async start(): Promise<void> {
    const last = await this.#api.read
      .selectFrom('event_log')
      .select((eb) => eb.fn.max('position').as('position'))
      .executeTakeFirst()
    this.#position = Number(last?.position ?? 0)
    this.#loop = this.#tail()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.#wake.abort()
    this.#notify()
    await this.#loop
  }

  /** New events may be there. */
  poke(): void {
    this.#wake.abort()
  }

  get position(): number {
    return this.#position
  }

  /** Events after a cursor, then live ones. The caller filters. Ends when the signal aborts. */
  async *follow(after: string | null, signal: AbortSignal): AsyncGenerator<FollowedItem> {
    let position = after === null ? this.#position : await this.#resume(decodeCursor(after))
    const gap = after === null ? null : await this.#gapAfter(position)
    if (gap !== null) {
      yield { kind: 'gap', from: position, to: gap }
      position = gap.position - 1
    }
    let heartbeatAt = this.#clock.monotonic() + heartbeatMs
    while (!signal.aborted && !this.#stop.signal.aborted) {
      const batch = await this.#after(position)
      for (const event of batch) {
        if (signal.aborted) return
        position = event.position
        yield { kind: 'event', event }
      }
      if (batch.length > 0) {
        heartbeatAt = this.#clock.monotonic() + heartbeatMs
        continue
      }
      if (this.#clock.monotonic() >= heartbeatAt) {
        heartbeatAt = this.#clock.monotonic() + heartbeatMs
        yield { kind: 'heartbeat', position }
      }
      await this.#changed(position, Math.max(heartbeatAt - this.#clock.monotonic(), 1), signal)
    }
  }

  async #resume(position: number): Promise<number> {
    if (position > this.#position) {
      await this.#read()
      if (position > this.#position) throw new CloudError('CURSOR_INVALID', 'The cursor lies after the last event.')
    }
    return position
  }

  /** The first event kept, when those right after the position are gone. */
  async #gapAfter(position: number): Promise<EventRow | null> {
    const first = await this.#api.read.selectFrom('event_log').selectAll().orderBy('position').limit(1).executeTakeFirst()
    return first !== undefined && first.position > position + 1 && (await this.#wasPurged()) ? first : null
  }

  async #wasPurged(): Promise<boolean> {
    const row = await this.#api.read.selectFrom('settings').select('value').where('name', '=', 'events_purged').executeTakeFirst()
    return row !== undefined
  }

  async #after(position: number): Promise<EventRow[]> {
    if (position >= this.#position) return []
    const first = this.#ring[0]
    if (first !== undefined && first.position <= position + 1) return this.#ring.filter((event) => event.position > position)
    return this.#api.read.selectFrom('event_log').selectAll().where('position', '>', position).orderBy('position').limit(500).execute()
  }

  #changed(position: number, ms: number, signal: AbortSignal): Promise<void> {
    if (this.#position > position) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#waiters.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.#waiters.add(done)
      signal.addEventListener('abort', done, { once: true })
    })
  }

  #notify(): void {
    for (const waiter of [...this.#waiters]) waiter()
  }

  async #tail(): Promise<void> {
    let purgeAt = this.#clock.monotonic()
    while (!this.#stop.signal.aborted) {
      this.#wake = new AbortController()
      try {
        while ((await this.#read()) > 0) this.#notify()
        if (this.#clock.monotonic() >= purgeAt) {
          purgeAt = this.#clock.monotonic() + 600_000
          await this.#purge()
        }
      } catch (error) {
        this.#log.error({ err: error }, 'reading the event log failed')
      }
      await this.#clock.sleep(pollMs, this.#wake.signal)
    }
  }

  async #read(): Promise<number> {
    const rows = await this.#api.read
      .selectFrom('event_log')
      .selectAll()
      .where('position', '>', this.#position)
      .orderBy('position')
      .limit(1000)
      .execute()
    // Another reader may have come first: what it added is not added twice.
    const fresh = rows.filter((row) => row.position > this.#position)
    const last = fresh.at(-1)
    if (last === undefined) return 0
    this.#ring.push(...fresh)
    if (this.#ring.length > ringSize * 1.2) this.#ring = this.#ring.slice(-ringSize)
    this.#position = last.position
    return fresh.length
  }

  async #purge(): Promise<void> {
    await this.#api.transaction(async (trx) => {
      const result = await trx
        .deleteFrom('event_log')
        .where((eb) => eb('occurred_at', '<', eb(this.#api.now, '-', this.#retentionSeconds * 1000)))
        .executeTakeFirst()
      if (Number(result.numDeletedRows) === 0) return
      await trx
        .insertInto('settings')
        .values({ name: 'events_purged', value: 'yes' })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .execute()
    })
  }
}
