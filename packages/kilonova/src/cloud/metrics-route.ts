/** GET /metrics for Prometheus, on the port of the process: only for the networks of `[metrics] allowed_networks`. */
import { BlockList, isIPv6 } from 'node:net'
import type { Metrics } from '@kilonova/runtime/observability/metrics'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** What proxies add: the connection is then not that of who asks. */
const forwardingHeaders = ['forwarded', 'via', 'x-forwarded-for', 'x-real-ip'] as const

export function networkMatcher(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  return (address) => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

export function registerMetrics(app: FastifyInstance, metrics: Metrics, allowedNetworks: readonly string[]): void {
  const matches = networkMatcher(allowedNetworks)
  const mayRead = ({ headers, socket }: FastifyRequest): boolean =>
    forwardingHeaders.every((name) => headers[name] === undefined) && matches(socket.remoteAddress ?? '')
  app.get('/metrics', async (request, reply) => {
    if (!mayRead(request)) {
      return reply.code(403).send({ message: 'Metrics are for the networks of [metrics] allowed_networks, and not by way of a proxy.' })
    }
    return reply
      .header('content-type', metrics.contentType)
      .header('cache-control', 'no-store')
      .send(await metrics.text())
  })
}

/** Counts and times requests by the route that the code names, never by the address that was asked for. */
export function observeRequests(app: FastifyInstance, metrics: Metrics): void {
  const requests = metrics.histogram('kilonova_http_request_seconds', 'HTTP requests until they were answered.', [
    'method',
    'route',
    'status',
  ])
  app.addHook('onResponse', async (request, reply) => {
    requests.observe({ method: request.method, route: routeOf(request), status: String(reply.statusCode) }, reply.elapsedTime / 1000)
  })
}

/** The dashboard has a route for each of its files: they count as one. */
const routeOf = ({ routeOptions }: FastifyRequest): string => {
  const { url } = routeOptions
  if (url === undefined) return 'none'
  return url === '/' || url.includes('.') || url.startsWith('/assets/') ? 'dashboard' : url
}
