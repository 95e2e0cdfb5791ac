/**
 * libvirt's remote protocol, as far as the driver needs it. Procedure numbers and layouts are fixed for good: old and new daemons
 * speak to old and new clients, so numbers are only ever appended.
 */
import type { XdrReader, XdrWriter } from './xdr.js'

export const remoteProgram = 0x20008086
export const keepaliveProgram = 0x6b656570
export const protocolVersion = 1

export const messageType = { call: 0, reply: 1, event: 2 } as const
export const messageStatus = { ok: 0, error: 1 } as const
export const keepalive = { ping: 1, pong: 2 } as const

export const procedure = {
  connectOpen: 1,
  connectClose: 2,
  getVersion: 4,
  getCapabilities: 7,
  domainGetXmlDesc: 14,
  domainLookupByUuid: 24,
  domainResume: 28,
  domainSuspend: 34,
  getHostname: 59,
  authList: 66,
  getLibVersion: 157,
  domainManagedSave: 182,
  domainHasManagedSaveImage: 183,
  domainCreateWithFlags: 196,
  domainGetState: 212,
  domainUndefineFlags: 231,
  domainDestroyFlags: 234,
  domainReset: 245,
  domainShutdownFlags: 258,
  listAllDomains: 273,
  eventCallbackRegisterAny: 316,
  eventCallbackLifecycle: 318,
  domainDefineXmlFlags: 350,
} as const

/** Most domains a list may hold. */
const longestDomainList = 16384

export interface RemoteDomain {
  name: string
  uuid: Buffer
  id: number
}

export const writeDomain = (writer: XdrWriter, domain: RemoteDomain): XdrWriter =>
  writer.string(domain.name).fixed(domain.uuid).int(domain.id)

export const readDomain = (reader: XdrReader): RemoteDomain => ({ name: reader.string(), uuid: reader.fixed(16), id: reader.int() })

export const readDomains = (reader: XdrReader): RemoteDomain[] => reader.list(longestDomainList, () => readDomain(reader))

export interface RemoteError {
  code: number
  domain: number
  message: string
  level: number
}

export const readError = (reader: XdrReader): RemoteError => {
  const code = reader.int()
  const domain = reader.int()
  const message = reader.optional(() => reader.string()) ?? 'without a message'
  return { code, domain, message, level: reader.int() }
}

export interface Header {
  program: number
  version: number
  procedure: number
  type: number
  serial: number
  status: number
}
export const headerLength = 28
/** libvirt's own bound on a message. */
export const longestMessage = 32 * 2 ** 20

export function packet(header: Header, body: Buffer): Buffer {
  const bytes = Buffer.alloc(headerLength)
  bytes.writeUInt32BE(headerLength + body.length, 0)
  bytes.writeUInt32BE(header.program, 4)
  bytes.writeUInt32BE(header.version, 8)
  bytes.writeInt32BE(header.procedure, 12)
  bytes.writeInt32BE(header.type, 16)
  bytes.writeUInt32BE(header.serial, 20)
  bytes.writeInt32BE(header.status, 24)
  return Buffer.concat([bytes, body])
}

export const readHeader = (bytes: Buffer): Header => ({
  program: bytes.readUInt32BE(4),
  version: bytes.readUInt32BE(8),
  procedure: bytes.readInt32BE(12),
  type: bytes.readInt32BE(16),
  serial: bytes.readUInt32BE(20),
  status: bytes.readInt32BE(24),
})
