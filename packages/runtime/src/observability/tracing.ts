/** Spans as the parts of the cloud make them. Off, they cost a call; on, they go where [otel] says (otlp-tracing.ts). */

export type SpanKindName = 'server' | 'client' | 'producer' | 'consumer' | 'internal'
/** Never texts of users, never messages of errors: they may hold secrets. */
export type SpanAttributes = Record<string, string | number | boolean>

export interface OpenSpan {
  /** Adds attributes; a name replaces the one it was begun under. */
  note(attributes: SpanAttributes, name?: string): void
  /** For failures that are answers and not exceptions. */
  fail(reason: string): void
}

export interface Tracing {
  /** Begins a trace, or goes on with the one under way. */
  begin<T>(name: string, kind: SpanKindName, attributes: SpanAttributes, act: (span: OpenSpan) => Promise<T>): Promise<T>
  /** A span of the trace under way; where there is none, `act` just runs. */
  span<T>(name: string, kind: SpanKindName, attributes: SpanAttributes, act: (span: OpenSpan) => Promise<T>): Promise<T>
  /** Sends what is left. */
  close(): Promise<void>
}

const noSpan: OpenSpan = { note: () => {}, fail: () => {} }

export const noTracing: Tracing = {
  begin: (_name, _kind, _attributes, act) => act(noSpan),
  span: (_name, _kind, _attributes, act) => act(noSpan),
  close: async () => {},
}
