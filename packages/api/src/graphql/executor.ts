/** Compiles a document with graphql-jit on its second use and keeps the compiled ones in an LRU; first uses run as usual. */
import type { GatewayExecutor, GatewayInterface } from '@apollo/server-gateway-interface'
import { type DocumentNode, type ExecutionResult, execute, GraphQLError, type GraphQLSchema } from 'graphql'
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit'
import { LRUCache } from 'lru-cache'

/** Null: graphql-jit cannot compile the document. */
interface Known {
  compiled: CompiledQuery | null | undefined
}

function compile(schema: GraphQLSchema, document: DocumentNode, operationName: string | undefined): CompiledQuery | null {
  const made = compileQuery(schema, document, operationName ?? '')
  return isCompiledQuery(made) ? (made as CompiledQuery) : null
}

/** Runs documents of one schema. */
export function jitExecutor(schema: GraphQLSchema): GatewayExecutor {
  const known = new LRUCache<string, Known>({ max: 500 })
  return async ({ document, queryHash, operationName, request, context }) => {
    const key = `${queryHash} ${operationName ?? ''}`
    const variableValues = (request.variables ?? {}) as Record<string, unknown>
    const entry = known.get(key)
    if (entry === undefined) known.set(key, { compiled: undefined })
    else entry.compiled ??= compile(schema, document, operationName ?? undefined)
    const compiled = entry?.compiled ?? null
    const result: ExecutionResult =
      compiled === null
        ? await execute({ schema, document, operationName, variableValues, contextValue: context })
        : asGraphQLResult((await compiled.query(undefined, context, variableValues)) as ExecutionResult)
    return result as Awaited<ReturnType<GatewayExecutor>>
  }
}

/** graphql-jit's errors look like graphql-js's but are not: Apollo Server needs real ones. */
function asGraphQLResult(result: ExecutionResult): ExecutionResult {
  if (result.errors === undefined) return result
  const errors = result.errors.map((error) => {
    const { message, path, originalError, locations } = error
    const real = new GraphQLError(message, { path, originalError })
    return Object.defineProperty(real, 'locations', { value: locations, enumerable: true })
  })
  return { ...result, errors }
}

/** Gives Apollo Server the executor by way of its gateway interface. */
export const jitGateway = (schema: GraphQLSchema): GatewayInterface => ({
  load: async () => ({ executor: jitExecutor(schema) }),
  onSchemaLoadOrUpdate: (callback) => {
    callback({ apiSchema: schema, coreSupergraphSdl: '' })
    return () => {}
  },
  stop: async () => {},
})
