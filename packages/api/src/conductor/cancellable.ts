/**
 * How long each task can be stopped by request. The table stands beside the definitions because the process that is asked to cancel
 * need not be the one that runs the task; a test holds it against their pivots.
 */

/** Steps before which a task can still be stopped, or `unasked`: as long as no host was asked, because its work has no way back. */
export type CancelLimit = number | 'unasked'

export const cancelLimits: Record<string, CancelLimit> = {
  build: 2,
  build_on_host: Number.MAX_SAFE_INTEGER,
  delete: 0,
  start: 'unasked',
  stop: 'unasked',
  reboot_soft: 'unasked',
  reboot_hard: 'unasked',
  pause: Number.MAX_SAFE_INTEGER,
  unpause: Number.MAX_SAFE_INTEGER,
  suspend: Number.MAX_SAFE_INTEGER,
  resume: Number.MAX_SAFE_INTEGER,
  import_image: 1,
}

interface Progress {
  kind: string
  direction: string
  step: number
  waiting_for: string | null
  cancel_requested: number
}

/** Whether a task could be stopped where it stands. */
export function canBeCancelled(saga: Progress): boolean {
  if (saga.direction !== 'forward' || saga.cancel_requested === 1) return false
  const limit = cancelLimits[saga.kind] ?? 0
  return limit === 'unasked' ? saga.step === 0 && saga.waiting_for === null : saga.step < limit
}
