import { Field, ID, InputType, Int } from 'type-graphql'
import { HypervisorType, ServiceBinary, ServiceState, ServiceStatus } from '../../modules/hypervisors/hypervisor.types.js'

@InputType({ description: 'Which services.' })
export class ComputeServiceFilter {
  @Field(() => String, { nullable: true, description: 'On this host.' })
  host?: string | null
  @Field(() => ServiceBinary, { nullable: true, description: 'This program.' })
  binary?: ServiceBinary | null
  @Field(() => [ServiceStatus], { nullable: true, description: 'Any of these.' })
  status?: ServiceStatus[] | null
  @Field(() => ServiceState, { nullable: true, description: 'Up or down.' })
  state?: ServiceState | null
  @Field(() => String, { nullable: true, description: 'In this zone.' })
  zone?: string | null
  @Field(() => Boolean, { nullable: true, description: 'Forced down or not.' })
  forcedDown?: boolean | null
}

@InputType({ description: 'Which hypervisors.' })
export class HypervisorFilter {
  @Field(() => String, { nullable: true, description: 'Part of the host name.' })
  hypervisorHostname?: string | null
  @Field(() => String, { nullable: true, description: 'Of this service host.' })
  host?: string | null
  @Field(() => ServiceState, { nullable: true, description: 'Up or down.' })
  state?: ServiceState | null
  @Field(() => ServiceStatus, { nullable: true, description: 'Enabled or not.' })
  status?: ServiceStatus | null
  @Field(() => String, { nullable: true, description: 'In this zone.' })
  availabilityZone?: string | null
  @Field(() => HypervisorType, { nullable: true, description: 'Of this kind.' })
  hypervisorType?: HypervisorType | null
}

@InputType({ description: 'Changes to a service; absent fields stay.' })
export class UpdateComputeServiceInput {
  @Field(() => ID, { description: 'Service.' })
  serviceId!: string
  @Field(() => ServiceStatus, { nullable: true, description: 'ENABLED or DISABLED.' })
  status?: ServiceStatus | null
  @Field(() => String, { nullable: true, description: '1-255 characters, with DISABLED.' })
  disabledReason?: string | null
  @Field(() => Boolean, { nullable: true, description: 'Declare down, or withdraw it.' })
  forcedDown?: boolean | null
  @Field(() => Int, { nullable: true, description: 'Generation read.' })
  expectedGeneration?: number | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Which service.' })
export class DeleteComputeServiceInput {
  @Field(() => ID, { description: 'Service.' })
  serviceId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}
