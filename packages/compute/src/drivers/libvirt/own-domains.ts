/** Tells the domains of this cloud from everybody else's: by the cloud id in their metadata, never by name. */
import { guestNamespace } from '../../domain-xml/domain-xml.js'
import { LibvirtError } from './rpc/libvirt-error.js'
import type { RemoteDomain } from './rpc/protocol.js'
import { type LibvirtSession, uuidText } from './rpc/session.js'

/** The server a domain is the guest of, or null when it is not of this cloud (or gone meanwhile). */
export async function ownServerOf(session: LibvirtSession, domain: RemoteDomain, cloudId: string): Promise<string | null> {
  try {
    const xml = await session.xml(domain)
    const cloud = /<kilonova:cloud\s+id=['"]([0-9a-f-]+)['"]\s*\/>/.exec(xml)?.[1]
    return xml.includes(guestNamespace) && cloud === cloudId ? uuidText(domain.uuid) : null
  } catch (error) {
    if (error instanceof LibvirtError && error.is('noDomain')) return null
    throw error
  }
}
