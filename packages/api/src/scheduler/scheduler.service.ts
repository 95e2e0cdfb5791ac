/** Has a host chosen, claims it in placement and keeps alternates of the same cell (C-SCH-5, 9). */
import { CloudError } from '@kilonova/contract/errors'
import type { SchedulingTrace } from '@kilonova/contract/operations'
import type { RankedHost, ScheduleRequest } from '@kilonova/contract/rpc/scheduler'
import type { Clock } from '@kilonova/runtime/clock'
import type { Metrics } from '@kilonova/runtime/observability/metrics'
import type { PlacementService } from '../placement/placement.service.js'
import type { Decider } from './decider.js'
import { placementQueryOf } from './schedule.js'

export type ChosenHost = Omit<RankedHost, 'providerId'>

export interface Selection {
  selected: ChosenHost
  alternates: ChosenHost[]
}

export class NoValidHostError extends CloudError {
  constructor(readonly trace: SchedulingTrace) {
    super('NO_VALID_HOST', 'No valid host was found. There are not enough hosts available.', { exception: 'NoValidHost' })
  }
}

export interface SchedulerOptions {
  decider: Decider
  placement: PlacementService
  maxAttempts: number
  clock: Clock
  metrics: Metrics
}

/** Decisions that were all taken by others before the claim: so often a new one is asked for. */
const mostRounds = 3

export class SchedulerService {
  readonly #options: SchedulerOptions
  readonly #conflicts

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#conflicts = options.metrics.counter(
      'kilonova_placement_conflicts_total',
      'Chosen hosts whose resources were taken before the claim.',
    )
  }

  /** Chooses and claims a host for one server. Repeating it for a server that holds a claim is the caller's to avoid. */
  async select(
    request: ScheduleRequest,
    consumer: { id: string; projectId: string; userId: string },
  ): Promise<{ selection: Selection; trace: SchedulingTrace }> {
    const { clock, decider, maxAttempts, placement } = this.#options
    const startedAt = clock.now()
    for (let round = 1; ; round++) {
      const decision = await decider.decide(request)
      const trace: SchedulingTrace = {
        startedAt,
        finishedAt: null,
        placementQuery: placementQueryOf(request),
        stages: decision.stages,
        rejections: decision.rejections,
        weighedHosts: decision.weighed,
        selectedHost: null,
        alternateHosts: [],
        attempts: 0,
      }
      const { ranked } = decision
      let lost = 0
      for (const host of ranked) {
        if (!(await placement.claim(consumer, host.providerId, request.amounts))) {
          lost++
          this.#conflicts.inc()
          continue
        }
        const alternates = ranked.filter((other) => other !== host && other.cellId === host.cellId).slice(0, maxAttempts - 1)
        trace.stages.push({
          kind: 'CLAIM',
          name: 'claim',
          hostsBefore: ranked.length,
          hostsAfter: ranked.length - lost,
          reason: lost === 0 ? null : 'taken meanwhile',
        })
        trace.selectedHost = host.host
        trace.alternateHosts = alternates.map((alternate) => alternate.host)
        trace.finishedAt = clock.now()
        return { selection: { selected: chosen(host), alternates: alternates.map(chosen) }, trace }
      }
      if (lost > 0) trace.stages.push({ kind: 'CLAIM', name: 'claim', hostsBefore: lost, hostsAfter: 0, reason: 'taken meanwhile' })
      trace.finishedAt = clock.now()
      if (lost === 0 || round === mostRounds) throw new NoValidHostError(trace)
    }
  }
}

const chosen = ({ host, node, nodeId, cellId }: RankedHost): ChosenHost => ({ host, node, nodeId, cellId })
