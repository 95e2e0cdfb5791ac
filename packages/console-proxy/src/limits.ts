/** The numbers of the console proxy in one place, so that tests can shrink them. */
export interface ConsoleLimits {
  /** Clients that cannot name sub-protocols must send their token within this time. */
  firstMessageMs: number
  connectMs: number
  pingMs: number
  /** Open sessions are asked about again this often, in case a notice was lost. */
  recheckMs: number
  /** A notice said that rights may have changed: no answer within this time ends the session. */
  noticeAnswerMs: number
  roundAnswerMs: number
  /** A closing socket is cut after this time. */
  closeMs: number
  /** The guest is not read while more than this waits for a client. */
  highWaterBytes: number
  /** Reading goes on below this. */
  lowWaterBytes: number
  /** What a serial console shows of before it was opened. */
  replayBytes: number
  /** The console comes up without its past when that is not there within this time. */
  pastAnswerMs: number
  /** Pause between looks for the place where live output joins what the log has. */
  seamLookMs: number
  seamLooks: number
  /** A guest that has written nothing for this long rests. */
  restMs: number
  /** When a guest hangs up, viewers are told where they are within this time. */
  settleMs: number
  sessionsPerServer: number
  sessionsPerUser: number
  /** Sockets that have not shown a valid token yet. */
  strangers: number
}

export const defaultLimits: ConsoleLimits = {
  firstMessageMs: 5_000,
  connectMs: 5_000,
  pingMs: 15_000,
  recheckMs: 30_000,
  noticeAnswerMs: 700,
  roundAnswerMs: 10_000,
  closeMs: 250,
  highWaterBytes: 1 << 20,
  lowWaterBytes: 256 << 10,
  replayBytes: 64 << 10,
  pastAnswerMs: 2_000,
  seamLookMs: 20,
  seamLooks: 10,
  restMs: 250,
  settleMs: 300,
  sessionsPerServer: 20,
  sessionsPerUser: 50,
  strangers: 500,
}

/**
 * Close codes and their meaning to a client; the reason text beside them is for people. After all but `revoked` and `unacceptable` a
 * client may ask for a new token and come back.
 */
export const closeCodes = {
  badToken: 4401,
  /** The server is deleted, or the user may not, or not any more. */
  revoked: 4403,
  noConsole: 4404,
  /** The server is off: there will be a console when it runs again. */
  notRunning: 4409,
  /** Too many consoles, or nobody can say whether this one is allowed. */
  later: 1013,
  unacceptable: 1008,
  backendFailed: 1011,
  goingAway: 1001,
} as const
export type CloseCode = (typeof closeCodes)[keyof typeof closeCodes]
