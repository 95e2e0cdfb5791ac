/** What this host's networks are, on disk: enough to make them again after the host was restarted, and to remove every trace of them. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'

const hostPort = z.object({
  serverId: z.string(),
  macAddress: z.string(),
  /** What DHCP serves. */
  ipAddress: z.string().nullable(),
  /** Every address the port may speak as. */
  addresses: z.array(z.string()).default([]),
})
export type HostPort = z.infer<typeof hostPort>

const hostSubnet = z.object({ cidr: z.string(), gatewayIp: z.string(), dnsServers: z.array(z.string()) })

const hostBridge = z.object({
  networkId: z.string(),
  name: z.string(),
  mtu: z.number(),
  /** Null: the network has no IPv4 gateway, so the host has no address in it and serves no DHCP. */
  subnet: hostSubnet.nullable(),
  ports: z.record(z.string(), hostPort),
})
export type HostBridge = z.infer<typeof hostBridge>
export type HostSubnet = z.infer<typeof hostSubnet>

const networkRecord = z.object({
  bridges: z.record(z.string(), hostBridge),
  /** Interfaces whose forwarding was switched on for guests, to be switched off again. */
  forwarding: z.array(z.string()),
})
export type NetworkRecord = z.infer<typeof networkRecord>

export async function readRecord(path: string): Promise<NetworkRecord> {
  try {
    return networkRecord.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { bridges: {}, forwarding: [] }
    throw error
  }
}

export async function writeRecord(path: string, record: NetworkRecord): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(`${path}.part`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 })
  await rename(`${path}.part`, path)
}

export const removeRecord = (path: string): Promise<void> => rm(path, { force: true })
