/** The one port of an all-in-one cloud: dashboard, GraphQL, images, consoles, health. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { ControlPlane } from '@kilonova/api/control-plane'
import { newRequestId, registerGateway } from '@kilonova/api/graphql/gateway'
import { buildCloudSchema, printCloudSchema, schemaHashOf } from '@kilonova/api/graphql/schema'
import { registerImageRoutes } from '@kilonova/api/modules/images/image.routes'
import { ConsoleProxy } from '@kilonova/console-proxy/console-proxy'
import { registerConsoleProxy } from '@kilonova/console-proxy/console-routes'
import type { MessageBus } from '@kilonova/runtime/bus/bus'
import { type Logger, redactText } from '@kilonova/runtime/logger'
import Fastify, { type FastifyInstance } from 'fastify'

export interface HttpServerOptions {
  plane: ControlPlane
  cloudId: string
  bus: MessageBus
  /** Cells whose consoles are served here. */
  consoleCellIds: readonly string[]
  log: Logger
  allowedOrigins: () => readonly string[]
  /** Why the cloud is not ready; empty when it is. */
  notReady: () => Promise<string[]>
}

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
  const { plane, log } = options
  const app = Fastify({
    logger: false,
    genReqId: newRequestId,
    requestIdHeader: false,
    bodyLimit: 1 << 20,
    // Keep-alive connections and streams must not hold up a stop.
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 300 },
  })
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
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff').header('referrer-policy', 'no-referrer')
  })
  const schema = buildCloudSchema()
  await registerGateway(app, {
    services: plane.services,
    schema,
    schemaHash: schemaHashOf(printCloudSchema(schema)),
    cloudId: options.cloudId,
    log,
    allowedOrigins: options.allowedOrigins,
  })
  registerImageRoutes(app, plane.services.images, log)
  registerConsoleProxy(
    app,
    new ConsoleProxy({ bus: options.bus, cellIds: options.consoleCellIds, allowedOrigins: options.allowedOrigins, log }),
  )

  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/readyz', async (_request, reply) => {
    const missing = await options.notReady()
    return missing.length === 0 ? { status: 'ready' } : reply.code(503).send({ status: 'not ready', missing })
  })

  if (existsSync(webFolder)) {
    await app.register(fastifyStatic, { root: webFolder, wildcard: false, index: false, maxAge: '1h', immutable: false })
    app.setNotFoundHandler(async (request, reply) => {
      const isPage = request.method === 'GET' && (request.headers.accept ?? '').includes('text/html')
      if (!isPage) return reply.code(404).send({ message: 'Not found' })
      return reply
        .header('content-security-policy', contentSecurityPolicy)
        .header('cache-control', 'no-cache')
        .sendFile('index.html', { maxAge: 0 })
    })
  }
  return app
}
