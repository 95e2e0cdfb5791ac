import { Field, Float, ID, Int, ObjectType } from 'type-graphql'
import { BigInteger, DateTime } from '../../graphql/scalars.js'
import { ServerStatus } from '../servers/server.enums.js'

@ObjectType({ description: 'Use of a project over a time window.', simpleResolvers: true })
export class ProjectUsage {
  @Field(() => ID)
  projectId!: string
  @Field(() => DateTime)
  start!: number
  @Field(() => DateTime)
  end!: number
  @Field(() => Float, { description: 'Sum over all servers of the window, not only this page.' })
  totalHours!: number
  @Field(() => Float)
  totalVcpuHours!: number
  @Field(() => Float)
  totalRamMbHours!: number
  @Field(() => Float)
  totalDiskGbHours!: number
}

@ObjectType({ description: 'Use of one server in the window.', simpleResolvers: true })
export class ServerUsage {
  @Field(() => ID)
  serverId!: string
  @Field(() => String)
  name!: string
  @Field(() => String)
  flavorName!: string
  @Field(() => ServerStatus)
  status!: ServerStatus
  @Field(() => Float)
  hours!: number
  @Field(() => BigInteger)
  uptimeSeconds!: number
  @Field(() => Int)
  vcpus!: number
  @Field(() => Int)
  ramMb!: number
  @Field(() => Int)
  diskGb!: number
  @Field(() => DateTime)
  startedAt!: number
  @Field(() => DateTime, { nullable: true })
  endedAt!: number | null
}
