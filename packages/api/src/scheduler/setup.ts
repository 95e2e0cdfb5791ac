/** The filters and weighers that the configuration asks for. An unknown name stops the start (C-SCH-7). */
import type { ApiConfig } from '../config.js'
import { availabilityZoneFilter } from './filters/availability-zone.filter.js'
import { computeFilter } from './filters/compute.filter.js'
import type { HostFilter } from './filters/filter.js'
import { imagePropertiesFilter } from './filters/image-properties.filter.js'
import type { SchedulerSetup } from './schedule.js'
import { cpuWeigher } from './weighers/cpu.weigher.js'
import { diskWeigher } from './weighers/disk.weigher.js'
import { ramWeigher } from './weighers/ram.weigher.js'
import type { HostWeigher } from './weighers/weigher.js'

export const availableFilters: readonly HostFilter[] = [computeFilter, availabilityZoneFilter, imagePropertiesFilter]
export const availableWeighers: readonly HostWeigher[] = [ramWeigher, cpuWeigher, diskWeigher]

export function configuredSetup(options: ApiConfig['filter_scheduler']): SchedulerSetup {
  const filters = options.enabled_filters.map((name) => {
    const filter = availableFilters.find((candidate) => candidate.name === name)
    if (filter === undefined) {
      throw new Error(
        `Scheduler host filter ${name} could not be found; there are ${availableFilters.map((known) => known.name).join(', ')}.`,
      )
    }
    return filter
  })
  return {
    filters,
    weighers: availableWeighers.map((weigher) => ({ weigher, multiplier: options[weigher.option] })),
    hostSubsetSize: options.host_subset_size,
    random: Math.random,
  }
}
