/** Operations with their steps, idempotency keys and the event log. */
import { defineEntity } from '@mikro-orm/core'
import { count, id, json, name, serial, text, time } from '../columns.js'

export const Operation = defineEntity({
  name: 'Operation',
  tableName: 'operations',
  properties: {
    id: id().primary(),
    request_id: id(),
    kind: name(),
    state: name(),
    progress: count().default(0),
    project_id: id(),
    user_id: id().nullable(),
    server_id: id().nullable(),
    image_id: id().nullable(),
    parent_id: id().nullable(),
    error: json().nullable(),
    trace: json().nullable(),
    created_at: time(),
    started_at: time().nullable(),
    updated_at: time(),
    finished_at: time().nullable(),
  },
  indexes: [{ properties: ['project_id', 'created_at'] }, { properties: ['server_id', 'created_at'] }, { properties: ['parent_id'] }],
})

export const OperationStep = defineEntity({
  name: 'OperationStep',
  tableName: 'operation_steps',
  properties: {
    operation_id: id().primary(),
    key: name().primary(),
    name: name(),
    host: name().nullable(),
    started_at: time(),
    finished_at: time().nullable(),
    result: name().nullable(),
    message: text().nullable(),
    details: text().nullable(),
  },
})

export const IdempotencyKey = defineEntity({
  name: 'IdempotencyKey',
  tableName: 'idempotency_keys',
  properties: {
    user_id: id().primary(),
    project_id: id().primary(),
    key: name().primary(),
    mutation: name(),
    input_hash: name(),
    /** Ids chosen before any effect, then references to what was made. Never answer texts. */
    refs: json(),
    /** pending or done. */
    state: name(),
    /** Sealed; kept for secrets shown once, wiped after ten minutes. */
    sealed: text().nullable(),
    created_at: time(),
    expires_at: time(),
  },
  indexes: [{ properties: ['expires_at'] }],
})

/** The position is given by the one relay that appends; cursors name it. */
export const EventLog = defineEntity({
  name: 'EventLog',
  tableName: 'event_log',
  properties: {
    position: serial(),
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
  },
  indexes: [{ properties: ['occurred_at'] }],
})
