import { Arg, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql'
import type { RequestContext } from '../../graphql/context.js'
import { Policy } from '../../graphql/policy-directive.js'
import { toProject, toUser } from '../identity/identity.resolver.js'
import { Project, User } from '../identity/identity.types.js'
import * as inputs from './quota.inputs.js'
import * as types from './quota.types.js'
import type { QuotaClassView, QuotaItemView, QuotaView } from './quota-set.service.js'

const { QuotaSet, QuotaClassSet } = types
type QuotaNode = types.QuotaSet & { userId: string | null }

const toItem = (item: QuotaItemView): types.QuotaItem => ({ ...item, reserved: 0 })
const toQuotaSet = (view: QuotaView): QuotaNode => ({ ...view, items: view.items.map(toItem) })
const toClassSet = (view: QuotaClassView): types.QuotaClassSet => ({ ...view, items: view.items.map(toItem) })

@Resolver(() => QuotaSet)
export class QuotaSetResolver {
  @FieldResolver(() => Project, { nullable: true })
  async project(@Root() set: QuotaNode, @Ctx() context: RequestContext): Promise<Project | null> {
    const row = await context.services.identity.project(context.caller, set.projectId)
    return row === null ? null : toProject(row)
  }

  @FieldResolver(() => User, { nullable: true, description: 'Set for per-user limits (legacy).' })
  async user(@Root() set: QuotaNode, @Ctx() context: RequestContext): Promise<User | null> {
    if (set.userId === null) return null
    const row = await context.services.identity.user(context.caller, set.userId)
    return row === null ? null : toUser(row)
  }
}

@Resolver(() => Project)
export class ProjectQuotaResolver {
  // The service judges by the project itself, which may be another one than the caller's: it answers null for those who may not.
  @Policy('os_compute_api:os-quota-sets:detail', 'HIDE')
  @FieldResolver(() => QuotaSet, { nullable: true, description: 'Limits and use; null when not allowed.' })
  async quotaSet(@Root() project: Project, @Ctx() { services, caller }: RequestContext): Promise<QuotaNode | null> {
    const view = await services.quotaSets.quotaSetOf(caller, project.id)
    return view === null ? null : toQuotaSet(view)
  }
}

@Resolver()
export class QuotaResolver {
  @Policy('os_compute_api:limits')
  @Query(() => QuotaSet, { description: 'Limits and use that bind the caller in a project; Nova’s limits.' })
  async limits(
    @Arg('projectId', () => ID, { nullable: true, description: 'Default the current project.' }) projectId: string | null,
    @Ctx() { services, caller }: RequestContext,
  ): Promise<QuotaNode> {
    return toQuotaSet(await services.quotaSets.limits(caller, projectId))
  }

  @Policy('os_compute_api:os-quota-sets:detail')
  @Query(() => QuotaSet, { description: 'Quota of a project or of a user in it. Errors: INVALID_REFERENCE (project).' })
  async quotaSet(
    @Arg('projectId', () => ID, { description: 'Project.' }) projectId: string,
    @Arg('userId', () => ID, { nullable: true, description: 'User, for per-user limits.' }) userId: string | null,
    @Ctx() { services, caller }: RequestContext,
  ): Promise<QuotaNode> {
    return toQuotaSet(await services.quotaSets.quotaSet(caller, projectId, userId ?? null))
  }

  @Policy('os_compute_api:os-quota-sets:defaults')
  @Query(() => QuotaClassSet, { description: 'What a project without own limits gets.' })
  async quotaDefaults(@Ctx() { services, caller }: RequestContext): Promise<types.QuotaClassSet> {
    return toClassSet(await services.quotaSets.quotaDefaults(caller))
  }

  @Policy('os_compute_api:os-quota-class-sets:show')
  @Query(() => QuotaClassSet, { description: 'The default class as stored.' })
  async quotaClassSet(
    @Arg('className', () => String, { defaultValue: 'default', description: 'Only default exists.' }) className: string,
    @Ctx() { services, caller }: RequestContext,
  ): Promise<types.QuotaClassSet> {
    return toClassSet(await services.quotaSets.quotaClassSet(caller, className))
  }

  @Policy('os_compute_api:os-quota-sets:update')
  @Mutation(() => types.UpdateQuotaSetPayload, {
    description: 'Change a quota set. Errors: INVALID_REFERENCE (project), BAD_USER_INPUT (below use without force, user above project).',
  })
  async updateQuotaSet(
    @Arg('input', () => inputs.UpdateQuotaSetInput, { description: 'Input.' }) input: inputs.UpdateQuotaSetInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { quotaSet: toQuotaSet(await services.quotaSets.update(caller, input)) }
  }

  @Policy('os_compute_api:os-quota-sets:delete')
  @Mutation(() => types.DeleteQuotaSetPayload, { description: 'Back to the defaults.' })
  async deleteQuotaSet(
    @Arg('input', () => inputs.DeleteQuotaSetInput, { description: 'Input.' }) input: inputs.DeleteQuotaSetInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { quotaSet: toQuotaSet(await services.quotaSets.delete(caller, input)) }
  }

  @Policy('os_compute_api:os-quota-class-sets:update')
  @Mutation(() => types.UpdateQuotaClassSetPayload, { description: 'Change the defaults of all projects.' })
  async updateQuotaClassSet(
    @Arg('input', () => inputs.UpdateQuotaClassSetInput, { description: 'Input.' }) input: inputs.UpdateQuotaClassSetInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { quotaClassSet: toClassSet(await services.quotaSets.updateClass(caller, input)) }
  }
}
