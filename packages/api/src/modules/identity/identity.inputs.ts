import { Field, ID, InputType, Int } from 'type-graphql'

@InputType({ description: 'Which projects.' })
export class ProjectFilter {
  @Field(() => String, { nullable: true, description: 'Part of the name.' })
  name?: string | null
  @Field(() => Boolean, { nullable: true, description: 'Only enabled or disabled.' })
  enabled?: boolean | null
  @Field(() => ID, { nullable: true, description: 'Projects where this user has a role.' })
  userId?: string | null
  @Field(() => [String], { nullable: true, description: 'Carrying all these tags.' })
  tags?: string[] | null
}

@InputType({ description: 'Which users.' })
export class UserFilter {
  @Field(() => String, { nullable: true, description: 'Part of login name or e-mail.' })
  name?: string | null
  @Field(() => Boolean, { nullable: true, description: 'Only enabled or disabled.' })
  enabled?: boolean | null
  @Field(() => ID, { nullable: true, description: 'Users with a role in this project.' })
  projectId?: string | null
}

@InputType({ description: 'Which role assignments.' })
export class RoleAssignmentFilter {
  @Field(() => ID, { nullable: true, description: 'Of this user.' })
  userId?: string | null
  @Field(() => ID, { nullable: true, description: 'In this project.' })
  projectId?: string | null
  @Field(() => ID, { nullable: true, description: 'Of this role.' })
  roleId?: string | null
}

@InputType({ description: 'Credentials for a session.' })
export class LoginInput {
  @Field(() => String, { description: 'Login name.' })
  username!: string
  @Field(() => String, { description: 'Password.' })
  password!: string
  @Field(() => ID, { nullable: true, description: "Project to scope to; default the user's default project." })
  projectId?: string | null
}

@InputType({ description: 'A session to renew.' })
export class RefreshSessionInput {
  @Field(() => String, { nullable: true, description: 'Refresh token; browsers omit it, the cookie is used.' })
  refreshToken?: string | null
  @Field(() => ID, { nullable: true, description: 'Change to this project.' })
  projectId?: string | null
}

@InputType({ description: 'What to end.' })
export class LogoutInput {
  @Field(() => Boolean, { nullable: true, description: 'End every session of the user.', defaultValue: false })
  everywhere?: boolean | null
}

@InputType({ description: 'Old and new password.' })
export class ChangeOwnPasswordInput {
  @Field(() => String, { description: 'Password now.' })
  currentPassword!: string
  @Field(() => String, { description: 'Password from now on.' })
  newPassword!: string
}

@InputType({ description: 'A new project.' })
export class CreateProjectInput {
  @Field(() => String, { description: 'Unique name.' })
  name!: string
  @Field(() => String, { nullable: true, description: 'Free text.' })
  description?: string | null
  @Field(() => [String], { nullable: true, description: 'Tags.' })
  tags?: string[] | null
  @Field(() => Boolean, { nullable: true, description: 'False: create it closed.', defaultValue: true })
  enabled?: boolean | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Changes to a project; absent fields stay.' })
export class UpdateProjectInput {
  @Field(() => ID, { description: 'Project.' })
  projectId!: string
  @Field(() => String, { nullable: true, description: 'New name.' })
  name?: string | null
  @Field(() => String, { nullable: true, description: 'New text, null clears.' })
  description?: string | null
  @Field(() => [String], { nullable: true, description: 'New tags.' })
  tags?: string[] | null
  @Field(() => Boolean, { nullable: true, description: 'Open or close it.' })
  enabled?: boolean | null
  @Field(() => Int, { nullable: true, description: 'Generation read.' })
  expectedGeneration?: number | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Which project.' })
export class DeleteProjectInput {
  @Field(() => ID, { description: 'Project.' })
  projectId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'A new user.' })
export class CreateUserInput {
  @Field(() => String, { description: 'Unique login name.' })
  name!: string
  @Field(() => String, { nullable: true, description: 'Initial password; absent: single sign-on only.' })
  password?: string | null
  @Field(() => String, { nullable: true, description: 'E-mail.' })
  email?: string | null
  @Field(() => String, { nullable: true, description: 'Free text.' })
  description?: string | null
  @Field(() => ID, { nullable: true, description: 'Default project.' })
  defaultProjectId?: string | null
  @Field(() => Boolean, { nullable: true, description: 'False: cannot log in.', defaultValue: true })
  enabled?: boolean | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Changes to a user; absent fields stay.' })
export class UpdateUserInput {
  @Field(() => ID, { description: 'User.' })
  userId!: string
  @Field(() => String, { nullable: true, description: 'New login name.' })
  name?: string | null
  @Field(() => String, { nullable: true, description: 'New password; ends all sessions.' })
  password?: string | null
  @Field(() => String, { nullable: true, description: 'New e-mail.' })
  email?: string | null
  @Field(() => String, { nullable: true, description: 'New text.' })
  description?: string | null
  @Field(() => ID, { nullable: true, description: 'New default project.' })
  defaultProjectId?: string | null
  @Field(() => Boolean, { nullable: true, description: 'Let log in or not.' })
  enabled?: boolean | null
  @Field(() => Int, { nullable: true, description: 'Generation read.' })
  expectedGeneration?: number | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Which user.' })
export class DeleteUserInput {
  @Field(() => ID, { description: 'User.' })
  userId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Role to give.' })
export class AssignRoleInput {
  @Field(() => ID, { description: 'User.' })
  userId!: string
  @Field(() => ID, { description: 'Project.' })
  projectId!: string
  @Field(() => ID, { description: 'Role.' })
  roleId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Role to take.' })
export class RevokeRoleInput {
  @Field(() => ID, { description: 'User.' })
  userId!: string
  @Field(() => ID, { description: 'Project.' })
  projectId!: string
  @Field(() => ID, { description: 'Role.' })
  roleId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}
