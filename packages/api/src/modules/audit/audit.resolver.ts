import { isErrorCode } from '@kilonova/contract/errors'
import { Args, ArgsType, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql'
import { mapPage } from '../../db/paging.js'
import { connectionOf, listArgs } from '../../graphql/connection.js'
import type { RequestContext } from '../../graphql/context.js'
import { Policy } from '../../graphql/policy-directive.js'
import { toProject, toUser } from '../identity/identity.resolver.js'
import { type AuthMethod, Project, User } from '../identity/identity.types.js'
import { Operation } from '../operations/operation.types.js'
import { toOperation } from '../operations/operation.view.js'
import type { AuditRow } from './audit.service.js'
import { AuditEntry, AuditFilter, type AuditResult, TimeOrder } from './audit.types.js'

const AuditEntryConnection = connectionOf(() => AuditEntry, 'AuditEntry', 'audit entries')

@ArgsType()
class AuditArgs extends listArgs(
  () => AuditFilter,
  () => TimeOrder,
) {}

type AuditNode = AuditEntry & { operationId: string | null }
const toEntry = (row: AuditRow): AuditNode => ({
  id: String(row.id),
  occurredAt: row.occurred_at,
  requestId: row.request_id,
  userId: row.user_id,
  projectId: row.project_id,
  authMethod: row.auth_method as AuthMethod | null,
  applicationCredentialId: row.application_credential_id,
  clientAddress: row.client_address,
  field: row.field,
  input: row.input === null ? null : (JSON.parse(row.input) as unknown),
  result: row.result as AuditResult,
  errorCode: isErrorCode(row.error_code) ? row.error_code : null,
  targetIds: JSON.parse(row.target_ids) as string[],
  operationId: row.operation_id,
})

@Resolver(() => AuditEntry)
export class AuditResolver {
  @FieldResolver(() => User, { nullable: true })
  async user(@Root() { userId }: AuditNode, @Ctx() context: RequestContext): Promise<User | null> {
    const row = userId === null ? null : await context.users.load(userId)
    return row === null ? null : toUser(row)
  }

  @FieldResolver(() => Project, { nullable: true })
  async project(@Root() { projectId }: AuditNode, @Ctx() context: RequestContext): Promise<Project | null> {
    const row = projectId === null ? null : await context.projects.load(projectId)
    return row === null ? null : toProject(row)
  }

  @FieldResolver(() => Operation, { nullable: true })
  async operation(@Root() { operationId }: AuditNode, @Ctx() context: RequestContext): Promise<Operation | null> {
    const row = operationId === null ? null : await context.operations.load(operationId)
    return row === null ? null : toOperation(row)
  }

  @Policy('cloud:audit:read')
  @Query(() => AuditEntryConnection, { description: 'Who did what. Members see their project, admins all.' })
  async auditLog(@Args(() => AuditArgs) args: AuditArgs, @Ctx() context: RequestContext) {
    const page = await context.services.audit.list(context.caller, args)
    return new AuditEntryConnection(mapPage<AuditRow, AuditEntry>(page, toEntry))
  }
}
