import { freeOf } from '../host-state.js'
import type { HostWeigher } from './weigher.js'

/** C-WGT-3: raw weight is free_ram_mb, so a positive multiplier spreads and a negative one stacks. */
export const ramWeigher: HostWeigher = {
  name: 'RAMWeigher',
  description: 'Prefers hosts with more free memory.',
  option: 'ram_weight_multiplier',
  minimum: 0,
  weigh: (host) => freeOf(host, 'MEMORY_MB'),
}
