/** A cell's own tables: its servers, hosts and console tokens (A-CELL-10). */
import { defineEntity } from '@mikro-orm/core'
import { count, flag, id, json, name, serial, text, time } from '../columns.js'

export const Instance = defineEntity({
  name: 'Instance',
  tableName: 'instances',
  properties: {
    id: serial(),
    uuid: id().unique(),
    project_id: id(),
    user_id: id(),
    display_name: name(),
    display_description: text().nullable(),
    hostname: name().nullable(),
    vm_state: name(),
    task_state: name().nullable(),
    power_state: count(),
    progress: count().default(0),
    host: name().nullable(),
    node: name().nullable(),
    image_id: id().nullable(),
    flavor_id: name(),
    /** The flavor as it was (B-FLV-5): guestFlavor of the RPC contract. */
    flavor: json(),
    key_name: name().nullable(),
    keypairs: json(),
    availability_zone: name().nullable(),
    pinned_availability_zone: name().nullable(),
    config_drive: flag(),
    disk_config: name(),
    metadata: json(),
    tags: json(),
    /** Interfaces as guestInterface of the RPC contract; empty while building. */
    network_info: json(),
    locked: flag().default(0),
    locked_by: name().nullable(),
    locked_reason: name().nullable(),
    user_data: text().nullable(),
    access_ip_v4: name().nullable(),
    access_ip_v6: name().nullable(),
    reservation_id: name(),
    launch_index: count(),
    root_device_name: name().nullable(),
    fault: json().nullable(),
    /** The unfinished operation that holds the task state. */
    operation_id: id().nullable(),
    /** Highest fence handed out to work on this server; see workKey. */
    fence: count().default(0),
    generation: count().default(1),
    created_at: time(),
    updated_at: time(),
    launched_at: time().nullable(),
    terminated_at: time().nullable(),
    /** Null while the server exists. */
    deleted_at: time().nullable(),
  },
  indexes: [
    { properties: ['deleted_at', 'project_id', 'created_at', 'uuid'] },
    { properties: ['deleted_at', 'created_at', 'uuid'] },
    { properties: ['host', 'deleted_at'] },
  ],
})

export const Service = defineEntity({
  name: 'Service',
  tableName: 'services',
  properties: {
    id: id().primary(),
    binary: name(),
    host: name(),
    disabled: flag().default(0),
    disabled_reason: name().nullable(),
    forced_down: flag().default(0),
    version: count(),
    /** Tells one run of the process from the next. */
    run_id: id().nullable(),
    last_seen_at: time(),
    generation: count().default(1),
    created_at: time(),
    updated_at: time(),
  },
  uniques: [{ properties: ['host', 'binary'] }],
})

export const ComputeNode = defineEntity({
  name: 'ComputeNode',
  tableName: 'compute_nodes',
  properties: {
    uuid: id().primary(),
    host: name(),
    hypervisor_hostname: name(),
    hypervisor_type: name(),
    hypervisor_version: count(),
    host_ip: name(),
    /** nodeReport of the RPC contract. */
    report: json(),
    created_at: time(),
    updated_at: time(),
  },
  uniques: [{ properties: ['host', 'hypervisor_hostname'] }],
})

export const ConsoleAuthToken = defineEntity({
  name: 'ConsoleAuthToken',
  tableName: 'console_auth_tokens',
  properties: {
    token_hash: name().primary(),
    instance_uuid: id(),
    user_id: id(),
    project_id: id(),
    login_session_id: id(),
    console_type: name(),
    mode: name(),
    used_at: time().nullable(),
    expires_at: time(),
    created_at: time(),
  },
  indexes: [{ properties: ['instance_uuid'] }, { properties: ['expires_at'] }],
})
