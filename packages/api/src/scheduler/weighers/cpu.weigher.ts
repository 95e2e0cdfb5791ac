import { freeOf } from '../host-state.js'
import type { HostWeigher } from './weigher.js'

/** C-WGT-4: raw weight is free vCPUs, so a positive multiplier spreads and a negative one stacks. */
export const cpuWeigher: HostWeigher = {
  name: 'CPUWeigher',
  description: 'Prefers hosts with more free vCPUs.',
  option: 'cpu_weight_multiplier',
  minimum: 0,
  weigh: (host) => freeOf(host, 'VCPU'),
}
