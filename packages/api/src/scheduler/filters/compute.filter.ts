import type { HostFilter } from './filter.js'

/** C-FLT-10: the compute service is enabled and reporting. */
export const computeFilter: HostFilter = {
  name: 'ComputeFilter',
  description: 'Hosts whose compute service is enabled and up.',
  runsOnRebuild: false,
  refuse(host) {
    if (!host.serviceEnabled) return `the compute service is disabled${host.disabledReason ? `: ${host.disabledReason}` : ''}`
    return host.serviceUp ? null : 'the compute service is not reporting'
  },
}
