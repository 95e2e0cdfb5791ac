/**
 * The login of this browser. The access token lives in memory only; the refresh token is a cookie no script can read. All tabs share
 * one login on the server, where a refresh ends the token before it, so a tab that refreshes tells the others.
 */
import type { SessionFieldsFragment } from '../generated/graphql.js'
import { graphqlRequest } from './graphql-request.js'
import { ProblemError, problemOf } from './problem.js'
import { loginMutation, logoutMutation, refreshMutation } from './session.documents.js'

export type Viewer = SessionFieldsFragment['viewer']

export type SessionState =
  | { phase: 'starting' }
  /** `ended`: there was a login and the server ended it. */
  | { phase: 'signed-out'; ended: boolean }
  | { phase: 'unreachable'; message: string }
  | { phase: 'signed-in'; viewer: Viewer }

type TabMessage = { kind: 'session'; session: SessionFieldsFragment; expiresInMs: number } | { kind: 'signed-out' }

const lockName = 'kilonova-refresh'
/** Tokens are renewed when a fifth of their life is left, and at most this long before they end. */
const renewAheadMs = 60_000
const retryRefreshMs = 5000

export class SessionStore {
  #state: SessionState = { phase: 'starting' }
  #token: string | null = null
  #refreshing: Promise<string> | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #listeners = new Set<() => void>()
  readonly #tabs = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('kilonova-session')

  constructor() {
    this.#tabs?.addEventListener('message', (event: MessageEvent<TabMessage>) => {
      if (event.data.kind === 'session') {
        if (this.#state.phase !== 'starting') this.#adopt(event.data.session, event.data.expiresInMs)
      } else this.#forget(false)
    })
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly snapshot = (): SessionState => this.#state

  /** Takes up the login a reload has interrupted, if there is one. */
  async resume(): Promise<void> {
    try {
      await this.refresh()
    } catch (error) {
      if (this.#state.phase === 'starting' || this.#state.phase === 'unreachable') {
        this.#set({ phase: 'unreachable', message: problemOf(error).message })
      }
    }
  }

  async signIn(username: string, password: string): Promise<void> {
    const { data, clockAheadMs } = await graphqlRequest(loginMutation, { input: { username, password } })
    this.#accept(data.login.session, clockAheadMs)
  }

  async changeProject(projectId: string): Promise<void> {
    const { data, clockAheadMs } = await graphqlRequest(refreshMutation, { input: { projectId } })
    this.#accept(data.refreshSession.session, clockAheadMs)
  }

  /** Ends the login here even when the server cannot be told. */
  async signOut(): Promise<void> {
    const token = this.#token
    this.#forget(false)
    this.#tell({ kind: 'signed-out' })
    try {
      await graphqlRequest(logoutMutation, { input: {} }, token)
    } catch (error) {
      // A token that ended meanwhile cannot end the login; a new one can.
      if (problemOf(error).code !== 'UNAUTHENTICATED') return
      const { data } = await graphqlRequest(refreshMutation, { input: {} })
      await graphqlRequest(logoutMutation, { input: {} }, data.refreshSession.session.accessToken)
    }
  }

  /** The token to use now, after a refresh that is under way. Throws when nobody is signed in. */
  async token(): Promise<string> {
    if (this.#refreshing !== null) return this.#refreshing
    if (this.#token !== null) return this.#token
    throw new ProblemError('You are signed out.', { code: 'UNAUTHENTICATED' })
  }

  /** A token other than the one that was refused. */
  async tokenAfter(refused: string): Promise<string> {
    if (this.#token !== null && this.#token !== refused && this.#refreshing === null) return this.#token
    return this.refresh()
  }

  /** New tokens; one refresh at a time, in all tabs where the browser can tell. */
  refresh(): Promise<string> {
    this.#refreshing ??= this.#refreshOnce().finally(() => {
      this.#refreshing = null
    })
    return this.#refreshing
  }

  async #refreshOnce(): Promise<string> {
    const before = this.#token
    const ask = async (): Promise<string> => {
      // Another tab was faster while this one waited for its turn.
      if (this.#token !== null && this.#token !== before) return this.#token
      const { data, clockAheadMs } = await graphqlRequest(refreshMutation, { input: {} })
      return this.#accept(data.refreshSession.session, clockAheadMs)
    }
    try {
      return await (navigator.locks === undefined ? ask() : navigator.locks.request(lockName, ask))
    } catch (error) {
      if (problemOf(error).code === 'UNAUTHENTICATED') this.#forget(this.#state.phase === 'signed-in')
      else if (this.#token !== null) this.#renewIn(retryRefreshMs)
      throw error
    }
  }

  #accept(session: SessionFieldsFragment, clockAheadMs: number): string {
    const expiresInMs = Date.parse(session.expiresAt) - Date.now() - clockAheadMs
    this.#adopt(session, expiresInMs)
    this.#tell({ kind: 'session', session, expiresInMs })
    return session.accessToken
  }

  #adopt(session: SessionFieldsFragment, expiresInMs: number): void {
    this.#token = session.accessToken
    this.#renewIn(Math.max(expiresInMs - Math.min(renewAheadMs, expiresInMs / 5), 500))
    const viewer = this.#state.phase === 'signed-in' ? this.#state.viewer : null
    // The same viewer stays the same object, so that a refresh renders nothing anew.
    const same = viewer !== null && JSON.stringify(viewer) === JSON.stringify(session.viewer)
    if (!same) this.#set({ phase: 'signed-in', viewer: session.viewer })
  }

  #renewIn(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.refresh().catch(() => undefined), ms)
  }

  #forget(ended: boolean): void {
    clearTimeout(this.#timer)
    this.#token = null
    this.#set({ phase: 'signed-out', ended })
  }

  #tell(message: TabMessage): void {
    this.#tabs?.postMessage(message)
  }

  #set(state: SessionState): void {
    this.#state = state
    for (const listener of [...this.#listeners]) listener()
  }
}
