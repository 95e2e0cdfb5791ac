/** The bus of an all-in-one cloud: queues in memory, same contract and same checks as the real one. */
import { CloudError, isErrorCode, toErrorReport } from '@kilonova/contract/errors'
import type { HandlersOf, InputOf, OutputOf, RpcMethod, RpcService } from '@kilonova/contract/rpc/method'
import type { Logger } from '../logger.js'
import { leaveWork } from '../observability/work-context.js'
import { assertNoTransaction, leaveTransactionScope } from '../transaction-scope.js'
import { BusUnavailableError, type CallOptions, type MessageBus, type Subscription } from './bus.js'

type Handler = (input: unknown) => Promise<unknown>
interface Server {
  service: RpcService
  handlers: Record<string, Handler>
}

export class InProcessBus implements MessageBus {
  readonly #servers = new Map<string, Server>()
  readonly #listeners = new Map<string, Set<(message: unknown) => void>>()
  readonly #running = new Set<Promise<unknown>>()
  readonly #log: Logger
  #closed = false

  constructor(log: Logger) {
    this.#log = log
  }

  async serve<S extends RpcService>(topic: string, service: S, handlers: HandlersOf<S>): Promise<Subscription> {
    const server: Server = { service, handlers: handlers as Record<string, Handler> }
    this.#servers.set(topic, server)
    return {
      close: async () => {
        if (this.#servers.get(topic) === server) this.#servers.delete(topic)
      },
    }
  }

  async call<M extends RpcMethod>(topic: string, method: M, input: InputOf<M>, options: CallOptions = {}): Promise<OutputOf<M>> {
    assertNoTransaction(`bus call ${method.name}`)
    const timeoutMs = options.timeoutMs ?? 10_000
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new BusUnavailableError(topic, method.name, `no answer in ${timeoutMs} ms`)), timeoutMs)
    })
    try {
      return (await Promise.race([this.#deliver(topic, method, input), deadline])) as OutputOf<M>
    } catch (error) {
      if (error instanceof BusUnavailableError) throw error
      const report = toErrorReport(error)
      throw new CloudError(isErrorCode(report.code) ? report.code : 'INTERNAL', report.message, {
        exception: report.exception,
        cause: error,
      })
    } finally {
      clearTimeout(timer)
    }
  }

  async cast<M extends RpcMethod>(topic: string, method: M, input: InputOf<M>): Promise<void> {
    assertNoTransaction(`bus cast ${method.name}`)
    // Nobody waits for the work of a cast, so it must not run inside the caller's turn.
    const work = new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => this.#deliver(topic, method, input))
      .catch((error: unknown) => this.#log.warn({ err: error, topic, method: method.name }, 'cast failed'))
    this.#running.add(work)
    void work.finally(() => this.#running.delete(work))
  }

  async fanout(topic: string, message: unknown): Promise<void> {
    for (const listener of this.#listeners.get(topic) ?? []) leaveTransactionScope(() => leaveWork(() => listener(message)))
  }

  async listen(topic: string, listener: (message: unknown) => void): Promise<Subscription> {
    const listeners = this.#listeners.get(topic) ?? new Set()
    listeners.add(listener)
    this.#listeners.set(topic, listeners)
    return {
      close: async () => {
        listeners.delete(listener)
      },
    }
  }

  /** Waits for casts that are under way; later ones are refused. */
  async reachable(): Promise<boolean> {
    return !this.#closed
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled([...this.#running])
    this.#servers.clear()
    this.#listeners.clear()
  }

  async #deliver(topic: string, method: RpcMethod, input: unknown): Promise<unknown> {
    if (this.#closed) throw new BusUnavailableError(topic, method.name, 'the bus is closed')
    const server = this.#servers.get(topic)
    const handler = server?.handlers[method.name]
    if (server === undefined || handler === undefined) {
      throw new BusUnavailableError(topic, method.name, 'nobody listens')
    }
    return leaveTransactionScope(async () => method.output.parse(await handler(method.input.parse(input))))
  }
}
