import { Field, Float, ID, Int, ObjectType } from 'type-graphql'
import { ExtraSpec } from '../../graphql/common.types.js'
import { Policy } from '../../graphql/policy-directive.js'
import { DateTime } from '../../graphql/scalars.js'

@ObjectType({ description: 'A project that may use a private flavor.', simpleResolvers: true })
export class FlavorAccess {
  @Field(() => ID)
  flavorId!: string
  @Field(() => ID)
  projectId!: string
}

@ObjectType({
  description: 'A hardware size: vCPUs, memory, disks, plus extra specs. Immutable but for its description and extra specs.',
  simpleResolvers: true,
})
export class Flavor {
  @Field(() => ID, { description: 'Flavor id as chosen at creation; any string of up to 255 characters, not always a UUID.' })
  id!: string
  @Field(() => String)
  name!: string
  @Field(() => String, { nullable: true })
  description!: string | null
  @Field(() => Int)
  vcpus!: number
  @Field(() => Int)
  ramMb!: number
  @Field(() => Int, { description: 'Root disk; 0 = size of the image, not counted by the scheduler.' })
  diskGb!: number
  @Field(() => Int, { description: 'Extra local disk, lost with the server.' })
  ephemeralGb!: number
  @Field(() => Int)
  swapMb!: number
  @Field(() => Float, { description: 'Deprecated by Nova, kept and ignored.' })
  rxtxFactor!: number
  @Field(() => Boolean, { description: 'False: only projects on the access list see it.' })
  isPublic!: boolean
  @Field(() => Boolean, { description: 'Disabled flavors cannot be used for create or resize.' })
  disabled!: boolean
  @Field(() => DateTime)
  createdAt!: number
  @Field(() => DateTime, { nullable: true })
  updatedAt!: number | null
  @Field(() => Int)
  generation!: number
  @Policy('os_compute_api:os-flavor-extra-specs:index', 'HIDE')
  @Field(() => [ExtraSpec], { nullable: true })
  extraSpecs!: ExtraSpec[] | null
}

@ObjectType({ description: 'Result of createFlavor.', simpleResolvers: true })
export class CreateFlavorPayload {
  @Field(() => Flavor)
  flavor!: Flavor
}

@ObjectType({ description: 'Result of updateFlavor.', simpleResolvers: true })
export class UpdateFlavorPayload {
  @Field(() => Flavor)
  flavor!: Flavor
}

@ObjectType({ description: 'Result of deleteFlavor.', simpleResolvers: true })
export class DeleteFlavorPayload {
  @Field(() => ID)
  deletedId!: string
}

@ObjectType({ description: 'Result of setFlavorExtraSpecs.', simpleResolvers: true })
export class SetFlavorExtraSpecsPayload {
  @Field(() => Flavor)
  flavor!: Flavor
}

@ObjectType({ description: 'Result of deleteFlavorExtraSpecs.', simpleResolvers: true })
export class DeleteFlavorExtraSpecsPayload {
  @Field(() => Flavor)
  flavor!: Flavor
}

@ObjectType({ description: 'Result of addFlavorAccess.', simpleResolvers: true })
export class AddFlavorAccessPayload {
  @Field(() => Flavor)
  flavor!: Flavor
}

@ObjectType({ description: 'Result of removeFlavorAccess.', simpleResolvers: true })
export class RemoveFlavorAccessPayload {
  @Field(() => Flavor)
  flavor!: Flavor
}
