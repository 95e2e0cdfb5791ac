/** One GraphQL request without cache or session: what signing in and refreshing need before there is either. */
import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { print } from 'graphql'
import { ProblemError, type ProblemExtensions } from './problem.js'

interface Answer<T> {
  data?: T | null
  errors?: { message: string; extensions?: ProblemExtensions }[]
}

/** How far the server's clock runs ahead of ours, in milliseconds; small differences are noise of the whole-second header. */
export interface Answered<T> {
  data: T
  clockAheadMs: number
}

export async function graphqlRequest<T, V extends Record<string, unknown>>(
  document: TypedDocumentNode<T, V>,
  variables: V,
  accessToken: string | null = null,
): Promise<Answered<T>> {
  let response: Response
  try {
    response = await fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(accessToken === null ? {} : { authorization: `Bearer ${accessToken}` }) },
      body: JSON.stringify({ query: print(document), variables }),
    })
  } catch (error) {
    throw new ProblemError('The cloud does not answer. Check the connection and try again.', { code: 'UNREACHABLE' }, { cause: error })
  }
  const answer = (await response.json().catch(() => ({}))) as Answer<T>
  const [error] = answer.errors ?? []
  if (error !== undefined) throw new ProblemError(error.message, error.extensions ?? {})
  if (answer.data === undefined || answer.data === null) {
    throw new ProblemError(`The cloud answered with status ${response.status}.`, { code: 'UNREACHABLE' })
  }
  const serverTime = Date.parse(response.headers.get('date') ?? '')
  const ahead = Number.isNaN(serverTime) ? 0 : serverTime - Date.now()
  return { data: answer.data, clockAheadMs: Math.abs(ahead) > 5000 ? ahead : 0 }
}
