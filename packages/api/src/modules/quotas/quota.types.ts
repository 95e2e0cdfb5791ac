import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql'

export const QuotaResource = {
  SERVERS: 'SERVERS',
  CORES: 'CORES',
  RAM_MB: 'RAM_MB',
  METADATA_ITEMS: 'METADATA_ITEMS',
  KEY_PAIRS: 'KEY_PAIRS',
} as const
export type QuotaResource = (typeof QuotaResource)[keyof typeof QuotaResource]
registerEnumType(QuotaResource, {
  name: 'QuotaResource',
  description: 'What is limited.',
  valuesConfig: {
    SERVERS: { description: 'Servers (Nova: instances).' },
    CORES: { description: 'vCPUs, pinned ones included.' },
    RAM_MB: { description: 'Memory in MB.' },
    METADATA_ITEMS: { description: 'Metadata items per server.' },
    KEY_PAIRS: { description: 'Key pairs per user.' },
  },
})

@ObjectType({ description: 'One limit.', simpleResolvers: true })
export class QuotaItem {
  @Field(() => QuotaResource)
  resource!: QuotaResource
  @Field(() => Int, { description: '-1 = unlimited.' })
  limit!: number
  @Field(() => Int, { description: 'Counted now; 0 for limits per server, user or group.' })
  inUse!: number
  @Field(() => Int, { description: 'Always 0, kept from Nova’s view.' })
  reserved!: number
  @Field(() => Boolean, { description: 'Whether it is set for this project and not the default.' })
  isOverride!: boolean
}

@ObjectType({ description: 'Limits and use of a project, or of a user in it.', simpleResolvers: true })
export class QuotaSet {
  @Field(() => ID)
  projectId!: string
  @Field(() => [QuotaItem])
  items!: QuotaItem[]
  @Field(() => Int)
  generation!: number
}

@ObjectType({ description: 'Default limits.', simpleResolvers: true })
export class QuotaClassSet {
  @Field(() => String, { description: 'Always default.' })
  className!: string
  @Field(() => [QuotaItem])
  items!: QuotaItem[]
  @Field(() => Int)
  generation!: number
}

@ObjectType({ description: 'Result of updateQuotaSet.', simpleResolvers: true })
export class UpdateQuotaSetPayload {
  @Field(() => QuotaSet)
  quotaSet!: QuotaSet
}

@ObjectType({ description: 'Result of deleteQuotaSet.', simpleResolvers: true })
export class DeleteQuotaSetPayload {
  @Field(() => QuotaSet)
  quotaSet!: QuotaSet
}

@ObjectType({ description: 'Result of updateQuotaClassSet.', simpleResolvers: true })
export class UpdateQuotaClassSetPayload {
  @Field(() => QuotaClassSet)
  quotaClassSet!: QuotaClassSet
}
