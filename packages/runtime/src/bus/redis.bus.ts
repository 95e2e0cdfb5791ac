/**
 * The bus of a cloud of several processes, over Redis Streams: a stream per topic that its servers share, a stream of replies per
 * process, and pub/sub for fan-outs. Redis carries the work and owns none of it: when it loses everything, work is repeated from the
 * databases, and this process only loses the time until it has connected again.
 */
import { randomUUID } from 'node:crypto'
import { CloudError, isErrorCode, toErrorReport } from '@kilonova/contract/errors'
import type { HandlersOf, InputOf, OutputOf, RpcMethod, RpcService } from '@kilonova/contract/rpc/method'
import { ZodError } from 'zod'
import type { Logger } from '../logger.js'
import { currentWork, runWork } from '../observability/work-context.js'
import { assertNoTransaction, leaveTransactionScope } from '../transaction-scope.js'
import { BusUnavailableError, type CallOptions, type MessageBus, type Subscription } from './bus.js'
import { type Delivery, type InboxTimings, RedisInbox } from './redis/redis-inbox.js'
import { openClient, type RedisClient, within } from './redis/redis-link.js'
import { type Keys, keysOf, type Reply, type Request, unavailableReply } from './redis/redis-wire.js'

export interface RedisBusOptions {
  url: string
  log: Logger
  /** Clouds that share a Redis differ in this. */
  prefix?: string
  /** A cast is worth nothing after this time: whoever needs the work asks for it again. */
  castLifeMs?: number
  /** How long closing waits for work that is under way. */
  closeWaitMs?: number
  timings?: Partial<InboxTimings>
}

const defaultTimings: InboxTimings = {
  heartbeatMs: 5000,
  believedMs: 15_000,
  claimAfterMs: 15_000,
  blockMs: 5000,
  commandMs: 5000,
  deliveries: 5,
  inFlight: 256,
}
const undeliveredLifeMs = 3_600_000
const longestQueue = 100_000

type Handler = (input: unknown) => Promise<unknown>
interface Server {
  service: RpcService
  handlers: Record<string, Handler>
}
interface Waiting {
  resolve: (value: unknown) => void
  reject: (error: Error) => void
}
type Listener = (message: unknown) => void

export class RedisBus implements MessageBus {
  readonly #log: Logger
  readonly #keys: Keys
  readonly #castLifeMs: number
  readonly #closeWaitMs: number
  readonly #timings: InboxTimings
  readonly #processId = randomUUID()
  readonly #client: RedisClient
  readonly #subscriber: RedisClient
  readonly #servers = new Map<string, Server>()
  readonly #waiting = new Map<string, Waiting>()
  #inbox!: RedisInbox
  #closed = false

  private constructor(options: RedisBusOptions, client: RedisClient, subscriber: RedisClient) {
    this.#log = options.log
    this.#keys = keysOf(options.prefix ?? 'kilonova:bus')
    this.#castLifeMs = options.castLifeMs ?? 60_000
    this.#closeWaitMs = options.closeWaitMs ?? 10_000
    this.#timings = { ...defaultTimings, ...options.timings }
    this.#client = client
    this.#subscriber = subscriber
  }

  /** Throws with a sentence for the operator when Redis cannot be reached. */
  static async connect(options: RedisBusOptions): Promise<RedisBus> {
    const { url, log } = options
    const commandMs = options.timings?.commandMs ?? defaultTimings.commandMs
    const client = await openClient(url, commandMs, log, 'commands')
    const subscriber = await openClient(url, commandMs, log, 'subscriber')
    const bus = new RedisBus(options, client, subscriber)
    bus.#inbox = await RedisInbox.open(
      {
        url,
        log,
        keys: bus.#keys,
        processId: bus.#processId,
        timings: bus.#timings,
        deliver: (message) => runWork({ requestId: message.requestId, traceparent: message.traceparent }, () => bus.#deliver(message)),
        onReply: (answer) => bus.#settle(answer),
      },
      client,
    )
    return bus
  }

