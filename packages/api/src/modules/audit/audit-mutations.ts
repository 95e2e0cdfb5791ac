/** Has every mutation of a schema recorded, whatever comes of it. */
import { CloudError } from '@kilonova/contract/errors'
import { defaultFieldResolver, type GraphQLSchema } from 'graphql'
import type { Caller } from '../../caller.js'
import type { RequestContext } from '../../graphql/context.js'

/** Wraps the resolvers of the mutations in place. */
export function auditMutations(schema: GraphQLSchema): void {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const resolve = field.resolve ?? defaultFieldResolver
    field.resolve = async (source: unknown, args: Record<string, unknown>, context: RequestContext, info) => {
      const finish = async (answer: unknown, error: unknown): Promise<void> => {
        if (!isWorthKeeping(field.name, args.input, error)) return
        const caller = context.isAuthenticated ? context.caller : callerIn(answer)
        const { requestId, clientAddress } = context.request
        const found = { targetIds: [...idsOf(args.input), ...idsOf(answer)], operationId: operationIn(answer) }
        await context.services.audit.record({ requestId, clientAddress, caller, field: field.name, input: args.input, error, ...found })
      }
      let answer: unknown
      try {
        answer = await (resolve(source, args, context, info) as Promise<unknown>)
      } catch (error) {
        await finish(null, error)
        throw error
      }
      await finish(answer, null)
      return answer
    }
  }
}

/** Strangers must not be able to fill the log, and a browser that renews its tokens says nothing. */
function isWorthKeeping(field: string, input: unknown, error: unknown): boolean {
  if (error instanceof CloudError && (error.code === 'UNAUTHENTICATED' || error.code === 'RATE_LIMITED')) return false
  return field !== 'refreshSession' || (input as { projectId?: string | null }).projectId != null
}

/** Who has just signed in. */
function callerIn(answer: unknown): Caller | null {
  const { session } = (answer ?? {}) as { session?: { caller?: Caller } }
  return session?.caller ?? null
}

function operationIn(answer: unknown): string | null {
  const { operation } = (answer ?? {}) as { operation?: { id?: unknown } }
  return typeof operation?.id === 'string' ? operation.id : null
}

/** Ids in the fields of an input (`…Id`, `…Ids`) or of an answer (`deletedId`, the `id` of its objects), one level deep. */
function idsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, found]: [string, unknown]) => {
    if (name === 'operation' || name === 'roleId' || name === 'roleIds') return []
    if (/Ids?$/.test(name)) return (Array.isArray(found) ? found : [found]).filter((id) => typeof id === 'string')
    return (Array.isArray(found) ? found : [found]).flatMap((item: unknown) => {
      const { id } = (item ?? {}) as { id?: unknown }
      return typeof id === 'string' ? [id] : []
    })
  })
}
