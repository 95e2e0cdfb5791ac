/** Where traces are sent in tests: collects what comes as OTLP over HTTP with JSON. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'

const received = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: z.array(z.object({ key: z.string(), value: z.object({ stringValue: z.string().optional() }) })) }),
      scopeSpans: z.array(
        z.object({
          spans: z.array(z.object({ traceId: z.string(), spanId: z.string(), parentSpanId: z.string().optional(), name: z.string() })),
        }),
      ),
    }),
  ),
})
export interface Span {
  service: string
  traceId: string
  spanId: string
  parentSpanId: string
  name: string
}

export class OtlpCollector {
  readonly spans: Span[] = []
  /** As it was sent. */
  raw = ''
  readonly #server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8')
      this.raw += body
      if (request.url === '/v1/traces') this.#take(JSON.parse(body))
      response.setHeader('content-type', 'application/json').end('{}')
    })
  })

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #take(body: unknown): void {
    for (const { resource, scopeSpans } of received.parse(body).resourceSpans) {
      const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? ''
      for (const span of scopeSpans.flatMap((scope) => scope.spans)) this.spans.push({ parentSpanId: '', ...span, service })
    }
  }
}
