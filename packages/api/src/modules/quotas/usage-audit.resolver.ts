import { Arg, Ctx, Query, Resolver } from 'type-graphql'
import type { RequestContext } from '../../graphql/context.js'
import { Policy } from '../../graphql/policy-directive.js'
import { DateTime } from '../../graphql/scalars.js'
import { UsageAudit } from './usage-audit.types.js'

@Resolver()
export class UsageAuditResolver {
  @Policy('os_compute_api:os-instance-usage-audit-log:list')
  @Query(() => UsageAudit, { nullable: true, description: 'The last usage audit that ended before a time.' })
  async usageAudit(
    @Arg('before', () => DateTime, { nullable: true, description: 'Default now.' }) before: number | null,
    @Ctx() { services, caller }: RequestContext,
  ): Promise<UsageAudit | null> {
    return services.usageAudits.usageAudit(caller, before)
  }
}
