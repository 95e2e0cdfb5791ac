/** The API gateway: GraphQL over HTTP and WebSocket on a Fastify server that has `@fastify/websocket`. */
import { randomUUID } from 'node:crypto'
import { ApolloServer, type ApolloServerPlugin, HeaderMap } from '@apollo/server'
import { ApolloServerPluginCacheControlDisabled } from '@apollo/server/plugin/disabled'
import fastifyCookie from '@fastify/cookie'
import type { WebsocketHandler } from '@fastify/websocket'
import { CloudError } from '@kilonova/contract/errors'
import type { Logger } from '@kilonova/runtime/logger'
import type { Telemetry } from '@kilonova/runtime/observability/telemetry'
import { currentWork, enterWork } from '@kilonova/runtime/observability/work-context'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { GraphQLError, GraphQLFormattedError, GraphQLSchema } from 'graphql'
import { makeHandler } from 'graphql-ws/use/@fastify/websocket'
import type { Caller } from '../caller.js'
import type { Services } from '../services.js'
import { admitDocument } from './admit-document.js'
import { RequestContext, type RequestInfo } from './context.js'
import { type DocumentLimits, limitDocument } from './document-limits.js'
import { formatError } from './errors.js'
import { jitGateway } from './executor.js'
import { OperationWatch } from './operation-watch.js'

export interface GatewayOptions {
  services: Services
  schema: GraphQLSchema
  schemaHash: string
  cloudId: string
  log: Logger
  telemetry: Telemetry
  /** Origins of browsers that may speak to us, for example http://127.0.0.1:8774. */
  allowedOrigins: () => readonly string[]
}

/** Close code for an expired or invalid token: the client may come back with a new one. */
const closeForbidden = 4403

export const cookieName = (cloudId: string): string => `kilonova_refresh_${cloudId.slice(0, 8)}`

/** The bearer token of a request, or null. */
export function bearerOf(header: string | undefined): string | null {
  return /^Bearer ([A-Za-z0-9_-]{20,200}(?:\.[A-Za-z0-9_-]{20,200})?)$/.exec(header ?? '')?.[1] ?? null
}

export function assertOrigin(origin: string | undefined, allowed: readonly string[]): void {
  if (origin !== undefined && !allowed.includes(origin)) {
    throw new CloudError('FORBIDDEN', 'This origin may not use the cloud; its public URL must be configured.', { exception: 'Forbidden' })
  }
}

