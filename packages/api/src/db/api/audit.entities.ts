/** Who did what: one row per mutation, only ever added; old ones go after the retention. */
import { defineEntity } from '@mikro-orm/core'
import { id, json, name, serial, text, time } from '../columns.js'

export const AuditEntry = defineEntity({
  name: 'AuditEntry',
  tableName: 'audit_log',
  properties: {
    id: serial(),
    occurred_at: time(),
    request_id: id(),
    user_id: id().nullable(),
    project_id: id().nullable(),
    auth_method: name().nullable(),
    application_credential_id: id().nullable(),
    client_address: name(),
    field: name(),
    /** Without secrets. */
    input: json().nullable(),
    result: name(),
    error_code: name().nullable(),
    target_ids: text(),
    operation_id: id().nullable(),
  },
  indexes: [{ properties: ['project_id', 'occurred_at'] }, { properties: ['occurred_at'] }],
})
