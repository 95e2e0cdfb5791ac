/** What can be seen of GraphQL operations from outside. Documents and their names are the client's: only what the schema names is told. */
import type { ApolloServerPlugin } from '@apollo/server'
import type { Logger } from '@kilonova/runtime/logger'
import { secondsSince } from '@kilonova/runtime/observability/metrics'
import type { Telemetry } from '@kilonova/runtime/observability/telemetry'
import type { OpenSpan } from '@kilonova/runtime/observability/tracing'
import { type ExecutionResult, getOperationAST, type OperationDefinitionNode } from 'graphql'
import type { RequestContext, RequestInfo } from './context.js'

type Outcome = 'ok' | 'refused' | 'failed'

interface Note {
  kind: string
  fields: string[]
  outcome: Outcome
  span: OpenSpan
}

const mostFieldsTold = 5

export class OperationWatch {
  readonly #telemetry: Telemetry
  readonly #log: Logger
  readonly #operations
  readonly #durations
  readonly #sockets
  /** Apollo works on copies of the context; what they share is the request. */
  readonly #notes = new WeakMap<RequestInfo, Note>()

  constructor(telemetry: Telemetry, log: Logger) {
    this.#telemetry = telemetry
    this.#log = log
    const { metrics } = telemetry
    this.#operations = metrics.counter(
      'kilonova_graphql_operations_total',
      'GraphQL operations; refused: by a rule or for their input. Subscriptions count when they begin.',
      ['kind', 'outcome'],
    )
    this.#durations = metrics.histogram('kilonova_graphql_operation_seconds', 'Queries and mutations over HTTP.', ['kind', 'outcome'])
    this.#sockets = metrics.gauge('kilonova_graphql_sockets_open', 'Clients that are connected for subscriptions.')
  }

  /** One operation over HTTP, as a trace or a part of one. */
  request<T>(info: RequestInfo, act: () => Promise<T>): Promise<T> {
    return this.#telemetry.tracing.begin('graphql', 'server', {}, async (span) => {
      const note: Note = { kind: 'none', fields: [], outcome: 'ok', span }
      this.#notes.set(info, note)
      const begun = performance.now()
      try {
        return await act()
      } finally {
        const { kind, fields, outcome } = note
        const seconds = secondsSince(begun)
        this.#operations.inc({ kind, outcome })
        this.#durations.observe({ kind, outcome }, seconds)
        if (outcome !== 'ok') span.fail(outcome)
        this.#log.debug({ kind, fields, outcome, ms: Math.round(seconds * 1000) }, 'GraphQL operation')
      }
    })
  }

  /** It was refused before its document was looked at. */
  refused(info: RequestInfo): void {
    const note = this.#notes.get(info)
    if (note !== undefined) note.outcome = 'refused'
  }

  plugin(): ApolloServerPlugin<RequestContext> {
    const noteOf = (context: RequestContext): Note | undefined => this.#notes.get(context.request)
    return {
      requestDidStart: async () => ({
        // Once it is valid its fields are the schema's.
        didResolveOperation: async ({ contextValue, operation }) => {
          const note = noteOf(contextValue)
          if (note === undefined || operation === undefined) return
          note.kind = operation.operation
          note.fields = fieldsOf(operation)
          note.span.note(
            { 'graphql.operation.type': note.kind, 'graphql.fields': note.fields.join(' ') },
            `${note.kind} ${note.fields[0] ?? ''}`,
          )
        },
        willSendResponse: async ({ contextValue, response }) => {
          const note = noteOf(contextValue)
          if (note !== undefined && response.body.kind === 'single') note.outcome = outcomeOf(response.body.singleResult.errors)
        },
      }),
    }
  }

  /** An operation over a WebSocket has begun, or was answered. */
  overSocket(args: { document: Parameters<typeof getOperationAST>[0]; operationName?: string | null }, result: unknown): void {
    const kind = getOperationAST(args.document, args.operationName)?.operation ?? 'none'
    const errors = typeof result === 'object' && result !== null && 'errors' in result ? (result as ExecutionResult).errors : undefined
    this.#operations.inc({ kind, outcome: outcomeOf(errors?.map((error) => error.toJSON())) })
  }

  refusedOverSocket(): void {
    this.#operations.inc({ kind: 'none', outcome: 'refused' })
  }

  socketOpened(): void {
    this.#sockets.inc()
  }

  socketClosed(): void {
    this.#sockets.dec()
  }
}

const fieldsOf = (operation: OperationDefinitionNode): string[] =>
  operation.selectionSet.selections.flatMap((node) => (node.kind === 'Field' ? [node.name.value] : [])).slice(0, mostFieldsTold)

function outcomeOf(errors: readonly { extensions?: Record<string, unknown> }[] | undefined): Outcome {
  if (errors === undefined || errors.length === 0) return 'ok'
  return errors.some((error) => ['INTERNAL', 'INTERNAL_SERVER_ERROR'].includes(String(error.extensions?.code))) ? 'failed' : 'refused'
}