export async function registerGateway(app: FastifyInstance, options: GatewayOptions): Promise<void> {
  const { services, schema, log } = options
  const config = services.config.api
  const watch = new OperationWatch(options.telemetry, log)
  const limits: DocumentLimits = {
    maxDepth: config.max_depth,
    maxAliases: config.max_aliases,
    maxDirectives: config.max_directives,
    maxCost: config.max_cost,
  }

  const limitPlugin: ApolloServerPlugin<RequestContext> = {
    requestDidStart: async () => ({
      didResolveOperation: async ({ document, operation, request }) => {
        if (operation) limitDocument(schema, document, operation, request.variables ?? {}, limits)
      },
    }),
  }
  // Apollo formats an error without its request; the id is handed over beside it.
  const requestIds = new WeakMap<object, string>()
  const errorPlugin: ApolloServerPlugin<RequestContext> = {
    requestDidStart: async ({ contextValue }) => ({
      didEncounterErrors: async ({ errors }) => {
        for (const error of errors) requestIds.set(error, contextValue.request.requestId)
      },
    }),
  }
  const apollo = new ApolloServer<RequestContext>({
    gateway: jitGateway(schema),
    introspection: true,
    csrfPrevention: true,
    includeStacktraceInErrorResponses: false,
    // The process decides when it ends; Apollo would raise the signal again.
    stopOnTerminationSignals: false,
    parseOptions: { maxTokens: config.max_tokens },
    plugins: [ApolloServerPluginCacheControlDisabled(), limitPlugin, errorPlugin, watch.plugin()],
    formatError: (formatted, error) =>
      formatError(formatted, error, (typeof error === 'object' && error !== null ? requestIds.get(error) : undefined) ?? '', log),
    logger: { debug: () => {}, info: () => {}, warn: (text) => log.warn(text), error: (text) => log.error(text) },
  })
  await apollo.start()

  await app.register(fastifyCookie)

  const requestInfo = (request: FastifyRequest, reply: FastifyReply | null): RequestInfo => ({
    requestId: request.id,
    clientAddress: request.ip,
    refreshCookie: request.cookies[cookieName(options.cloudId)] ?? null,
    fromBrowser: request.headers.origin !== undefined || request.headers['sec-fetch-site'] !== undefined,
    setRefreshCookie: (token, expiresAt) => {
      void reply?.setCookie(cookieName(options.cloudId), token ?? '', {
        httpOnly: true,
        sameSite: 'strict',
        secure: request.protocol === 'https',
        path: '/graphql',
        expires: new Date(expiresAt),
      })
    },
  })

  const callerOf = async (token: string | null, info: RequestInfo): Promise<Caller | null> =>
    token === null ? null : services.sessions.authenticate(token, { requestId: info.requestId, clientAddress: info.clientAddress })

  const answerError = (reply: FastifyReply, error: unknown, requestId: string): unknown => {
    const formatted = formatError({ message: '' }, error, requestId, log)
    return reply.code(Number(formatted.extensions?.httpStatus ?? 500)).send({ errors: [formatted] })
  }

  /** Errors over a WebSocket say what they say over HTTP: a code, and nothing from inside. */
  const shownOnSocket = (errors: readonly GraphQLError[]): GraphQLFormattedError[] =>
    errors.map((error) => formatError(error.toJSON(), error, currentWork().requestId ?? newRequestId(), log))

  const answerHttp = (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const info = requestInfo(request, reply)
    return watch.request(info, () => answerOne(request, reply, info))
  }

  const answerOne = async (request: FastifyRequest, reply: FastifyReply, info: RequestInfo): Promise<unknown> => {
    let context: RequestContext
    try {
      assertOrigin(request.headers.origin, options.allowedOrigins())
      context = new RequestContext(services, info, await callerOf(bearerOf(request.headers.authorization), info), options.schemaHash)
    } catch (error) {
      watch.refused(info)
      return answerError(reply, error, info.requestId)
    }
    const headers = new HeaderMap()
    for (const [name, value] of Object.entries(request.headers)) if (value !== undefined) headers.set(name, String(value))
    const answer = await apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest: {
        method: request.method,
        headers,
        search: new URL(request.url, 'http://localhost').search,
        body: request.body,
      },
      context: async () => context,
    })
    for (const [name, value] of answer.headers) reply.header(name, value)
    reply.header('cache-control', 'no-store')
    reply.code(answer.status ?? 200)
    if (answer.body.kind === 'complete') return reply.send(answer.body.string)
    throw new Error('incremental answers are not used')
  }

  app.post('/graphql', { bodyLimit: 1 << 20 }, answerHttp)
  app.route({
    method: 'GET',
    url: '/graphql',
    handler: answerHttp,
    wsHandler: keepingProtocols(
      makeHandler<{ accessToken?: string }, { caller?: Caller; leave?: () => void }>({
        schema,
        onConnect: async (connection) => {
          const { request, socket } = connection.extra
          try {
            assertOrigin(request.headers.origin, options.allowedOrigins())
            const token = connection.connectionParams?.accessToken ?? bearerOf(request.headers.authorization)
            const caller = await callerOf(token, requestInfo(request as FastifyRequest, null))
            if (caller === null) return false
            connection.extra.caller = caller
            const close = (reason: string): void => socket.close(closeForbidden, reason)
            const timer = atTime(caller.sessionExpiresAt, () => close('The access token has expired'))
            const remove = services.liveLogins.add(caller, close)
            watch.socketOpened()
            connection.extra.leave = () => {
              watch.socketClosed()
              clearTimeout(timer)
              remove()
            }
            return true
          } catch {
            return false
          }
        },
        onDisconnect: (connection) => connection.extra.leave?.(),
        context: (connection) => {
          const request = connection.extra.request as FastifyRequest
          const requestId = newRequestId()
          enterWork({ requestId, traceparent: null })
          return new RequestContext(
            services,
            { ...requestInfo(request, null), requestId },
            connection.extra.caller ?? null,
            options.schemaHash,
          )
        },
        onSubscribe: (_context, _id, payload) => admitDocument({ schema, limits, maxTokens: config.max_tokens }, payload),
        onNext: (_context, _id, _payload, _args, result) =>
          result.errors === undefined ? result : { ...result, errors: shownOnSocket(result.errors) },
        onOperation: (_context, _id, _payload, args, result) => watch.overSocket(args, result),
        onError: (_context, _id, _payload, errors) => {
          watch.refusedOverSocket()
          return shownOnSocket(errors)
        },
      }),
    ),
  })
  app.addHook('onClose', async () => apollo.stop())
}

/** A timer for a moment; none for one further away than timers reach, some 24 days. */
function atTime(moment: number, act: () => void): NodeJS.Timeout | undefined {
  const waitMs = Math.max(moment - Date.now(), 0)
  return waitMs > 0x7fffffff ? undefined : setTimeout(act, waitMs)
}

/** graphql-ws makes its own choice of subprotocol that of the whole server, which has consoles too: it gets options of its own to change. */
function keepingProtocols(handler: WebsocketHandler): WebsocketHandler {
  return function (socket, request) {
    const options = { ...this.websocketServer.options }
    const websocketServer: unknown = Object.create(this.websocketServer, { options: { value: options } })
    return handler.call(Object.create(this, { websocketServer: { value: websocketServer } }) as FastifyInstance, socket, request)
  }
}

export const newRequestId = (): string => `req-${randomUUID()}`
