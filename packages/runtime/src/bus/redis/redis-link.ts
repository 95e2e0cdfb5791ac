/** Connections to Redis that come back by themselves, and commands that never wait forever. */
import { createClient } from 'redis'
import type { Logger } from '../../logger.js'

/** A connection of our own, so that the rest need not know the client's many type parameters. */
export const makeClient = (url: string, commandTimeoutMs: number) =>
  createClient({
    url,
    socket: {
      connectTimeout: 5000,
      reconnectStrategy: (retries) => Math.min(25 * 2 ** Math.min(retries, 6), 1000) + Math.floor(Math.random() * 50),
    },
    commandOptions: { timeout: commandTimeoutMs },
  })
export type RedisClient = ReturnType<typeof makeClient>

export class RedisTimeoutError extends Error {
  override name = 'RedisTimeoutError'
}

/** A command on a connection that died silently is answered by nobody. */
export async function within<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new RedisTimeoutError(`${what}: no answer from Redis in ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
    // Whoever lost the race may still fail; it was reported already.
    work.catch(() => {})
  }
}

export async function openClient(url: string, timeoutMs: number, log: Logger, role: string): Promise<RedisClient> {
  const client = makeClient(url, timeoutMs)
  let down = false
  client.on('error', (error: unknown) => {
    // One line for an outage, not one for each attempt.
    if (!down) log.warn({ err: error, role }, 'the connection to Redis is down')
    down = true
  })
  client.on('ready', () => {
    if (down) log.info({ role }, 'the connection to Redis is back')
    down = false
  })
  try {
    await within(client.connect(), timeoutMs, 'connect')
  } catch (error) {
    client.destroy()
    throw new Error(`Redis at ${withoutPassword(url)} cannot be reached. Check its address and that it runs.`, { cause: error })
  }
  return client
}

function withoutPassword(url: string): string {
  const parsed = new URL(url)
  parsed.password = ''
  return parsed.href
}
