/** What can be seen of an agent from outside: its work, what it asks of its driver, the guests of its host. */

import type { WorkKey } from '@kilonova/contract/rpc/agent'
import type { WorkOutcome } from '@kilonova/contract/rpc/conductor'
import { powerStates } from '@kilonova/contract/server-states'
import type { Logger } from '@kilonova/runtime/logger'
import { secondsSince, slowBuckets } from '@kilonova/runtime/observability/metrics'
import type { Telemetry } from '@kilonova/runtime/observability/telemetry'
import type { Driver } from '../driver.js'

export interface AgentWatchOptions {
  host: string
  driver: Driver
  log: Logger
  telemetry: Telemetry
}

/** Calls that change a guest or its disks; those that only look are too frequent to tell of. */
export type ActingDriver = Pick<
  Driver,
  'prepareDisks' | 'discardDisks' | 'spawn' | 'destroy' | 'powerOn' | 'powerOff' | 'reboot' | 'pause' | 'unpause' | 'suspend' | 'resume'
>

const stateNames = Object.entries(powerStates)

export class AgentWatch {
  readonly #options: AgentWatchOptions
  readonly #work
  readonly #guests

  constructor(options: AgentWatchOptions) {
    this.#options = options
    const { metrics } = options.telemetry
    this.#work = metrics.histogram(
      'kilonova_agent_work_seconds',
      'Work of agents for steps of sagas, from its begin to its outcome.',
      ['kind', 'direction', 'outcome'],
      slowBuckets,
    )
    this.#guests = metrics.gauge('kilonova_guests', 'Guests of this cloud on a host.', ['host', 'power_state'])
  }

  /** Counts guests when metrics are read. Answers how to end that. */
  start(): () => void {
    return this.#options.telemetry.metrics.onScrape(() => this.#countGuests())
  }

  work(key: WorkKey, act: () => Promise<WorkOutcome>): Promise<WorkOutcome> {
    const { host, log, telemetry } = this.#options
    const { direction, serverId, step: kind } = key
    const attributes = { 'kilonova.server': serverId, 'kilonova.host': host, 'kilonova.direction': direction }
    return telemetry.tracing.span(`agent ${kind}`, 'internal', attributes, async (span) => {
      const begun = performance.now()
      const outcome = await act()
      const seconds = secondsSince(begun)
      this.#work.observe({ kind, direction, outcome: outcome.kind }, seconds)
      if (outcome.kind === 'failed') span.fail(outcome.error.code)
      log.debug({ host, server: serverId, step: kind, direction, outcome: outcome.kind, ms: Math.round(seconds * 1000) }, 'work ended')
      return outcome
    })
  }

  /** The driver's acting calls, each with a span and a measure. */
  actingDriver(): ActingDriver {
    const { driver, host, telemetry } = this.#options
    const calls = telemetry.metrics.histogram(
      'kilonova_driver_call_seconds',
      'What agents asked their hypervisor drivers to do.',
      ['call', 'outcome'],
      slowBuckets,
    )
    const observe = <T>(call: string, act: () => Promise<T>): Promise<T> =>
      telemetry.tracing.span(
        `driver ${call}`,
        'internal',
        { 'kilonova.host': host, 'kilonova.driver': driver.hypervisorType },
        async () => {
          const begun = performance.now()
          let outcome = 'failed'
          try {
            const answer = await act()
            outcome = 'done'
            return answer
          } finally {
            calls.observe({ call, outcome }, secondsSince(begun))
          }
        },
      )
    return {
      prepareDisks: (guest, signal) => observe('prepareDisks', () => driver.prepareDisks(guest, signal)),
      discardDisks: (serverId) => observe('discardDisks', () => driver.discardDisks(serverId)),
      spawn: (guest, signal) => observe('spawn', () => driver.spawn(guest, signal)),
      destroy: (serverId) => observe('destroy', () => driver.destroy(serverId)),
      powerOn: (serverId) => observe('powerOn', () => driver.powerOn(serverId)),
      powerOff: (serverId, seconds, signal) => observe('powerOff', () => driver.powerOff(serverId, seconds, signal)),
      reboot: (serverId, type, seconds, signal) => observe('reboot', () => driver.reboot(serverId, type, seconds, signal)),
      pause: (serverId) => observe('pause', () => driver.pause(serverId)),
      unpause: (serverId) => observe('unpause', () => driver.unpause(serverId)),
      suspend: (serverId) => observe('suspend', () => driver.suspend(serverId)),
      resume: (serverId) => observe('resume', () => driver.resume(serverId)),
    }
  }

  async #countGuests(): Promise<void> {
    const { driver, host } = this.#options
    for (const [power_state] of stateNames) this.#guests.remove({ host, power_state })
    const present = await driver.presentServers()
    const states = await Promise.all(present.map((serverId) => driver.powerState(serverId)))
    for (const [power_state, value] of stateNames) {
      const count = states.filter((state) => state === value).length
      // Disks without a guest are nothing that runs.
      if (value !== powerStates.NOSTATE) this.#guests.set({ host, power_state }, count)
    }
  }
}
