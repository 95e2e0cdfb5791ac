/**
 * The console proxy: trades a single-use token for the place it leads to, joins client and guest, and ends what is no longer
 * allowed. It keeps nothing but open sockets; who may do what is the conductor's to say (B-CON-2, B-CON-8).
 */
import type { Socket } from 'node:net'
import { CloudError } from '@kilonova/contract/errors'
import type { ConsoleTypeName } from '@kilonova/contract/rpc/agent'
import {
  type ConsoleRecheck,
  conductorService,
  conductorTopic,
  consoleRecheck,
  consoleRecheckTopic,
} from '@kilonova/contract/rpc/conductor'
import type { OutputOf } from '@kilonova/contract/rpc/method'
import { BusUnavailableError, type MessageBus, type Subscription } from '@kilonova/runtime/bus/bus'
import type { Logger } from '@kilonova/runtime/logger'
import { hashToken } from '@kilonova/runtime/secrets'
import type { WebSocket } from 'ws'
import { connectBackend, sameTarget } from './backend.js'
import { ClientSocket } from './client-socket.js'
import { type ClientWishes, type OfferedToken, tokenOfFirstMessage } from './credentials.js'
import { type CloseCode, type ConsoleLimits, closeCodes, defaultLimits } from './limits.js'
import type { PastBytes } from './serial-feed.js'
import { SerialLine } from './serial-line.js'
import { openVncPipe } from './vnc-pipe.js'

export interface ConsoleProxyOptions {
  bus: MessageBus
  /** Cells whose guests this proxy reaches. */
  cellIds: readonly string[]
  allowedOrigins: () => readonly string[]
  log: Logger
  limits?: Partial<ConsoleLimits>
}

export interface ConsoleArrival {
  ws: WebSocket
  type: ConsoleTypeName
  offered: OfferedToken
  clientAddress: string
}

type Grant = NonNullable<OutputOf<typeof conductorService.redeemConsoleToken>['session']>

interface ConsoleSession {
  readonly grant: Grant
  readonly cellId: string
  readonly type: ConsoleTypeName
  readonly client: ClientSocket
  readonly end: (code: CloseCode, reason: string) => void
  /** Times in a row that nobody could say whether it may go on. */
  unanswered: number
}

/** A session that could not be asked about for so many rounds ends. */
const toleratedRounds = 4

/** A guest that hangs up as often does so on purpose. */
const mostTries = 3

class Refusal extends Error {
  constructor(
    readonly code: CloseCode,
    reason: string,
  ) {
    super(reason)
  }
}

