/** The port of a process: health always; dashboard, GraphQL and images of the api role; consoles of the proxy. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import fastifyWebsocket from '@fastify/websocket'
import type { ControlPlane } from '@kilonova/api/control-plane'
import { newRequestId, registerGateway } from '@kilonova/api/graphql/gateway'
import { buildCloudSchema, printCloudSchema, schemaHashOf } from '@kilonova/api/graphql/schema'
import { registerImageRoutes } from '@kilonova/api/modules/images/image.routes'
import type { ConsoleProxy } from '@kilonova/console-proxy/console-proxy'
import { registerConsoleProxy } from '@kilonova/console-proxy/console-routes'
import { type Logger, redactText } from '@kilonova/runtime/logger'
import type { Telemetry } from '@kilonova/runtime/observability/telemetry'
import { runWork } from '@kilonova/runtime/observability/work-context'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { observeRequests, registerMetrics } from './metrics-route.js'

export interface HttpServerOptions {
  /** With the api role. */
  plane: ControlPlane | null
  consoleProxy: ConsoleProxy | null
  cloudId: string
  trustedProxies: readonly string[]
  log: Logger
  telemetry: Telemetry
  /** Who may read /metrics. */
  metricsNetworks: readonly string[]
  allowedOrigins: () => readonly string[]
  /** Why the cloud is not ready; empty when it is. */
  notReady: () => Promise<string[]>
}

/** Sub-protocols of the WebSockets of a cloud: GraphQL subscriptions, consoles. */
const knownProtocols = ['graphql-transport-ws', 'binary']

const webFolder = join(import.meta.dirname, '../../../web/dist')

const contentSecurityPolicy = [
  "default-src 'self'",
  "img-src 'self' data: blob:",
  "style-src 'self' 'unsafe-inline'",
  "font-src 'self' data:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

export async function buildHttpServer(options: HttpServerOptions): Promise<FastifyInstance> {
  const { consoleProxy, plane, telemetry } = options
  const log = options.log.child({ part: plane === null ? 'http' : 'api' })
  const app = Fastify({
    logger: false,
    genReqId: newRequestId,
    requestIdHeader: false,
    trustProxy: options.trustedProxies.length === 0 ? false : [...options.trustedProxies],
    bodyLimit: 1 << 20,
    // Keep-alive connections must not hold up a stop; requests under way end first.
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 300 },
  })
  const forRequest = ({ id }: FastifyRequest, _reply: unknown, done: () => void): void =>
    runWork({ requestId: id, traceparent: null }, done)
  app.addHook('onRequest', forRequest)
  // Reading the body loses the way back to the request.
  app.addHook('preValidation', forRequest)
  observeRequests(app, telemetry.metrics)
  app.addHook('onResponse', async (request, reply) => {
    log.debug(
      {
        requestId: request.id,
        method: request.method,
        url: redactText(request.url),
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      'request',
    )
  })
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff').header('referrer-policy', 'no-referrer')
  })
  await app.register(fastifyWebsocket, {
    options: {
      maxPayload: 1 << 20,
      perMessageDeflate: false,
      // Consoles offer their token beside `binary`: what is picked is visible, so never that.
      handleProtocols: (offered: Set<string>) => knownProtocols.find((known) => offered.has(known)) ?? false,
    },
  })
  if (consoleProxy !== null) registerConsoleProxy(app, consoleProxy)
  registerMetrics(app, telemetry.metrics, options.metricsNetworks)
  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/readyz', async (_request, reply) => {
    const missing = await options.notReady()
    return missing.length === 0 ? { status: 'ready' } : reply.code(503).send({ status: 'not ready', missing })
  })

  if (plane !== null) await serveControlPlane(app, plane, { ...options, log })
  return app
}

async function serveControlPlane(app: FastifyInstance, plane: ControlPlane, options: HttpServerOptions): Promise<void> {
  const { log } = options
  const schema = buildCloudSchema()
  await registerGateway(app, {
    services: plane.services,
    schema,
    schemaHash: schemaHashOf(printCloudSchema(schema)),
    cloudId: options.cloudId,
    log,
    telemetry: options.telemetry,
    allowedOrigins: options.allowedOrigins,
  })
  registerImageRoutes(app, plane.services.images, log)
  if (existsSync(webFolder)) {
    await app.register(fastifyStatic, {
      root: webFolder,
      wildcard: false,
      index: false,
      maxAge: '1h',
      immutable: false,
      setHeaders: (response, path) => {
        if (!path.endsWith('.html')) return
        response.header('content-security-policy', contentSecurityPolicy)
        response.header('cache-control', 'no-cache')
      },
    })
    app.setNotFoundHandler(async (request, reply) => {
      const isPage = request.method === 'GET' && (request.headers.accept ?? '').includes('text/html')
      if (!isPage) return reply.code(404).send({ message: 'Not found' })
      return reply.sendFile('index.html', { maxAge: 0 })
    })
  }
}
