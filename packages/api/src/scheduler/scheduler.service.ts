/** Loads what the decision needs, decides, claims the winner in placement and keeps alternates of the same cell (C-SCH-5, 9). */
import { CloudError } from '@kilonova/contract/errors'
import type { SchedulingTrace } from '@kilonova/contract/operations'
import type { Clock } from '@kilonova/runtime/clock'
import type { PlacementService } from '../placement/placement.service.js'
import type { HostState, ScheduleRequest } from './host-state.js'
import { decide, placementQueryOf, type SchedulerSetup } from './schedule.js'

export interface ChosenHost {
  host: string
  node: string
  nodeId: string
  cellId: string
}

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
  setup: SchedulerSetup
  placement: PlacementService
  loadHosts: () => Promise<HostState[]>
  maxAttempts: number
  clock: Clock
}

export class SchedulerService {
  readonly #options: SchedulerOptions

  constructor(options: SchedulerOptions) {
    this.#options = options
  }

  get setup(): SchedulerSetup {
    return this.#options.setup
  }

  /** Chooses and claims a host for one server. Repeating it for a server that holds a claim is the caller's to avoid. */
  async select(
    request: ScheduleRequest,
    consumer: { id: string; projectId: string; userId: string },
  ): Promise<{ selection: Selection; trace: SchedulingTrace }> {
    const startedAt = this.#options.clock.now()
    const decision = decide(request, await this.#options.loadHosts(), this.#options.setup)
    const trace: SchedulingTrace = {
      startedAt,
      finishedAt: null,
      placementQuery: placementQueryOf(request),
      stages: [...decision.stages],
      rejections: [...decision.rejections],
      weighedHosts: [...decision.weighed],
      selectedHost: null,
      alternateHosts: [],
      attempts: 0,
    }
    let lost = 0
    for (const host of decision.ranked) {
      if (!(await this.#options.placement.claim(consumer, host.provider.providerId, request.amounts))) {
        lost++
        continue
      }
      const alternates = decision.ranked
        .filter((other) => other !== host && other.cellId === host.cellId)
        .slice(0, this.#options.maxAttempts - 1)
      trace.stages.push({
        kind: 'CLAIM',
        name: 'claim',
        hostsBefore: decision.ranked.length,
        hostsAfter: decision.ranked.length - lost,
        reason: lost === 0 ? null : 'taken meanwhile',
      })
      trace.selectedHost = host.host
      trace.alternateHosts = alternates.map((alternate) => alternate.host)
      trace.finishedAt = this.#options.clock.now()
      return { selection: { selected: chosen(host), alternates: alternates.map(chosen) }, trace }
    }
    if (lost > 0) trace.stages.push({ kind: 'CLAIM', name: 'claim', hostsBefore: lost, hostsAfter: 0, reason: 'taken meanwhile' })
    trace.finishedAt = this.#options.clock.now()
    throw new NoValidHostError(trace)
  }
}

const chosen = (host: HostState): ChosenHost => ({
  host: host.host,
  node: host.node,
  nodeId: host.nodeId,
  cellId: host.cellId,
})
