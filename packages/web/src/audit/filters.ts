/** What the audit log can be filtered by, as the address names it. */
import type { AuditLogQuery } from '../generated/graphql.js'

export const auditFilterNames = ['user', 'project', 'action', 'outcome', 'object', 'request', 'since', 'until'] as const
export type AuditFilterName = (typeof auditFilterNames)[number]
export type AuditEntry = AuditLogQuery['auditLog']['nodes'][number]
