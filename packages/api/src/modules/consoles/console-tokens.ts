/** Console tokens of one cell: single use, hashed at rest, bound to server, user, type and mode (B-CON-10, product notes 3.7). */
import type { ConsoleTarget, ConsoleTypeName } from '@kilonova/contract/rpc/agent'
import { agentService, agentTopic } from '@kilonova/contract/rpc/agent'
import type { MessageBus } from '@kilonova/runtime/bus/bus'
import type { Logger } from '@kilonova/runtime/logger'
import { hashToken, randomToken } from '@kilonova/runtime/secrets'
import type { CellDatabase } from '../../cells/cells.service.js'
import { findInstance, type InstanceRow } from '../../cells/instance.store.js'

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
  target: ConsoleTarget
}

export interface ConsoleTokensOptions {
  database: CellDatabase
  bus: MessageBus
  log: Logger
  ttlSeconds: number
  /** Whether the login the console was opened from still stands and may still open it. */
  loginAllows: (grant: { loginSessionId: string; userId: string; projectId: string; serverProjectId: string }) => Promise<boolean>
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
  async redeem(token: string, type: ConsoleTypeName, clientAddress: string): Promise<RedeemedConsole | null> {
    const { database, bus, log } = this.#options
    const { now } = database
    const row = await database.transaction(async (trx) =>
      trx
        .updateTable('console_auth_tokens')
        .set({ used_at: now })
        .where('token_hash', '=', hashToken(token))
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
    return { ...grant, sessionId: row.token_hash.slice(0, 16), mode: row.mode === 'VIEW' ? 'VIEW' : 'CONTROL', target }
  }

  async stillAllowed(grant: Omit<ConsoleGrant, 'mode'>): Promise<{ allowed: boolean; reason: string | null }> {
    const instance = await findInstance(this.#options.database.read, grant.serverId)
    const reason = refusal(instance)
    if (instance === null || reason !== null) return { allowed: false, reason: reason ?? 'The server is gone.' }
    const allowed = await this.#options.loginAllows({
      loginSessionId: grant.loginSessionId,
      userId: grant.userId,
      projectId: grant.projectId,
      serverProjectId: instance.project_id,
    })
    return allowed ? { allowed: true, reason: null } : { allowed: false, reason: 'The login this console was opened from has ended.' }
  }
}

function refusal(instance: InstanceRow | null): string | null {
  if (instance === null) return 'The server is gone.'
  if (instance.host === null) return 'The server has no host.'
  if (instance.task_state === 'deleting') return 'The server is being deleted.'
  if (instance.vm_state === 'stopped') return 'The server is powered off.'
  return null
}
