/** Where decisions come from: the scheduler in this process, or one that the bus reaches. */
import type { HandlersOf } from '@kilonova/contract/rpc/method'
import {
  type HostDecision,
  type RankedHost,
  type ScheduleRequest,
  type SchedulerRpc,
  schedulerService,
  schedulerTopic,
} from '@kilonova/contract/rpc/scheduler'
import type { MessageBus } from '@kilonova/runtime/bus/bus'
import type { Logger } from '@kilonova/runtime/logger'
import { secondsSince } from '@kilonova/runtime/observability/metrics'
import type { Telemetry } from '@kilonova/runtime/observability/telemetry'
import type { HostState } from './host-state.js'
import { decide, type SchedulerSetup } from './schedule.js'

export interface Decider {
  /** Repeating it changes nothing. */
  decide(request: ScheduleRequest): Promise<HostDecision>
}

/** So many hosts are named at most; when all of them were taken meanwhile, the caller asks again. */
const mostRanked = 100

export function localDecider(
  setup: SchedulerSetup,
  loadHosts: () => Promise<HostState[]>,
  { telemetry, log }: { telemetry: Telemetry; log: Logger },
): Decider {
  const decisions = telemetry.metrics.histogram(
    'kilonova_scheduler_decision_seconds',
    'Decisions of the scheduler, with reading the hosts.',
    ['outcome'],
  )
  return {
    decide: (request) =>
      telemetry.tracing.span('scheduler.decide', 'internal', {}, async (span) => {
        const begun = performance.now()
        const hosts = await loadHosts()
        const { ranked, stages, rejections, weighed } = decide(request, hosts, setup)
        decisions.observe({ outcome: ranked.length > 0 ? 'found' : 'no_host' }, secondsSince(begun))
        span.note({ 'kilonova.hosts': hosts.length, 'kilonova.hosts_ranked': ranked.length })
        log.debug({ servers: request.serverIds, hosts: hosts.length, ranked: ranked.length, best: ranked[0]?.host }, 'hosts ranked')
        return {
          ranked: ranked.slice(0, mostRanked).map(rankedHostOf),
          stages: [...stages],
          rejections: [...rejections],
          weighed: [...weighed],
        }
      }),
  }
}

export const remoteDecider = (bus: MessageBus): Decider => ({
  decide: (request) => bus.call(schedulerTopic, schedulerService.decide, request, { timeoutMs: 30_000 }),
})

export const schedulerHandlers = (decider: Decider): HandlersOf<SchedulerRpc> => ({ decide: (request) => decider.decide(request) })

const rankedHostOf = ({ host, node, nodeId, cellId, provider }: HostState): RankedHost => ({
  host,
  node,
  nodeId,
  cellId,
  providerId: provider.providerId,
})
