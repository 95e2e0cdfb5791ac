/** The usage audit of a cell's hosts. */
import { defineEntity } from '@mikro-orm/core'
import { count, name, time } from '../columns.js'

export const UsageAudit = defineEntity({
  name: 'UsageAudit',
  tableName: 'usage_audits',
  properties: {
    host: name().primary(),
    period_start: time().primary(),
    period_end: time().primary(),
    /** running or done. */
    state: name(),
    /** The process that does it, and until when nobody else may. */
    owner: name(),
    claimed_until: time(),
    servers: count(),
    errors: count(),
    message: name(),
  },
})
