/** What a guest is made of, as the conductor tells an agent. The agent needs nothing else to build it. */
import { z } from 'zod'

export const guestFlavor = z.object({
  flavorId: z.string(),
  name: z.string(),
  vcpus: z.number().int().positive(),
  ramMb: z.number().int().positive(),
  diskGb: z.number().int().nonnegative(),
  ephemeralGb: z.number().int().nonnegative(),
  swapMb: z.number().int().nonnegative(),
  extraSpecs: z.record(z.string(), z.string()),
})
export type GuestFlavor = z.infer<typeof guestFlavor>

export const guestImage = z.object({
  imageId: z.string(),
  /** The format that was found in the bytes at upload; checked again before use. */
  diskFormat: z.enum(['raw', 'qcow2', 'vmdk', 'vhd', 'vhdx', 'iso']),
  sizeBytes: z.number().int().nonnegative(),
  virtualSizeBytes: z.number().int().nonnegative(),
  /** Hex digest of the data. */
  hashAlgorithm: z.literal('sha256'),
  hashValue: z.string(),
  /** Where to fetch the bytes. Sealed, for its ticket; that is for this image only and ends within the hour. */
  url: z.string(),
  properties: z.record(z.string(), z.string()),
})
export type GuestImage = z.infer<typeof guestImage>

export const guestInterface = z.object({
  portId: z.string(),
  networkId: z.string(),
  networkName: z.string(),
  macAddress: z.string(),
  mtu: z.number().int(),
  tag: z.string().nullable(),
  addresses: z.array(
    z.object({
      ipAddress: z.string(),
      version: z.union([z.literal(4), z.literal(6)]),
      cidr: z.string(),
      gatewayIp: z.string().nullable(),
      dnsServers: z.array(z.string()),
    }),
  ),
})
export type GuestInterface = z.infer<typeof guestInterface>

export const guestKeypair = z.object({
  name: z.string(),
  type: z.enum(['ssh', 'x509']),
  fingerprint: z.string(),
  publicKey: z.string(),
})
export type GuestKeypair = z.infer<typeof guestKeypair>

export const guestSpec = z.object({
  serverId: z.string(),
  /** Domain name on the hypervisor, instance-%08x. */
  instanceName: z.string(),
  name: z.string(),
  hostname: z.string(),
  projectId: z.string(),
  userId: z.string(),
  reservationId: z.string(),
  launchIndex: z.number().int(),
  availabilityZone: z.string(),
  flavor: guestFlavor,
  image: guestImage,
  interfaces: z.array(guestInterface),
  keypairs: z.array(guestKeypair),
  metadata: z.record(z.string(), z.string()),
  configDrive: z.boolean(),
  /** Base64 as the user gave it. Sealed: only the agent opens it. */
  userData: z.string().nullable(),
  /** Sealed: only the agent opens it, to write it to the config drive. */
  adminPassword: z.string().nullable(),
})
export type GuestSpec = z.infer<typeof guestSpec>
