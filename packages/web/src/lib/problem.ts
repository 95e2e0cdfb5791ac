/** What went wrong, in one shape, whatever layer it came from; and which input fields are at fault. */
import { CombinedGraphQLErrors } from '@apollo/client'

export interface ProblemExtensions {
  code?: string
  fields?: string[]
  retryAfterSeconds?: number
  requestId?: string
}

export class ProblemError extends Error {
  readonly extensions: ProblemExtensions

  constructor(message: string, extensions: ProblemExtensions, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ProblemError'
    this.extensions = extensions
  }
}

export interface Problem {
  message: string
  /** UNREACHABLE when no answer came, so that nobody knows whether the request was carried out. */
  code: string
  /** Paths of input fields at fault, as the server names them: `input.flavorId`. */
  fields: string[]
  requestId: string | null
}

const textArray = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []

export function problemOf(error: unknown): Problem {
  if (CombinedGraphQLErrors.is(error)) {
    const [first] = error.errors
    const extensions = first?.extensions ?? {}
    return {
      message: first?.message ?? error.message,
      code: typeof extensions.code === 'string' ? extensions.code : 'INTERNAL',
      fields: error.errors.flatMap((one) => textArray(one.extensions?.fields)),
      requestId: typeof extensions.requestId === 'string' ? extensions.requestId : null,
    }
  }
  if (error instanceof ProblemError) {
    const { code, fields, requestId } = error.extensions
    return { message: error.message, code: code ?? 'INTERNAL', fields: fields ?? [], requestId: requestId ?? null }
  }
  return { message: 'The cloud does not answer. Check the connection and try again.', code: 'UNREACHABLE', fields: [], requestId: null }
}

/** Messages by form field. A path the form does not show is left to the form's general message. */
export interface FormErrors<Field extends string> {
  fields: Partial<Record<Field, string>>
  general: string | null
}

/**
 * Maps the server's paths to the fields of a form; `fieldFor` answers null for a path the form has no place for. One message comes
 * with all paths, so it stands at each field at fault.
 */
export function formErrors<Field extends string>(error: unknown, fieldFor: (path: string) => Field | null): FormErrors<Field> {
  const problem = problemOf(error)
  const fields: Partial<Record<Field, string>> = {}
  for (const path of problem.fields) {
    const field = fieldFor(path)
    if (field !== null) fields[field] = problem.message
  }
  return { fields, general: Object.keys(fields).length > 0 ? null : problem.message }
}
