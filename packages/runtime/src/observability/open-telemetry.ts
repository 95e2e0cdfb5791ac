/** The telemetry of a real process, by its options. */
import { readFileSync } from 'node:fs'
import { ConfigError } from '../config.js'
import { Metrics } from './metrics.js'
import type { ObservabilityConfig } from './options.js'
import type { Telemetry } from './telemetry.js'
import { noTracing, type SpanAttributes } from './tracing.js'

export async function openTelemetry({ otel }: Pick<ObservabilityConfig, 'otel'>, process: SpanAttributes): Promise<Telemetry> {
  const metrics = new Metrics()
  metrics.observeProcess()
  if (otel.endpoint === null) return { metrics, tracing: noTracing }
  const { OtlpTracing } = await import('./otlp-tracing.js')
  const headers = otel.headers_file === null ? {} : headersIn(otel.headers_file)
  return {
    metrics,
    tracing: new OtlpTracing({ endpoint: otel.endpoint, headers, sampleRatio: otel.sample_ratio, resource: process }),
  }
}

function headersIn(file: string): Record<string, string> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`The file ${file} of [otel] headers_file cannot be read: ${(error as Error).message}`)
  }
  const headers: Record<string, string> = {}
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const [, name, value] = /^([A-Za-z0-9-]+):\s*(.+?)\s*$/.exec(line) ?? []
    if (name === undefined || value === undefined) throw new ConfigError(`${file}:${index + 1}: expected \`name: value\``)
    headers[name] = value
  }
  return headers
}
