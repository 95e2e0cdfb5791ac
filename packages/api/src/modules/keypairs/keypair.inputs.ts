import { Field, ID, InputType } from 'type-graphql'
import { KeypairType } from '../../modules/keypairs/keypair.types.js'

@InputType({ description: 'Which key pairs.' })
export class KeypairFilter {
  @Field(() => ID, { nullable: true, description: 'Of another user; admins only.' })
  userId?: string | null
  @Field(() => KeypairType, { nullable: true, description: 'Of this kind.' })
  type?: KeypairType | null
  @Field(() => String, { nullable: true, description: 'Part of the name.' })
  name?: string | null
}

@InputType({ description: 'A key to store.' })
export class ImportKeypairInput {
  @Field(() => String, { description: 'Name.' })
  name!: string
  @Field(() => String, { description: 'Public key or certificate text.' })
  publicKey!: string
  @Field(() => KeypairType, { description: 'Kind.', defaultValue: 'SSH' })
  type!: KeypairType
  @Field(() => ID, { nullable: true, description: 'Owner; default the caller, others admins only.' })
  userId?: string | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'A key to generate.' })
export class CreateKeypairInput {
  @Field(() => String, { description: 'Name.' })
  name!: string
  @Field(() => KeypairType, { description: 'Kind.', defaultValue: 'SSH' })
  type!: KeypairType
  @Field(() => ID, { nullable: true, description: 'Owner; default the caller, others admins only.' })
  userId?: string | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Which key.' })
export class DeleteKeypairInput {
  @Field(() => String, { description: 'Name.' })
  name!: string
  @Field(() => ID, { nullable: true, description: 'Owner; default the caller.' })
  userId?: string | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}
