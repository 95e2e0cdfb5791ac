/**
 * What the work under way was begun for: the request and, while traces are collected, the span it belongs to. It follows asynchronous
 * calls by itself; the bus and the rows of sagas carry it from process to process. Log lines get their request id from here.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

export interface Work {
  /** As answered in `x-request-id`; null: nobody asked for it. */
  readonly requestId: string | null
  /** W3C trace context of the span under way; null: not traced. */
  readonly traceparent: string | null
}

const nobodysWork: Work = { requestId: null, traceparent: null }
const scope = new AsyncLocalStorage<Work>()

export const currentWork = (): Work => scope.getStore() ?? nobodysWork

export const runWork = <T>(work: Work, act: () => T): T => scope.run(work, act)

/** For the rest of the asynchronous call under way; where a library offers a call-back but nothing to wrap. */
export const enterWork = (work: Work): void => scope.enterWith(work)

/** For what is started by a request but does not belong to it. */
export const leaveWork = <T>(act: () => T): T => scope.run(nobodysWork, act)

const traceparentForm = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

export interface TraceParts {
  traceId: string
  spanId: string
  flags: number
}

/** Null for what is none: a broken context ends a trace, not the work. */
export function parseTraceparent(text: string | null): TraceParts | null {
  const [, traceId, spanId, flags] = traceparentForm.exec(text ?? '') ?? []
  return traceId === undefined || spanId === undefined || flags === undefined
    ? null
    : { traceId, spanId, flags: Number.parseInt(flags, 16) }
}

export const formatTraceparent = ({ traceId, spanId, flags }: TraceParts): string =>
  `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`
