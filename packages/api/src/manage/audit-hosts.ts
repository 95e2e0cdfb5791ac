/** What drivers have on their hosts against the servers that should be there. */
import { z } from 'zod'
import { type HostPresence, type Inventory, placed } from './inventory.js'

const buildState = z.object({ selected: z.object({ host: z.string() }) })

/** States in which a server has a guest or at least its disks on its host. */
const withGuest: readonly string[] = ['active', 'paused', 'suspended', 'stopped', 'rescued', 'resized']

export function auditHosts(inventory: Inventory, hosts: readonly HostPresence[]): void {
  const { live, sagas, inMotion, find } = inventory
  const building = new Set(
    sagas.flatMap((saga) => {
      const state = buildState.safeParse(JSON.parse(saga.state))
      return state.success ? [`${saga.server_id} ${state.data.selected.host}`] : []
    }),
  )
  const placesOf = new Map<string, string[]>()
  for (const { host, present } of hosts) {
    for (const serverId of present) {
      placesOf.set(serverId, [...(placesOf.get(serverId) ?? []), host])
      if (building.has(`${serverId} ${host}`)) continue
      const row = placed(inventory, serverId)
      if (row?.host !== host) find('guest-orphan', serverId, `host ${host} has a guest or disks of a server that should not be there`)
    }
  }
  for (const [serverId, places] of placesOf) {
    if (places.length > 1) find('guest-twice', serverId, `the server is on ${places.join(' and ')}`)
  }
  const seen = new Set(hosts.map(({ host }) => host))
  for (const [serverId, places] of live) {
    if (inMotion.has(serverId)) continue
    for (const { row } of places) {
      if (row.host === null || !seen.has(row.host) || !withGuest.includes(row.vm_state)) continue
      if (!placesOf.get(serverId)?.includes(row.host))
        find('guest-missing', serverId, `the server should be on ${row.host}, which has nothing of it`)
    }
  }
}
