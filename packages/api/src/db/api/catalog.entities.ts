/** What users choose from: flavors, key pairs, images, networks. */
import { defineEntity } from '@mikro-orm/core'
import { big, count, flag, id, json, name, real, serial, text, time } from '../columns.js'

export const Flavor = defineEntity({
  name: 'Flavor',
  tableName: 'flavors',
  properties: {
    id: name().primary(),
    name: name().unique(),
    description: text().nullable(),
    vcpus: count(),
    ram_mb: count(),
    disk_gb: count(),
    ephemeral_gb: count(),
    swap_mb: count(),
    rxtx_factor: real(),
    is_public: flag(),
    disabled: flag().default(0),
    extra_specs: json(),
    generation: count().default(1),
    created_at: time(),
    updated_at: time().nullable(),
  },
})

export const FlavorProject = defineEntity({
  name: 'FlavorProject',
  tableName: 'flavor_projects',
  properties: { flavor_id: name().primary(), project_id: id().primary() },
})

export const Keypair = defineEntity({
  name: 'Keypair',
  tableName: 'keypairs',
  properties: {
    id: serial(),
    user_id: id(),
    name: name(),
    type: name(),
    public_key: text(),
    fingerprint: name(),
    created_at: time(),
  },
  uniques: [{ properties: ['user_id', 'name'] }],
})

export const Image = defineEntity({
  name: 'Image',
  tableName: 'images',
  properties: {
    id: id().primary(),
    name: name().nullable(),
    status: name(),
    visibility: name(),
    protected: flag().default(0),
    hidden: flag().default(0),
    project_id: id(),
    tags: json(),
    properties: json(),
    min_ram_mb: count().default(0),
    min_disk_gb: count().default(0),
    disk_format: name().nullable(),
    container_format: name().nullable(),
    size_bytes: big().nullable(),
    virtual_size_bytes: big().nullable(),
    hash_value: name().nullable(),
    generation: count().default(1),
    created_at: time(),
    updated_at: time(),
  },
  indexes: [{ properties: ['project_id'] }],
})

/** Projects an image is shared with, and what they answered. */
export const ImageMember = defineEntity({
  name: 'ImageMember',
  tableName: 'image_members',
  properties: { image_id: id().primary(), project_id: id().primary(), status: name(), created_at: time(), updated_at: time() },
  indexes: [{ properties: ['project_id', 'status'] }],
})

export const ImageUpload = defineEntity({
  name: 'ImageUpload',
  tableName: 'image_uploads',
  properties: {
    id: id().primary(),
    image_id: id().unique(),
    state: name(),
    size_bytes: big().nullable(),
    received_bytes: big().default(0),
    checksum: name().nullable(),
    error: json().nullable(),
    operation_id: id().nullable(),
    expires_at: time(),
    created_at: time(),
  },
})

export const Network = defineEntity({
  name: 'Network',
  tableName: 'networks',
  properties: {
    id: id().primary(),
    name: name(),
    description: text().nullable(),
    status: name(),
    admin_state_up: flag().default(1),
    shared: flag().default(0),
    external: flag().default(0),
    mtu: count(),
    network_type: name(),
    project_id: id(),
    tags: json(),
    generation: count().default(1),
    created_at: time(),
    updated_at: time(),
  },
})

export const Subnet = defineEntity({
  name: 'Subnet',
  tableName: 'subnets',
  properties: {
    id: id().primary(),
    network_id: id(),
    name: name(),
    cidr: name(),
    ip_version: count(),
    gateway_ip: name().nullable(),
    dhcp_enabled: flag().default(1),
    dns_servers: json(),
    pool_start: name(),
    pool_end: name(),
    project_id: id(),
    created_at: time(),
    updated_at: time(),
  },
  indexes: [{ properties: ['network_id'] }],
})

export const Port = defineEntity({
  name: 'Port',
  tableName: 'ports',
  properties: {
    id: id().primary(),
    network_id: id(),
    project_id: id(),
    mac_address: name().unique(),
    device_id: id().nullable(),
    device_owner: name().nullable(),
    host: name().nullable(),
    tag: name().nullable(),
    /** Order of the server's interfaces. */
    position: count(),
    status: name(),
    created_at: time(),
    updated_at: time(),
  },
  uniques: [{ properties: ['device_id', 'position'] }],
})

export const IpAllocation = defineEntity({
  name: 'IpAllocation',
  tableName: 'ip_allocations',
  properties: { subnet_id: id().primary(), ip_address: name().primary(), port_id: id() },
  indexes: [{ properties: ['port_id'] }],
})
