import type { ScheduleRequest } from '@kilonova/contract/rpc/scheduler'
import type { HostState } from '../host-state.js'

/** Yes or no per host; the text says why not, for the trace. */
export interface HostFilter {
  readonly name: string
  readonly description: string
  /** Also asked when a server is rebuilt in place. */
  readonly runsOnRebuild: boolean
  /** Null: the host passes. */
  refuse(host: HostState, request: ScheduleRequest): string | null
}
