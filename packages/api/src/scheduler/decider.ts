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
import type { HostState } from './host-state.js'
import { decide, type SchedulerSetup } from './schedule.js'

export interface Decider {
  /** Repeating it changes nothing. */
  decide(request: ScheduleRequest): Promise<HostDecision>
}

/** So many hosts are named at most; when all of them were taken meanwhile, the caller asks again. */
const mostRanked = 100

export const localDecider = (setup: SchedulerSetup, loadHosts: () => Promise<HostState[]>): Decider => ({
  async decide(request) {
    const { ranked, stages, rejections, weighed } = decide(request, await loadHosts(), setup)
    return {
      ranked: ranked.slice(0, mostRanked).map(rankedHostOf),
      stages: [...stages],
      rejections: [...rejections],
      weighed: [...weighed],
    }
  },
})

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
