/**
 * Logins: opaque access tokens (hashed at rest, looked up at most every 5 s and whenever rights change) and refresh tokens that change
 * at every use; and application credentials, whose id and secret joined by a dot are a token.
 */
import { randomUUID, timingSafeEqual } from 'node:crypto'
import { CloudError } from '@kilonova/contract/errors'
import type { Clock } from '@kilonova/runtime/clock'
import { hashToken, randomToken } from '@kilonova/runtime/secrets'
import { LRUCache } from 'lru-cache'
import { type Caller, withImpliedRoles } from '../../caller.js'
import type { Database } from '../../db/database.js'
import type { ApiSchema } from '../../db/schemas.js'
import { verifyPassword } from './passwords.js'
import { concerns, type RightsLog, type RightsNews } from './rights-log.js'
import { type Standing, standings } from './standing.js'

export interface IssuedSession {
  accessToken: string
  refreshToken: string
  accessExpiresAt: number
  refreshExpiresAt: number
  caller: Caller
}

export interface SessionOptions {
  db: Database<ApiSchema>
  clock: Clock
  accessTokenSeconds: number
  refreshTokenSeconds: number
  loginAttempts: number
  loginWindowSeconds: number
  /** Days after which a password must have been changed; null: never. */
  passwordExpiresDays: number | null
  rights: RightsLog
}

/** A refresh token used once more this soon is a lost answer, not theft. */
const lostAnswerMs = 10_000
const cacheMs = 5000
const dayMs = 86_400_000
/** The use of a credential is noted at most this often. */
const noteUseMs = 60_000
/** 9999-12-31T23:59:59.999Z: a credential without an end. */
export const never = 253_402_300_799_999

interface Attempts {
  count: number
  resetAt: number
}

export class SessionService {
  readonly #options: SessionOptions
  readonly #cache = new LRUCache<string, Omit<Caller, 'requestId' | 'clientAddress'>>({ max: 10_000, ttl: cacheMs })
  readonly #attempts = new LRUCache<string, Attempts>({ max: 50_000 })
  /** Grows when rights change: what was read before is not kept. */
  #epoch = 0

