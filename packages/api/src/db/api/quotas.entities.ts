/** How much a project, or a user in it, may have: Nova's own limits, and unified limits as the identity service keeps them. */
import { defineEntity } from '@mikro-orm/core'
import { count, id, name } from '../columns.js'

export const Quota = defineEntity({
  name: 'Quota',
  tableName: 'quotas',
  properties: { project_id: id().primary(), resource: name().primary(), hard_limit: count() },
})

export const ProjectUserQuota = defineEntity({
  name: 'ProjectUserQuota',
  tableName: 'project_user_quotas',
  properties: { project_id: id().primary(), user_id: id().primary(), resource: name().primary(), hard_limit: count() },
  indexes: [{ properties: ['user_id'] }],
})

/** Limits of projects that have none of their own; only the class `default` exists. */
export const QuotaClass = defineEntity({
  name: 'QuotaClass',
  tableName: 'quota_classes',
  properties: { class_name: name().primary(), resource: name().primary(), hard_limit: count() },
})

/** Grows with every change of a set of limits; stays when the limits are reset, so that a stale update is noticed. */
export const QuotaGeneration = defineEntity({
  name: 'QuotaGeneration',
  tableName: 'quota_generations',
  properties: { owner: name().primary(), generation: count() },
})

/** Unified limits: what a project without an own limit gets. A resource that is not registered may not be asked for. */
export const RegisteredLimit = defineEntity({
  name: 'RegisteredLimit',
  tableName: 'registered_limits',
  properties: { resource_name: name().primary(), default_limit: count() },
})

/** Unified limits of single projects. */
export const ProjectLimit = defineEntity({
  name: 'ProjectLimit',
  tableName: 'project_limits',
  properties: { project_id: id().primary(), resource_name: name().primary(), resource_limit: count() },
})
