/** Ends every guest of one cloud on this host; for `kilonova down`. */
import type { Clock } from '@kilonova/runtime/clock'
import { ownServerOf } from './own-domains.js'
import type { RemoteDomain } from './rpc/protocol.js'
import { domainState, type LibvirtSession } from './rpc/session.js'

export interface EndGuestsOptions {
  session: LibvirtSession
  cloudId: string
  /** Also forget their definitions. */
  remove: boolean
  /** How long guests may take to shut down by themselves. */
  graceSeconds: number
  clock: Clock
}

export async function endGuests(options: EndGuestsOptions): Promise<number> {
  const { session, cloudId, clock } = options
  const own: { domain: RemoteDomain; serverId: string }[] = []
  for (const domain of await session.domains()) {
    const serverId = await ownServerOf(session, domain, cloudId)
    if (serverId !== null) own.push({ domain, serverId })
  }
  const runs = async (serverId: string): Promise<boolean> => {
    const state = await session.state(serverId)
    return state !== null && state !== domainState.shutoff && state !== domainState.crashed
  }
  if (options.graceSeconds > 0) {
    for (const { domain } of own) await session.shutdown(domain)
    const deadline = clock.monotonic() + options.graceSeconds * 1000
    for (const { serverId } of own) while (clock.monotonic() < deadline && (await runs(serverId))) await clock.sleep(100)
  }
  for (const { domain } of own) {
    await session.destroy(domain)
    if (options.remove) await session.undefine(domain)
  }
  return own.length
}
