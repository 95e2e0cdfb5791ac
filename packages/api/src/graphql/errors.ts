/** The one place that turns errors into GraphQL errors: a code, never a stack; what is unexpected goes to the log only. */
import { CloudError, errorCodes, isErrorCode } from '@kilonova/contract/errors'
import type { Logger } from '@kilonova/runtime/logger'
import { GraphQLError, type GraphQLFormattedError } from 'graphql'

const ownCodes: Record<string, keyof typeof errorCodes> = {
  GRAPHQL_PARSE_FAILED: 'BAD_USER_INPUT',
  GRAPHQL_VALIDATION_FAILED: 'BAD_USER_INPUT',
  BAD_REQUEST: 'BAD_USER_INPUT',
  BAD_USER_INPUT: 'BAD_USER_INPUT',
  OPERATION_RESOLUTION_FAILURE: 'BAD_USER_INPUT',
  PERSISTED_QUERY_NOT_FOUND: 'BAD_USER_INPUT',
}

function cloudErrorIn(error: unknown): CloudError | null {
  if (error instanceof CloudError) return error
  if (error instanceof GraphQLError && error.originalError !== undefined) return cloudErrorIn(error.originalError)
  return null
}

export function formatError(formatted: GraphQLFormattedError, error: unknown, requestId: string, log: Logger): GraphQLFormattedError {
  const place = { locations: formatted.locations, path: formatted.path }
  const known = cloudErrorIn(error)
  if (known !== null) {
    if (known.code === 'INTERNAL') log.error({ err: known.cause ?? known, requestId }, 'request failed')
    return {
      message: known.message,
      ...place,
      extensions: {
        ...known.extra,
        code: known.code,
        httpStatus: errorCodes[known.code].httpStatus,
        exception: known.exception ?? null,
        fields: known.fields,
        requestId,
      },
    }
  }
  const given = String(formatted.extensions?.code ?? '')
  // Mistakes in the document itself, found before anything ran: graphql-js words them for the client.
  const client = ownCodes[given] ?? (isErrorCode(given) && given !== 'INTERNAL' ? given : null)
  if (client !== null || (error instanceof GraphQLError && error.originalError === undefined && given !== 'INTERNAL_SERVER_ERROR')) {
    const code = client ?? 'BAD_USER_INPUT'
    const httpStatus = errorCodes[code].httpStatus
    return { message: formatted.message, ...place, extensions: { code, httpStatus, exception: 'ValidationError', fields: [], requestId } }
  }
  log.error({ err: error instanceof GraphQLError ? (error.originalError ?? error) : error, requestId }, 'request failed')
  return {
    message: 'An unexpected error happened.',
    ...place,
    extensions: { code: 'INTERNAL', httpStatus: 500, exception: null, fields: [], requestId },
  }
}
