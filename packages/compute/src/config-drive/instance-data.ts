/** What a guest is told about itself, in the shapes that cloud-init and its like read (C-MDS-8, C-MDS-9, C-MDS-10). Pure functions. */
import type { GuestInterface, GuestSpec } from '@kilonova/contract/rpc/guest'
import ipaddr from 'ipaddr.js'
import { has } from './versions.js'

export interface InstanceFacts {
  guest: GuestSpec
  /** Host name with domain (C-MDS-6). */
  fullHostname: string
  /** Told on the config drive only, never by a service that others could ask. */
  adminPassword: string | null
}

export const fullHostname = (guest: GuestSpec, domain: string): string => (domain === '' ? guest.hostname : `${guest.hostname}.${domain}`)

/** C-MDS-8. Each call gets its own seed for the guest's random numbers. */
export function metaData(version: string, facts: InstanceFacts, randomSeed: () => Buffer): Record<string, unknown> {
  const { guest, adminPassword } = facts
  const data: Record<string, unknown> = {
    uuid: guest.serverId,
    name: guest.name,
    hostname: facts.fullHostname,
    launch_index: guest.launchIndex,
    availability_zone: guest.availabilityZone,
  }
  if (Object.keys(guest.metadata).length > 0) data.meta = guest.metadata
  if (guest.keypairs.length > 0) {
    data.public_keys = Object.fromEntries(guest.keypairs.map((key) => [key.name, key.publicKey]))
    data.keys = guest.keypairs.map((key) => ({ name: key.name, type: key.type, data: key.publicKey }))
  }
  if (adminPassword !== null) data.admin_pass = adminPassword
  if (has(version, 'randomSeed')) data.random_seed = randomSeed().toString('base64')
  if (has(version, 'projectId')) data.project_id = guest.projectId
  if (has(version, 'devices')) data.devices = taggedDevices(guest.interfaces)
  if (has(version, 'dedicatedCpus')) data.dedicated_cpus = []
  return data
}

/** Tags let a guest find a device; where on the bus it sits is not known before the guest runs. */
const taggedDevices = (interfaces: readonly GuestInterface[]): unknown[] =>
  interfaces
    .filter((port) => port.tag !== null)
    .map((port) => ({ type: 'nic', bus: 'none', address: 'none', mac: port.macAddress, tags: [port.tag] }))

/** C-MDS-9. IPv4 addresses come by DHCP, and so does the MTU; IPv6 addresses are static. */
export function networkData(interfaces: readonly GuestInterface[]): Record<string, unknown> {
  if (interfaces.length === 0) return {}
  const links: unknown[] = []
  const networks: unknown[] = []
  const nameServers = new Set<string>()
  for (const port of interfaces) {
    const link = tapName(port.portId)
    const ipv4 = port.addresses.find((address) => address.version === 4)
    const ipv6 = port.addresses.find((address) => address.version === 6)
    links.push({
      id: link,
      vif_id: port.portId,
      type: 'bridge',
      mtu: ipv4 === undefined ? port.mtu : null,
      ethernet_mac_address: port.macAddress,
    })
    if (ipv4 !== undefined) networks.push({ id: `network${networks.length}`, link, network_id: port.networkId, type: 'ipv4_dhcp' })
    if (ipv6 !== undefined) networks.push({ id: `network${networks.length}`, link, network_id: port.networkId, ...staticIpv6(ipv6) })
    for (const server of port.addresses.flatMap((address) => address.dnsServers)) nameServers.add(server)
  }
  return { links, networks, services: [...nameServers].map(dnsService) }
}

/** Name of the host's end of a port. Interface names have at most 15 characters. */
export const tapName = (portId: string): string => `tap${portId.slice(0, 11)}`

const dnsService = (address: string): unknown => ({ type: 'dns', address })

function staticIpv6({ ipAddress, cidr, gatewayIp, dnsServers }: GuestInterface['addresses'][number]): Record<string, unknown> {
  const defaultRoute = gatewayIp === null ? [] : [{ network: '::', netmask: '::', gateway: gatewayIp }]
  return {
    type: 'ipv6',
    ip_address: ipAddress,
    netmask: ipaddr.IPv6.subnetMaskFromPrefixLength(ipaddr.IPv6.parseCIDR(cidr)[1]).toString(),
    routes: defaultRoute,
    services: dnsServers.map(dnsService),
  }
}

/** C-MDS-10, version 2009-04-04 and later. */
export function ec2MetaData({ guest, fullHostname: hostname }: InstanceFacts): Record<string, unknown> {
  const addresses = guest.interfaces.flatMap((port) => port.addresses)
  const rootDevice = guest.image.diskFormat === 'iso' ? 'hdb' : 'vda'
  const data: Record<string, unknown> = {
    'ami-id': `ami-${guest.image.imageId.replaceAll('-', '').slice(0, 8)}`,
    'ami-launch-index': guest.launchIndex,
    'ami-manifest-path': 'FIXME',
    'block-device-mapping': { ami: rootDevice, root: `/dev/${rootDevice}` },
    hostname,
    'instance-action': 'none',
    'instance-id': guest.instanceName.replace(/^instance-/, 'i-'),
    'instance-type': guest.flavor.name,
    'local-hostname': hostname,
    'local-ipv4': addresses.find((address) => address.version === 4)?.ipAddress ?? '',
    placement: { 'availability-zone': guest.availabilityZone },
    'public-hostname': hostname,
    'public-ipv4': '',
    'reservation-id': guest.reservationId,
    'security-groups': [],
  }
  const [key] = guest.keypairs
  if (key !== undefined) data['public-keys'] = { '0': { _name: `0=${key.name}`, 'openssh-key': key.publicKey } }
  if (guest.image.properties.kernel_id !== undefined) data['kernel-id'] = guest.image.properties.kernel_id
  if (guest.image.properties.ramdisk_id !== undefined) data['ramdisk-id'] = guest.image.properties.ramdisk_id
  return data
}
