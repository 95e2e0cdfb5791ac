import type { HostState } from '../host-state.js'

/** One number per host; normalised over the survivors to 0..1 and multiplied (C-WGT-1). */
export interface HostWeigher {
  readonly name: string
  readonly description: string
  /** Option of `[filter_scheduler]` with the multiplier. */
  readonly option: 'ram_weight_multiplier' | 'cpu_weight_multiplier' | 'disk_weight_multiplier'
  /** Fixed lower end of the scale; raw values below it count as it. */
  readonly minimum: number
  weigh(host: HostState): number
}
