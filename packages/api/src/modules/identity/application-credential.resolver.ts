import { Arg, Args, ArgsType, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql'
import { mapPage } from '../../db/paging.js'
import { ResourceOrder } from '../../graphql/common.types.js'
import { connectionOf, listArgs } from '../../graphql/connection.js'
import type { RequestContext } from '../../graphql/context.js'
import { Policy } from '../../graphql/policy-directive.js'
import type { CredentialRow } from './application-credential.service.js'
import {
  ApplicationCredential,
  ApplicationCredentialFilter,
  CreateApplicationCredentialInput,
  CreateApplicationCredentialPayload,
  DeleteApplicationCredentialInput,
  DeleteApplicationCredentialPayload,
} from './application-credential.types.js'
import { toProject, toRole } from './identity.resolver.js'
import { Project, Role } from './identity.types.js'

const ApplicationCredentialConnection = connectionOf(() => ApplicationCredential, 'ApplicationCredential', 'application credentials')

@ArgsType()
class ApplicationCredentialArgs extends listArgs(
  () => ApplicationCredentialFilter,
  () => ResourceOrder,
) {}

type CredentialNode = ApplicationCredential & { roleNames: string[] }
const toCredential = (row: CredentialRow): CredentialNode => ({
  id: row.id,
  name: row.name,
  description: row.description,
  userId: row.user_id,
  projectId: row.project_id,
  allowedRules: row.allowed_rules === null ? null : (JSON.parse(row.allowed_rules) as string[]),
  expiresAt: row.expires_at,
  lastUsedAt: row.last_used_at,
  createdAt: row.created_at,
  roleNames: JSON.parse(row.roles) as string[],
})

@Resolver(() => ApplicationCredential)
export class ApplicationCredentialResolver {
  @FieldResolver(() => Project, { nullable: true })
  async project(@Root() credential: CredentialNode, @Ctx() context: RequestContext): Promise<Project | null> {
    const row = await context.projects.load(credential.projectId)
    return row === null ? null : toProject(row)
  }

  @FieldResolver(() => [Role])
  roles(@Root() credential: CredentialNode): Role[] {
    return credential.roleNames.map(toRole)
  }

  @Query(() => ApplicationCredentialConnection, { description: 'API credentials of the caller.' })
  async applicationCredentials(@Args(() => ApplicationCredentialArgs) args: ApplicationCredentialArgs, @Ctx() context: RequestContext) {
    const page = await context.services.credentials.list(context.caller, args)
    return new ApplicationCredentialConnection(mapPage<CredentialRow, ApplicationCredential>(page, toCredential))
  }

  @Policy('identity:create_application_credential')
  @Mutation(() => CreateApplicationCredentialPayload, {
    description: 'Create an API credential; the secret is shown only here. Errors: ALREADY_EXISTS, INVALID_REFERENCE (role not held).',
  })
  async createApplicationCredential(
    @Arg('input', () => CreateApplicationCredentialInput, { description: 'Input.' }) input: CreateApplicationCredentialInput,
    @Ctx() { services, caller }: RequestContext,
  ): Promise<CreateApplicationCredentialPayload> {
    const { row, secret } = await services.credentials.create(caller, input)
    return { applicationCredential: toCredential(row), secret: secret.reveal() }
  }

  @Policy('identity:delete_application_credential')
  @Mutation(() => DeleteApplicationCredentialPayload, { description: 'Revoke at once.' })
  async deleteApplicationCredential(
    @Arg('input', () => DeleteApplicationCredentialInput, { description: 'Input.' }) input: DeleteApplicationCredentialInput,
    @Ctx() { services, caller }: RequestContext,
  ): Promise<DeleteApplicationCredentialPayload> {
    return { deletedId: await services.credentials.delete(caller, input) }
  }
}
