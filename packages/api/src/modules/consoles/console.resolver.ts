import { Arg, Ctx, ID, Mutation, Resolver, Root, Subscription } from 'type-graphql'
import type { RequestContext } from '../../graphql/context.js'
import { Policy } from '../../graphql/policy-directive.js'
import { BigInteger } from '../../graphql/scalars.js'
import { stream } from '../../graphql/stream.js'
import { ConsoleLog } from '../servers/server.types.js'
import { CreateConsoleInput, CreateConsolePayload } from './console.types.js'
import { followConsoleLog } from './console-log.stream.js'

interface ConsoleLogStart {
  args: { serverId: string; fromOffset?: number | null }
  context: RequestContext
}

@Resolver()
export class ConsoleResolver {
  @Policy('os_compute_api:os-remote-consoles')
  @Mutation(() => CreateConsolePayload, {
    description:
      'Open a console. Errors: NOT_READY (no host), INVALID_STATE (deleting, powered off), NOT_IMPLEMENTED (driver), OPERATION_NOT_SUPPORTED (type absent on the host or in the guest).',
  })
  async createConsole(
    @Arg('input', () => CreateConsoleInput, { description: 'Input.' }) input: CreateConsoleInput,
    @Ctx() { services, caller }: RequestContext,
  ): Promise<CreateConsolePayload> {
    const { token, expiresAt } = await services.servers.createConsole(caller, input)
    const publicUrl = services.publicUrl()
    const kind = input.type === 'SERIAL' ? 'serial' : 'vnc'
    return {
      console: {
        type: input.type,
        mode: input.mode,
        url: `${publicUrl}/console/${input.serverId}/${kind}#token=${token}`,
        webSocketUrl: `${publicUrl.replace(/^http/, 'ws')}/console/ws/${kind}`,
        token,
        expiresAt,
      },
    }
  }

  @Policy('os_compute_api:os-console-output')
  @Subscription(() => ConsoleLog, {
    subscribe: ({ args, context }: ConsoleLogStart) =>
      stream((signal) => followConsoleLog(context, args.serverId, args.fromOffset ?? null, signal)),
    description: 'Serial console log of a server as it grows. Errors: NOT_READY, NOT_IMPLEMENTED.',
  })
  consoleLog(
    @Root() slice: ConsoleLog,
    @Arg('serverId', () => ID, { description: 'Server id.' }) _serverId: string,
    @Arg('fromOffset', () => BigInteger, { nullable: true, description: 'Byte offset to start at; absent: the end.' })
    _fromOffset: number | null,
  ): ConsoleLog {
    return slice
  }
}
