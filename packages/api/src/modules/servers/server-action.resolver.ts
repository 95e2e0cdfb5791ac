/** Mutations that act on an existing server beyond power: pause, suspend, lock, forced state, and one action on many servers. */
import { Arg, Ctx, Mutation, Resolver } from 'type-graphql'
import type { ErrorDetail } from '../../graphql/common.types.js'
import type { RequestContext } from '../../graphql/context.js'
import { Policy } from '../../graphql/policy-directive.js'
import { requireOperation, toOperation } from '../operations/operation.view.js'
import type { GuestAction } from './guest-actions.js'
import type { RecordAction } from './record-actions.js'
import { requireServer } from './server.resolver.js'
import { Server } from './server.types.js'
import * as inputs from './server-action.inputs.js'
import * as types from './server-action.types.js'

interface OneServer {
  serverId: string
  idempotencyKey?: string | null
}

async function onGuest(context: RequestContext, action: GuestAction, input: OneServer) {
  const { operationId } = await context.services.servers.actions.run(context.caller, action, input)
  return { server: await requireServer(context, input.serverId), operation: await requireOperation(context, operationId) }
}

async function onRecord(context: RequestContext, action: RecordAction, input: OneServer) {
  const { operationId } = await context.services.servers.records.run(context.caller, action, input)
  return { server: await requireServer(context, input.serverId), operation: await requireOperation(context, operationId) }
}

@Resolver(() => Server)
export class ServerActionResolver {
  @Policy('os_compute_api:os-pause-server:pause')
  @Mutation(() => types.PauseServerPayload, {
    description: 'Freeze the vCPUs, keep the memory. From ACTIVE. Errors: INVALID_STATE, LOCKED. Later: NOT_IMPLEMENTED.',
  })
  pauseServer(
    @Arg('input', () => inputs.PauseServerInput, { description: 'Input.' }) input: inputs.PauseServerInput,
    @Ctx() context: RequestContext,
  ) {
    return onGuest(context, 'PAUSE', input)
  }

  @Policy('os_compute_api:os-pause-server:unpause')
  @Mutation(() => types.UnpauseServerPayload, {
    description: 'Let the vCPUs run again. From PAUSED. Errors: INVALID_STATE, LOCKED. Later: NOT_IMPLEMENTED.',
  })
  unpauseServer(
    @Arg('input', () => inputs.UnpauseServerInput, { description: 'Input.' }) input: inputs.UnpauseServerInput,
    @Ctx() context: RequestContext,
  ) {
    return onGuest(context, 'UNPAUSE', input)
  }

  @Policy('os_compute_api:os-suspend-server:suspend')
  @Mutation(() => types.SuspendServerPayload, {
    description:
      'Save memory to disk and free it. From ACTIVE. Errors: INVALID_STATE, LOCKED, OPERATION_NOT_SUPPORTED (SEV, accelerators). Later: GUEST_ERROR, NOT_IMPLEMENTED.',
  })
  suspendServer(
    @Arg('input', () => inputs.SuspendServerInput, { description: 'Input.' }) input: inputs.SuspendServerInput,
    @Ctx() context: RequestContext,
  ) {
    return onGuest(context, 'SUSPEND', input)
  }

  @Policy('os_compute_api:os-suspend-server:resume')
  @Mutation(() => types.ResumeServerPayload, {
    description: 'Load memory from disk and run. From SUSPENDED. Errors: INVALID_STATE, LOCKED. Later: GUEST_ERROR, NOT_IMPLEMENTED.',
  })
  resumeServer(
    @Arg('input', () => inputs.ResumeServerInput, { description: 'Input.' }) input: inputs.ResumeServerInput,
    @Ctx() context: RequestContext,
  ) {
    return onGuest(context, 'RESUME', input)
  }

  @Policy('os_compute_api:os-lock-server:lock')
  @Mutation(() => types.LockServerPayload, {
    description: "Refuse changes by non-admins. From any state, no lock check; an owner's lock on a locked server changes nothing.",
  })
  lockServer(
    @Arg('input', () => inputs.LockServerInput, { description: 'Input.' }) input: inputs.LockServerInput,
    @Ctx() context: RequestContext,
  ) {
    return onRecord(context, 'LOCK', input)
  }

  @Policy('os_compute_api:os-lock-server:unlock')
  @Mutation(() => types.UnlockServerPayload, {
    description: "Allow changes again. An admin's lock needs os_compute_api:os-lock-server:unlock:unlock_override. Errors: FORBIDDEN.",
  })
  unlockServer(
    @Arg('input', () => inputs.UnlockServerInput, { description: 'Input.' }) input: inputs.UnlockServerInput,
    @Ctx() context: RequestContext,
  ) {
    return onRecord(context, 'UNLOCK', input)
  }

  @Policy('os_compute_api:os-admin-actions:reset_state')
  @Mutation(() => types.ResetServerStatePayload, {
    description:
      'Set the state in the database and clear the task; the guest is not touched. From any state, no lock check. Errors: NOT_READY (not scheduled yet).',
  })
  resetServerState(
    @Arg('input', () => inputs.ResetServerStateInput, { description: 'Input.' }) input: inputs.ResetServerStateInput,
    @Ctx() context: RequestContext,
  ) {
    return onRecord(context, 'RESET_STATE', input)
  }

  @Mutation(() => types.BulkServerActionPayload, {
    description:
      'One action on up to 250 servers. Each server is checked by the rule and guards of its own mutation; refusals are results, not errors. Errors: BAD_USER_INPUT (action that needs more input than the bulk options, duplicates).',
  })
  async bulkServerAction(
    @Arg('input', () => inputs.BulkServerActionInput, { description: 'Input.' }) input: inputs.BulkServerActionInput,
    @Ctx() context: RequestContext,
  ) {
    const { services, caller } = context
    const { parentId, results } = await services.servers.bulk.run(caller, input)
    const ids = results.flatMap((result) => result.operationId ?? [])
    const operations = ids.length === 0 ? new Map() : await services.operations.visibleById(caller, ids)
    return {
      operation: await requireOperation(context, parentId),
      results: results.map(({ serverId, error, operationId }) => {
        const operation = operationId === null ? undefined : operations.get(operationId)
        return {
          serverId,
          accepted: error === null,
          error: error as ErrorDetail | null,
          operation: operation === undefined ? null : toOperation(operation),
        }
      }),
    }
  }
}
