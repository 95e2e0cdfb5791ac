/** Who a login stands for, as users, projects and roles are now. A login is a session or an application credential. */
import type { AuthMethodName } from '../../caller.js'
import { withImpliedRoles } from '../../caller.js'
import type { Database } from '../../db/database.js'
import type { ApiSchema } from '../../db/schemas.js'

export interface Standing {
  loginId: string
  authMethod: AuthMethodName
  userId: string
  userName: string
  projectId: string | null
  /** Roles in that project, implied ones included. */
  roles: string[]
  /** Policy rules that an application credential is limited to. */
  limitedTo: string[] | null
  /** When the login itself ends; null: never. */
  endsAt: number | null
}

interface Login {
  id: string
  user_id: string
  user_name: string
  user_enabled: number
  project_id: string | null
  project_enabled: number | null
  ends_at: number | null
}

const chunkSize = 400

/** Those of the logins that still stand, by their ids. */
export async function standings(
  db: Database<ApiSchema>,
  ids: readonly string[],
  kinds: { sessions: boolean; credentials: boolean } = { sessions: true, credentials: true },
): Promise<Map<string, Standing>> {
  const found = new Map<string, Standing>()
  for (let at = 0; at < ids.length; at += chunkSize) {
    const chunk = ids.slice(at, at + chunkSize)
    const sessions = kinds.sessions ? await sessionLogins(db, chunk) : []
    const credentials = kinds.credentials ? await credentialLogins(db, chunk) : []
    const logins: Login[] = [...sessions, ...credentials]
    if (logins.length === 0) continue
    const held = await rolesHeld(db, new Set(logins.map((login) => login.user_id)))
    for (const login of sessions) stand(found, login, 'PASSWORD', rolesIn(held, login), null)
    for (const login of credentials) {
      const granted = new Set(withImpliedRoles(JSON.parse(login.roles) as string[]))
      const roles = rolesIn(held, login).filter((role) => granted.has(role))
      const limitedTo = login.allowed_rules === null ? null : (JSON.parse(login.allowed_rules) as string[])
      stand(found, login, 'APPLICATION_CREDENTIAL', roles, limitedTo)
    }
  }
  return found
}

/** Disabled users and projects stand for nobody, nor do users who have no role left in the project. */
function stand(found: Map<string, Standing>, login: Login, authMethod: AuthMethodName, roles: string[], limitedTo: string[] | null): void {
  if (login.user_enabled === 0) return
  if (login.project_id !== null && (login.project_enabled !== 1 || roles.length === 0)) return
  found.set(login.id, {
    loginId: login.id,
    authMethod,
    userId: login.user_id,
    userName: login.user_name,
    projectId: login.project_id,
    roles,
    limitedTo,
    endsAt: login.ends_at,
  })
}

const sessionLogins = (db: Database<ApiSchema>, ids: readonly string[]) =>
  db.read
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .leftJoin('projects', 'projects.id', 'sessions.project_id')
    .select([
      'sessions.id',
      'sessions.user_id',
      'users.name as user_name',
      'users.enabled as user_enabled',
      'sessions.project_id',
      'projects.enabled as project_enabled',
      'sessions.refresh_expires_at as ends_at',
    ])
    .where('sessions.id', 'in', [...ids])
    .where('sessions.refresh_expires_at', '>', db.now)
    .execute()

const credentialLogins = (db: Database<ApiSchema>, ids: readonly string[]) =>
  db.read
    .selectFrom('application_credentials')
    .innerJoin('users', 'users.id', 'application_credentials.user_id')
    .leftJoin('projects', 'projects.id', 'application_credentials.project_id')
    .select([
      'application_credentials.id',
      'application_credentials.user_id',
      'users.name as user_name',
      'users.enabled as user_enabled',
      'application_credentials.project_id',
      'projects.enabled as project_enabled',
      'application_credentials.expires_at as ends_at',
      'application_credentials.roles',
      'application_credentials.allowed_rules',
    ])
    .where('application_credentials.id', 'in', [...ids])
    .where((eb) => eb.or([eb('application_credentials.expires_at', 'is', null), eb('application_credentials.expires_at', '>', db.now)]))
    .execute()

/** Roles by user and project. */
async function rolesHeld(db: Database<ApiSchema>, userIds: ReadonlySet<string>): Promise<Map<string, string[]>> {
  const rows = await db.read
    .selectFrom('role_assignments')
    .select(['user_id', 'project_id', 'role'])
    .where('user_id', 'in', [...userIds])
    .execute()
  const held = new Map<string, string[]>()
  for (const row of rows) {
    const key = `${row.user_id} ${row.project_id}`
    held.set(key, [...(held.get(key) ?? []), row.role])
  }
  return held
}

const rolesIn = (held: ReadonlyMap<string, string[]>, login: Login): string[] =>
  login.project_id === null ? [] : withImpliedRoles(held.get(`${login.user_id} ${login.project_id}`) ?? [])

/** Whether nothing has changed that a stream or a socket was admitted by. */
export function sameRights(
  now: Standing,
  then: { userId: string; projectId: string | null; roles: readonly string[]; limitedTo?: readonly string[] | null },
): boolean {
  const text = (list: readonly string[] | null | undefined): string => JSON.stringify(list ?? null)
  return (
    now.userId === then.userId &&
    now.projectId === then.projectId &&
    text(now.roles) === text(then.roles) &&
    text(now.limitedTo) === text(then.limitedTo)
  )
}
