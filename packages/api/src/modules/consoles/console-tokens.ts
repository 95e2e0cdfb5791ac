/** Console tokens of one cell: single use, hashed at rest, bound to server, user, type and mode (B-CON-10, product notes 3.7). */
import { agentService, agentTopic, type ConsoleTarget, type ConsoleTypeName } from '@kilonova/contract/rpc/agent'
import type { conductorService } from '@kilonova/contract/rpc/conductor'
import type { InputOf, OutputOf } from '@kilonova/contract/rpc/method'
import type { VmState } from '@kilonova/contract/server-states'
import type { MessageBus } from '@kilonova/runtime/bus/bus'
import type { Logger } from '@kilonova/runtime/logger'
import { hashToken, randomToken } from '@kilonova/runtime/secrets'
import type { CellDatabase } from '../../cells/cells.service.js'
import { findInstance, type InstanceRow, instanceNotFound } from '../../cells/instance.store.js'

export interface ConsoleGrant {
  serverId: string
  userId: string
  projectId: string
  loginSessionId: string
  type: ConsoleTypeName
  mode: 'CONTROL' | 'VIEW'
}

export interface RedeemedConsole extends Omit<ConsoleGrant, 'type'> {
  sessionId: string
  seesPast: boolean
  target: ConsoleTarget
}

/** What a login must allow for a console to be open, and for what was written before to be shown in it. */
export type ConsoleRule = 'os_compute_api:os-remote-consoles' | 'os_compute_api:os-console-output'
export interface ConsoleLogin {
  rule: ConsoleRule
  loginSessionId: string
  userId: string
  projectId: string
  serverProjectId: string
}

export interface ConsoleTokensOptions {
  database: CellDatabase
  bus: MessageBus
  log: Logger
  ttlSeconds: number
  /** Whether the login the console was opened from still stands and may do this. */
  loginAllows: (login: ConsoleLogin) => Promise<boolean>
}

export class ConsoleTokens {
  readonly #options: ConsoleTokensOptions

  constructor(options: ConsoleTokensOptions) {
    this.#options = options
  }

  async issue(grant: ConsoleGrant): Promise<{ token: string; expiresAt: number }> {
    const { database, ttlSeconds } = this.#options
    const token = randomToken()
    const { now } = database
    const row = await database.transaction(async (trx) => {
      await trx.deleteFrom('console_auth_tokens').where('expires_at', '<', now).execute()
      return trx
        .insertInto('console_auth_tokens')
        .values((eb) => ({
          token_hash: hashToken(token),
          instance_uuid: grant.serverId,
          user_id: grant.userId,
          project_id: grant.projectId,
          login_session_id: grant.loginSessionId,
          console_type: grant.type,
          mode: grant.mode,
          expires_at: eb(now, '+', ttlSeconds * 1000),
          created_at: now,
        }))
        .returning('expires_at')
        .executeTakeFirstOrThrow()
    })
    return { token, expiresAt: row.expires_at }
  }

  /** Uses a token up. The place it leads to is asked of the agent now, so that a port since given to another guest is never reached. */
  async redeem(tokenHash: string, type: ConsoleTypeName, clientAddress: string): Promise<RedeemedConsole | null> {
    const { database, bus, log, loginAllows } = this.#options
    const { now } = database
    const row = await database.transaction(async (trx) =>
      trx
        .updateTable('console_auth_tokens')
        .set({ used_at: now })
        .where('token_hash', '=', tokenHash)
        .where('console_type', '=', type)
        .where('used_at', 'is', null)
        .where('expires_at', '>', now)
        .returningAll()
        .executeTakeFirst(),
    )
    if (row === undefined) {
      log.info({ type, clientAddress }, 'a console token was refused')
      return null
    }
    const grant = {
      serverId: row.instance_uuid,
      userId: row.user_id,
      projectId: row.project_id,
      loginSessionId: row.login_session_id,
      type,
    }
    const allowed = await this.stillAllowed(grant)
    const instance = await findInstance(database.read, row.instance_uuid)
    if (!allowed.allowed || instance?.host == null) return null
    const { target } = await bus.call(agentTopic(instance.host), agentService.consoleTarget, { serverId: instance.uuid, type })
    log.info({ server: instance.uuid, user: row.user_id, type, mode: row.mode, clientAddress }, 'console opened')
    const seesPast = type === 'SERIAL' && (await loginAllows(loginOf('os_compute_api:os-console-output', grant, instance)))
    return { ...grant, sessionId: row.token_hash.slice(0, 16), mode: row.mode === 'VIEW' ? 'VIEW' : 'CONTROL', seesPast, target }
  }

  async stillAllowed(grant: Omit<ConsoleGrant, 'mode'>): Promise<OutputOf<typeof conductorService.consoleStillAllowed>> {
    const instance = await findInstance(this.#options.database.read, grant.serverId)
    if (instance === null) return { allowed: false, reason: 'The server is gone.', mayReturn: false }
    const refused = refusal(instance)
    // Who may not come back is not told to wait for the server.
    if (refused !== null && !refused.mayReturn) return { allowed: false, ...refused }
    const allowed = await this.#options.loginAllows(loginOf('os_compute_api:os-remote-consoles', grant, instance))
    if (!allowed) return { allowed: false, reason: 'The login this console was opened from has ended.', mayReturn: false }
    return refused === null ? { allowed: true, reason: null, mayReturn: true } : { allowed: false, ...refused }
  }

  /** What the guest has written to its serial port; who may see it was decided with the token. */
  async serialBytes({
    serverId,
    ...cut
  }: InputOf<typeof conductorService.serialBytes>): Promise<OutputOf<typeof conductorService.serialBytes>> {
    const { database, bus } = this.#options
    const instance = await findInstance(database.read, serverId)
    if (instance?.host == null) throw instanceNotFound(serverId)
    return bus.call(agentTopic(instance.host), agentService.consoleBytes, { serverId, ...cut })
  }
}

const loginOf = (rule: ConsoleRule, grant: Omit<ConsoleGrant, 'mode'>, instance: InstanceRow): ConsoleLogin => ({
  rule,
  loginSessionId: grant.loginSessionId,
  userId: grant.userId,
  projectId: grant.projectId,
  serverProjectId: instance.project_id,
})

/** In these states there is no guest that runs; in all but these the host is asked. */
const offStates: readonly string[] = ['stopped', 'suspended', 'shelved', 'shelved_offloaded'] satisfies readonly VmState[]
export const isOff = (vmState: string): boolean => offStates.includes(vmState)

function refusal(instance: InstanceRow): { reason: string; mayReturn: boolean } | null {
  if (instance.task_state === 'deleting') return { reason: 'The server is being deleted.', mayReturn: false }
  if (isOff(instance.vm_state)) {
    return {
      reason: instance.vm_state === 'stopped' ? 'The server is powered off.' : `The server is ${instance.vm_state}.`,
      mayReturn: true,
    }
  }
  if (instance.host === null) return { reason: 'The server has no host.', mayReturn: true }
  return null
}
