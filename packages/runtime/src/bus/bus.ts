/**
 * The message bus carries work between services; it never owns it. Whatever must not be lost is a row in a database first.
 * - `call` waits for an answer within a deadline; for short work only.
 * - `cast` hands over and returns; delivery is at least once while both sides live.
 * - `fanout` reaches every listener that is up, or nobody.
 */
import type { HandlersOf, InputOf, OutputOf, RpcMethod, RpcService } from '@kilonova/contract/rpc/method'

export interface Envelope {
  topic: string
  method: string
  version: number
  requestId: string | null
  traceparent: string | null
  payload: unknown
}

export interface MessageBus {
  serve<S extends RpcService>(topic: string, service: S, handlers: HandlersOf<S>): Promise<Subscription>
  call<M extends RpcMethod>(topic: string, method: M, input: InputOf<M>, options?: CallOptions): Promise<OutputOf<M>>
  cast<M extends RpcMethod>(topic: string, method: M, input: InputOf<M>): Promise<void>
  fanout(topic: string, message: unknown): Promise<void>
  listen(topic: string, listener: (message: unknown) => void): Promise<Subscription>
  /** Whether messages can be sent now. */
  reachable(): Promise<boolean>
  close(): Promise<void>
}

export interface CallOptions {
  /** Default 10 s. */
  timeoutMs?: number
}

export interface Subscription {
  close(): Promise<void>
}

/** Nobody answered: no such listener, or not in time. The work may or may not have been done. */
export class BusUnavailableError extends Error {
  constructor(
    readonly topic: string,
    readonly methodName: string,
    reason: string,
  ) {
    super(`${methodName} at ${topic}: ${reason}`)
    this.name = 'BusUnavailableError'
  }
}
