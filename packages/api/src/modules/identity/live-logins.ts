/** Ends what lives longer than a request — WebSockets with their streams — once the login it was admitted by has lost a right. */
import type { Logger } from '@kilonova/runtime/logger'
import { leaveTransactionScope } from '@kilonova/runtime/transaction-scope'
import type { Caller } from '../../caller.js'
import type { Database } from '../../db/database.js'
import type { ApiSchema } from '../../db/schemas.js'
import { concerns, type RightsLog, type RightsNews } from './rights-log.js'
import { sameRights, standings } from './standing.js'

interface LiveLogin {
  readonly caller: Caller
  readonly end: (reason: string) => void
}

const retryMs = 250

export class LiveLogins {
  readonly #db: Database<ApiSchema>
  readonly #log: Logger
  readonly #live = new Set<LiveLogin>()
  /** To be looked at. */
  readonly #doubtful = new Set<LiveLogin>()
  #looking = false

  constructor(options: { db: Database<ApiSchema>; log: Logger; rights: RightsLog }) {
    this.#db = options.db
    this.#log = options.log
    options.rights.onChange((news) => this.#doubt(news))
  }

  /** `end` is called once when the caller's rights have changed. Answers how to take the login off. */
  add(caller: Caller, end: (reason: string) => void): () => void {
    const login: LiveLogin = { caller, end }
    this.#live.add(login)
    // What changed between the look at the token and now was not heard for this one.
    this.#doubtful.add(login)
    void leaveTransactionScope(() => this.#look())
    return () => {
      this.#live.delete(login)
      this.#doubtful.delete(login)
    }
  }

  /** The rules have changed for everybody. */
  endAll(reason: string): void {
    for (const login of this.#live) {
      this.#live.delete(login)
      login.end(reason)
    }
  }

  #doubt(news: RightsNews): void {
    for (const login of this.#live) if (concerns(news, login.caller)) this.#doubtful.add(login)
    if (this.#doubtful.size > 0) void leaveTransactionScope(() => this.#look())
  }

  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      while (this.#doubtful.size > 0) {
        const logins = [...this.#doubtful]
        this.#doubtful.clear()
        try {
          await this.#judge(logins)
        } catch (error) {
          this.#log.warn({ err: error, logins: logins.length }, 'whether logins still stand could not be found out; asking again')
          for (const login of logins) if (this.#live.has(login)) this.#doubtful.add(login)
          await new Promise((resolve) => setTimeout(resolve, retryMs).unref())
        }
      }
    } finally {
      this.#looking = false
    }
  }

  async #judge(logins: readonly LiveLogin[]): Promise<void> {
    const found = await standings(this.#db, [...new Set(logins.map((login) => login.caller.sessionId))])
    for (const login of logins) {
      const standing = found.get(login.caller.sessionId)
      if (standing !== undefined && sameRights(standing, login.caller)) continue
      if (!this.#live.delete(login)) continue
      login.end(standing === undefined ? 'The session has ended' : 'Rights have changed: connect again')
    }
  }
}
