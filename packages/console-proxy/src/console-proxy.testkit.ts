/** A console proxy on a real port, between real WebSocket clients and unix sockets, with a conductor that does as the test says. */
import { EventEmitter, once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import fastifyWebsocket from '@fastify/websocket'
import { CloudError } from '@kilonova/contract/errors'
import type { ConsoleTypeName } from '@kilonova/contract/rpc/agent'
import { conductorService, conductorTopic } from '@kilonova/contract/rpc/conductor'
import type { HandlersOf } from '@kilonova/contract/rpc/method'
import { InProcessBus } from '@kilonova/runtime/bus/in-process.bus'
import { createLogger } from '@kilonova/runtime/logger'
import { hashToken } from '@kilonova/runtime/secrets'
import Fastify, { type FastifyInstance } from 'fastify'
import WebSocket from 'ws'
import { ConsoleProxy } from './console-proxy.js'
import { registerConsoleProxy } from './console-routes.js'
import { dataProtocol, selectConsoleProtocol, tokenProtocolPrefix } from './credentials.js'
import type { ConsoleLimits } from './limits.js'

export const cellId = 'cell'

export async function until(what: string, holds: () => boolean, timeoutMs = 5000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`gave up waiting for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** A guest's console: a unix socket that keeps what it is told and says what the test wants. */
export class FakeGuest extends EventEmitter {
  readonly path: string
  readonly clients: Socket[] = []
  received = Buffer.alloc(0)
  #server: Server | undefined
  /** What a client is told when it connects. */
  greeting = Buffer.alloc(0)
  echoes = true
  /** Its console log, when the test keeps one; otherwise nobody can say what it wrote before. */
  log: { bytes: Buffer; startOffset: number } | null = null

  constructor(path: string) {
    super()
    this.path = path
  }

  async open(): Promise<void> {
    this.#server = createServer((client) => {
      this.clients.push(client)
      client.on('error', () => {})
      if (this.greeting.length > 0) client.write(this.greeting)
      client.on('data', (chunk: Buffer) => {
        this.received = Buffer.concat([this.received, chunk])
        if (this.echoes) client.write(chunk)
      })
    })
    this.#server.listen(this.path)
    await once(this.#server, 'listening')
  }

  /** Writes as a hypervisor does: to the log and, if there is one, to its client. */
  say(text: string | Buffer): void {
    const bytes = Buffer.from(text)
    this.log ??= { bytes: Buffer.alloc(0), startOffset: 0 }
    this.log.bytes = Buffer.concat([this.log.bytes, bytes])
    this.openClients.at(-1)?.write(bytes)
  }

  get openClients(): Socket[] {
    return this.clients.filter((client) => !client.destroyed)
  }

  close(): void {
    for (const client of this.clients) client.destroy()
    this.#server?.close()
  }
}

interface Token {
  type: ConsoleTypeName
  serverId: string
  userId: string
  loginSessionId: string
  mode: 'CONTROL' | 'VIEW'
  path: string
  seesPast: boolean
  expiresAt: number
}

/** A WebSocket client that remembers all it got and how it ended. */
export class TestViewer {
  readonly ws: WebSocket
  received = Buffer.alloc(0)
  readonly messages: unknown[] = []
  closed: { code: number; reason: string } | null = null

  constructor(url: string, protocols: string[], headers: Record<string, string>) {
    this.ws = new WebSocket(url, protocols, { headers, perMessageDeflate: false })
    this.ws.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) {
        this.messages.push(JSON.parse(data.toString()))
        return
      }
      this.received = Buffer.concat([this.received, data])
    })
    this.ws.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() }
    })
    this.ws.on('error', () => {})
  }

  async opened(): Promise<this> {
    await until('the upgrade', () => this.ws.readyState === WebSocket.OPEN)
    return this
  }

  async end(timeoutMs = 5000): Promise<{ code: number; reason: string }> {
    await until('the end of the session', () => this.closed !== null, timeoutMs)
    if (this.closed === null) throw new Error('unreachable')
    return this.closed
  }

  async hears(text: string): Promise<void> {
    await until(`"${text}"`, () => this.received.includes(text))
  }
}

export class ProxyLab {
  readonly bus: InProcessBus
  readonly logged: string[] = []
  readonly refused = new Map<string, string>()
  /** Reasons among the above that pass. */
  readonly passing = new Set<string>()
  readonly viewers: TestViewer[] = []
  readonly guests: FakeGuest[] = []
  proxy: ConsoleProxy
  app: FastifyInstance
  port = 0
  /** The agent's answer in place of a target. */
  targetError: CloudError | null = null
  silent = false
  /** What happens while the log is being asked for. */
  beforePast: () => Promise<void> = async () => {}
  readonly #folder = mkdtempSync(join(tmpdir(), 'kilonova-proxy-'))
  readonly #tokens = new Map<string, Token>()

  private constructor(limits: Partial<ConsoleLimits>) {
    const sink = new Writable({
      write: (chunk, _encoding, done) => {
        this.logged.push(String(chunk))
        done()
      },
    })
    const log = createLogger('debug', sink)
    this.bus = new InProcessBus(log)
    this.proxy = new ConsoleProxy({ bus: this.bus, cellIds: [cellId], allowedOrigins: () => [this.origin], log, limits })
    this.app = Fastify({ logger: false })
  }

  static async open(limits: Partial<ConsoleLimits> = {}): Promise<ProxyLab> {
    const lab = new ProxyLab(limits)
    await lab.app.register(fastifyWebsocket, { options: { perMessageDeflate: false, handleProtocols: selectConsoleProtocol } })
    registerConsoleProxy(lab.app, lab.proxy)
    await lab.bus.serve(conductorTopic(cellId), conductorService, lab.#conductor())
    await lab.app.listen({ host: '127.0.0.1', port: 0 })
    const address = lab.app.server.address()
    lab.port = typeof address === 'object' && address !== null ? address.port : 0
    return lab
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`
  }

  async guest(): Promise<FakeGuest> {
    const guest = new FakeGuest(join(this.#folder, `g${this.guests.length}`))
    this.guests.push(guest)
    await guest.open()
    return guest
  }

  token(guest: FakeGuest, parts: Partial<Token> = {}): string {
    const token = `token-${Math.random().toString(36).slice(2)}-${'x'.repeat(24)}`
    this.#tokens.set(hashToken(token), {
      type: 'SERIAL',
      serverId: guest.path,
      userId: 'user',
      loginSessionId: 'login',
      mode: 'CONTROL',
      path: guest.path,
      seesPast: true,
      expiresAt: Date.now() + 60_000,
      ...parts,
    })
    return token
  }

  /** Connects with the token beside `binary`; null: with no token and no sub-protocol. */
  view(token: string | null, options: { path?: string; headers?: Record<string, string>; protocols?: string[] } = {}): TestViewer {
    const protocols = options.protocols ?? (token === null ? [] : [dataProtocol, `${tokenProtocolPrefix}${token}`])
    const viewer = new TestViewer(`ws://127.0.0.1:${this.port}${options.path ?? '/console/ws/serial'}`, protocols, options.headers ?? {})
    this.viewers.push(viewer)
    return viewer
  }

  async close(): Promise<void> {
    for (const viewer of this.viewers) viewer.ws.terminate()
    await this.app.close()
    for (const guest of this.guests) guest.close()
    await this.bus.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #conductor(): HandlersOf<typeof conductorService> {
    const unused = async (): Promise<never> => {
      throw new Error('not asked in these tests')
    }
    return {
      register: unused,
      heartbeat: unused,
      report: unused,
      authorize: unused,
      hostServers: unused,
      powerStateChanged: unused,
      redeemConsoleToken: async ({ tokenHash, type }) => {
        const found = this.#tokens.get(tokenHash)
        if (found === undefined || found.type !== type || found.expiresAt <= Date.now()) return { session: null }
        this.#tokens.delete(tokenHash)
        if (this.targetError !== null) throw this.targetError
        const { serverId, userId, loginSessionId, mode, path, seesPast } = found
        return {
          session: {
            sessionId: 'abc',
            serverId,
            userId,
            projectId: 'project',
            loginSessionId,
            mode,
            seesPast,
            target: { kind: 'unix', path },
          },
        }
      },
      serialBytes: async ({ serverId, fromOffset, limitBytes }) => {
        await this.beforePast()
        const { log } = this.guests.find((guest) => guest.path === serverId) ?? { log: null }
        if (log === null) throw new CloudError('NOT_FOUND', 'no log')
        const end = log.startOffset + log.bytes.length
        const from = Math.min(Math.max(fromOffset ?? end - limitBytes, log.startOffset), end)
        const bytes = log.bytes.subarray(from - log.startOffset).subarray(0, limitBytes)
        return { base64: bytes.toString('base64'), startOffset: from, endOffset: end }
      },
      consoleStillAllowed: async ({ serverId, loginSessionId }) => {
        if (this.silent) await new Promise(() => {})
        const reason = this.refused.get(serverId) ?? this.refused.get(loginSessionId) ?? null
        return { allowed: reason === null, reason, mayReturn: reason !== null && this.passing.has(reason) }
      },
    }
  }
}

export const noSuchConsole = (): CloudError => new CloudError('OPERATION_NOT_SUPPORTED', 'This guest has no such console.')
