/**
 * Rules that hold each guest to its own name on its network: the hardware and IP addresses of its port, in Ethernet, ARP, IP and neighbour
 * discovery; and nobody but the host answers DHCP or advertises routes. They judge frames as they come from the guest's tap, before the
 * bridge learns from them, so that a guest can neither pose as another one nor take frames away from it. Stateless: many kernels have no
 * connection tracking for bridges.
 */
import ipaddr from 'ipaddr.js'
import { tapName } from '../config-drive/instance-data.js'
import type { HostBridge, HostPort } from './network-record.js'

/** ARP, IPv4, and RARP, by which QEMU tells switches that a guest has moved. No tags: a guest has no part in networks behind its own. */
const etherTypes = ['0x0800', '0x0806', '0x8035']
const ipv6EtherType = '0x86dd'
/** Where DHCP has the client's hardware address: byte 28 after the header of UDP. */
const dhcpClientBit = (8 + 28) * 8
/** Where a neighbour advertisement has the address it speaks for. */
const advertisedBit = 8 * 8

/** The table's body, or nothing when there is nobody to watch. */
export function spoofRules(table: string, bridges: readonly HostBridge[]): string[] {
  const ports = bridges.flatMap((bridge) => Object.entries(bridge.ports).map(([portId, port]) => ({ tap: tapName(portId), port })))
  const lines = [`add table bridge ${table}`, `delete table bridge ${table}`]
  if (ports.length === 0) return lines
  const verdicts = ports.map(({ tap }) => `"${tap}" : jump ${chainOf(tap)}`)
  return [
    ...lines,
    `table bridge ${table} {`,
    ...ports.flatMap(({ tap, port }) => [`  chain ${chainOf(tap)} {`, ...portRules(port).map((rule) => `    ${rule}`), '  }']),
    '  chain prerouting {',
    '    type filter hook prerouting priority -300; policy accept;',
    `    iifname vmap { ${verdicts.join(', ')} }`,
    '  }',
    '}',
  ]
}

const chainOf = (tap: string): string => `port_${tap.replaceAll(/[^A-Za-z0-9]/g, '_')}`

function portRules({ macAddress, ipAddress, addresses }: HostPort): string[] {
  const mac = macAddress.toLowerCase()
  const ipv4 = [...new Set([...(ipAddress === null ? [] : [ipAddress]), ...addresses.filter((address) => ipaddr.IPv4.isValid(address))])]
  const ipv6 = addresses.filter((address) => ipaddr.IPv6.isValid(address))
  return [
    `ether saddr != ${mac} drop`,
    'vlan id 0-4095 drop',
    `ether type != ${oneOf([...etherTypes, ...(ipv6.length > 0 ? [ipv6EtherType] : [])])} drop`,
    'ether type 0x8035 accept',
    `arp saddr ether != ${mac} drop`,
    // 0.0.0.0 asks whether an address is free, and says nothing.
    `arp saddr ip != ${oneOf(['0.0.0.0', ...ipv4])} drop`,
    'ether type arp accept',
    // Whatever port it comes from: clients look at their own.
    'udp dport 68 drop',
    `udp dport 67 @th,${dhcpClientBit},48 != 0x${mac.replaceAll(':', '')} drop`,
    // Before it has an address, a guest may ask for one, and nothing else.
    'ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept',
    ipv4.length === 0 ? 'ether type ip drop' : `ip saddr != ${oneOf(ipv4)} drop`,
    ...(ipv6.length > 0 ? ipv6Rules(mac, ipv6) : []),
  ]
}

/** A guest has the addresses of its port, and the link-local one that is made from its hardware address. */
function ipv6Rules(mac: string, addresses: readonly string[]): string[] {
  const own = [linkLocal(mac), ...addresses]
  return [
    'udp dport 546 drop',
    'icmpv6 type { nd-router-advert, nd-redirect } drop',
    // Unspecified: asks whether an address is free, as above.
    `ip6 saddr != ${oneOf(['::', ...own])} drop`,
    ...own.map((address) => `icmpv6 type nd-neighbor-advert @th,${advertisedBit},128 ${hexOf(address)} accept`),
    'icmpv6 type nd-neighbor-advert drop',
  ]
}

const oneOf = (values: readonly string[]): string => `{ ${values.join(', ')} }`

/** RFC 4291, appendix A. */
function linkLocal(mac: string): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac.split(':').map((byte) => Number.parseInt(byte, 16))
  return new ipaddr.IPv6([0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f]).toString()
}

const hexOf = (address: string): string => `0x${Buffer.from(ipaddr.IPv6.parse(address).toByteArray()).toString('hex')}`
