/** What a compute agent does on request. Topic: `compute.<host>`. */
import { z } from 'zod'
import { guestSpec } from './guest.js'
import { method } from './method.js'

/**
 * Names one piece of work of one saga. The agent journals it before acting, answers a repeat with the recorded result and
 * refuses a fence lower than the highest it has seen for the server.
 */
export const workKey = z.object({
  serverId: z.string(),
  operationId: z.string(),
  sagaId: z.string(),
  step: z.string(),
  direction: z.enum(['forward', 'backward']),
  attempt: z.number().int().positive(),
  /** Grows with every saga, and every attempt of a build, on this server. */
  fence: z.number().int().nonnegative(),
})
export type WorkKey = z.infer<typeof workKey>

const accepted = z.object({})
const work = <T extends z.ZodRawShape>(shape: T) => z.object({ key: workKey, ...shape })

export const consoleTarget = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('unix'), path: z.string() }),
  z.object({ kind: z.literal('tcp'), host: z.string(), port: z.number().int() }),
])
export type ConsoleTarget = z.infer<typeof consoleTarget>

export const consoleTypes = ['NOVNC', 'SERIAL'] as const
export type ConsoleTypeName = (typeof consoleTypes)[number]

const mostConsoleBytes = 1024 * 1024
export const consoleBytesWanted = z.object({
  serverId: z.string(),
  fromOffset: z.number().int().nonnegative().nullable(),
  limitBytes: z.number().int().positive().max(mostConsoleBytes),
})
export const consoleBytes = z.object({
  base64: z.base64(),
  startOffset: z.number().int(),
  /** After the last byte there is; the bytes may end before. */
  endOffset: z.number().int(),
})

export const agentService = {
  /** Casts: accepted at once, the outcome comes as `conductor.report`. */
  prepareDisks: method('prepareDisks', work({ guest: guestSpec }), accepted),
  discardDisks: method('discardDisks', work({}), accepted),
  spawn: method('spawn', work({ guest: guestSpec }), accepted),
  destroy: method('destroy', work({}), accepted),
  powerOn: method('powerOn', work({}), accepted),
  powerOff: method('powerOff', work({ timeoutSeconds: z.number().int().nonnegative() }), accepted),
  /** Each is undone by its counterpart. */
  pause: method('pause', work({}), accepted),
  unpause: method('unpause', work({}), accepted),
  suspend: method('suspend', work({}), accepted),
  resume: method('resume', work({}), accepted),
  reboot: method('reboot', work({ type: z.enum(['SOFT', 'HARD']), timeoutSeconds: z.number().int() }), accepted),
  /** Calls: short, answered at once. */
  powerState: method('powerState', z.object({ serverId: z.string() }), z.object({ powerState: z.number().int() })),
  consoleLog: method(
    'consoleLog',
    z.object({
      serverId: z.string(),
      tailLines: z.number().int().positive().nullable(),
      fromOffset: z.number().int().nonnegative().nullable(),
      /** With an offset: answer when there is more, or after this long. */
      waitMs: z.number().int().nonnegative().optional(),
    }),
    z.object({
      output: z.string(),
      startOffset: z.number().int(),
      endOffset: z.number().int(),
      truncated: z.boolean(),
    }),
  ),
  /** Console output as the guest wrote it, for terminals: the last bytes, or those from an offset on. */
  consoleBytes: method('consoleBytes', consoleBytesWanted, consoleBytes),
  consoleTarget: method(
    'consoleTarget',
    z.object({ serverId: z.string(), type: z.enum(consoleTypes) }),
    z.object({ target: consoleTarget }),
  ),
  uptime: method('uptime', z.object({}), z.object({ uptime: z.string().nullable() })),
}
export type AgentService = typeof agentService
export type AgentWork =
  | 'prepareDisks'
  | 'discardDisks'
  | 'spawn'
  | 'destroy'
  | 'powerOn'
  | 'powerOff'
  | 'reboot'
  | 'pause'
  | 'unpause'
  | 'suspend'
  | 'resume'

export const agentTopic = (host: string): string => `compute.${host}`
