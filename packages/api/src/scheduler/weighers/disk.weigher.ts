import { freeOf } from '../host-state.js'
import type { HostWeigher } from './weigher.js'

/** C-WGT-5: raw weight is free_disk_mb, so a positive multiplier spreads and a negative one stacks. */
export const diskWeigher: HostWeigher = {
  name: 'DiskWeigher',
  description: 'Prefers hosts with more free disk.',
  option: 'disk_weight_multiplier',
  minimum: 0,
  weigh: (host) => freeOf(host, 'DISK_GB') * 1024,
}
