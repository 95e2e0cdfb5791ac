/** What Apollo does for documents over HTTP, for those over a WebSocket: parse, validate and weigh before anything runs. */
import { CloudError } from '@kilonova/contract/errors'
import { type ExecutionArgs, GraphQLError, type GraphQLSchema, getOperationAST, parse, validate } from 'graphql'
import { type DocumentLimits, limitDocument } from './document-limits.js'

export interface AdmissionOptions {
  schema: GraphQLSchema
  limits: DocumentLimits
  maxTokens: number
}

interface Payload {
  query: string
  operationName?: string | null | undefined
  variables?: Record<string, unknown> | null | undefined
}

/** What to execute, or why not. */
export function admitDocument(options: AdmissionOptions, payload: Payload): ExecutionArgs | GraphQLError[] {
  const { schema, limits, maxTokens } = options
  try {
    const document = parse(payload.query, { maxTokens })
    const mistakes = validate(schema, document)
    if (mistakes.length > 0) return [...mistakes]
    const operation = getOperationAST(document, payload.operationName)
    if (operation === null || operation === undefined) return [new GraphQLError('The document names no operation to run.')]
    const variableValues = payload.variables ?? {}
    limitDocument(schema, document, operation, variableValues, limits)
    return { schema, document, operationName: payload.operationName, variableValues }
  } catch (error) {
    if (error instanceof GraphQLError) return [error]
    if (error instanceof CloudError) return [new GraphQLError(error.message, { originalError: error })]
    throw error
  }
}
