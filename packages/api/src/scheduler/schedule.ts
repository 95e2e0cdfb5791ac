/**
 * The scheduler's decision: a pure function from a request and a snapshot of the hosts to an order of hosts per server, with a trace
 * that says why. It reads no clock, no database and no configuration; claiming the result in placement is the caller's part.
 */
import type { HostRejection, SchedulingStage, WeighedHost } from '@kilonova/contract/operations'
import type { ScheduleRequest } from '@kilonova/contract/rpc/scheduler'
import { disabledTrait, fits } from '../placement/placement.service.js'
import type { HostFilter } from './filters/filter.js'
import type { HostState } from './host-state.js'
import type { HostWeigher } from './weighers/weigher.js'

export interface SchedulerSetup {
  readonly filters: readonly HostFilter[]
  readonly weighers: readonly { weigher: HostWeigher; multiplier: number }[]
  /** Choose among so many of the best (C-SCH-8). */
  readonly hostSubsetSize: number
  /** 0..1; only asked when hostSubsetSize is above 1. */
  readonly random: () => number
}

export interface Decision {
  /** Hosts that passed, best first. Empty: no valid host. */
  readonly ranked: readonly HostState[]
  readonly stages: readonly SchedulingStage[]
  readonly rejections: readonly HostRejection[]
  readonly weighed: readonly WeighedHost[]
}

/** At most so many hosts are named per stage. */
export const namedPerStage = 50

/** The placement query in the form of C-RRQ-8, for the trace. */
export const placementQueryOf = (request: ScheduleRequest): string =>
  `resources=${Object.entries(request.amounts)
    .filter(([, amount]) => amount > 0)
    .map(([resourceClass, amount]) => `${resourceClass}:${amount}`)
    .join(',')}&root_required=!${disabledTrait}`

/** Why placement does not offer the host, or null. */
function shortage(host: HostState, request: ScheduleRequest): string | null {
  if (host.provider.traits.has(disabledTrait)) return 'the host is disabled'
  for (const [resourceClass, amount] of Object.entries(request.amounts)) {
    if (amount === 0) continue
    const inventory = host.provider.inventories[resourceClass]
    if (inventory === undefined) return `no ${resourceClass} at all`
    if (!fits(inventory, amount)) {
      const capacity = Math.floor((inventory.total - inventory.reserved) * inventory.ratio)
      return `${resourceClass}: ${amount} asked, ${Math.max(capacity - inventory.used, 0)} of ${capacity} free`
    }
  }
  return null
}

export function decide(request: ScheduleRequest, hosts: readonly HostState[], setup: SchedulerSetup): Decision {
  const stages: SchedulingStage[] = []
  const rejections: HostRejection[] = []

  const stage = (
    kind: SchedulingStage['kind'],
    name: string,
    before: readonly HostState[],
    refuse: (host: HostState) => string | null,
  ): HostState[] => {
    const reasons = new Map<string, number>()
    let named = 0
    const survivors = before.filter((host) => {
      const reason = refuse(host)
      if (reason === null) return true
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
      if (named++ < namedPerStage) rejections.push({ host: host.host, node: host.node, stage: name, reason })
      return false
    })
    const commonest = [...reasons].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null
    stages.push({ kind, name, hostsBefore: before.length, hostsAfter: survivors.length, reason: commonest })
    return survivors
  }

  const wanted = (host: HostState): string | null => {
    if (request.ignoreHosts.some((name) => name.toLowerCase() === host.host.toLowerCase())) return 'the host was tried before'
    if (request.requestedHost !== null && host.host !== request.requestedHost) return 'another host was asked for'
    if (request.requestedNode !== null && host.node !== request.requestedNode) return 'another node was asked for'
    return null
  }

  let survivors = stage('PLACEMENT', 'placement', hosts, (host) => shortage(host, request))
  if (request.requestedHost !== null || request.requestedNode !== null || request.ignoreHosts.length > 0) {
    survivors = stage('PREFILTER', 'requested_destination', survivors, wanted)
  }
  for (const filter of setup.filters) {
    if (survivors.length === 0) break
    survivors = stage('FILTER', filter.name, survivors, (host) => filter.refuse(host, request))
  }

  const weighed = weigh(survivors, setup)
  return { ranked: rank(survivors, weighed, setup), stages, rejections, weighed: weighed.slice(0, namedPerStage).sort(byWeight) }
}

const byWeight = (a: WeighedHost, b: WeighedHost): number => b.totalWeight - a.totalWeight || (a.host < b.host ? -1 : 1)

/** C-WGT-1. One survivor is not weighed. */
function weigh(hosts: readonly HostState[], setup: SchedulerSetup): WeighedHost[] {
  const columns = setup.weighers.map(({ weigher, multiplier }) => {
    const raw = hosts.map((host) => weigher.weigh(host))
    const clamped = raw.map((value) => Math.max(value, weigher.minimum))
    const low = Math.min(weigher.minimum, ...clamped)
    const high = Math.max(...clamped)
    const normalized = clamped.map((value) => (high === low ? 0 : (value - low) / (high - low)))
    return { name: weigher.name, multiplier, raw, normalized }
  })
  return hosts.map((host, index) => {
    const weights = columns.map((column) => ({
      weigher: column.name,
      raw: column.raw[index] ?? 0,
      normalized: hosts.length === 1 ? 0 : (column.normalized[index] ?? 0),
      multiplier: column.multiplier,
    }))
    const totalWeight = weights.reduce((sum, part) => sum + part.normalized * part.multiplier, 0)
    return { host: host.host, node: host.node, totalWeight, weights }
  })
}

function rank(hosts: readonly HostState[], weighed: readonly WeighedHost[], setup: SchedulerSetup): HostState[] {
  const weightOf = new Map(weighed.map((entry) => [entry.host + entry.node, entry.totalWeight]))
  const total = (host: HostState): number => weightOf.get(host.host + host.node) ?? 0
  const ranked = [...hosts].sort((a, b) => total(b) - total(a) || (a.host < b.host ? -1 : 1))
  if (setup.hostSubsetSize > 1 && ranked.length > 1) {
    const pick = Math.floor(setup.random() * Math.min(setup.hostSubsetSize, ranked.length))
    const [chosen] = ranked.splice(pick, 1)
    if (chosen !== undefined) ranked.unshift(chosen)
  }
  return ranked
}
