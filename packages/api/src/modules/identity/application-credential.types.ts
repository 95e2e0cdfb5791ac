/** What clients see of application credentials, and what they send. */
import { Field, ID, InputType, ObjectType } from 'type-graphql'
import { Policy } from '../../graphql/policy-directive.js'
import { DateTime } from '../../graphql/scalars.js'

@ObjectType({
  description: 'An API credential bound to a user, a project and a subset of roles; the bearer token is id and secret joined by a dot.',
  simpleResolvers: true,
})
export class ApplicationCredential {
  @Field(() => ID)
  id!: string
  @Field(() => String)
  name!: string
  @Field(() => String, { nullable: true })
  description!: string | null
  @Field(() => ID)
  userId!: string
  @Field(() => ID)
  projectId!: string
  @Field(() => [String], { nullable: true, description: 'If set, only these policy rules may be exercised.' })
  allowedRules!: string[] | null
  @Field(() => DateTime, { nullable: true, description: 'Null: until deleted.' })
  expiresAt!: number | null
  @Field(() => DateTime, { nullable: true })
  lastUsedAt!: number | null
  @Field(() => DateTime)
  createdAt!: number
}

@InputType({ description: 'Which application credentials.' })
export class ApplicationCredentialFilter {
  @Policy('identity:list_application_credentials')
  @Field(() => ID, { nullable: true, description: 'Of another user; admins only.' })
  userId?: string | null
  @Field(() => ID, { nullable: true, description: 'For this project.' })
  projectId?: string | null
}

@InputType({ description: 'A new API credential for the caller in the current project.' })
export class CreateApplicationCredentialInput {
  @Field(() => String, { description: 'Name, unique per user.' })
  name!: string
  @Field(() => String, { nullable: true, description: 'Free text.' })
  description?: string | null
  @Field(() => [ID], { nullable: true, description: 'Subset of the caller’s roles; default all.' })
  roleIds?: string[] | null
  @Field(() => [String], { nullable: true, description: 'Only these policy rules.' })
  allowedRules?: string[] | null
  @Field(() => DateTime, { nullable: true, description: 'When it ends by itself.' })
  expiresAt?: number | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Which credential.' })
export class DeleteApplicationCredentialInput {
  @Field(() => ID, { description: 'Credential.' })
  applicationCredentialId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@ObjectType({ description: 'Result of createApplicationCredential.', simpleResolvers: true })
export class CreateApplicationCredentialPayload {
  @Field(() => ApplicationCredential)
  applicationCredential!: ApplicationCredential
  @Field(() => String, { description: 'Secret half of the bearer token; never shown again.' })
  secret!: string
}

@ObjectType({ description: 'Result of deleteApplicationCredential.', simpleResolvers: true })
export class DeleteApplicationCredentialPayload {
  @Field(() => ID)
  deletedId!: string
}
