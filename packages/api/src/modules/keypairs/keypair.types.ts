import { Field, ID, ObjectType, registerEnumType } from 'type-graphql'
import { DateTime } from '../../graphql/scalars.js'

export const KeypairType = {
  SSH: 'SSH',
  X509: 'X509',
} as const
export type KeypairType = (typeof KeypairType)[keyof typeof KeypairType]
registerEnumType(KeypairType, {
  name: 'KeypairType',
  description: 'Kind of key.',
  valuesConfig: {
    SSH: { description: 'SSH public key.' },
    X509: { description: 'X.509 certificate for Windows guests (WinRM).' },
  },
})

@ObjectType({ description: 'A public key that can be given to servers.', simpleResolvers: true })
export class Keypair {
  @Field(() => ID, { description: 'Internal number as text; lookups use name and user.' })
  id!: string
  @Field(() => String, { description: 'At most 255 of letters, digits, blank, _ - @ and dot; unique per user.' })
  name!: string
  @Field(() => KeypairType)
  type!: KeypairType
  @Field(() => String)
  publicKey!: string
  @Field(() => String)
  fingerprint!: string
  @Field(() => ID)
  userId!: string
  @Field(() => DateTime)
  createdAt!: number
}

@ObjectType({ description: 'Result of importKeypair.', simpleResolvers: true })
export class ImportKeypairPayload {
  @Field(() => Keypair)
  keypair!: Keypair
}

@ObjectType({ description: 'Result of createKeypair.', simpleResolvers: true })
export class CreateKeypairPayload {
  @Field(() => Keypair)
  keypair!: Keypair
  @Field(() => String, { description: 'PEM (or PKCS 12 for X509); never shown again.' })
  privateKey!: string
}

@ObjectType({ description: 'Result of deleteKeypair.', simpleResolvers: true })
export class DeleteKeypairPayload {
  @Field(() => String)
  deletedName!: string
}
