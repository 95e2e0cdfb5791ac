import { Field, ID, ObjectType, registerEnumType } from 'type-graphql'
import { Policy } from '../../graphql/policy-directive.js'
import { DateTime, JsonValue } from '../../graphql/scalars.js'

export const EventSubject = {
  SERVER: 'SERVER',
  FLAVOR: 'FLAVOR',
  KEYPAIR: 'KEYPAIR',
  SERVICE: 'SERVICE',
  COMPUTE_TASK: 'COMPUTE_TASK',
  SCHEDULER: 'SCHEDULER',
  IMAGE: 'IMAGE',
  NETWORK: 'NETWORK',
  PORT: 'PORT',
  OPERATION: 'OPERATION',
} as const
export type EventSubject = (typeof EventSubject)[keyof typeof EventSubject]
registerEnumType(EventSubject, {
  name: 'EventSubject',
  description: 'Kind of object an event is about.',
  valuesConfig: {
    SERVER: { description: 'Server.' },
    FLAVOR: { description: 'Flavor.' },
    KEYPAIR: { description: 'Key pair.' },
    SERVICE: { description: 'Service.' },
    COMPUTE_TASK: { description: 'Build, migrate or rebuild task.' },
    SCHEDULER: { description: 'Scheduler decision.' },
    IMAGE: { description: 'Image.' },
    NETWORK: { description: 'Network.' },
    PORT: { description: 'Port.' },
    OPERATION: { description: 'Operation.' },
  },
})

export const EventPhase = {
  START: 'START',
  END: 'END',
  ERROR: 'ERROR',
  PROGRESS: 'PROGRESS',
} as const
export type EventPhase = (typeof EventPhase)[keyof typeof EventPhase]
registerEnumType(EventPhase, {
  name: 'EventPhase',
  description: 'Phase of an action.',
  valuesConfig: {
    START: { description: 'Begins.' },
    END: { description: 'Ended well.' },
    ERROR: { description: 'Ended badly.' },
    PROGRESS: { description: 'Goes on.' },
  },
})

export const EventPriority = {
  INFO: 'INFO',
  ERROR: 'ERROR',
} as const
export type EventPriority = (typeof EventPriority)[keyof typeof EventPriority]
registerEnumType(EventPriority, {
  name: 'EventPriority',
  description: 'Weight of an event.',
  valuesConfig: {
    INFO: { description: 'Normal.' },
    ERROR: { description: 'Something failed.' },
  },
})

@ObjectType({ description: "Something that happened; Nova's versioned notification.", simpleResolvers: true })
export class Event {
  @Field(() => ID)
  id!: string
  @Field(() => String, { description: 'Pass as after to resume behind it.' })
  cursor!: string
  @Field(() => String, { description: "Nova's dotted name, for example instance.create.end; see eventTypes." })
  eventType!: string
  @Field(() => EventSubject)
  subject!: EventSubject
  @Field(() => EventPhase, { nullable: true, description: 'Null for singular events such as instance.lock.' })
  phase!: EventPhase | null
  @Field(() => EventPriority)
  priority!: EventPriority
  @Field(() => DateTime)
  occurredAt!: number
  @Policy('cloud:events:all_projects', 'HIDE')
  @Field(() => String, { nullable: true, description: 'Publishing program and host.' })
  publisherId!: string | null
  @Field(() => String, { nullable: true })
  requestId!: string | null
  @Field(() => ID, { nullable: true })
  projectId!: string | null
  @Field(() => ID, { nullable: true })
  subjectId!: string | null
  @Field(() => JsonValue, { description: 'Versioned payload: name, version, data; admins see all, owners what Server shows them.' })
  payload!: unknown
}

@ObjectType({ description: 'Some events between two cursors cannot be replayed; refetch what you show.', simpleResolvers: true })
export class EventGap {
  @Field(() => String)
  cursor!: string
  @Field(() => DateTime)
  lostFrom!: number
  @Field(() => DateTime)
  lostUntil!: number
}

@ObjectType({ description: 'Sent every 15 s without events.', simpleResolvers: true })
export class EventHeartbeat {
  @Field(() => String)
  cursor!: string
  @Field(() => DateTime)
  at!: number
}

@ObjectType({ description: 'A kind of event that exists.', simpleResolvers: true })
export class EventType {
  @Field(() => String)
  eventType!: string
  @Field(() => EventSubject)
  subject!: EventSubject
  @Field(() => EventPhase, { nullable: true })
  phase!: EventPhase | null
  @Field(() => EventPriority)
  priority!: EventPriority
  @Field(() => String)
  payloadName!: string
  @Field(() => String)
  payloadVersion!: string
  @Field(() => String)
  description!: string
}
