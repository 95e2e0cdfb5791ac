/** What travels through Redis, and under which keys. Both sides check what they read: the other may be older, newer or broken. */

import { z } from 'zod'
import { BusUnavailableError } from '../bus.js'

export const request = z.object({
  kind: z.enum(['call', 'cast']),
  id: z.string(),
  /** Stream of the process that waits for the answer; null for casts. */
  replyTo: z.string().nullable(),
  topic: z.string(),
  method: z.string(),
  version: z.number().int(),
  /** What the work is done for: see observability/work-context. */
  requestId: z.string().nullable(),
  traceparent: z.string().nullable().default(null),
  /** The work is wanted until so long after Redis took the message; Redis' clock counts, not ours. */
  timeoutMs: z.number(),
  payload: z.unknown(),
})
export type Request = z.infer<typeof request>

const errorReport = z.object({
  code: z.string(),
  message: z.string(),
  exception: z.string().optional(),
  details: z.string().optional(),
})

export const reply = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('result'), id: z.string(), value: z.unknown() }),
  z.object({ kind: z.literal('error'), id: z.string(), error: errorReport }),
  z.object({ kind: z.literal('unavailable'), id: z.string(), topic: z.string(), method: z.string(), reason: z.string() }),
  /** The reader must look at its list of topics again. */
  z.object({ kind: z.literal('wake') }),
])
export type Reply = z.infer<typeof reply>

export const unavailableReply = (id: string, error: BusUnavailableError): Reply => ({
  kind: 'unavailable',
  id,
  topic: error.topic,
  method: error.methodName,
  reason: error.message.slice(`${error.methodName} at ${error.topic}: `.length),
})

export const group = 'servers'

export interface Keys {
  topic(topic: string): string
  /** Who serves a topic, each with the time until which it is believed. */
  serving(topic: string): string
  reply(processId: string): string
  fanout(topic: string): string
  dead: string
}

export const keysOf = (prefix: string): Keys => ({
  topic: (topic) => `${prefix}:topic:${topic}`,
  serving: (topic) => `${prefix}:serving:${topic}`,
  reply: (processId) => `${prefix}:reply:${processId}`,
  fanout: (topic) => `${prefix}:fanout:${topic}`,
  dead: `${prefix}:dead`,
})

/** Redis names an entry by its own time in milliseconds. */
export const timeOfEntry = (id: string): number => Number(id.split('-')[0])
