/** Hands the administrator password of a new server from the launch page to the server's page, once, in memory only. */

export interface Launched {
  adminPassword: string
  count: number
}

const launched = new Map<string, Launched>()

export function rememberLaunched(serverId: string, value: Launched): void {
  launched.clear()
  launched.set(serverId, value)
}

export function takeLaunched(serverId: string): Launched | null {
  const value = launched.get(serverId) ?? null
  launched.delete(serverId)
  return value
}
