/** A service for tests of the message bus, and ways to make a bus of each kind. */
import { CloudError } from '@kilonova/contract/errors'
import { type HandlersOf, method } from '@kilonova/contract/rpc/method'
import { z } from 'zod'
import { createLogger } from '../logger.js'
import type { MessageBus } from './bus.js'
import { InProcessBus } from './in-process.bus.js'
import { RedisBus, type RedisBusOptions } from './redis.bus.js'

export const redisUrl = process.env.KILONOVA_TEST_REDIS
export const log = createLogger('silent')

export const service = {
  echo: method('echo', z.object({ text: z.string() }), z.object({ text: z.string() })),
  refuse: method('refuse', z.object({ how: z.enum(['cloud error', 'error', 'bad answer']) }), z.object({ fine: z.literal(true) })),
  never: method('never', z.object({}), z.object({})),
  relay: method('relay', z.object({ topic: z.string(), text: z.string() }), z.object({ text: z.string() })),
  note: method('note', z.object({ text: z.string() }), z.object({})),
}
export type TestService = typeof service

/** Handlers that do as their name says; `notes` collects what casts bring. */
export function handlersFor(bus: MessageBus, notes: string[], more: Partial<HandlersOf<TestService>> = {}): HandlersOf<TestService> {
  return {
    echo: async ({ text }) => ({ text }),
    refuse: async ({ how }) => {
      if (how === 'cloud error') throw new CloudError('LOCKED', 'The server is locked.', { exception: 'InstanceLocked' })
      if (how === 'error') throw new Error('secret details')
      const wrong: unknown = { fine: false }
      return wrong as { fine: true }
    },
    never: () => new Promise(() => {}),
    relay: async ({ topic, text }) => bus.call(topic, service.echo, { text }),
    note: async ({ text }) => {
      notes.push(text)
      return {}
    },
    ...more,
  }
}

export const newPrefix = (): string => `test:${Math.random().toString(36).slice(2)}`

/** Takes over quickly what another process left. A living process that is slow to say so loses its work too. */
export const impatient = { claimAfterMs: 150 }
export const quick: RedisBusOptions['timings'] = { heartbeatMs: 30, claimAfterMs: 60_000, blockMs: 200, commandMs: 3000, deliveries: 3 }

export const openRedisBus = (prefix: string, more: Partial<RedisBusOptions> = {}): Promise<RedisBus> =>
  RedisBus.connect({ url: redisUrl ?? '', prefix, log, closeWaitMs: 500, ...more, timings: { ...quick, ...more.timings } })

/** Two ends of one bus: with Redis they are two processes' ends, in memory they are the same. */
export const kinds: { kind: string; open: () => Promise<{ near: MessageBus; far: MessageBus }> }[] = [
  {
    kind: 'InProcessBus',
    open: async () => {
      const bus = new InProcessBus(log)
      return { near: bus, far: bus }
    },
  },
  ...(redisUrl === undefined
    ? []
    : [
        {
          kind: 'RedisBus',
          open: async () => {
            const prefix = newPrefix()
            const [near, far] = await Promise.all([openRedisBus(prefix), openRedisBus(prefix)])
            return { near, far }
          },
        },
      ]),
]

export async function until<T>(what: string, ask: () => T | Promise<T>, wanted: (value: T) => boolean, timeoutMs = 10_000): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const value = await ask()
    if (wanted(value)) return value
    if (performance.now() > deadline) throw new Error(`gave up waiting for ${what}: ${JSON.stringify(value)}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
