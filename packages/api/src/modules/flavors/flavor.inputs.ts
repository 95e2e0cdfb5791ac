import { Field, Float, ID, InputType, Int, registerEnumType } from 'type-graphql'
import { ExtraSpecInput, SortDirection } from '../../graphql/common.types.js'
import { Policy } from '../../graphql/policy-directive.js'

export const FlavorSortKey = {
  ID: 'ID',
  NAME: 'NAME',
  CREATED_AT: 'CREATED_AT',
  UPDATED_AT: 'UPDATED_AT',
  DESCRIPTION: 'DESCRIPTION',
  VCPUS: 'VCPUS',
  RAM_MB: 'RAM_MB',
  DISK_GB: 'DISK_GB',
  EPHEMERAL_GB: 'EPHEMERAL_GB',
  SWAP_MB: 'SWAP_MB',
  RXTX_FACTOR: 'RXTX_FACTOR',
  IS_PUBLIC: 'IS_PUBLIC',
  DISABLED: 'DISABLED',
} as const
export type FlavorSortKey = (typeof FlavorSortKey)[keyof typeof FlavorSortKey]
registerEnumType(FlavorSortKey, {
  name: 'FlavorSortKey',
  description: 'Sort keys of flavors.',
  valuesConfig: {
    ID: { description: 'Flavor id.' },
    NAME: { description: 'Name.' },
    CREATED_AT: { description: 'Creation.' },
    UPDATED_AT: { description: 'Last change.' },
    DESCRIPTION: { description: 'Description.' },
    VCPUS: { description: 'vCPUs.' },
    RAM_MB: { description: 'Memory.' },
    DISK_GB: { description: 'Root disk.' },
    EPHEMERAL_GB: { description: 'Ephemeral disk.' },
    SWAP_MB: { description: 'Swap.' },
    RXTX_FACTOR: { description: 'rxtx factor.' },
    IS_PUBLIC: { description: 'Public or private.' },
    DISABLED: { description: 'Disabled.' },
  },
})

@InputType({ description: 'Sort order of flavors; absent: ID ASC.' })
export class FlavorOrder {
  @Field(() => FlavorSortKey, { description: 'Sort key.' })
  key!: FlavorSortKey
  @Field(() => SortDirection, { description: 'Direction.', defaultValue: 'ASC' })
  direction!: SortDirection
}

@InputType({ description: 'Which flavors.' })
export class FlavorFilter {
  @Field(() => Int, { nullable: true, description: 'At least this memory.' })
  minRamMb?: number | null
  @Field(() => Int, { nullable: true, description: 'At least this root disk.' })
  minDiskGb?: number | null
  @Field(() => Int, { nullable: true, description: 'At least so many vCPUs.' })
  minVcpus?: number | null
  @Field(() => String, { nullable: true, description: 'Text in name or id.' })
  search?: string | null
  @Field(() => Boolean, { nullable: true, description: 'Only public or only private ones; absent: all the project can use.' })
  isPublic?: boolean | null
  @Policy('os_compute_api:os-flavor-access')
  @Field(() => Boolean, { nullable: true, description: 'All, also private ones of others.' })
  allFlavors?: boolean | null
}

@InputType({ description: 'A new flavor.' })
export class CreateFlavorInput {
  @Field(() => String, { description: 'Unique name.' })
  name!: string
  @Field(() => ID, { nullable: true, description: 'Unique id; default a UUID.' })
  id?: string | null
  @Field(() => String, { nullable: true, description: 'At most 65535 characters.' })
  description?: string | null
  @Field(() => Int, { description: '1 or more.' })
  vcpus!: number
  @Field(() => Int, { description: '1 or more.' })
  ramMb!: number
  @Field(() => Int, { description: '0 or more.' })
  diskGb!: number
  @Field(() => Int, { nullable: true, description: '0 or more.', defaultValue: 0 })
  ephemeralGb?: number | null
  @Field(() => Int, { nullable: true, description: '0 or more.', defaultValue: 0 })
  swapMb?: number | null
  @Field(() => Float, { nullable: true, description: 'Ignored factor.', defaultValue: 1.0 })
  rxtxFactor?: number | null
  @Field(() => Boolean, { nullable: true, description: 'False: private.', defaultValue: true })
  isPublic?: boolean | null
  @Field(() => [ExtraSpecInput], { nullable: true, description: 'Extra specs.' })
  extraSpecs?: ExtraSpecInput[] | null
  @Field(() => [ID], { nullable: true, description: 'Projects with access, for a private flavor.' })
  accessProjectIds?: string[] | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'New description.' })
export class UpdateFlavorInput {
  @Field(() => ID, { description: 'Flavor.' })
  flavorId!: string
  @Field(() => String, { nullable: true, description: 'At most 65535 characters; null clears.' })
  description?: string | null
  @Field(() => Int, { nullable: true, description: 'Generation read.' })
  expectedGeneration?: number | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Which flavor.' })
export class DeleteFlavorInput {
  @Field(() => ID, { description: 'Flavor.' })
  flavorId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Extra specs to write.' })
export class SetFlavorExtraSpecsInput {
  @Field(() => ID, { description: 'Flavor.' })
  flavorId!: string
  @Field(() => [ExtraSpecInput], { description: 'Extra specs.' })
  extraSpecs!: ExtraSpecInput[]
  @Field(() => Int, { nullable: true, description: 'Generation read.' })
  expectedGeneration?: number | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Extra specs to remove.' })
export class DeleteFlavorExtraSpecsInput {
  @Field(() => ID, { description: 'Flavor.' })
  flavorId!: string
  @Field(() => [String], { description: 'Keys.' })
  keys!: string[]
  @Field(() => Int, { nullable: true, description: 'Generation read.' })
  expectedGeneration?: number | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Who gets access.' })
export class AddFlavorAccessInput {
  @Field(() => ID, { description: 'Flavor.' })
  flavorId!: string
  @Field(() => ID, { description: 'Project.' })
  projectId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Who loses access.' })
export class RemoveFlavorAccessInput {
  @Field(() => ID, { description: 'Flavor.' })
  flavorId!: string
  @Field(() => ID, { description: 'Project.' })
  projectId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}
