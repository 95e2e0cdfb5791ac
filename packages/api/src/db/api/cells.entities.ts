/** Where things are: cells, hosts and servers (A-CELL-6, 9), and servers that have no cell yet. */
import { defineEntity } from '@mikro-orm/core'
import { count, flag, id, json, name, text, time } from '../columns.js'

export const CellMapping = defineEntity({
  name: 'CellMapping',
  tableName: 'cell_mappings',
  properties: {
    uuid: id().primary(),
    name: name().nullable(),
    transport_url: text(),
    database_connection: text(),
    disabled: flag().default(0),
    created_at: time(),
    updated_at: time(),
  },
})

export const HostMapping = defineEntity({
  name: 'HostMapping',
  tableName: 'host_mappings',
  properties: { host: name().primary(), cell_uuid: id(), created_at: time() },
})

export const InstanceMapping = defineEntity({
  name: 'InstanceMapping',
  tableName: 'instance_mappings',
  properties: {
    instance_uuid: id().primary(),
    cell_uuid: id().nullable(),
    project_id: id(),
    user_id: id(),
    queued_for_delete: flag().default(0),
    created_at: time(),
  },
  indexes: [{ properties: ['project_id', 'queued_for_delete'] }],
})

export const RequestSpec = defineEntity({
  name: 'RequestSpec',
  tableName: 'request_specs',
  properties: { instance_uuid: id().primary(), spec: json(), created_at: time() },
})

/** A server between the answer of createServer and its row in a cell. */
export const BuildRequest = defineEntity({
  name: 'BuildRequest',
  tableName: 'build_requests',
  properties: {
    instance_uuid: id().primary(),
    project_id: id(),
    instance: json(),
    vcpus: count(),
    memory_mb: count(),
    disk_gb: count().default(0),
    created_at: time(),
    updated_at: time(),
  },
  indexes: [{ properties: ['project_id'] }],
})