export class ConsoleProxy {
  readonly limits: ConsoleLimits
  readonly #options: ConsoleProxyOptions
  readonly #sessions = new Set<ConsoleSession>()
  readonly #strangers = new Set<ClientSocket>()
  /** Promises, so that two that come at once share one connection. */
  readonly #lines = new Map<string, Promise<SerialLine>>()
  #notices: Subscription | undefined
  #rechecker: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: ConsoleProxyOptions) {
    this.#options = options
    this.limits = { ...defaultLimits, ...options.limits }
  }

  get openSessions(): number {
    return this.#sessions.size
  }

  get allowedOrigins(): readonly string[] {
    return this.#options.allowedOrigins()
  }

  async start(): Promise<void> {
    const { bus, log } = this.#options
    this.#notices = await bus.listen(consoleRecheckTopic, (message) => {
      const notice = consoleRecheck.safeParse(message)
      if (!notice.success) {
        log.warn({ err: notice.error }, 'a notice about consoles could not be read: every session is looked at')
        this.#lookAt([...this.#sessions], 'round')
      } else if ('all' in notice.data) {
        // Many at once may be slow to answer for: silence must not end them all.
        this.#lookAt([...this.#sessions], 'round')
      } else {
        const { data } = notice
        this.#lookAt(
          [...this.#sessions].filter((session) => concerns(data, session.grant)),
          'notice',
        )
      }
    })
    this.#rechecker = setInterval(() => {
      this.#lookAt([...this.#sessions], 'round')
    }, this.limits.recheckMs)
    this.#rechecker.unref()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#rechecker)
    await this.#notices?.close()
    const ends = [...this.#sessions, ...this.#strangers].map(
      (one) => new Promise<void>((resolve) => ('client' in one ? one.client : one).onClose(resolve)),
    )
    for (const session of this.#sessions) session.end(closeCodes.goingAway, 'The console proxy is stopping.')
    for (const stranger of this.#strangers) stranger.end(closeCodes.goingAway, 'The console proxy is stopping.')
    await Promise.all(ends)
  }

  /** A client's socket is open; from here on every way out closes it. */
  async accept(arrival: ConsoleArrival): Promise<void> {
    const client = new ClientSocket(arrival.ws, this.limits)
    this.#strangers.add(client)
    client.onClose(() => this.#strangers.delete(client))
    try {
      if (this.#closed) throw new Refusal(closeCodes.goingAway, 'The console proxy is stopping.')
      if (this.#strangers.size > this.limits.strangers) throw new Refusal(closeCodes.later, 'Too many consoles are being opened.')
      await this.#admit(client, arrival)
    } catch (error) {
      if (error instanceof Refusal) {
        client.end(error.code, error.message)
      } else {
        this.#options.log.error({ err: error }, 'a console could not be opened')
        client.end(closeCodes.backendFailed, 'The console could not be opened.')
      }
    }
    this.#strangers.delete(client)
  }

  async #admit(client: ClientSocket, arrival: ConsoleArrival): Promise<void> {
    const { type, clientAddress } = arrival
    const { token, wishes } = await this.#tokenFrom(client, arrival.offered)
    client.wantsMessages = wishes.messages
    const { grant, cellId } = await this.#redeem(token, type, clientAddress)
    if (!client.open) return
    this.#assertRoom(grant)
    const session = this.#begin({ grant, cellId, type, client }, clientAddress)
    if (type === 'SERIAL') await this.#joinLine(session, wishes)
    else await this.#openScreen(session)
    // What was revoked between the token's redemption and now was not among the open sessions then.
    if (this.#sessions.has(session)) await this.#recheck(session, 'round')
  }

  async #tokenFrom(client: ClientSocket, offered: OfferedToken): Promise<{ token: string; wishes: ClientWishes }> {
    let found = offered
    if (offered.kind === 'absent') {
      const message = await client.firstMessage()
      found = message === null ? { kind: 'absent' } : tokenOfFirstMessage(message.data, message.isBinary)
    } else {
      client.hold()
    }
    if (found.kind === 'token') return found
    throw new Refusal(closeCodes.badToken, found.kind === 'absent' ? 'No console token was sent.' : 'The console token is malformed.')
  }

  async #redeem(token: string, type: ConsoleTypeName, clientAddress: string): Promise<{ grant: Grant; cellId: string }> {
    const { bus, cellIds, log } = this.#options
    let silent = false
    for (const cellId of cellIds) {
      try {
        const { session } = await bus.call(conductorTopic(cellId), conductorService.redeemConsoleToken, {
          tokenHash: hashToken(token),
          type,
          clientAddress,
        })
        if (session !== null) return { grant: session, cellId }
      } catch (error) {
        if (error instanceof CloudError && error.code !== 'INTERNAL') throw new Refusal(closeCodes.noConsole, error.message)
        if (!(error instanceof BusUnavailableError)) throw error
        log.warn({ err: error, cell: cellId }, 'a cell did not answer for a console token')
        silent = true
      }
    }
    throw silent
      ? new Refusal(closeCodes.backendFailed, 'The cell of this server does not answer. Try again in a moment.')
      : new Refusal(closeCodes.badToken, 'This console token is unknown, used or expired. Open the console again.')
  }

  #assertRoom(grant: Grant): void {
    let ofServer = 0
    let ofUser = 0
    for (const { grant: other } of this.#sessions) {
      if (other.serverId === grant.serverId) ofServer++
      if (other.userId === grant.userId) ofUser++
    }
    const { sessionsPerServer, sessionsPerUser } = this.limits
    if (ofServer >= sessionsPerServer) throw new Refusal(closeCodes.later, `This server has ${ofServer} open consoles. Close one first.`)
    if (ofUser >= sessionsPerUser) throw new Refusal(closeCodes.later, `You have ${ofUser} open consoles. Close one first.`)
  }

  #begin(parts: Pick<ConsoleSession, 'grant' | 'cellId' | 'type' | 'client'>, clientAddress: string): ConsoleSession {
    const { grant, type, client } = parts
    const log = this.#options.log.child({
      console: grant.sessionId,
      server: grant.serverId,
      user: grant.userId,
      project: grant.projectId,
      type,
      mode: grant.mode,
      clientAddress,
    })
    const begun = performance.now()
    let outcome: { code: CloseCode; reason: string } | undefined
    const session: ConsoleSession = {
      ...parts,
      unanswered: 0,
      end: (code, reason) => {
        outcome ??= { code, reason }
        this.#sessions.delete(session)
        client.end(code, reason)
      },
    }
    this.#sessions.add(session)
    log.info('console session opened')
    client.onClose(() => {
      this.#sessions.delete(session)
      const durationMs = Math.round(performance.now() - begun)
      const closedBy = outcome ?? { reason: 'The client closed it.' }
      log.info({ ...closedBy, durationMs, bytesFromClient: client.bytesIn, bytesToClient: client.bytesOut }, 'console session closed')
    })
    return session
  }

  async #connect({ grant }: ConsoleSession): Promise<Socket> {
    try {
      return await connectBackend(grant.target, this.limits.connectMs)
    } catch (error) {
      this.#options.log.warn({ err: error, server: grant.serverId }, "the guest's console could not be reached")
      throw new Refusal(closeCodes.backendFailed, "The guest's console could not be reached on its host.")
    }
  }

  async #openScreen(session: ConsoleSession): Promise<void> {
    const { client, grant } = session
    const backend = await this.#connectFor(session)
    if (backend === null) return
    openVncPipe({
      client,
      backend,
      mode: grant.mode,
      onBackendEnd: () => void this.#backendEnded(session),
      onUnacceptable: (reason) => session.end(closeCodes.unacceptable, reason),
    })
  }

  /** Null: the client left meanwhile. */
  async #connectFor(session: ConsoleSession): Promise<Socket | null> {
    try {
      const backend = await this.#connect(session)
      if (session.client.open) return backend
      backend.destroy()
      return null
    } catch (error) {
      if (error instanceof Refusal) {
        session.end(error.code, error.message)
        return null
      }
      throw error
    }
  }

  async #joinLine(session: ConsoleSession, { from }: ClientWishes): Promise<void> {
    try {
      let line = await this.#lineFor(session)
      // Its last viewer may have left while we waited, or the guest ended.
      for (let tries = 1; line.ended && session.client.open; tries++) {
        if (tries >= mostTries) throw new Refusal(closeCodes.backendFailed, 'The connection to the guest ended at once.')
        line = await this.#lineFor(session, 'again')
      }
      const { client, grant } = session
      if (client.open) line.join(client, { mode: grant.mode, seesPast: grant.seesPast, from })
      else if (line.idle) line.close()
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      session.end(error.code, error.message)
    }
  }

  async #lineFor(session: ConsoleSession, look: 'first' | 'again' = 'first'): Promise<SerialLine> {
    const { serverId, target } = session.grant
    const underWay = this.#lines.get(serverId)
    if (underWay !== undefined) {
      const known = await underWay
      if (!known.ended && sameTarget(known.target, target)) return known
      // The guest was started anew elsewhere: the old socket leads nowhere, or to somebody else's guest.
      if (look === 'again' && !known.ended) throw new Refusal(closeCodes.backendFailed, 'The guest was started anew meanwhile.')
      known.close()
      if (this.#lines.get(serverId) === underWay) this.#lines.delete(serverId)
      return this.#lineFor(session, look)
    }
    const forget = (): void => {
      if (this.#lines.get(serverId) === opening) this.#lines.delete(serverId)
    }
    const opening = this.#openLine(session, forget)
    this.#lines.set(serverId, opening)
    opening.catch(forget)
    return opening
  }

  async #openLine(session: ConsoleSession, onEnd: () => void): Promise<SerialLine> {
    return SerialLine.open({
      target: session.grant.target,
      backend: await this.#connect(session),
      limits: this.limits,
      readPast: (fromOffset, limitBytes) => this.#readPast(session, fromOffset, limitBytes),
      onEnd: (clients) => {
        onEnd()
        for (const other of this.#sessions) if (clients.includes(other.client)) void this.#backendEnded(other)
      },
    })
  }

  async #readPast({ cellId, grant }: ConsoleSession, fromOffset: number | null, limitBytes: number): Promise<PastBytes | null> {
    const { bus, log } = this.#options
    const { serverId } = grant
    try {
      const wanted = { serverId, fromOffset, limitBytes }
      const past = await bus.call(conductorTopic(cellId), conductorService.serialBytes, wanted, { timeoutMs: this.limits.pastAnswerMs })
      return { bytes: Buffer.from(past.base64, 'base64'), startOffset: past.startOffset, endOffset: past.endOffset }
    } catch (error) {
      log.warn({ err: error, server: serverId }, 'what a guest has written before could not be read')
      return null
    }
  }

  /** The guest's side closed: say whether that was to be. */
  async #backendEnded(session: ConsoleSession): Promise<void> {
    if (!this.#sessions.has(session)) return
    await this.#recheck(session, 'round')
    session.end(closeCodes.backendFailed, 'The connection to the guest ended: it was powered off, rebooted or moved.')
  }

  #lookAt(sessions: ConsoleSession[], why: 'notice' | 'round'): void {
    for (const session of sessions) void this.#recheck(session, why)
  }

  async #recheck(session: ConsoleSession, why: 'notice' | 'round'): Promise<void> {
    const { grant, type, cellId } = session
    const { serverId, userId, projectId, loginSessionId } = grant
    try {
      const answer = await this.#options.bus.call(
        conductorTopic(cellId),
        conductorService.consoleStillAllowed,
        { serverId, userId, projectId, loginSessionId, type },
        { timeoutMs: why === 'notice' ? this.limits.noticeAnswerMs : this.limits.roundAnswerMs },
      )
      session.unanswered = 0
      if (answer.allowed) return
      session.end(answer.mayReturn ? closeCodes.notRunning : closeCodes.revoked, answer.reason ?? 'This console is no longer allowed.')
    } catch (error) {
      session.unanswered++
      this.#options.log.warn({ err: error, server: serverId }, 'nobody could say whether a console may go on')
      // After a notice, silence counts as no: the client may open the console again.
      if (why === 'notice' || session.unanswered >= toleratedRounds) {
        session.end(closeCodes.later, 'Whether this console is still allowed could not be found out. Open it again.')
      }
    }
  }
}

function concerns(notice: Exclude<ConsoleRecheck, { all: true }>, grant: Grant): boolean {
  return 'serverId' in notice ? notice.serverId === grant.serverId : notice.sessionIds.includes(grant.loginSessionId)
}
