/**
 * The reading side of the Redis bus: one loop over the streams of all served topics and this process's replies. A message stays
 * pending until its work is done; messages of a process that died are taken over, and those that nobody can do end as dead letters.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../../logger.js'
import { BusUnavailableError } from '../bus.js'
import { openClient, type RedisClient, within } from './redis-link.js'
import { group, type Keys, type Reply, type Request, reply, request, timeOfEntry, unavailableReply } from './redis-wire.js'

export interface InboxTimings {
  /** How often this process says that it lives and keeps its work. */
  heartbeatMs: number
  /** So long after its last heartbeat a process is believed to serve. */
  believedMs: number
  /** Work that nobody kept for so long is taken over. */
  claimAfterMs: number
  blockMs: number
  commandMs: number
  /** How often a message is tried before it becomes a dead letter. */
  deliveries: number
  /** So many messages are worked on at once; replies are always read. */
  inFlight: number
}

/** `refused`: trying again cannot help. `failed`: it may. */
export type Delivery = { kind: 'done' } | { kind: 'refused'; reason: string } | { kind: 'failed'; reason: string }

export interface InboxOptions {
  url: string
  keys: Keys
  processId: string
  log: Logger
  timings: InboxTimings
  deliver: (message: Request) => Promise<Delivery>
  onReply: (answer: Exclude<Reply, { kind: 'wake' }>) => void
}

interface Entry {
  id: string
  message: Record<string, string>
}

const streamLifeMs = 3_600_000
const replyLifeMs = 60_000
const longestDeadQueue = 10_000

export class RedisInbox {
  readonly #options: InboxOptions
  readonly #client: RedisClient
  #reader: RedisClient
  readonly #topics = new Set<string>()
  /** Entries that are worked on, by stream. */
  readonly #working = new Map<string, Set<string>>()
  readonly #running = new Set<Promise<void>>()
  #rounds: (() => void)[] = []
  #loop: Promise<void> = Promise.resolve()
  #beat: NodeJS.Timeout | undefined
  #aheadMs = 0
  #closed = false

  private constructor(options: InboxOptions, client: RedisClient, reader: RedisClient) {
    this.#options = options
    this.#client = client
    this.#reader = reader
  }

  static async open(options: InboxOptions, client: RedisClient): Promise<RedisInbox> {
    const reader = await openClient(options.url, options.timings.commandMs, options.log, 'reader')
    const inbox = new RedisInbox(options, client, reader)
    await inbox.#makeGroup(inbox.#replyKey)
    await inbox.#heartbeat()
    inbox.#loop = inbox.#read()
    inbox.#scheduleBeat()
    return inbox
  }

  /** Redis' time, as far as we know. */
  get now(): number {
    return Date.now() + this.#aheadMs
  }

  async add(topic: string): Promise<void> {
    await this.#makeGroup(this.#options.keys.topic(topic))
    this.#topics.add(topic)
    await this.#announce(topic)
    await this.#nextRound()
  }

