/**
 * `fetch` for Apollo: adds the access token, renews it once when it is refused, and repeats what the network lost if a repeat cannot
 * do a thing twice (queries, and mutations with an idempotency key).
 */
import type { SessionStore } from './session.js'

const networkRetries = 2

const isRepeatable = (body: unknown): boolean =>
  typeof body === 'string' && (!/"query":\s*"mutation/.test(body) || body.includes('"idempotencyKey"'))

async function isUnauthenticated(response: Response): Promise<boolean> {
  if (response.status === 401) return true
  if (!(response.headers.get('content-type') ?? '').includes('json')) return false
  const answer = (await response.clone().json()) as { errors?: { extensions?: { code?: string } }[] }
  return answer.errors?.some((error) => error.extensions?.code === 'UNAUTHENTICATED') ?? false
}

export function fetchWithSession(session: SessionStore): typeof fetch {
  return async (input, init) => {
    const send = async (token: string): Promise<Response> => {
      for (let attempt = 0; ; attempt++) {
        try {
          const headers = new Headers(init?.headers)
          headers.set('authorization', `Bearer ${token}`)
          return await fetch(input, { ...init, headers })
        } catch (error) {
          if (init?.signal?.aborted === true || attempt >= networkRetries || !isRepeatable(init?.body)) throw error
          await new Promise((resolve) => setTimeout(resolve, 300 * 2 ** attempt * (0.5 + Math.random())))
        }
      }
    }
    const token = await session.token()
    const response = await send(token)
    return (await isUnauthenticated(response)) ? send(await session.tokenAfter(token)) : response
  }
}
