import { eventTypes as knownTypes } from '@kilonova/contract/events'
import { Arg, Ctx, createUnionType, FieldResolver, ID, Query, Resolver, Root, Subscription } from 'type-graphql'
import { type EventRow, encodeCursor, type FollowedItem } from '../../events/event-hub.js'
import type { RequestContext } from '../../graphql/context.js'
import { Policy } from '../../graphql/policy-directive.js'
import { stream } from '../../graphql/stream.js'
import { toUser } from '../identity/identity.resolver.js'
import { User } from '../identity/identity.types.js'
import { Operation, OperationChange } from '../operations/operation.types.js'
import { toOperation } from '../operations/operation.view.js'
import { Server, ServerChange } from '../servers/server.types.js'
import { toServer } from '../servers/server.view.js'
import { EventFilter } from './event.inputs.js'
import { Event, EventGap, EventHeartbeat, type EventPhase, type EventPriority, type EventSubject, EventType } from './event.types.js'
import { checkEventTypes, followAs, matchesFilter, mayReceive } from './subscriptions.js'

const EventStreamItem = createUnionType({
  name: 'EventStreamItem',
  description: 'Item of the events subscription.',
  types: () => [Event, EventGap, EventHeartbeat] as const,
  resolveType: (item) => ('eventType' in item ? Event : 'lostFrom' in item ? EventGap : EventHeartbeat),
})

type EventNode = Event & { row: EventRow }
const toEvent = (row: EventRow): EventNode => ({
  id: row.event_id,
  cursor: encodeCursor(row.position),
  eventType: row.event_type,
  subject: row.subject as EventSubject,
  phase: row.phase as EventPhase | null,
  priority: row.priority as EventPriority,
  occurredAt: row.occurred_at,
  publisherId: row.publisher_id,
  requestId: row.request_id,
  projectId: row.project_id,
  subjectId: row.subject_id,
  payload: JSON.parse(row.payload) as unknown,
  row,
})

interface StreamInfo<A> {
  args: A
  context: RequestContext
}

function eventsOf({ args, context }: StreamInfo<{ after?: string | null; filter?: EventFilter | null }>) {
  const { caller, services } = context
  services.policy.enforce('cloud:events:read', caller)
  const filter = args.filter ?? {}
  if (filter.allProjects === true) services.policy.enforce('cloud:events:all_projects', caller)
  checkEventTypes(filter.eventTypes)
  return stream(async function* (signal) {
    for await (const item of followAs(context, args.after, signal)) {
      if (item.kind === 'event') {
        if (mayReceive(caller, item.event, filter.allProjects === true) && matchesFilter(item.event, filter)) yield toEvent(item.event)
      } else yield item.kind === 'gap' ? gapOf(item) : heartbeatOf(item)
    }
  })
}

const gapOf = (item: Extract<FollowedItem, { kind: 'gap' }>): EventGap => ({
  cursor: encodeCursor(item.to.position - 1),
  lostFrom: 0,
  lostUntil: item.to.occurred_at,
})
const heartbeatOf = (item: Extract<FollowedItem, { kind: 'heartbeat' }>): EventHeartbeat => ({
  cursor: encodeCursor(item.position),
  at: Date.now(),
})

interface ServerSignal {
  position: number
  serverId: string
  change: 'CREATED' | 'UPDATED' | 'DELETED'
  changedFields: string[]
}

function serverChanges({ args, context }: StreamInfo<{ serverIds?: string[] | null; projectId?: string | null; after?: string | null }>) {
  const { caller, services } = context
  services.policy.enforce('os_compute_api:servers:detail', caller)
  const elsewhere = args.projectId != null && args.projectId !== caller.projectId
  if (elsewhere) services.policy.enforce('os_compute_api:servers:detail:get_all_tenants', caller)
  const projectId = args.projectId ?? caller.projectId
  return stream(async function* (signal): AsyncGenerator<ServerSignal> {
    for await (const item of followAs(context, args.after, signal)) {
      if (item.kind !== 'event') continue
      const { event } = item
      if (event.event_type !== 'instance.update' || event.project_id !== projectId) continue
      if (args.serverIds != null && !args.serverIds.includes(event.subject_id)) continue
      const { data } = JSON.parse(event.payload) as { data: { changedFields?: string[]; created?: boolean; deleted?: boolean } }
      yield {
        position: event.position,
        serverId: event.subject_id,
        change: data.deleted === true ? 'DELETED' : data.created === true ? 'CREATED' : 'UPDATED',
        changedFields: data.changedFields ?? [],
      }
    }
  })
}

function operationChanges({
  args,
  context,
}: StreamInfo<{ operationIds?: string[] | null; serverId?: string | null; after?: string | null }>) {
  const { caller, services } = context
  services.policy.enforce('os_compute_api:os-instance-actions:list', caller)
  return stream(async function* (signal): AsyncGenerator<{ position: number; operationId: string }> {
    for await (const item of followAs(context, args.after, signal)) {
      if (item.kind !== 'event' || item.event.subject !== 'OPERATION') continue
      if (!mayReceive(caller, item.event, false)) continue
      const row = await context.operations.load(item.event.subject_id)
      if (row === null) continue
      const named =
        args.operationIds == null ||
        args.operationIds.includes(row.id) ||
        (row.parent_id !== null && args.operationIds.includes(row.parent_id))
      if (!named || (args.serverId != null && row.server_id !== args.serverId)) continue
      yield { position: item.event.position, operationId: row.id }
      if (row.parent_id !== null && args.operationIds?.includes(row.parent_id))
        yield { position: item.event.position, operationId: row.parent_id }
    }
  })
}

