/**
 * The login of this browser. The access token lives in memory only; the refresh token is a cookie no script can read. All tabs share
 * one login on the server, where a refresh ends the token before it, so a tab that refreshes tells the others.
 */
import type { SessionFieldsFragment } from '../generated/graphql.js'
import { text } from '../text/text.js'
import { graphqlRequest } from './graphql-request.js'
import { ProblemError, problemOf } from './problem.js'
import { changeOwnPasswordMutation, loginMutation, logoutMutation, refreshMutation } from './session.documents.js'

export type Viewer = SessionFieldsFragment['viewer']

export type SessionState =
  | { phase: 'starting' }
  | { phase: 'signed-out' }
  | { phase: 'unreachable'; message: string }
  | { phase: 'signed-in'; viewer: Viewer }
  /** The server ended the login under an open page. The page stays as it is until the same user signs in again, or leaves. */
  | { phase: 'expired'; viewer: Viewer }

/** A request that came upon the end of the login and goes on with the next one. */
interface Waiting {
  resolve: (token: string) => void
  reject: (error: ProblemError) => void
}

type TabMessage = { kind: 'session'; session: SessionFieldsFragment; expiresInMs: number } | { kind: 'signed-out' }

const lockName = 'kilonova-refresh'
/** Tokens are renewed when a fifth of their life is left, and at most this long before they end. */
const renewAheadMs = 60_000
const retryRefreshMs = 5000

const signedOut = (): ProblemError => new ProblemError(text.shell.problems.signedOut, { code: 'UNAUTHENTICATED' })

export class SessionStore {
  #state: SessionState = { phase: 'starting' }
  #token: string | null = null
  #refreshing: Promise<string> | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #waiting: Waiting[] = []
  readonly #listeners = new Set<() => void>()
  readonly #tabs = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('kilonova-session')

  constructor() {
    this.#tabs?.addEventListener('message', (event: MessageEvent<TabMessage>) => {
      if (event.data.kind === 'session') {
        if (this.#state.phase !== 'starting') this.#adopt(event.data.session, event.data.expiresInMs)
      } else this.#forget()
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

  /** After the login ended: the same user, in the same project where that is still possible. */
  async signInAgain(password: string): Promise<void> {
    if (this.#state.phase !== 'expired') return
    const { user, project } = this.#state.viewer
    const ask = (projectId: string | undefined) =>
      graphqlRequest(loginMutation, { input: { username: user.name, password, ...(projectId === undefined ? {} : { projectId }) } })
    const { data, clockAheadMs } = await ask(project?.id).catch((error: unknown) => {
      // The user has lost the project meanwhile, which is no reason to keep them out of the others.
      if (problemOf(error).code !== 'INVALID_REFERENCE') throw error
      return ask(undefined)
    })
    this.#accept(data.login.session, clockAheadMs)
  }

  /** The user of a login that ended gives up what the page holds. */
  leave(): void {
    this.#forget()
  }

  /** Requests wait meanwhile: the token they would use ends with the change. */
  async changeProject(projectId: string): Promise<void> {
    await this.#refreshing?.catch(() => undefined)
    const change = async (): Promise<string> => {
      const { data, clockAheadMs } = await graphqlRequest(refreshMutation, { input: { projectId } })
      return this.#accept(data.refreshSession.session, clockAheadMs)
    }
    this.#refreshing = (navigator.locks === undefined ? change() : navigator.locks.request(lockName, change)).finally(() => {
      this.#refreshing = null
    })
    await this.#refreshing
  }

  /**
   * The server ends every login of the user and answers with a new one. Whoever needs a token meanwhile waits for that one: the ones
   * before it, also the refresh cookie, are of no use any more.
   */
  async changePassword(currentPassword: string, newPassword: string): Promise<void> {
    const ask = async (token: string): Promise<string> => {
      const { data, clockAheadMs } = await graphqlRequest(changeOwnPasswordMutation, { input: { currentPassword, newPassword } }, token)
      return this.#accept(data.changeOwnPassword.session, clockAheadMs)
    }
    // Not with a token that ends under way: a refresh is asked for first.
    const token = await this.refresh()
    const change = navigator.locks === undefined ? ask(token) : navigator.locks.request(lockName, () => ask(token))
    // A refused change leaves the login as it was.
    const settled = change
      .catch(() => token)
      .finally(() => {
        if (this.#refreshing === settled) this.#refreshing = null
      })
    this.#refreshing = settled
    await change
  }

  /** Ends the login here even when the server cannot be told. */
  async signOut(): Promise<void> {
    const token = this.#token
    this.#forget()
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

  /** The token to use now, after a refresh or a sign-in that is under way. Throws when nobody is signed in. */
  async token(): Promise<string> {
    if (this.#refreshing !== null) return this.#orNextLogin(this.#refreshing)
    if (this.#token !== null) return this.#token
    return this.#orNextLogin(Promise.reject(signedOut()))
  }

  /** A token other than the one that was refused. */
  async tokenAfter(refused: string): Promise<string> {
    if (this.#token !== null && this.#token !== refused && this.#refreshing === null) return this.#token
    return this.#orNextLogin(this.refresh())
  }

  /** What was asked for on a page whose login ended is sent once the same user has signed in again. */
  async #orNextLogin(token: Promise<string>): Promise<string> {
    try {
      return await token
    } catch (error) {
      if (this.#state.phase !== 'expired') throw error
      return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
    }
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
      if (problemOf(error).code === 'UNAUTHENTICATED') this.#expire()
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
    const before = this.#state
    const viewer = before.phase === 'signed-in' || before.phase === 'expired' ? before.viewer : null
    // The same viewer stays the same object, so that a refresh renders nothing anew.
    const same = viewer !== null && JSON.stringify(viewer) === JSON.stringify(session.viewer)
    if (!same || before.phase !== 'signed-in') this.#set({ phase: 'signed-in', viewer: same ? viewer : session.viewer })
    const goesOn = viewer?.user.id === session.viewer.user.id && viewer.project?.id === session.viewer.project?.id
    for (const { resolve, reject } of this.#waiting.splice(0)) {
      // Nobody's request is sent in the name of somebody else, or into another project.
      if (goesOn) resolve(session.accessToken)
      else reject(signedOut())
    }
  }

  /** The server has ended the login. */
  #expire(): void {
    if (this.#state.phase === 'expired') return
    if (this.#state.phase !== 'signed-in') {
      this.#forget()
      return
    }
    clearTimeout(this.#timer)
    this.#token = null
    this.#set({ phase: 'expired', viewer: this.#state.viewer })
  }

  #renewIn(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.refresh().catch(() => undefined), ms)
  }

  #forget(): void {
    clearTimeout(this.#timer)
    this.#token = null
    this.#set({ phase: 'signed-out' })
    for (const { reject } of this.#waiting.splice(0)) reject(signedOut())
  }

  #tell(message: TabMessage): void {
    this.#tabs?.postMessage(message)
  }

  #set(state: SessionState): void {
    this.#state = state
    for (const listener of [...this.#listeners]) listener()
  }
}
