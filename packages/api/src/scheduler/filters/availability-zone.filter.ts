import type { HostFilter } from './filter.js'

/** C-FLT-8: the host is in the zone asked for; several zones may be named with commas. */
export const availabilityZoneFilter: HostFilter = {
  name: 'AvailabilityZoneFilter',
  description: 'Hosts in the requested availability zone.',
  runsOnRebuild: false,
  refuse(host, request) {
    if (request.availabilityZone === null) return null
    const wanted = request.availabilityZone.split(',').map((zone) => zone.trim())
    return wanted.some((zone) => host.availabilityZones.includes(zone))
      ? null
      : `the host is in zone ${host.availabilityZones.join(', ')}, not in ${request.availabilityZone}`
  },
}
