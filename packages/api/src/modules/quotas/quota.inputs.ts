import { Field, ID, InputType, Int } from 'type-graphql'
import { QuotaResource } from './quota.types.js'

@InputType({ description: 'One limit to set.' })
export class QuotaLimitInput {
  @Field(() => QuotaResource, { description: 'Resource.' })
  resource!: QuotaResource
  @Field(() => Int, { description: '-1 = unlimited.' })
  limit!: number
}

@InputType({ description: 'Limits to set.' })
export class UpdateQuotaSetInput {
  @Field(() => ID, { description: 'Project.' })
  projectId!: string
  @Field(() => ID, { nullable: true, description: 'User, for per-user limits.' })
  userId?: string | null
  @Field(() => [QuotaLimitInput], { description: 'Limits; others stay.' })
  limits!: QuotaLimitInput[]
  @Field(() => Boolean, { nullable: true, description: 'Also below what is used.', defaultValue: false })
  force?: boolean | null
  @Field(() => Int, { nullable: true, description: 'Generation read.' })
  expectedGeneration?: number | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Whose limits.' })
export class DeleteQuotaSetInput {
  @Field(() => ID, { description: 'Project.' })
  projectId!: string
  @Field(() => ID, { nullable: true, description: 'User, for per-user limits.' })
  userId?: string | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Defaults to set.' })
export class UpdateQuotaClassSetInput {
  @Field(() => String, { description: 'Only default exists.', defaultValue: 'default' })
  className!: string
  @Field(() => [QuotaLimitInput], { description: 'Limits; others stay.' })
  limits!: QuotaLimitInput[]
  @Field(() => Int, { nullable: true, description: 'Generation read.' })
  expectedGeneration?: number | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}