  /** Afterwards no message of the topic reaches this process. */
  async remove(topic: string): Promise<void> {
    if (!this.#topics.delete(topic) || this.#closed) return
    const { keys, processId, timings } = this.#options
    await within(this.#client.zRem(keys.serving(topic), processId), timings.commandMs, 'zrem')
    await this.#nextRound()
  }

  async close(waitMs: number): Promise<void> {
    if (this.#closed) return
    const { keys, processId, timings } = this.#options
    const topics = [...this.#topics]
    this.#topics.clear()
    const farewell = Promise.all([...topics.map((topic) => this.#client.zRem(keys.serving(topic), processId)), this.#nextRound()])
    // Without Redis nobody sends us anything either.
    await within(farewell, timings.commandMs, 'farewell').catch(() => {})
    await Promise.race([Promise.allSettled([...this.#running]), sleep(waitMs, undefined, { ref: false })])
    this.#closed = true
    clearTimeout(this.#beat)
    this.#reader.destroy()
    await this.#loop
    await within(this.#client.del(this.#replyKey), timings.commandMs, 'del').catch(() => {})
  }

  get #replyKey(): string {
    return this.#options.keys.reply(this.#options.processId)
  }

  async #read(): Promise<void> {
    const { processId, timings, log } = this.#options
    let failures = 0
    while (!this.#closed) {
      for (const done of this.#rounds.splice(0)) done()
      // Work may wait for replies: those are read however much there is to do.
      const full = this.#running.size >= timings.inFlight
      const streams = [this.#replyKey, ...(full ? [] : [...this.#topics].map((topic) => this.#options.keys.topic(topic)))]
      const blockMs = full ? 20 : timings.blockMs
      try {
        const answer = await within(
          this.#reader.withCommandOptions({ timeout: blockMs + timings.commandMs }).xReadGroup(
            group,
            processId,
            streams.map((key) => ({ key, id: '>' })),
            { COUNT: 16, BLOCK: blockMs },
          ),
          blockMs + timings.commandMs,
          'xreadgroup',
        )
        failures = 0
        for (const { name, messages } of answer ?? []) {
          for (const entry of messages) {
            if (name === this.#replyKey) this.#takeReply(entry)
            else this.#start(name, entry, 1)
          }
        }
      } catch (error) {
        if (this.#closed) return
        failures++
        log.debug({ err: error }, 'reading from Redis failed')
        await this.#repair(failures)
      }
    }
  }

  /** After a restart of Redis the groups are gone; after a silent loss the connection is. */
  async #repair(failures: number): Promise<void> {
    const { url, timings, log, keys } = this.#options
    try {
      if (!this.#reader.isOpen || failures > 3) {
        this.#reader.destroy()
        this.#reader = await openClient(url, timings.commandMs, log, 'reader')
      }
      await this.#makeGroup(this.#replyKey)
      for (const topic of this.#topics) await this.#makeGroup(keys.topic(topic))
      await this.#heartbeat()
    } catch (error) {
      log.debug({ err: error }, 'Redis is not back yet')
      await sleep(Math.min(100 * failures, 1000))
    }
  }

  async #makeGroup(key: string): Promise<void> {
    try {
      // From the beginning: what was sent while nobody served waits there.
      await within(this.#client.xGroupCreate(key, group, '0', { MKSTREAM: true }), this.#options.timings.commandMs, 'xgroup')
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('BUSYGROUP'))) throw error
    }
  }

  #nextRound(): Promise<void> {
    const { timings } = this.#options
    const round = new Promise<void>((resolve) => this.#rounds.push(resolve))
    const wake = JSON.stringify({ kind: 'wake' } satisfies Reply)
    this.#client.xAdd(this.#replyKey, '*', { e: wake }).catch(() => {})
    return within(round, timings.blockMs + timings.commandMs, 'reader')
  }

  #takeReply(entry: Entry): void {
    const { log, onReply } = this.#options
    void this.#finish(this.#replyKey, entry.id)
    const parsed = reply.safeParse(parseJson(entry.message.e))
    if (!parsed.success) log.warn({ err: parsed.error }, 'an answer could not be read')
    else if (parsed.data.kind !== 'wake') onReply(parsed.data)
  }

  #start(stream: string, entry: Entry, delivery: number): void {
    const working = this.#working.get(stream) ?? new Set()
    if (working.has(entry.id)) return
    working.add(entry.id)
    this.#working.set(stream, working)
    const run = this.#work(stream, entry, delivery)
      .catch((error: unknown) => this.#options.log.warn({ err: error, stream }, 'a message could not be finished'))
      .finally(() => {
        this.#running.delete(run)
        working.delete(entry.id)
        if (working.size === 0) this.#working.delete(stream)
      })
    this.#running.add(run)
  }

  async #work(stream: string, entry: Entry, delivery: number): Promise<void> {
    const { deliver, timings, log } = this.#options
    const parsed = request.safeParse(parseJson(entry.message.e))
    if (!parsed.success) return this.#bury(stream, entry.id, null, delivery, 'it could not be read')
    const message = parsed.data
    // Its topic was given up while the message was on its way: another process takes it over.
    if (!this.#topics.has(message.topic)) return
    const ageMs = this.now - timeOfEntry(entry.id)
    if (ageMs > message.timeoutMs) {
      if (message.kind === 'call') return this.#finish(stream, entry.id)
      return this.#bury(stream, entry.id, message, delivery, `it came after its deadline of ${message.timeoutMs} ms`)
    }
    if (message.kind === 'call' && delivery > 1) {
      const gone = new BusUnavailableError(message.topic, message.method, 'the process that took it has gone')
      if (message.replyTo !== null) await this.send(message.replyTo, unavailableReply(message.id, gone))
      return this.#finish(stream, entry.id)
    }
    if (delivery > timings.deliveries) {
      return this.#bury(stream, entry.id, message, delivery, 'whoever took it ended before it was done')
    }
    const outcome = await deliver(message)
    if (outcome.kind === 'done') return this.#finish(stream, entry.id)
    if (outcome.kind === 'failed' && delivery < timings.deliveries) {
      log.warn({ topic: message.topic, method: message.method, delivery, reason: outcome.reason }, 'cast failed; it is tried again')
      return
    }
    return this.#bury(stream, entry.id, message, delivery, outcome.reason)
  }

  async send(replyKey: string, answer: Reply): Promise<void> {
    // Makes no stream: whoever asked may be gone, and then nobody would ever empty the stream.
    await within(this.#client.xAddNoMkStream(replyKey, '*', { e: JSON.stringify(answer) }), this.#options.timings.commandMs, 'reply')
  }

  async #finish(stream: string, id: string): Promise<void> {
    try {
      await within(
        Promise.all([this.#client.xAck(stream, group, id), this.#client.xDel(stream, id)]),
        this.#options.timings.commandMs,
        'xack',
      )
    } catch (error) {
      // It comes again; receivers bear that.
      this.#options.log.debug({ err: error, stream }, 'a message could not be acknowledged')
    }
  }

  /** The payload stays out: it may hold secrets, and the work it stood for is a row in a database. */
  async #bury(stream: string, id: string, message: Request | null, deliveries: number, reason: string): Promise<void> {
    const { keys, log, timings } = this.#options
    const about = { stream, id, topic: message?.topic ?? '', method: message?.method ?? '', requestId: message?.requestId ?? '' }
    log.warn({ ...about, deliveries, reason }, 'a message became a dead letter')
    const trim = { TRIM: { strategy: 'MAXLEN', strategyModifier: '~', threshold: longestDeadQueue } } as const
    await within(
      this.#client.xAdd(keys.dead, '*', { ...about, deliveries: String(deliveries), reason }, trim),
      timings.commandMs,
      'dead letter',
    )
    await this.#finish(stream, id)
  }

  #scheduleBeat(): void {
    this.#beat = setTimeout(async () => {
      try {
        await this.#heartbeat()
        for (const topic of this.#topics) await this.#takeOver(topic)
      } catch (error) {
        this.#options.log.debug({ err: error }, 'a heartbeat to Redis failed')
      }
      if (!this.#closed) this.#scheduleBeat()
    }, this.#options.timings.heartbeatMs)
    this.#beat.unref()
  }

  async #heartbeat(): Promise<void> {
    const { timings, processId } = this.#options
    const time = await within(this.#client.sendCommand(['TIME']), timings.commandMs, 'time')
    if (Array.isArray(time)) this.#aheadMs = Number(time[0]) * 1000 + Math.floor(Number(time[1]) / 1000) - Date.now()
    const keep = [...this.#working].map(([stream, ids]) => this.#client.xClaimJustId(stream, group, processId, 0, [...ids]))
    await within(
      Promise.all([this.#client.pExpire(this.#replyKey, Math.max(replyLifeMs, 4 * timings.heartbeatMs)), ...keep]),
      timings.commandMs,
      'heartbeat',
    )
    for (const topic of this.#topics) await this.#announce(topic)
  }

  async #announce(topic: string): Promise<void> {
    const { keys, processId, timings } = this.#options
    const { believedMs } = timings
    await within(
      Promise.all([
        this.#client.zAdd(keys.serving(topic), { score: this.now + believedMs, value: processId }),
        this.#client.pExpire(keys.serving(topic), 2 * believedMs),
        this.#client.pExpire(keys.topic(topic), streamLifeMs),
      ]),
      timings.commandMs,
      'announce',
    )
  }

  async #takeOver(topic: string): Promise<void> {
    const { keys, processId, timings } = this.#options
    const stream = keys.topic(topic)
    const claimed = await within(
      this.#client.xAutoClaim(stream, group, processId, timings.claimAfterMs, '0', { COUNT: 16 }),
      timings.commandMs,
      'xautoclaim',
    )
    for (const entry of claimed.messages) {
      if (entry === null) continue
      const [pending] = await within(this.#client.xPendingRange(stream, group, entry.id, entry.id, 1), timings.commandMs, 'xpending')
      if (pending !== undefined) this.#start(stream, entry, pending.deliveriesCounter)
    }
  }
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}
