/** May the caller do this to the server now? Policy, lock, state and features, in one place for mutations and `allowedActions`. */
import { CloudError } from '@kilonova/contract/errors'
import type { PolicyRuleName } from '@kilonova/contract/policy-rules'
import type { GuestFlavor } from '@kilonova/contract/rpc/guest'
import { refuseAction, type ServerAction, serverActions, type TaskState, type VmState } from '@kilonova/contract/server-states'
import { type Caller, isAdmin } from '../../caller.js'
import { type InstanceRow, instanceNotFound } from '../../cells/instance.store.js'
import { forbidden, type Policy } from '../../policy/policy.js'
import type { FoundServer, ServerRepository } from './server.repository.js'

export const targetOf = (row: InstanceRow) => ({ project_id: row.project_id, user_id: row.user_id })

/** Whose lock the caller sets (A-ACT-29): the project decides, not the role. */
export const lockHolderOf = (caller: Caller, row: InstanceRow): 'owner' | 'admin' =>
  caller.projectId === row.project_id ? 'owner' : 'admin'

const overrideRule = 'os_compute_api:os-lock-server:unlock:unlock_override'

export class ServerGuard {
  readonly #repository: ServerRepository
  readonly #policy: Policy

  constructor(options: { repository: ServerRepository; policy: Policy }) {
    this.#repository = options.repository
    this.#policy = options.policy
  }

  /** A server the caller may see, or null. */
  async server(caller: Caller, id: string): Promise<FoundServer | null> {
    const found = await this.#repository.find(id, isAdmin(caller) ? null : (caller.projectId ?? ''))
    if (found === null || !this.#sees(caller, found.row)) return null
    return found
  }

  /** Servers by id that the caller may see. */
  async visibleById(caller: Caller, ids: readonly string[]): Promise<Map<string, FoundServer>> {
    const found = await this.#repository.findMany(ids)
    for (const [id, { row }] of found) if (!this.#sees(caller, row)) found.delete(id)
    return found
  }

  #sees(caller: Caller, row: InstanceRow): boolean {
    return this.#policy.allows('os_compute_api:servers:show', caller, targetOf(row))
  }

  async requireSeen(caller: Caller, id: string): Promise<FoundServer> {
    const found = await this.server(caller, id)
    if (found === null) throw instanceNotFound(id)
    return found
  }

  /** The server, if the caller may do this to it now. `rule`: where an action has several mutations with rules of their own. */
  async require(caller: Caller, serverId: string, action: ServerAction, rule?: PolicyRuleName): Promise<FoundServer> {
    const found = await this.requireSeen(caller, serverId)
    const refusal = this.refusal(caller, action, found.row, rule)
    if (refusal !== null) throw refusal
    return found
  }

  /** What the caller may do with a server now, with the reason and code where it may not. */
  allowedActions(
    caller: Caller,
    row: InstanceRow,
  ): { action: ServerAction; allowed: boolean; reason: string | null; errorCode: string | null }[] {
    return (Object.keys(serverActions) as ServerAction[]).map((action) => {
      const refusal = this.refusal(caller, action, row)
      return { action, allowed: refusal === null, reason: refusal?.message ?? null, errorCode: refusal?.code ?? null }
    })
  }

  refusal(caller: Caller, action: ServerAction, row: InstanceRow, rule?: PolicyRuleName): CloudError | null {
    const checked = rule ?? (serverActions[action].policy as PolicyRuleName)
    if (!this.#policy.allows(checked, caller, targetOf(row))) return forbidden(checked)
    if (action === 'UNLOCK' && row.locked === 1 && row.locked_by !== null && row.locked_by !== lockHolderOf(caller, row)) {
      if (!this.#policy.allows(overrideRule, caller, targetOf(row))) return forbidden(overrideRule)
    }
    if (action === 'SUSPEND') {
      const unsupported = refuseSuspend(row)
      if (unsupported !== null) return unsupported
    }
    const refusal = refuseAction(
      action,
      {
        uuid: row.uuid,
        vmState: row.vm_state as VmState,
        taskState: row.task_state as TaskState | null,
        host: row.host,
        launched: row.launched_at !== null,
        locked: row.locked === 1,
      },
      isAdmin(caller),
    )
    return refusal === null ? null : new CloudError(refusal.code, refusal.message, { exception: refusal.exception })
  }
}

const yes: readonly string[] = ['true', '1', 'yes', 'on']

/** D-ACT-12, D-ACT-49: memory that the host cannot read, or hardware in use, cannot be saved to disk. */
function refuseSuspend(row: InstanceRow): CloudError | null {
  const { extraSpecs } = JSON.parse(row.flavor) as GuestFlavor
  if (yes.includes((extraSpecs['hw:mem_encryption'] ?? '').toLowerCase())) {
    return new CloudError('OPERATION_NOT_SUPPORTED', `Operation 'suspend' not supported for SEV-enabled instance (${row.uuid}).`, {
      exception: 'OperationNotSupportedForSEV',
    })
  }
  if (extraSpecs['accel:device_profile'] !== undefined) {
    return new CloudError('OPERATION_NOT_SUPPORTED', `Instance ${row.uuid} has accelerators and cannot be suspended.`, {
      exception: 'ForbiddenWithAccelerators',
    })
  }
  return null
}
