/** Tables that every database of the cloud has: sagas, outbox, leases. */
import { defineEntity } from '@mikro-orm/core'
import { count, id, json, name, serial, text, time } from './columns.js'

const sagaProperties = {
  id: id().primary(),
  kind: name(),
  operation_id: id(),
  server_id: id().nullable(),
  project_id: id().nullable(),
  request_id: id().nullable(),
  /** Trace context of the request, where it was traced. */
  traceparent: name().nullable(),
  /** forward, backward, waiting is told by waiting_for; done when the row is gone. */
  direction: name(),
  step: count(),
  attempt: count(),
  fence: count(),
  state: json(),
  failure: json().nullable(),
  /** Key of the report this saga waits for; null while it runs or may run. */
  waiting_for: name().nullable(),
  /** When the wait began; the last one's while it does not wait. */
  waiting_since: time().nullable(),
  cancel_requested: count().default(0),
  tries: count().default(0),
  wake_at: time(),
  /** When the wait is given up; null while it does not wait. */
  deadline_at: time().nullable(),
  lease_owner: name().nullable(),
  lease_until: time(),
  row_version: count().default(0),
  created_at: time(),
  updated_at: time(),
}
const sagaIndexes = [{ properties: ['server_id' as const] }, { properties: ['wake_at' as const] }]

const outboxProperties = {
  id: serial(),
  event_id: id().unique(),
  event_type: name(),
  subject: name(),
  subject_id: name(),
  phase: name().nullable(),
  priority: name(),
  project_id: id().nullable(),
  user_id: id().nullable(),
  request_id: id().nullable(),
  operation_id: id().nullable(),
  publisher_id: name(),
  occurred_at: time(),
  payload: json(),
  /** Change of an operation that travels with the event; see operationProjection. */
  projection: json().nullable(),
}

const leaseProperties = {
  name: name().primary(),
  owner: name(),
  until: time(),
}

const settingProperties = { name: name().primary(), value: text() }

export const ApiSaga = defineEntity({ name: 'ApiSaga', tableName: 'sagas', properties: sagaProperties, indexes: sagaIndexes })
export const ApiOutbox = defineEntity({ name: 'ApiOutbox', tableName: 'outbox', properties: outboxProperties })
export const ApiLease = defineEntity({ name: 'ApiLease', tableName: 'leases', properties: leaseProperties })
export const ApiSetting = defineEntity({ name: 'ApiSetting', tableName: 'settings', properties: settingProperties })
export const CellSaga = defineEntity({ name: 'CellSaga', tableName: 'sagas', properties: sagaProperties, indexes: sagaIndexes })
export const CellOutbox = defineEntity({ name: 'CellOutbox', tableName: 'outbox', properties: outboxProperties })
export const CellLease = defineEntity({ name: 'CellLease', tableName: 'leases', properties: leaseProperties })
