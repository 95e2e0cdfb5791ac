/** The project an object belongs to, for those who may see it; batched, so that a list of objects costs one statement. */
import { toProject } from '../modules/identity/identity.resolver.js'
import type { Project } from '../modules/identity/identity.types.js'
import type { RequestContext } from './context.js'

export async function visibleProject(context: RequestContext, projectId: string): Promise<Project | null> {
  const { caller, services } = context
  if (!services.policy.allows('identity:get_project', caller, { project_id: projectId, user_id: caller.userId })) return null
  const row = await context.projects.load(projectId)
  return row === null ? null : toProject(row)
}