@Resolver(() => Event)
export class EventResolver {
  @FieldResolver(() => User, { nullable: true, description: 'Who caused it.' })
  async user(@Root() { row }: EventNode, @Ctx() context: RequestContext): Promise<User | null> {
    const user = row.user_id === null ? null : await context.users.load(row.user_id)
    return user === null ? null : toUser(user)
  }

  @FieldResolver(() => Server, { nullable: true, description: 'Filled when the subject is a server the caller may see.' })
  async server(@Root() { row }: EventNode, @Ctx() context: RequestContext): Promise<Server | null> {
    const found = row.subject === 'SERVER' ? await context.servers.load(row.subject_id) : null
    return found === null ? null : toServer(found)
  }

  @FieldResolver(() => Operation, { nullable: true })
  async operation(@Root() { row }: EventNode, @Ctx() context: RequestContext): Promise<Operation | null> {
    const operation = row.operation_id === null ? null : await context.operations.load(row.operation_id)
    return operation === null ? null : toOperation(operation)
  }

  @Query(() => [EventType], { description: 'Every kind of event that exists.' })
  eventTypes(@Ctx() context: RequestContext): EventType[] {
    void context.caller
    return Object.entries(knownTypes).map(([eventType, info]) => {
      const phase = /\.(start|end|error|progress)$/.exec(eventType)?.[1]?.toUpperCase() as EventPhase | undefined
      return {
        eventType,
        subject: info.subject as EventSubject,
        phase: phase ?? null,
        priority: phase === 'ERROR' ? 'ERROR' : 'INFO',
        payloadName:
          eventType === 'instance.update'
            ? 'InstanceUpdatePayload'
            : info.subject === 'SERVER'
              ? 'InstanceActionPayload'
              : `${pascal(info.subject)}Payload`,
        payloadVersion: '1.0',
        description: info.description,
      }
    })
  }

  @Policy('cloud:events:read')
  @Subscription(() => EventStreamItem, {
    subscribe: eventsOf,
    description:
      'Ordered stream of everything that happens, resumable: after a break pass the last cursor seen. Replays from the log, then follows live; an EventGap says that items are lost and a refetch is needed. Errors: CURSOR_INVALID.',
  })
  events(
    @Root() item: EventNode | EventGap | EventHeartbeat,
    @Arg('after', () => String, { nullable: true, description: 'Resume after this cursor; absent: only new items.' }) _after: string | null,
    @Arg('filter', () => EventFilter, { nullable: true, description: 'Which events; absent: all of the caller’s project.' })
    _filter: EventFilter | null,
  ): typeof EventStreamItem {
    return item
  }

  @Policy('os_compute_api:servers:detail')
  @Subscription(() => ServerChange, {
    subscribe: serverChanges,
    description: 'Small signals about servers that changed; select fields of server to have them fetched with the signal.',
  })
  serverChanged(
    @Root() signal: ServerSignal,
    @Arg('serverIds', () => [ID], { nullable: true, description: 'Only these servers.' }) _serverIds: string[] | null,
    @Arg('projectId', () => ID, { nullable: true, description: 'Only servers of this project; other projects need all-projects rights.' })
    _projectId: string | null,
    @Arg('after', () => String, { nullable: true, description: 'Resume after this cursor.' }) _after: string | null,
  ): ServerChange {
    return { cursor: encodeCursor(signal.position), change: signal.change, serverId: signal.serverId, changedFields: signal.changedFields }
  }

  @Policy('os_compute_api:os-instance-actions:list')
  @Subscription(() => OperationChange, {
    subscribe: operationChanges,
    description: 'Every change of state, progress or step of operations.',
  })
  async operationChanged(
    @Root() signal: { position: number; operationId: string },
    @Arg('operationIds', () => [ID], { nullable: true, description: 'Only these operations; a parent includes its children.' })
    _operationIds: string[] | null,
    @Arg('serverId', () => ID, { nullable: true, description: 'Only operations of this server.' }) _serverId: string | null,
    @Arg('after', () => String, { nullable: true, description: 'Resume after this cursor.' }) _after: string | null,
    @Ctx() context: RequestContext,
  ): Promise<OperationChange | null> {
    const row = await context.operations.load(signal.operationId)
    return row === null ? null : { cursor: encodeCursor(signal.position), operation: toOperation(row) }
  }
}

@Resolver(() => ServerChange)
export class ServerChangeResolver {
  @FieldResolver(() => Server, { nullable: true, description: 'Null when deleted.' })
  async server(@Root() change: ServerChange, @Ctx() context: RequestContext): Promise<Server | null> {
    const found = await context.servers.load(change.serverId)
    return found === null ? null : toServer(found)
  }
}

const pascal = (subject: string): string =>
  subject
    .toLowerCase()
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