  async serve<S extends RpcService>(topic: string, service: S, handlers: HandlersOf<S>): Promise<Subscription> {
    const server: Server = { service, handlers: handlers as Record<string, Handler> }
    this.#servers.set(topic, server)
    await this.#inbox.add(topic)
    return {
      close: async () => {
        if (this.#servers.get(topic) !== server) return
        this.#servers.delete(topic)
        await this.#inbox.remove(topic)
      },
    }
  }

  async call<M extends RpcMethod>(topic: string, method: M, input: InputOf<M>, options: CallOptions = {}): Promise<OutputOf<M>> {
    assertNoTransaction(`bus call ${method.name}`)
    const timeoutMs = options.timeoutMs ?? 10_000
    const id = randomUUID()
    let timer: NodeJS.Timeout | undefined
    try {
      const payload = method.input.parse(input)
      if (this.#closed) throw new BusUnavailableError(topic, method.name, 'the bus is closed')
      const answer = new Promise<unknown>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject })
        timer = setTimeout(() => reject(new BusUnavailableError(topic, method.name, `no answer in ${timeoutMs} ms`)), timeoutMs)
        this.#ask({
          ...this.#envelope(topic, method, payload),
          kind: 'call',
          id,
          replyTo: this.#keys.reply(this.#processId),
          timeoutMs,
        }).catch(reject)
      })
      return method.output.parse(await answer) as OutputOf<M>
    } catch (error) {
      if (error instanceof BusUnavailableError || error instanceof CloudError) throw error
      const report = toErrorReport(error)
      throw new CloudError(report.code, report.message, { exception: report.exception, cause: error })
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(id)
    }
  }

  /** Resolves when Redis has taken the message; until a server has done it, it waits there. */
  async cast<M extends RpcMethod>(topic: string, method: M, input: InputOf<M>): Promise<void> {
    assertNoTransaction(`bus cast ${method.name}`)
    if (this.#closed) throw new BusUnavailableError(topic, method.name, 'the bus is closed')
    const payload = method.input.parse(input)
    await this.#add({
      ...this.#envelope(topic, method, payload),
      kind: 'cast',
      id: randomUUID(),
      replyTo: null,
      timeoutMs: this.#castLifeMs,
    })
  }

  /** Never fails: who relies on notices looks for itself from time to time. */
  async fanout(topic: string, message: unknown): Promise<void> {
    try {
      await within(this.#client.publish(this.#keys.fanout(topic), JSON.stringify(message)), this.#timings.commandMs, 'publish')
    } catch (error) {
      this.#log.warn({ err: error, topic }, 'a notice could not be sent')
    }
  }

  async listen(topic: string, listener: Listener): Promise<Subscription> {
    const channel = this.#keys.fanout(topic)
    const hear = (text: string): void => {
      try {
        const message: unknown = JSON.parse(text)
        leaveTransactionScope(() => listener(message))
      } catch (error) {
        this.#log.warn({ err: error, topic }, 'a listener failed')
      }
    }
    await within(this.#subscriber.subscribe(channel, hear), this.#timings.commandMs, 'subscribe')
    return {
      close: async () => {
        if (!this.#closed) await within(this.#subscriber.unsubscribe(channel, hear), this.#timings.commandMs, 'unsubscribe').catch(() => {})
      },
    }
  }

  async reachable(): Promise<boolean> {
    try {
      return (await within(this.#client.ping(), this.#timings.commandMs, 'ping')) === 'PONG'
    } catch {
      return false
    }
  }

  /** Takes no more work, waits a while for what is under way, tells who waits for answers that none will come. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#inbox.close(this.#closeWaitMs)
    for (const { reject } of this.#waiting.values()) reject(new BusUnavailableError('', '', 'the bus is closed'))
    this.#subscriber.destroy()
    this.#client.destroy()
  }

  #envelope(topic: string, method: RpcMethod, payload: unknown) {
    return { topic, method: method.name, version: method.version, ...currentWork(), payload }
  }

  async #ask(message: Request): Promise<void> {
    const { commandMs } = this.#timings
    const served = this.#client.zCount(this.#keys.serving(message.topic), this.#inbox.now, '+inf')
    // Not knowing whether somebody serves is no reason not to wait for an answer.
    const [id, servers] = await Promise.all([this.#add(message), within(served, commandMs, 'zcount').catch(() => 1)])
    if (servers > 0) return
    await within(this.#client.xDel(this.#keys.topic(message.topic), id), commandMs, 'xdel').catch(() => {})
    throw new BusUnavailableError(message.topic, message.method, 'nobody listens')
  }

  async #add(message: Request): Promise<string> {
    const key = this.#keys.topic(message.topic)
    const trim = { TRIM: { strategy: 'MAXLEN', strategyModifier: '~', threshold: longestQueue } } as const
    try {
      const added = this.#client.xAdd(key, '*', { e: JSON.stringify(message) }, trim)
      // A topic that nobody ever serves goes away by itself.
      const kept = this.#client.pExpire(key, undeliveredLifeMs)
      const [id] = await within(Promise.all([added, kept]), this.#timings.commandMs, 'xadd')
      return id
    } catch (error) {
      this.#log.warn({ err: error, topic: message.topic, method: message.method }, 'a message could not be handed to Redis')
      throw new BusUnavailableError(message.topic, message.method, 'the message could not be handed to Redis')
    }
  }

  async #deliver(message: Request): Promise<Delivery> {
    const server = this.#servers.get(message.topic)
    const method = server?.service[message.method]
    const handler = server?.handlers[message.method]
    if (method === undefined || handler === undefined) return this.#refuse(message, 'nobody listens')
    if (message.version > method.version) return this.#refuse(message, `version ${message.version} is newer than ${method.version}`)
    let value: unknown
    try {
      value = await leaveTransactionScope(async () => method.output.parse(await handler(method.input.parse(message.payload))))
    } catch (error) {
      if (message.replyTo !== null) {
        await this.#reply(message.replyTo, errorReply(message.id, error))
        return { kind: 'done' }
      }
      this.#log.warn({ err: error, topic: message.topic, method: message.method }, 'cast failed')
      const reason = error instanceof Error ? error.name : 'it failed'
      return error instanceof ZodError ? { kind: 'refused', reason: 'its fields break a rule' } : { kind: 'failed', reason }
    }
    if (message.replyTo !== null) await this.#reply(message.replyTo, { kind: 'result', id: message.id, value })
    return { kind: 'done' }
  }

  async #refuse(message: Request, reason: string): Promise<Delivery> {
    if (message.replyTo === null) return { kind: 'refused', reason }
    const error = new BusUnavailableError(message.topic, message.method, reason)
    await this.#reply(message.replyTo, unavailableReply(message.id, error))
    return { kind: 'done' }
  }

  async #reply(replyTo: string, answer: Reply): Promise<void> {
    try {
      await this.#inbox.send(replyTo, answer)
    } catch (error) {
      // The work is done; who asked learns by its deadline that the answer is lost.
      this.#log.warn({ err: error }, 'an answer could not be sent')
    }
  }

  #settle(answer: Exclude<Reply, { kind: 'wake' }>): void {
    const waiting = this.#waiting.get(answer.id)
    if (waiting === undefined) return
    switch (answer.kind) {
      case 'result':
        waiting.resolve(answer.value)
        break
      case 'error': {
        const { code, message, exception, details } = answer.error
        waiting.reject(new CloudError(isErrorCode(code) ? code : 'INTERNAL', message, { exception, cause: details }))
        break
      }
      case 'unavailable':
        waiting.reject(new BusUnavailableError(answer.topic, answer.method, answer.reason))
        break
    }
  }
}

const errorReply = (id: string, error: unknown): Reply =>
  error instanceof BusUnavailableError ? unavailableReply(id, error) : { kind: 'error', id, error: toErrorReport(error) }
