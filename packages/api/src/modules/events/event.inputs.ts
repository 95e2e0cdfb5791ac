import { Field, ID, InputType } from 'type-graphql'
import { Policy } from '../../graphql/policy-directive.js'
import { DateTime } from '../../graphql/scalars.js'
import { EventPhase, EventPriority, EventSubject } from '../../modules/events/event.types.js'

@InputType({ description: 'Which events.' })
export class EventFilter {
  @Field(() => [String], { nullable: true, description: 'Names; a trailing * matches the rest, for example instance.create.*.' })
  eventTypes?: string[] | null
  @Field(() => [EventSubject], { nullable: true, description: 'About these kinds.' })
  subjects?: EventSubject[] | null
  @Field(() => [ID], { nullable: true, description: 'About these objects.' })
  subjectIds?: string[] | null
  @Field(() => [EventPhase], { nullable: true, description: 'In these phases.' })
  phases?: EventPhase[] | null
  @Field(() => EventPriority, { nullable: true, description: 'Of this weight.' })
  priority?: EventPriority | null
  @Field(() => String, { nullable: true, description: 'Caused by this request.' })
  requestId?: string | null
  @Field(() => DateTime, { nullable: true, description: 'At or after.' })
  since?: number | null
  @Field(() => DateTime, { nullable: true, description: 'At or before.' })
  until?: number | null
  @Policy('cloud:events:all_projects')
  @Field(() => Boolean, { nullable: true, description: 'Of all projects.' })
  allProjects?: boolean | null
}
