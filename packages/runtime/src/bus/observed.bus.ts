/** Measures and traces what goes through a bus of either kind. */
import { CloudError } from '@kilonova/contract/errors'
import type { HandlersOf, InputOf, OutputOf, RpcMethod, RpcService } from '@kilonova/contract/rpc/method'
import { quickBuckets, secondsSince } from '../observability/metrics.js'
import type { Telemetry } from '../observability/telemetry.js'
import type { SpanKindName } from '../observability/tracing.js'
import { BusUnavailableError, type CallOptions, type MessageBus, type Subscription } from './bus.js'

type Direction = 'call' | 'cast' | 'handle'
type Handler = (input: unknown) => Promise<unknown>

const spanKinds: Record<Direction, SpanKindName> = { call: 'client', cast: 'producer', handle: 'consumer' }

export class ObservedBus implements MessageBus {
  readonly #bus: MessageBus
  readonly #telemetry: Telemetry
  readonly #messages

  constructor(bus: MessageBus, telemetry: Telemetry) {
    this.#bus = bus
    this.#telemetry = telemetry
    this.#messages = telemetry.metrics.histogram(
      'kilonova_bus_message_seconds',
      'Messages of the bus: calls until they were answered, casts until they were handed over, and the work of either where it was done.',
      ['direction', 'method', 'outcome'],
      quickBuckets,
    )
  }

  serve<S extends RpcService>(topic: string, service: S, handlers: HandlersOf<S>): Promise<Subscription> {
    const observed = Object.entries(handlers).map(([name, handler]): [string, Handler] => [
      name,
      (input) => this.#observe('handle', topic, name, () => (handler as Handler)(input)),
    ])
    return this.#bus.serve(topic, service, Object.fromEntries(observed) as HandlersOf<S>)
  }

  call<M extends RpcMethod>(topic: string, method: M, input: InputOf<M>, options?: CallOptions): Promise<OutputOf<M>> {
    return this.#observe('call', topic, method.name, () => this.#bus.call(topic, method, input, options))
  }

  cast<M extends RpcMethod>(topic: string, method: M, input: InputOf<M>): Promise<void> {
    return this.#observe('cast', topic, method.name, () => this.#bus.cast(topic, method, input))
  }

  fanout(topic: string, message: unknown): Promise<void> {
    return this.#bus.fanout(topic, message)
  }

  listen(topic: string, listener: (message: unknown) => void): Promise<Subscription> {
    return this.#bus.listen(topic, listener)
  }

  reachable(): Promise<boolean> {
    return this.#bus.reachable()
  }

  close(): Promise<void> {
    return this.#bus.close()
  }

  #observe<T>(direction: Direction, topic: string, name: string, act: () => Promise<T>): Promise<T> {
    // Topics name hosts and cells; what comes before that is the service.
    const method = `${topic.split('.', 1)[0]}.${name}`
    const attributes = { 'messaging.system': 'kilonova', 'messaging.destination.name': topic }
    return this.#telemetry.tracing.span(`${direction} ${method}`, spanKinds[direction], attributes, async () => {
      const begun = performance.now()
      let outcome = 'ok'
      try {
        return await act()
      } catch (error) {
        outcome = outcomeOf(error)
        throw error
      } finally {
        this.#messages.observe({ direction, method, outcome }, secondsSince(begun))
      }
    })
  }
}

function outcomeOf(error: unknown): string {
  if (error instanceof BusUnavailableError) return 'unavailable'
  return error instanceof CloudError && error.code !== 'INTERNAL' ? 'refused' : 'failed'
}
