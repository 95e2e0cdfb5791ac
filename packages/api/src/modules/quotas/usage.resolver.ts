import { serverStatus, type TaskState, type VmState } from '@kilonova/contract/server-states'
import { Arg, Ctx, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql'
import { mapPage } from '../../db/paging.js'
import { connectionOf } from '../../graphql/connection.js'
import type { RequestContext } from '../../graphql/context.js'
import { Policy } from '../../graphql/policy-directive.js'
import { DateTime } from '../../graphql/scalars.js'
import { toProject } from '../identity/identity.resolver.js'
import { Project } from '../identity/identity.types.js'
import type { ServerUsageView } from './usage.service.js'
import * as types from './usage.types.js'

const { ProjectUsage, ServerUsage } = types
const ProjectUsageConnection = connectionOf(() => ProjectUsage, 'ProjectUsage', 'project usages')
const ServerUsageConnection = connectionOf(() => ServerUsage, 'ServerUsage', 'server usages')

const toServerUsage = ({ vmState, taskState, isDeleted, ...usage }: ServerUsageView): types.ServerUsage => ({
  ...usage,
  status: isDeleted ? 'DELETED' : serverStatus(vmState as VmState, taskState as TaskState | null),
})

@Resolver(() => ProjectUsage)
export class UsageResolver {
  @FieldResolver(() => Project, { nullable: true })
  async project(@Root() usage: types.ProjectUsage, @Ctx() context: RequestContext): Promise<Project | null> {
    const row = await context.services.identity.project(context.caller, usage.projectId)
    return row === null ? null : toProject(row)
  }

  @FieldResolver(() => ServerUsageConnection)
  async servers(
    @Root() usage: types.ProjectUsage,
    @Arg('first', () => Int, { nullable: true, defaultValue: 50, description: 'At most 1000.' }) first: number | null,
    @Arg('after', () => String, { nullable: true, description: 'Cursor.' }) after: string | null,
    @Ctx() { services }: RequestContext,
  ) {
    return new ServerUsageConnection(mapPage(await services.usage.servers(usage, { first, after }), toServerUsage))
  }

  @Policy('os_compute_api:os-simple-tenant-usage:show')
  @Query(() => ProjectUsage, { description: 'Use of one project; the window defaults to the last 4 weeks.' })
  async projectUsage(
    @Arg('projectId', () => ID, { description: 'Project.' }) projectId: string,
    @Arg('start', () => DateTime, { nullable: true, description: 'From.' }) start: number | null,
    @Arg('end', () => DateTime, { nullable: true, description: 'To.' }) end: number | null,
    @Ctx() { services, caller }: RequestContext,
  ): Promise<types.ProjectUsage> {
    return services.usage.projectUsage(caller, projectId, start, end)
  }

  @Policy('os_compute_api:os-simple-tenant-usage:list')
  @Query(() => ProjectUsageConnection, { description: 'Use of all projects.' })
  async projectUsages(
    @Arg('start', () => DateTime, { nullable: true, description: 'From.' }) start: number | null,
    @Arg('end', () => DateTime, { nullable: true, description: 'To.' }) end: number | null,
    @Arg('first', () => Int, { nullable: true, defaultValue: 50, description: 'At most 1000.' }) first: number | null,
    @Arg('after', () => String, { nullable: true, description: 'Cursor.' }) after: string | null,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return new ProjectUsageConnection(await services.usage.projectUsages(caller, { start, end, first, after }))
  }
}
