import { Field, ID, InputType } from 'type-graphql'
import { Policy } from '../../graphql/policy-directive.js'
import { NetworkStatus } from '../../modules/networks/network.types.js'

@InputType({ description: 'Which networks.' })
export class NetworkFilter {
  @Field(() => String, { nullable: true, description: 'Part of name or id.' })
  search?: string | null
  @Field(() => [NetworkStatus], { nullable: true, description: 'Any of these.' })
  status?: NetworkStatus[] | null
  @Field(() => Boolean, { nullable: true, description: 'Shared or not.' })
  shared?: boolean | null
  @Field(() => Boolean, { nullable: true, description: 'Outside or not.' })
  external?: boolean | null
  @Field(() => [String], { nullable: true, description: 'Carrying all of these tags.' })
  tags?: string[] | null
  @Policy('cloud:networks:all_projects')
  @Field(() => ID, { nullable: true, description: 'Of another project; admins only.' })
  projectId?: string | null
  @Policy('cloud:networks:all_projects')
  @Field(() => Boolean, { nullable: true, description: 'Of all projects.' })
  allProjects?: boolean | null
}
