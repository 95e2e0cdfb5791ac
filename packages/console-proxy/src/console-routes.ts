/** The addresses of the consoles: GET /console/ws/vnc and /console/ws/serial. `@fastify/websocket` is registered by the caller. */
import type {} from '@fastify/websocket'
import type { ConsoleTypeName } from '@kilonova/contract/rpc/agent'
import type { FastifyInstance } from 'fastify'
import type { ConsoleProxy } from './console-proxy.js'
import { refuseUpgrade, tokenOfProtocols } from './credentials.js'

const paths: readonly (readonly [path: string, type: ConsoleTypeName])[] = [
  ['/console/ws/vnc', 'NOVNC'],
  ['/console/ws/serial', 'SERIAL'],
]

export function registerConsoleProxy(app: FastifyInstance, proxy: ConsoleProxy): void {
  for (const [url, type] of paths) {
    app.route({
      method: 'GET',
      url,
      exposeHeadRoute: false,
      onRequest: async (request, reply) => {
        const refusal = refuseUpgrade(request.raw.url ?? '', request.headers.origin, proxy.allowedOrigins)
        if (refusal !== null) return reply.code(refusal.status).send({ message: refusal.message })
        return undefined
      },
      handler: async (_request, reply) =>
        reply.code(426).header('upgrade', 'websocket').send({ message: 'This address speaks WebSocket only.' }),
      wsHandler: (socket, request) => {
        void proxy.accept({
          ws: socket,
          type,
          offered: tokenOfProtocols(request.headers['sec-websocket-protocol']),
          clientAddress: request.ip,
        })
      },
    })
  }
  app.addHook('onReady', async () => proxy.start())
  app.addHook('preClose', async () => proxy.close())
}