  constructor(options: SessionOptions) {
    this.#options = options
    options.rights.onChange((news) => this.#forget(news))
  }

  async login(
    input: { username: string; password: string; projectId?: string | null | undefined },
    request: { requestId: string; clientAddress: string },
  ): Promise<IssuedSession> {
    const { db } = this.#options
    this.limitAttempts(request.clientAddress, input.username)
    const user = await db.read.selectFrom('users').selectAll().where('name', '=', input.username).executeTakeFirst()
    const right = await verifyPassword(input.password, user?.password_hash ?? null)
    if (user === undefined || !right || user.enabled === 0) {
      throw new CloudError('INVALID_CREDENTIALS', 'User name or password wrong.', { exception: 'Unauthorized' })
    }
    this.#attempts.delete(attemptKey(request.clientAddress, input.username))
    const expiresAt = this.passwordExpiresAt(user)
    if (expiresAt !== null && expiresAt <= (await db.readClock())) {
      throw new CloudError('INVALID_CREDENTIALS', 'The password has expired: an administrator must set a new one.', {
        exception: 'Unauthorized',
      })
    }
    const projectId = await this.#projectFor(user.id, input.projectId ?? null, user.default_project_id)
    const tokens = this.#newTokens()
    const { now } = db
    const sessionId = randomUUID()
    const row = await db.transaction(async (trx) => {
      await trx.deleteFrom('sessions').where('refresh_expires_at', '<', now).execute()
      await trx.updateTable('users').set({ last_login_at: now }).where('id', '=', user.id).execute()
      return trx
        .insertInto('sessions')
        .values((eb) => ({
          id: sessionId,
          user_id: user.id,
          project_id: projectId,
          access_hash: hashToken(tokens.access),
          access_expires_at: eb(now, '+', this.#options.accessTokenSeconds * 1000),
          refresh_hash: hashToken(tokens.refresh),
          rotated_at: now,
          refresh_expires_at: eb(now, '+', this.#options.refreshTokenSeconds * 1000),
          created_at: now,
        }))
        .returning(['access_expires_at', 'refresh_expires_at'])
        .executeTakeFirstOrThrow()
    })
    return this.#issued(tokens, row, request)
  }

  /** New tokens for a live session, optionally in another project. The old refresh token ends. */
  async refresh(
    input: { refreshToken: string; projectId?: string | null | undefined },
    request: { requestId: string; clientAddress: string },
  ): Promise<IssuedSession> {
    const { db } = this.#options
    const hash = hashToken(input.refreshToken)
    const { now } = db
    const session = await db.read
      .selectFrom('sessions')
      .selectAll()
      .where((eb) => eb.or([eb('refresh_hash', '=', hash), eb('previous_refresh_hash', '=', hash)]))
      .where('refresh_expires_at', '>', now)
      .executeTakeFirst()
    if (session === undefined) throw unauthenticated('The session has ended.')
    if (session.refresh_hash !== hash && session.rotated_at + lostAnswerMs < (await db.readClock())) {
      // An old refresh token turns up again: somebody has a copy, so nobody keeps the session.
      await this.end([session.id])
      throw unauthenticated('The session has ended.')
    }
    const user = await db.read.selectFrom('users').select('enabled').where('id', '=', session.user_id).executeTakeFirst()
    if (user === undefined || user.enabled === 0) throw unauthenticated('The session has ended.')
    const projectId = input.projectId == null ? session.project_id : await this.#projectFor(session.user_id, input.projectId, null)
    const tokens = this.#newTokens()
    const row = await db.transaction(async (trx) => {
      const updated = await trx
        .updateTable('sessions')
        .set((eb) => ({
          project_id: projectId,
          access_hash: hashToken(tokens.access),
          access_expires_at: eb(now, '+', this.#options.accessTokenSeconds * 1000),
          previous_refresh_hash: hash,
          refresh_hash: hashToken(tokens.refresh),
          rotated_at: now,
          refresh_expires_at: eb(now, '+', this.#options.refreshTokenSeconds * 1000),
        }))
        .where('id', '=', session.id)
        .returning(['access_expires_at', 'refresh_expires_at'])
        .executeTakeFirst()
      // The old access token must be forgotten everywhere.
      if (updated !== undefined) await this.#options.rights.record(trx, [{ kind: 'session', id: session.id }])
      return updated
    })
    if (row === undefined) throw unauthenticated('The session has ended.')
    return this.#issued(tokens, row, request)
  }

  /** Who holds a token. UNAUTHENTICATED when it is unknown or expired, or stands for nobody any more. */
  async authenticate(token: string, request: { requestId: string; clientAddress: string }): Promise<Caller> {
    const hash = hashToken(token)
    const cached = this.#cache.get(hash)
    if (cached !== undefined && cached.sessionExpiresAt > this.#options.clock.now()) return { ...cached, ...request }
    const epoch = this.#epoch
    const dot = token.indexOf('.')
    const found = dot < 0 ? await this.#bySession(hash) : await this.#byCredential(token.slice(0, dot), token.slice(dot + 1))
    if (found === null) throw unauthenticated('The access token is invalid or has expired.')
    const { standing, expiresAt } = found
    const { loginId, userId, userName, projectId, roles, authMethod, limitedTo } = standing
    const identity = { userId, userName, projectId, roles, authMethod, limitedTo, sessionId: loginId, sessionExpiresAt: expiresAt }
    if (epoch === this.#epoch) this.#cache.set(hash, identity)
    return { ...identity, ...request }
  }

  /** Whether a login still stands, with its user, project and roles as they are now. */
  async standing(loginId: string): Promise<Standing | null> {
    return (await standings(this.#options.db, [loginId])).get(loginId) ?? null
  }

  /** The caller that a login makes in a project now, if it may work there: for what was begun in it and goes on. */
  async callerIn(loginId: string, projectId: string): Promise<Caller | null> {
    const standing = await this.standing(loginId)
    if (standing === null) return null
    const { userId, userName, authMethod, limitedTo } = standing
    const roles = standing.projectId === projectId ? standing.roles : []
    const elsewhere = standing.projectId !== projectId && authMethod === 'PASSWORD' ? await this.rolesOf(userId, projectId) : []
    const unnamed = { requestId: '', clientAddress: '', sessionExpiresAt: standing.endsAt ?? never }
    return { ...unnamed, userId, userName, projectId, roles: [...roles, ...elsewhere], sessionId: loginId, authMethod, limitedTo }
  }

  passwordExpiresAt(user: { password_hash: string | null; password_changed_at: number | null; created_at: number }): number | null {
    const days = this.#options.passwordExpiresDays
    return days === null || user.password_hash === null ? null : (user.password_changed_at ?? user.created_at) + days * dayMs
  }

  async sessionIdsOf(userId: string): Promise<string[]> {
    const rows = await this.#options.db.read.selectFrom('sessions').select('id').where('user_id', '=', userId).execute()
    return rows.map((row) => row.id)
  }

  async end(sessionIds: string[]): Promise<number> {
    if (sessionIds.length === 0) return 0
    return this.#options.db.transaction(async (trx) => {
      const rows = await trx.deleteFrom('sessions').where('id', 'in', sessionIds).returning('id').execute()
      await this.#options.rights.record(
        trx,
        sessionIds.map((id) => ({ kind: 'session', id })),
      )
      return rows.length
    })
  }

  async rolesOf(userId: string, projectId: string): Promise<string[]> {
    const rows = await this.#options.db.read
      .selectFrom('role_assignments')
      .innerJoin('projects', 'projects.id', 'role_assignments.project_id')
      .select('role')
      .where('user_id', '=', userId)
      .where('project_id', '=', projectId)
      .where('projects.enabled', '=', 1)
      .execute()
    return withImpliedRoles(rows.map((row) => row.role))
  }

  /** Counts an attempt at a password. Throws RATE_LIMITED when there were too many. */
  limitAttempts(clientAddress: string, username: string): void {
    const { loginAttempts, loginWindowSeconds, clock } = this.#options
    const key = attemptKey(clientAddress, username)
    const now = clock.monotonic()
    const known = this.#attempts.get(key)
    const attempts = known === undefined || known.resetAt <= now ? { count: 0, resetAt: now + loginWindowSeconds * 1000 } : known
    attempts.count++
    this.#attempts.set(key, attempts)
    if (attempts.count > loginAttempts) {
      const retryAfterSeconds = Math.max(Math.ceil((attempts.resetAt - now) / 1000), 1)
      throw new CloudError('RATE_LIMITED', `Too many sign-in attempts; try again in ${retryAfterSeconds} seconds.`, {
        extra: { retryAfterSeconds },
      })
    }
  }

  async #bySession(hash: string): Promise<{ standing: Standing; expiresAt: number } | null> {
    const { db } = this.#options
    const row = await db.read
      .selectFrom('sessions')
      .select(['id', 'access_expires_at'])
      .where('access_hash', '=', hash)
      .where('access_expires_at', '>', db.now)
      .executeTakeFirst()
    if (row === undefined) return null
    const standing = (await standings(db, [row.id], { sessions: true, credentials: false })).get(row.id)
    return standing === undefined ? null : { standing, expiresAt: row.access_expires_at }
  }

  async #byCredential(id: string, secret: string): Promise<{ standing: Standing; expiresAt: number } | null> {
    const { db } = this.#options
    const row = await db.read
      .selectFrom('application_credentials')
      .select(['secret_hash', 'last_used_at'])
      .where('id', '=', id)
      .executeTakeFirst()
    if (row === undefined || !timingSafeEqual(Buffer.from(row.secret_hash), Buffer.from(hashToken(secret)))) return null
    const standing = (await standings(db, [id], { sessions: false, credentials: true })).get(id)
    if (standing === undefined) return null
    if (row.last_used_at === null || row.last_used_at + noteUseMs < this.#options.clock.now()) {
      await db.transaction((trx) => trx.updateTable('application_credentials').set({ last_used_at: db.now }).where('id', '=', id).execute())
    }
    return { standing, expiresAt: standing.endsAt ?? never }
  }

  #forget(news: RightsNews): void {
    this.#epoch++
    for (const [hash, login] of this.#cache.entries()) if (concerns(news, login)) this.#cache.delete(hash)
  }

  async #projectFor(userId: string, asked: string | null, byDefault: string | null): Promise<string | null> {
    const { db } = this.#options
    const rows = await db.read
      .selectFrom('role_assignments')
      .innerJoin('projects', 'projects.id', 'role_assignments.project_id')
      .select(['projects.id', 'projects.name'])
      .distinct()
      .where('user_id', '=', userId)
      .where('projects.enabled', '=', 1)
      .orderBy('projects.name')
      .execute()
    if (asked !== null) {
      if (!rows.some((row) => row.id === asked)) {
        throw CloudError.invalidReference('input.projectId', `You have no role in project ${asked}.`, 'ProjectNotFound')
      }
      return asked
    }
    return rows.find((row) => row.id === byDefault)?.id ?? rows[0]?.id ?? null
  }

  #newTokens() {
    return { access: randomToken(), refresh: randomToken() }
  }

  async #issued(
    tokens: { access: string; refresh: string },
    row: { access_expires_at: number; refresh_expires_at: number },
    request: { requestId: string; clientAddress: string },
  ): Promise<IssuedSession> {
    return {
      accessToken: tokens.access,
      refreshToken: tokens.refresh,
      accessExpiresAt: row.access_expires_at,
      refreshExpiresAt: row.refresh_expires_at,
      caller: await this.authenticate(tokens.access, request),
    }
  }
}

const attemptKey = (clientAddress: string, username: string): string => `${clientAddress} ${username.toLowerCase()}`

export const unauthenticated = (message: string): CloudError => new CloudError('UNAUTHENTICATED', message, { exception: 'Unauthorized' })
