/** Compiles a document with graphql-jit on its second use and keeps the compiled ones in an LRU; first uses run as usual. */
import type { GatewayExecutor, GatewayInterface } from '@apollo/server-gateway-interface'
import {
  astFromValue,
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLInputType,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  type TypeNode,
  typeFromAST,
  valueFromASTUntyped,
} from 'graphql'
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit'
import { LRUCache } from 'lru-cache'

interface Compiled {
  query: CompiledQuery['query']
  /** Whether graphql-js takes these variables; it words the errors of those that it does not. */
  accepts(values: Record<string, unknown>): boolean
  variableTypes: ReadonlyMap<string, GraphQLInputType>
}

/** Null: graphql-jit cannot compile the document. */
interface Known {
  compiled: Compiled | null | undefined
}

function compile(schema: GraphQLSchema, document: DocumentNode, operationName: string | undefined): Compiled | null {
  const made = compileQuery(schema, document, operationName ?? '')
  if (!isCompiledQuery(made)) return null
  const definitions = getOperationAST(document, operationName)?.variableDefinitions ?? []
  const variableTypes = new Map<string, GraphQLInputType>()
  for (const { variable, type: node } of definitions) {
    const type = typeFromAST(schema, node as TypeNode)
    if (isInputType(type)) variableTypes.set(variable.name.value, type)
  }
  const accepts = (values: Record<string, unknown>): boolean =>
    definitions.length === 0 || getVariableValues(schema, definitions, values).errors === undefined
  return { query: (made as CompiledQuery).query, accepts, variableTypes }
}

/** Fills in what input objects leave out and the schema has a default for: graphql-jit refuses what it does not find. */
function withDefaults(value: unknown, type: GraphQLInputType | undefined): unknown {
  if (type === undefined) return value
  if (isNonNullType(type)) return withDefaults(value, type.ofType as GraphQLInputType)
  if (isListType(type)) {
    const item = type.ofType as GraphQLInputType
    return Array.isArray(value) ? value.map((each) => withDefaults(each, item)) : withDefaults(value, item)
  }
  if (!isInputObjectType(type) || typeof value !== 'object' || value === null) return value
  const filled: Record<string, unknown> = { ...value }
  for (const field of Object.values(type.getFields())) {
    const given = filled[field.name]
    if (given !== undefined) filled[field.name] = withDefaults(given, field.type)
    else if (field.defaultValue !== undefined) {
      const literal = astFromValue(field.defaultValue, field.type)
      if (literal !== null && literal !== undefined) filled[field.name] = valueFromASTUntyped(literal)
    }
  }
  return filled
}

const filled = (values: Record<string, unknown>, types: ReadonlyMap<string, GraphQLInputType>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, withDefaults(value, types.get(name))]))

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
      compiled === null || !compiled.accepts(variableValues)
        ? await execute({ schema, document, operationName, variableValues, contextValue: context })
        : asGraphQLResult((await compiled.query(undefined, context, filled(variableValues, compiled.variableTypes))) as ExecutionResult)
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
