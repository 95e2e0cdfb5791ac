/** Unified limits as the operator sets them, straight in the database of the identity service (C-UNL-1, C-UNL-2). */
import { INT32_MAX } from '@kilonova/contract/inputs'
import type { Database } from '../db/database.js'
import type { ApiSchema } from '../db/schemas.js'
import { quotaResources, resourceNames } from '../modules/quotas/quota.resources.js'

/** A limit that cannot be set; the message is for the operator. */
export class LimitError extends Error {
  override name = 'LimitError'
}

export interface UnifiedLimitList {
  registered: { name: string; limit: number }[]
  projects: { projectId: string; name: string; limit: number }[]
}

export async function unifiedLimits(api: Database<ApiSchema>): Promise<UnifiedLimitList> {
  const registered = await api.read.selectFrom('registered_limits').selectAll().orderBy('resource_name').execute()
  const projects = await api.read.selectFrom('project_limits').selectAll().orderBy('project_id').orderBy('resource_name').execute()
  return {
    registered: registered.map((row) => ({ name: row.resource_name, limit: row.default_limit })),
    projects: projects.map((row) => ({ projectId: row.project_id, name: row.resource_name, limit: row.resource_limit })),
  }
}

/** What projects get that have no limit of their own. Null: no longer registered, which means that nobody may have any. */
export async function setRegisteredLimit(api: Database<ApiSchema>, name: string, limit: number | null): Promise<void> {
  checkName(name)
  checkLimit(limit)
  await api.transaction(async (trx) => {
    if (limit !== null) {
      await trx
        .insertInto('registered_limits')
        .values({ resource_name: name, default_limit: limit })
        .onConflict((conflict) => conflict.column('resource_name').doUpdateSet({ default_limit: limit }))
        .execute()
      return
    }
    const used = await trx.selectFrom('project_limits').select('project_id').where('resource_name', '=', name).execute()
    if (used.length > 0) throw new LimitError(`${used.length} projects have limits of ${name} of their own; remove those first.`)
    await trx.deleteFrom('registered_limits').where('resource_name', '=', name).execute()
  })
}

/** Null: back to the registered limit. */
export async function setProjectLimit(api: Database<ApiSchema>, projectId: string, name: string, limit: number | null): Promise<void> {
  checkName(name)
  checkLimit(limit)
  await api.transaction(async (trx) => {
    const project = await trx.selectFrom('projects').select('id').where('id', '=', projectId).executeTakeFirst()
    if (project === undefined) throw new LimitError(`There is no project ${projectId}.`)
    if (limit === null) {
      await trx.deleteFrom('project_limits').where('project_id', '=', projectId).where('resource_name', '=', name).execute()
      return
    }
    const registered = await trx
      .selectFrom('registered_limits')
      .select('resource_name')
      .where('resource_name', '=', name)
      .executeTakeFirst()
    if (registered === undefined) throw new LimitError(`${name} has no registered limit; register one first.`)
    await trx
      .insertInto('project_limits')
      .values({ project_id: projectId, resource_name: name, resource_limit: limit })
      .onConflict((conflict) => conflict.columns(['project_id', 'resource_name']).doUpdateSet({ resource_limit: limit }))
      .execute()
  })
}

function checkName(name: string): void {
  const known = resourceNames.map((resource) => quotaResources[resource].unified as string)
  if (known.includes(name) || /^class:[A-Z][A-Z0-9_]*$/.test(name)) return
  throw new LimitError(`${name} is not a limit: use ${known.join(', ')}, or class: with a resource class.`)
}

function checkLimit(limit: number | null): void {
  if (limit === null || (Number.isInteger(limit) && limit >= -1 && limit <= INT32_MAX)) return
  throw new LimitError(`A limit is -1 (unlimited) to ${INT32_MAX}, not ${limit}.`)
}
