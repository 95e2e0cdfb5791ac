import { Arg, Ctx, Mutation, Resolver } from 'type-graphql'
import type { RequestContext } from '../../graphql/context.js'
import { Policy } from '../../graphql/policy-directive.js'
import { CreateConsoleInput, CreateConsolePayload } from './console.types.js'

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
        webSocketUrl: `${services.consoleUrl().replace(/^http/, 'ws')}/console/ws/${kind}`,
        token,
        expiresAt,
      },
    }
  }
}
