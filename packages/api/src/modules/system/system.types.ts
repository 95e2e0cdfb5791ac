import { Field, Float, Int, ObjectType } from 'type-graphql'
import { ConsoleType } from '../../modules/consoles/console.types.js'
import { HypervisorType } from '../../modules/hypervisors/hypervisor.types.js'

@ObjectType({ description: 'A prefilter, filter or weigher.', simpleResolvers: true })
export class SchedulerPlugin {
  @Field(() => String)
  name!: string
  @Field(() => String)
  description!: string
  @Field(() => Boolean)
  enabled!: boolean
  @Field(() => Int, { nullable: true, description: 'Position in the order of filters.' })
  position!: number | null
  @Field(() => Float, { nullable: true, description: 'Weighers: multiplier in force before aggregate overrides.' })
  multiplier!: number | null
  @Field(() => Boolean, { description: 'Filters: also asked on rebuild.' })
  runsOnRebuild!: boolean
}

@ObjectType({ description: 'Switches and limits a client should know before it asks.', simpleResolvers: true })
export class Capabilities {
  @Field(() => [ConsoleType])
  consoleTypes!: ConsoleType[]
  @Field(() => [HypervisorType])
  hypervisorTypes!: HypervisorType[]
  @Field(() => Boolean, { description: 'False: admin passwords are not shown.' })
  adminPasswordShown!: boolean
  @Field(() => Boolean, { description: 'False: createKeypair answers NOT_IMPLEMENTED.' })
  keypairGeneration!: boolean
  @Field(() => Int, { description: 'Seconds a deleted server can be restored; 0: deleted at once.' })
  softDeleteSeconds!: number
  @Field(() => String)
  defaultAvailabilityZone!: string
  @Field(() => String, { nullable: true, description: 'Zone new servers are bound to when none is asked.' })
  defaultScheduleZone!: string | null
  @Field(() => Int)
  maxPageSize!: number
  @Field(() => Int)
  maxBulkItems!: number
  @Field(() => Int)
  maxUserDataBytes!: number
  @Field(() => Int)
  maxServerTags!: number
  @Field(() => Int, { description: 'Seconds a console token lives before use.' })
  consoleTokenSeconds!: number
  @Field(() => Int, { description: 'Seconds an idempotency key is remembered.' })
  idempotencySeconds!: number
  @Field(() => Int, { description: 'Seconds events can be replayed.' })
  eventRetentionSeconds!: number
}

@ObjectType({ description: 'The deployment.', simpleResolvers: true })
export class SystemInfo {
  @Field(() => String, { description: 'Version of our software.' })
  version!: string
  @Field(() => String, { description: 'Nova microversion whose behaviour this contract has.' })
  novaMicroversion!: string
  @Field(() => String, { description: 'SHA-256 of the schema text.' })
  schemaHash!: string
  @Field(() => String)
  region!: string
  @Field(() => Capabilities)
  capabilities!: Capabilities
  @Field(() => [SchedulerPlugin])
  filters!: SchedulerPlugin[]
  @Field(() => [SchedulerPlugin])
  weighers!: SchedulerPlugin[]
}
