/** Placement: who provides how much of what, and who uses it. Amounts are in the unit of the class (MEMORY_MB: MiB, DISK_GB: GiB). */
import { defineEntity } from '@mikro-orm/core'
import { count, id, name, real, time } from '../columns.js'

export const ResourceProvider = defineEntity({
  name: 'ResourceProvider',
  tableName: 'resource_providers',
  properties: {
    uuid: id().primary(),
    name: name().unique(),
    /** Grows with every change of the provider's inventory or allocations. */
    generation: count().default(0),
    created_at: time(),
    updated_at: time(),
  },
})

export const Inventory = defineEntity({
  name: 'Inventory',
  tableName: 'inventories',
  properties: {
    provider_uuid: id().primary(),
    resource_class: name().primary(),
    total: count(),
    reserved: count(),
    min_unit: count(),
    max_unit: count(),
    step_size: count(),
    allocation_ratio: real(),
  },
})

export const ProviderTrait = defineEntity({
  name: 'ProviderTrait',
  tableName: 'provider_traits',
  properties: { provider_uuid: id().primary(), trait: name().primary() },
})

export const Consumer = defineEntity({
  name: 'Consumer',
  tableName: 'consumers',
  properties: {
    uuid: id().primary(),
    project_id: id(),
    user_id: id(),
    generation: count().default(0),
    created_at: time(),
  },
  indexes: [{ properties: ['project_id'] }],
})

export const Allocation = defineEntity({
  name: 'Allocation',
  tableName: 'allocations',
  properties: {
    consumer_uuid: id().primary(),
    provider_uuid: id().primary(),
    resource_class: name().primary(),
    used: count(),
  },
  indexes: [{ properties: ['provider_uuid', 'resource_class'] }],
})
