/** Logins: opaque access tokens (hashed at rest, looked up at most every 5 s) and refresh tokens that change at every use. */
import { randomUUID } from 'node:crypto'
import { CloudError } from '@kilonova/contract/errors'
import type { Clock } from '@kilonova/runtime/clock'
import { hashToken, randomToken } from '@kilonova/runtime/secrets'
import { LRUCache } from 'lru-cache'
import { type Caller, withImpliedRoles } from '../../caller.js'
import type { Database } from '../../db/database.js'
import type { ApiSchema } from '../../db/schemas.js'
import { verifyPassword } from './passwords.js'

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
  /** Consoles and streams of these sessions must be looked at again. */
  onEnded: (sessionIds: string[]) => void
  /** Users, projects or roles changed: every open console must be looked at again. */
  onRightsChanged: () => void
}

/** A refresh token used once more this soon is a lost answer, not theft. */
const lostAnswerMs = 10_000
const cacheMs = 5000

interface Attempts {
  count: number
  resetAt: number
}

export class SessionService {
  readonly #options: SessionOptions
  readonly #cache = new LRUCache<string, Omit<Caller, 'requestId' | 'clientAddress'>>({ max: 10_000, ttl: cacheMs })
  readonly #attempts = new LRUCache<string, Attempts>({ max: 50_000 })

  constructor(options: SessionOptions) {
    this.#options = options
  }

  async login(
    input: { username: string; password: string; projectId?: string | null | undefined },
    request: { requestId: string; clientAddress: string },
  ): Promise<IssuedSession> {
    const { db } = this.#options
    this.#limitAttempts(request.clientAddress, input.username)
    const user = await db.read.selectFrom('users').selectAll().where('name', '=', input.username).executeTakeFirst()
    const right = await verifyPassword(input.password, user?.password_hash ?? null)
    if (user === undefined || !right || user.enabled === 0) {
      throw new CloudError('INVALID_CREDENTIALS', 'User name or password wrong.', { exception: 'Unauthorized' })
    }
    this.#attempts.delete(attemptKey(request.clientAddress, input.username))
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
    const row = await db.transaction(async (trx) =>
      trx
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
        .executeTakeFirst(),
    )
    if (row === undefined) throw unauthenticated('The session has ended.')
    this.#cache.delete(session.access_hash)
    return this.#issued(tokens, row, request)
  }

  /** Who holds an access token. UNAUTHENTICATED when it is unknown or expired, or user or project are disabled. */
  async authenticate(accessToken: string, request: { requestId: string; clientAddress: string }): Promise<Caller> {
    const hash = hashToken(accessToken)
    const cached = this.#cache.get(hash)
    if (cached !== undefined && cached.sessionExpiresAt > this.#options.clock.now()) return { ...cached, ...request }
    const { db } = this.#options
    const row = await db.read
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.user_id')
      .leftJoin('projects', 'projects.id', 'sessions.project_id')
      .select([
        'sessions.id as session_id',
        'sessions.access_expires_at',
        'sessions.project_id',
        'users.id as user_id',
        'users.name as user_name',
        'users.enabled as user_enabled',
        'projects.enabled as project_enabled',
      ])
      .where('access_hash', '=', hash)
      .where('access_expires_at', '>', db.now)
      .executeTakeFirst()
    if (row === undefined || row.user_enabled === 0 || row.project_enabled === 0) {
      throw unauthenticated('The access token is invalid or has expired.')
    }
    const identity = {
      userId: row.user_id,
      userName: row.user_name,
      projectId: row.project_id,
      roles: row.project_id === null ? [] : await this.rolesOf(row.user_id, row.project_id),
      sessionId: row.session_id,
      sessionExpiresAt: row.access_expires_at,
    }
    this.#cache.set(hash, identity)
    return { ...identity, ...request }
  }

  /** Whether a session still stands, with its user, project and roles as they are now. */
  async standing(sessionId: string): Promise<{ userId: string; projectId: string | null; roles: string[] } | null> {
    const { db } = this.#options
    const row = await db.read
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.user_id')
      .leftJoin('projects', 'projects.id', 'sessions.project_id')
      .select(['sessions.user_id', 'sessions.project_id', 'users.enabled as user_enabled', 'projects.enabled as project_enabled'])
      .where('sessions.id', '=', sessionId)
      .where('refresh_expires_at', '>', db.now)
      .executeTakeFirst()
    if (row === undefined || row.user_enabled === 0 || row.project_enabled === 0) return null
    const roles = row.project_id === null ? [] : await this.rolesOf(row.user_id, row.project_id)
    return { userId: row.user_id, projectId: row.project_id, roles }
  }

  async sessionIdsOf(userId: string): Promise<string[]> {
    const rows = await this.#options.db.read.selectFrom('sessions').select('id').where('user_id', '=', userId).execute()
    return rows.map((row) => row.id)
  }

  async end(sessionIds: string[]): Promise<number> {
    if (sessionIds.length === 0) return 0
    const rows = await this.#options.db.transaction(async (trx) =>
      trx.deleteFrom('sessions').where('id', 'in', sessionIds).returning('access_hash').execute(),
    )
    for (const row of rows) this.#cache.delete(row.access_hash)
    this.#options.onEnded(sessionIds)
    return rows.length
  }

  /** Roles, users or projects changed: ask the database again. */
  forgetCached(): void {
    this.#cache.clear()
    this.#options.onRightsChanged()
  }

  async rolesOf(userId: string, projectId: string): Promise<string[]> {
    const rows = await this.#options.db.read
      .selectFrom('role_assignments')
      .select('role')
      .where('user_id', '=', userId)
      .where('project_id', '=', projectId)
      .execute()
    return withImpliedRoles(rows.map((row) => row.role))
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

  #limitAttempts(clientAddress: string, username: string): void {
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
}

const attemptKey = (clientAddress: string, username: string): string => `${clientAddress} ${username.toLowerCase()}`

export const unauthenticated = (message: string): CloudError => new CloudError('UNAUTHENTICATED', message, { exception: 'Unauthorized' })
