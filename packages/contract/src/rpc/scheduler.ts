/** What the scheduler offers the super-conductor. It only decides: the claim is made by whoever asked, with the generation of the provider. */
import { z } from 'zod'
import { method } from './method.js'

export const scheduleRequest = z.object({
  serverIds: z.array(z.string()),
  amounts: z.record(z.string(), z.number()),
  availabilityZone: z.string().nullable(),
  imageProperties: z.record(z.string(), z.string()),
  /** Only this host or node may be used; filters still apply (requested destination). */
  requestedHost: z.string().nullable(),
  requestedNode: z.string().nullable(),
  ignoreHosts: z.array(z.string()),
})
export type ScheduleRequest = z.infer<typeof scheduleRequest>

export const rankedHost = z.object({
  host: z.string(),
  node: z.string(),
  nodeId: z.string(),
  cellId: z.string(),
  /** Resource provider to claim from. */
  providerId: z.string(),
})
export type RankedHost = z.infer<typeof rankedHost>

/** Best host first. Empty: no valid host; the stages say why. */
export const hostDecision = z.object({
  ranked: z.array(rankedHost),
  stages: z.array(
    z.object({
      kind: z.enum(['PREFILTER', 'PLACEMENT', 'FILTER', 'CLAIM', 'BUILD']),
      name: z.string(),
      hostsBefore: z.number(),
      hostsAfter: z.number(),
      reason: z.string().nullable(),
    }),
  ),
  rejections: z.array(z.object({ host: z.string(), node: z.string(), stage: z.string(), reason: z.string() })),
  weighed: z.array(
    z.object({
      host: z.string(),
      node: z.string(),
      totalWeight: z.number(),
      weights: z.array(z.object({ weigher: z.string(), raw: z.number(), normalized: z.number(), multiplier: z.number() })),
    }),
  ),
})
export type HostDecision = z.infer<typeof hostDecision>

export const schedulerService = { decide: method('decide', scheduleRequest, hostDecision) }
export type SchedulerRpc = typeof schedulerService

/** Shared by every scheduler process. */
export const schedulerTopic = 'scheduler'
