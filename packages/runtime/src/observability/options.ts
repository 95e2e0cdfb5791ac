/** Options of what a process tells about itself. */
import { z } from 'zod'

const network = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()])

export const observabilityOptions = {
  metrics: z.strictObject({
    /** Who may read /metrics, by address of the connection. Empty: nobody. */
    allowed_networks: z.array(network).default(['127.0.0.0/8', '::1']),
  }),
  otel: z.strictObject({
    /** OTLP/HTTP collector, such as http://127.0.0.1:4318. Absent: nothing is traced. */
    endpoint: z
      .url({ protocol: /^https?$/ })
      .nullable()
      .default(null),
    /** A file with lines `name: value`, sent along as headers: for collectors that want a key. */
    headers_file: z.string().nullable().default(null),
    sample_ratio: z.number().min(0).max(1).default(1),
  }),
}
export type ObservabilityConfig = { [G in keyof typeof observabilityOptions]: z.infer<(typeof observabilityOptions)[G]> }
