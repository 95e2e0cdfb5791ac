import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql'
import { Policy } from '../../graphql/policy-directive.js'
import { DateTime } from '../../graphql/scalars.js'

export const AuthMethod = {
  PASSWORD: 'PASSWORD',
  APPLICATION_CREDENTIAL: 'APPLICATION_CREDENTIAL',
} as const
export type AuthMethod = (typeof AuthMethod)[keyof typeof AuthMethod]
registerEnumType(AuthMethod, {
  name: 'AuthMethod',
  description: 'How the caller proved who it is.',
  valuesConfig: {
    PASSWORD: { description: 'User name and password, perhaps with a one-time code.' },
    APPLICATION_CREDENTIAL: { description: 'Application credential used as bearer token.' },
  },
})

@ObjectType({
  description: 'A role. Built in: admin implies member implies reader; service is for our own services. Operators may add more.',
  simpleResolvers: true,
})
export class Role {
  @Field(() => ID)
  id!: string
  @Field(() => String)
  name!: string
  @Field(() => String, { nullable: true })
  description!: string | null
}

@ObjectType({ description: 'A person or service account.', simpleResolvers: true })
export class User {
  @Field(() => ID)
  id!: string
  @Field(() => String, { description: 'Login name.' })
  name!: string
  @Policy('identity:get_user', 'HIDE')
  @Field(() => String, { nullable: true })
  email!: string | null
  @Field(() => String, { nullable: true })
  description!: string | null
  @Field(() => Boolean)
  enabled!: boolean
  @Policy('identity:get_user', 'HIDE')
  @Field(() => DateTime, { nullable: true })
  lastLoginAt!: number | null
  @Field(() => DateTime)
  createdAt!: number
  @Field(() => Int)
  generation!: number
}

@ObjectType({ description: 'A project (tenant): owner of servers, volumes, networks, images and quotas.', simpleResolvers: true })
export class Project {
  @Field(() => ID)
  id!: string
  @Field(() => String)
  name!: string
  @Field(() => String, { nullable: true })
  description!: string | null
  @Field(() => Boolean, { description: 'A disabled project refuses every login and token.' })
  enabled!: boolean
  @Field(() => [String])
  tags!: string[]
  @Field(() => DateTime)
  createdAt!: number
  @Field(() => Int)
  generation!: number
}

@ObjectType({ description: 'A role of a user in a project.', simpleResolvers: true })
export class RoleAssignment {}

@ObjectType({ description: 'The caller: who it is, in which project it works, what it may do.', simpleResolvers: true })
export class Viewer {
  @Field(() => AuthMethod)
  authMethod!: AuthMethod
  @Field(() => DateTime)
  sessionExpiresAt!: number
}

@ObjectType({ description: 'A fresh session. Tokens are shown once.', simpleResolvers: true })
export class Session {
  @Field(() => String, { description: 'Bearer token for the Authorization header.' })
  accessToken!: string
  @Field(() => String, {
    nullable: true,
    description: 'Single-use token for refreshSession; browsers get it as an HttpOnly cookie and null here.',
  })
  refreshToken!: string | null
  @Field(() => DateTime)
  expiresAt!: number
}

@ObjectType({ description: 'Result of login.', simpleResolvers: true })
export class LoginPayload {
  @Field(() => Session)
  session!: Session
}

@ObjectType({ description: 'Result of refreshSession.', simpleResolvers: true })
export class RefreshSessionPayload {
  @Field(() => Session)
  session!: Session
}

@ObjectType({ description: 'Result of logout.', simpleResolvers: true })
export class LogoutPayload {
  @Field(() => Int, { description: 'Sessions ended.' })
  endedSessions!: number
}

@ObjectType({ description: 'Result of changeOwnPassword.', simpleResolvers: true })
export class ChangeOwnPasswordPayload {
  @Field(() => Session)
  session!: Session
}

@ObjectType({ description: 'Result of createProject.', simpleResolvers: true })
export class CreateProjectPayload {
  @Field(() => Project)
  project!: Project
}

@ObjectType({ description: 'Result of updateProject.', simpleResolvers: true })
export class UpdateProjectPayload {
  @Field(() => Project)
  project!: Project
}

@ObjectType({ description: 'Result of deleteProject.', simpleResolvers: true })
export class DeleteProjectPayload {
  @Field(() => ID)
  deletedId!: string
}

@ObjectType({ description: 'Result of createUser.', simpleResolvers: true })
export class CreateUserPayload {
  @Field(() => User)
  user!: User
}

@ObjectType({ description: 'Result of updateUser.', simpleResolvers: true })
export class UpdateUserPayload {
  @Field(() => User)
  user!: User
}

@ObjectType({ description: 'Result of deleteUser.', simpleResolvers: true })
export class DeleteUserPayload {
  @Field(() => ID)
  deletedId!: string
}

@ObjectType({ description: 'Result of assignRole.', simpleResolvers: true })
export class AssignRolePayload {
  @Field(() => RoleAssignment)
  roleAssignment!: RoleAssignment
}

@ObjectType({ description: 'Result of revokeRole.', simpleResolvers: true })
export class RevokeRolePayload {
  @Field(() => RoleAssignment)
  roleAssignment!: RoleAssignment
}
