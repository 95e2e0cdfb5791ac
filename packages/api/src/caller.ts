/** Who asks, in which project, by which request. Handed down from the gateway to every service. */
export interface Caller {
  readonly requestId: string
  readonly userId: string
  readonly userName: string
  /** Null when the session is not scoped to a project. */
  readonly projectId: string | null
  /** Roles in that project, implied ones included. */
  readonly roles: readonly string[]
  /** The login: a session, or an application credential. */
  readonly sessionId: string
  readonly sessionExpiresAt: number
  readonly clientAddress: string
  /** Absent: by password. */
  readonly authMethod?: AuthMethodName
  /** Policy rules that the login is limited to; absent or null: all that the roles allow. */
  readonly limitedTo?: readonly string[] | null
}

/** How the caller proved who it is. */
export type AuthMethodName = 'PASSWORD' | 'APPLICATION_CREDENTIAL'

/** Roles that come with a role: admin implies member implies reader. */
export const impliedRoles = { admin: ['member'], member: ['reader'], reader: [] } as const satisfies Record<string, readonly string[]>
export type RoleName = keyof typeof impliedRoles
export const roleNames = Object.keys(impliedRoles) as RoleName[]
export const isRoleName = (value: string): value is RoleName => Object.hasOwn(impliedRoles, value)

export function withImpliedRoles(roles: readonly string[]): string[] {
  const all = new Set<string>()
  const add = (role: string): void => {
    if (all.has(role)) return
    all.add(role)
    if (isRoleName(role)) for (const implied of impliedRoles[role]) add(implied)
  }
  for (const role of roles) add(role)
  return [...all].sort()
}

export const isAdmin = (caller: Caller): boolean => caller.roles.includes('admin')
