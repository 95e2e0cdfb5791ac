/** What the parts of a process measure and trace with. Handed where it is needed; nothing of it is global. */
import { Metrics } from './metrics.js'
import { noTracing, type Tracing } from './tracing.js'

export interface Telemetry {
  readonly metrics: Metrics
  readonly tracing: Tracing
}

/** Counts, and traces nothing: for tests and tools. */
export const quietTelemetry = (): Telemetry => ({ metrics: new Metrics(), tracing: noTracing })
