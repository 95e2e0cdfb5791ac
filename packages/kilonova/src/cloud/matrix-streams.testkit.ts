/** Subscriptions for the tenancy matrix. */
import { getNamedType, isObjectType, isUnionType } from 'graphql'
import { createClient } from 'graphql-ws'
import WebSocket from 'ws'
import { call, payloadOf } from './matrix-cases.testkit.js'
import type { Field } from './matrix-schema.testkit.js'
import type { Actor } from './matrix-world.testkit.js'

export interface Stream {
  seen: string[]
  error: string | null
  stop: () => Promise<void>
}
/** Opens a subscription and goes on collecting; it is there when the socket is open or refused. */
export async function follow(url: string, actor: Actor, field: Field, args: Record<string, unknown>): Promise<Stream> {
  const client = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { accessToken: actor.client.token },
    retryAttempts: 0,
  })
  const type = getNamedType(field.type)
  const selection = isObjectType(type)
    ? payloadOf(type, 2)
    : isUnionType(type)
      ? type
          .getTypes()
          .map((one) => `... on ${one.name} { ${payloadOf(one, 1)} }`)
          .join(' ')
      : ''
  const { document, variables } = call(field, args, selection)
  const stream: Stream = { seen: [], error: null, stop: async () => client.dispose() }
  await new Promise<void>((resolve) => {
    client.on('connected', () => resolve())
    client.on('closed', () => resolve())
    client.subscribe(
      { query: document('subscription'), variables },
      {
        next: ({ data, errors }) => {
          if (errors !== undefined) stream.error ??= errors.map((error) => `${String(error.extensions?.code)} ${error.message}`).join()
          else stream.seen.push(JSON.stringify(data))
        },
        error: (error) => {
          const list = Array.isArray(error) ? (error as { message: string; extensions?: { code?: string } }[]) : []
          stream.error ??= list.length > 0 ? list.map(({ message, extensions }) => `${extensions?.code} ${message}`).join() : 'closed'
        },
        complete: () => {},
      },
    )
  })
  return stream
}
