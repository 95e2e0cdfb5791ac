/** Streams for one subscriber: events it may see, live and resumable, ending when its session ends. */

import { CloudError } from '@kilonova/contract/errors'
import { eventTypes as knownTypes } from '@kilonova/contract/events'
import { type Caller } from '../../caller.js'
import type { EventRow, FollowedItem } from '../../events/event-hub.js'
import type { RequestContext } from '../../graphql/context.js'
import { unauthenticated } from '../identity/session.service.js'

export interface EventFilterInput {
  eventTypes?: string[] | null
  subjects?: string[] | null
  subjectIds?: string[] | null
  phases?: string[] | null
  priority?: string | null
  requestId?: string | null
  since?: number | null
  until?: number | null
  allProjects?: boolean | null
}

const checkEveryMs = 5000

/**
 * Follows the log for a caller. The session is looked at again every few seconds and before each event after that: it ends with
 * UNAUTHENTICATED when the session, its user or its project are gone.
 */
export async function* followAs(
  context: RequestContext,
  after: string | null | undefined,
  signal: AbortSignal,
): AsyncGenerator<FollowedItem> {
  const { services, caller } = context
  let checkedAt = performance.now()
  for await (const item of services.events.follow(after ?? null, signal)) {
    if (performance.now() - checkedAt > checkEveryMs) {
      checkedAt = performance.now()
      if ((await services.sessions.standing(caller.sessionId)) === null) throw unauthenticated('The session has ended.')
    }
    context.forgetLoaded()
    yield item
  }
}

/** Tenancy: events of the caller's project (of key pairs, the owner's only); all others with the rule for all projects. */
export function mayReceive(caller: Caller, event: EventRow, allProjects: boolean): boolean {
  if (event.project_id !== null && event.project_id === caller.projectId)
    return event.subject !== 'KEYPAIR' || event.user_id === caller.userId
  return allProjects
}

export function matchesFilter(event: EventRow, filter: EventFilterInput): boolean {
  const typeMatches =
    filter.eventTypes == null ||
    filter.eventTypes.some((pattern) =>
      pattern.endsWith('*') ? event.event_type.startsWith(pattern.slice(0, -1)) : event.event_type === pattern,
    )
  return (
    typeMatches &&
    (filter.subjects == null || filter.subjects.includes(event.subject)) &&
    (filter.subjectIds == null || filter.subjectIds.includes(event.subject_id)) &&
    (filter.phases == null || (event.phase !== null && filter.phases.includes(event.phase))) &&
    (filter.priority == null || filter.priority === event.priority) &&
    (filter.requestId == null || filter.requestId === event.request_id) &&
    (filter.since == null || event.occurred_at >= filter.since) &&
    (filter.until == null || event.occurred_at <= filter.until)
  )
}

export function checkEventTypes(names: readonly string[] | null | undefined): void {
  for (const name of names ?? []) {
    const prefix = name.endsWith('*') ? name.slice(0, -1) : null
    const known = prefix === null ? Object.hasOwn(knownTypes, name) : Object.keys(knownTypes).some((type) => type.startsWith(prefix))
    if (!known) throw new CloudError('BAD_USER_INPUT', `There is no event type ${name}.`, { fields: ['filter.eventTypes'] })
  }
}
