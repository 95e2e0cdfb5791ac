import { CloudError } from '@kilonova/contract/errors'
import { Arg, Args, ArgsType, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql'
import { type Caller, impliedRoles, isRoleName, roleNames } from '../../caller.js'
import { mapPage } from '../../db/paging.js'
import { ResourceOrder } from '../../graphql/common.types.js'
import { connectionOf, listArgs } from '../../graphql/connection.js'
import type { RequestContext } from '../../graphql/context.js'
import { Policy } from '../../graphql/policy-directive.js'
import { DateTime } from '../../graphql/scalars.js'
import type { AssignmentRow } from './grant.service.js'
import * as inputs from './identity.inputs.js'
import type { ProjectRow, UserRow } from './identity.service.js'
import * as types from './identity.types.js'
import { type IssuedSession, unauthenticated } from './session.service.js'

const { Project, User, Role, RoleAssignment, Viewer, Session } = types
type Project = types.Project
type User = types.User
type Role = types.Role
type Session = types.Session

const ProjectConnection = connectionOf(() => Project, 'Project', 'projects')
const UserConnection = connectionOf(() => User, 'User', 'users')
const RoleAssignmentConnection = connectionOf(() => RoleAssignment, 'RoleAssignment', 'role assignments')

@ArgsType()
class ProjectArgs extends listArgs(
  () => inputs.ProjectFilter,
  () => ResourceOrder,
) {}
@ArgsType()
class UserArgs extends listArgs(
  () => inputs.UserFilter,
  () => ResourceOrder,
) {}
@ArgsType()
class RoleAssignmentArgs extends listArgs(
  () => inputs.RoleAssignmentFilter,
  () => ResourceOrder,
) {}

export const toProject = (row: ProjectRow): Project => ({
  id: row.id,
  name: row.name,
  description: row.description,
  enabled: row.enabled === 1,
  tags: JSON.parse(row.tags) as string[],
  createdAt: row.created_at,
  generation: row.generation,
})

type UserNode = User & { userId: string; projectId: string | null; defaultProjectId: string | null; row: UserRow }
export const toUser = (row: UserRow): UserNode => ({
  id: row.id,
  name: row.name,
  email: row.email,
  description: row.description,
  enabled: row.enabled === 1,
  lastLoginAt: row.last_login_at,
  createdAt: row.created_at,
  generation: row.generation,
  // For the policies of its own fields.
  userId: row.id,
  projectId: null,
  defaultProjectId: row.default_project_id,
  row,
})

export const toRole = (name: string): Role => ({
  id: name,
  name,
  description:
    { admin: 'Administers the cloud.', member: 'Creates and changes things in a project.', reader: 'Looks at things in a project.' }[
      name
    ] ?? null,
})

type AssignmentNode = types.RoleAssignment & { row: AssignmentRow }
const toAssignment = (row: AssignmentRow): AssignmentNode => Object.assign(new RoleAssignment(), { row }) as AssignmentNode

type SessionNode = Session & { caller: Caller }

type ViewerNode = types.Viewer & { caller: Caller }
const toViewer = (caller: Caller): ViewerNode => ({
  authMethod: caller.authMethod ?? 'PASSWORD',
  sessionExpiresAt: caller.sessionExpiresAt,
  caller,
})

function startSession(context: RequestContext, issued: IssuedSession): SessionNode {
  if (context.request.fromBrowser) context.request.setRefreshCookie(issued.refreshToken, issued.refreshExpiresAt)
  return {
    accessToken: issued.accessToken,
    refreshToken: context.request.fromBrowser ? null : issued.refreshToken,
    expiresAt: issued.accessExpiresAt,
    caller: issued.caller,
  }
}

@Resolver(() => Role)
export class RoleResolver {
  @FieldResolver(() => [Role], { description: 'Roles that come with this one.' })
  implies(@Root() role: Role): Role[] {
    return isRoleName(role.name) ? impliedRoles[role.name].map(toRole) : []
  }
  @Query(() => [Role], { description: 'Roles that can be assigned.' })
  roles(@Ctx() context: RequestContext): Role[] {
    void context.caller
    return roleNames.map(toRole)
  }
}

@Resolver(() => User)
export class UserResolver {
  @Policy('identity:get_user', 'HIDE')
  @FieldResolver(() => DateTime, { nullable: true, description: 'Null: never expires.' })
  passwordExpiresAt(@Root() user: UserNode, @Ctx() { services }: RequestContext): number | null {
    return services.sessions.passwordExpiresAt(user.row)
  }
  @FieldResolver(() => Project, { nullable: true })
  async defaultProject(@Root() user: UserNode, @Ctx() context: RequestContext): Promise<Project | null> {
    if (user.defaultProjectId === null) return null
    const row = await context.services.identity.project(context.caller, user.defaultProjectId)
    return row === null ? null : toProject(row)
  }
}

@Resolver(() => Project)
export class ProjectResolver {
  @Policy('identity:list_role_assignments', 'HIDE')
  @FieldResolver(() => [RoleAssignment], { description: 'Who works here.' })
  async roleAssignments(@Root() project: Project, @Ctx() context: RequestContext): Promise<AssignmentNode[]> {
    return (await context.services.grants.ofProject(project.id)).map(toAssignment)
  }
}

@Resolver(() => RoleAssignment)
export class RoleAssignmentResolver {
  @FieldResolver(() => User)
  async user(@Root() { row }: AssignmentNode, @Ctx() context: RequestContext): Promise<User | null> {
    const user = await context.users.load(row.user_id)
    return user === null ? null : toUser(user)
  }
  @FieldResolver(() => Project)
  async project(@Root() { row }: AssignmentNode, @Ctx() context: RequestContext): Promise<Project | null> {
    const project = await context.projects.load(row.project_id)
    return project === null ? null : toProject(project)
  }
  @FieldResolver(() => Role)
  role(@Root() { row }: AssignmentNode): Role {
    return toRole(row.role)
  }
}

@Resolver(() => Session)
export class SessionResolver {
  @FieldResolver(() => Viewer)
  viewer(@Root() session: SessionNode): ViewerNode {
    return toViewer(session.caller)
  }
}

@Resolver(() => Viewer)
export class ViewerResolver {
  @FieldResolver(() => User)
  async user(@Root() { caller }: ViewerNode, @Ctx() context: RequestContext): Promise<User | null> {
    const row = await context.users.load(caller.userId)
    return row === null ? null : toUser(row)
  }
  @FieldResolver(() => Project, { nullable: true, description: 'Project the session is scoped to; null when unscoped.' })
  async project(@Root() { caller }: ViewerNode, @Ctx() context: RequestContext): Promise<Project | null> {
    const row = caller.projectId === null ? null : await context.projects.load(caller.projectId)
    return row === null ? null : toProject(row)
  }
  @FieldResolver(() => [Role], { description: 'Roles in that project, implied ones included.' })
  roles(@Root() { caller }: ViewerNode): Role[] {
    return caller.roles.map(toRole)
  }
  @FieldResolver(() => [Project], { description: 'Projects the caller can change to with refreshSession.' })
  async projects(@Root() { caller }: ViewerNode, @Ctx() context: RequestContext): Promise<Project[]> {
    return (await context.services.identity.projectsOf(caller.userId)).map(toProject)
  }
  @FieldResolver(() => [String], {
    description: 'Policy rules that pass in the current project when no particular object is looked at.',
  })
  allowedRules(@Root() { caller }: ViewerNode, @Ctx() context: RequestContext): string[] {
    return context.services.policy.allowedRules(caller)
  }
}

@Resolver()
export class IdentityResolver {
  @Query(() => Viewer, { description: 'The caller.' })
  viewer(@Ctx() { caller }: RequestContext): ViewerNode {
    return toViewer(caller)
  }

  @Policy('identity:get_project')
  @Query(() => Project, { nullable: true, description: 'One project, null if unknown or not visible.' })
  async project(@Arg('id', () => ID, { description: 'Project id.' }) id: string, @Ctx() context: RequestContext): Promise<Project | null> {
    const row = await context.services.identity.project(context.caller, id)
    return row === null ? null : toProject(row)
  }

  @Policy('identity:list_projects')
  @Query(() => ProjectConnection, { description: 'Projects: all for admins, one’s own for others.' })
  async projects(@Args(() => ProjectArgs) args: ProjectArgs, @Ctx() context: RequestContext) {
    const page = await context.services.projects.list(context.caller, args)
    return new ProjectConnection(mapPage(page, toProject))
  }

  @Policy('identity:get_user')
  @Query(() => User, { nullable: true, description: 'One user; anyone may read oneself.' })
  async user(@Arg('id', () => ID, { description: 'User id.' }) id: string, @Ctx() context: RequestContext): Promise<User | null> {
    const row = await context.services.identity.user(context.caller, id)
    return row === null ? null : toUser(row)
  }

  @Policy('identity:list_users')
  @Query(() => UserConnection, { description: 'Users.' })
  async users(@Args(() => UserArgs) args: UserArgs, @Ctx() context: RequestContext) {
    const page = await context.services.identity.users(context.caller, args)
    return new UserConnection(mapPage<UserRow, User>(page, toUser))
  }

  @Policy('identity:list_role_assignments')
  @Query(() => RoleAssignmentConnection, { description: 'Who has which role where.' })
  async roleAssignments(@Args(() => RoleAssignmentArgs) args: RoleAssignmentArgs, @Ctx() context: RequestContext) {
    const page = await context.services.grants.list(context.caller, args)
    return new RoleAssignmentConnection(mapPage(page, toAssignment))
  }

  @Mutation(() => types.LoginPayload, {
    description: 'Open a session. Errors: INVALID_CREDENTIALS, RATE_LIMITED, INVALID_REFERENCE (no role in that project).',
  })
  async login(@Arg('input', () => inputs.LoginInput, { description: 'Input.' }) input: inputs.LoginInput, @Ctx() context: RequestContext) {
    return { session: startSession(context, await context.services.sessions.login(input, context.request)) }
  }

  @Mutation(() => types.RefreshSessionPayload, {
    description: 'New tokens for a live session, optionally scoped to another project. Errors: UNAUTHENTICATED, INVALID_REFERENCE.',
  })
  async refreshSession(
    @Arg('input', () => inputs.RefreshSessionInput, { description: 'Input.' }) input: inputs.RefreshSessionInput,
    @Ctx() context: RequestContext,
  ) {
    const refreshToken = input.refreshToken ?? context.request.refreshCookie
    if (refreshToken === null) throw unauthenticated('There is no session to refresh.')
    try {
      const issued = await context.services.sessions.refresh({ refreshToken, projectId: input.projectId }, context.request)
      return { session: startSession(context, issued) }
    } catch (error) {
      if (error instanceof CloudError && error.code === 'UNAUTHENTICATED') context.request.setRefreshCookie(null, 0)
      throw error
    }
  }

  @Mutation(() => types.LogoutPayload, {
    description: 'End the session (or all of the user); open consoles and subscriptions close within a second.',
  })
  async logout(
    @Arg('input', () => inputs.LogoutInput, { description: 'Input.' }) input: inputs.LogoutInput,
    @Ctx() context: RequestContext,
  ) {
    const { caller, services } = context
    if (caller.authMethod === 'APPLICATION_CREDENTIAL') {
      throw new CloudError('FORBIDDEN', 'An application credential has no session to end: delete the credential.', {
        exception: 'Forbidden',
      })
    }
    const ids = input.everywhere === true ? await services.sessions.sessionIdsOf(caller.userId) : [caller.sessionId]
    context.request.setRefreshCookie(null, 0)
    return { endedSessions: await services.sessions.end(ids) }
  }

  @Mutation(() => types.ChangeOwnPasswordPayload, {
    description: 'Change one’s own password and end other sessions. Errors: INVALID_CREDENTIALS.',
  })
  async changeOwnPassword(
    @Arg('input', () => inputs.ChangeOwnPasswordInput, { description: 'Input.' }) input: inputs.ChangeOwnPasswordInput,
    @Ctx() context: RequestContext,
  ) {
    const { caller, services } = context
    await services.identity.changeOwnPassword(caller, input)
    const issued = await services.sessions.login(
      { username: caller.userName, password: input.newPassword, projectId: caller.projectId },
      context.request,
    )
    return { session: startSession(context, issued) }
  }

  @Policy('identity:create_project')
  @Mutation(() => types.CreateProjectPayload, { description: 'Make a project. Errors: ALREADY_EXISTS.' })
  async createProject(
    @Arg('input', () => inputs.CreateProjectInput, { description: 'Input.' }) input: inputs.CreateProjectInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { project: toProject(await services.projects.create(caller, input)) }
  }

  @Policy('identity:update_project')
  @Mutation(() => types.UpdateProjectPayload, { description: 'Change a project. Errors: ALREADY_EXISTS.' })
  async updateProject(
    @Arg('input', () => inputs.UpdateProjectInput, { description: 'Input.' }) input: inputs.UpdateProjectInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { project: toProject(await services.projects.update(caller, input)) }
  }

  @Policy('identity:delete_project')
  @Mutation(() => types.DeleteProjectPayload, { description: 'Delete a project. Errors: IN_USE while it owns anything.' })
  async deleteProject(
    @Arg('input', () => inputs.DeleteProjectInput, { description: 'Input.' }) input: inputs.DeleteProjectInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { deletedId: await services.projects.delete(caller, input) }
  }

  @Policy('identity:create_user')
  @Mutation(() => types.CreateUserPayload, { description: 'Make a user. Errors: ALREADY_EXISTS, INVALID_REFERENCE.' })
  async createUser(
    @Arg('input', () => inputs.CreateUserInput, { description: 'Input.' }) input: inputs.CreateUserInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { user: toUser(await services.identity.createUser(caller, input)) }
  }

  @Policy('identity:update_user')
  @Mutation(() => types.UpdateUserPayload, { description: 'Change a user. Errors: ALREADY_EXISTS.' })
  async updateUser(
    @Arg('input', () => inputs.UpdateUserInput, { description: 'Input.' }) input: inputs.UpdateUserInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { user: toUser(await services.identity.updateUser(caller, input)) }
  }

  @Policy('identity:delete_user')
  @Mutation(() => types.DeleteUserPayload, { description: 'Deletes the user, its sessions, credentials and key pairs.' })
  async deleteUser(
    @Arg('input', () => inputs.DeleteUserInput, { description: 'Input.' }) input: inputs.DeleteUserInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { deletedId: await services.identity.deleteUser(caller, input) }
  }

  @Policy('identity:create_grant')
  @Mutation(() => types.AssignRolePayload, { description: 'Give a role; a second time changes nothing. Errors: INVALID_REFERENCE.' })
  async assignRole(
    @Arg('input', () => inputs.AssignRoleInput, { description: 'Input.' }) input: inputs.AssignRoleInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { roleAssignment: toAssignment(await services.grants.assign(caller, input)) }
  }

  @Policy('identity:revoke_grant')
  @Mutation(() => types.RevokeRolePayload, { description: 'Take a role away.' })
  async revokeRole(
    @Arg('input', () => inputs.RevokeRoleInput, { description: 'Input.' }) input: inputs.RevokeRoleInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { roleAssignment: toAssignment(await services.grants.revoke(caller, input)) }
  }
}
