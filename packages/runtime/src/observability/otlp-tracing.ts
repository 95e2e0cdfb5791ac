/**
 * Traces over OTLP/HTTP. Nothing of it is global: the span under way is named by the work context, so that one process may run
 * several clouds. This file, and with it the libraries, is loaded only when traces are wanted.
 */
import { CloudError } from '@kilonova/contract/errors'
import { type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace'
import type { OpenSpan, SpanAttributes, SpanKindName, Tracing } from './tracing.js'
import { currentWork, formatTraceparent, parseTraceparent, runWork } from './work-context.js'

export interface OtlpOptions {
  /** Of the collector, such as http://127.0.0.1:4318. */
  endpoint: string
  headers: Record<string, string>
  /** Share of the traces that are sent. */
  sampleRatio: number
  /** Attributes of this process: service.name and the like. */
  resource: SpanAttributes
  /** Spans wait so long for company. */
  sendAfterMs?: number
}

const kinds: Record<SpanKindName, SpanKind> = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
}

export class OtlpTracing implements Tracing {
  readonly #provider: TracerProvider
  readonly #tracer: Tracer

  constructor({ endpoint, headers, sampleRatio, resource, sendAfterMs = 2000 }: OtlpOptions) {
    const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces`, headers })
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes(resource),
      sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
      spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: sendAfterMs })],
    })
    this.#tracer = this.#provider.getTracer('kilonova')
  }

  begin<T>(name: string, kind: SpanKindName, attributes: SpanAttributes, act: (span: OpenSpan) => Promise<T>): Promise<T> {
    const { requestId } = currentWork()
    const noted = requestId === null ? attributes : { ...attributes, 'kilonova.request_id': requestId }
    return this.#run(name, kind, noted, parentOf(currentWork().traceparent) ?? ROOT_CONTEXT, act)
  }

  span<T>(name: string, kind: SpanKindName, attributes: SpanAttributes, act: (span: OpenSpan) => Promise<T>): Promise<T> {
    const parent = parentOf(currentWork().traceparent)
    return parent === null ? act({ note: () => {}, fail: () => {} }) : this.#run(name, kind, attributes, parent, act)
  }

  async close(): Promise<void> {
    // A collector that is away must not keep a process from ending well.
    await this.#provider.shutdown().catch(() => {})
  }

  async #run<T>(
    name: string,
    kind: SpanKindName,
    attributes: SpanAttributes,
    parent: Context,
    act: (span: OpenSpan) => Promise<T>,
  ): Promise<T> {
    const span = this.#tracer.startSpan(name, { kind: kinds[kind], attributes }, parent)
    const { traceId, spanId, traceFlags: flags } = span.spanContext()
    const work = { requestId: currentWork().requestId, traceparent: formatTraceparent({ traceId, spanId, flags }) }
    try {
      return await runWork(work, () => act(openSpanOf(span)))
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: nameOf(error) })
      throw error
    } finally {
      span.end()
    }
  }
}

function parentOf(traceparent: string | null): Context | null {
  const parts = parseTraceparent(traceparent)
  if (parts === null) return null
  const { traceId, spanId, flags } = parts
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: flags, isRemote: true })
}

const openSpanOf = (span: Span): OpenSpan => ({
  note: (attributes, name) => {
    span.setAttributes(attributes)
    if (name !== undefined) span.updateName(name)
  },
  fail: (reason) => span.setStatus({ code: SpanStatusCode.ERROR, message: reason }),
})

const nameOf = (error: unknown): string => (error instanceof CloudError ? error.code : error instanceof Error ? error.name : 'error')
