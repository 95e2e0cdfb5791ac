/**
 * A guest's interface in QEMU's user-mode network. QEMU's DHCP server is set up with the subnet and the address of the port, because what
 * the guest gets must be what the cloud shows and what the config drive leads to expect: an IPv4 address by DHCP.
 */
import type { GuestInterface } from '@kilonova/contract/rpc/guest'
import ipaddr from 'ipaddr.js'
import type { InterfacePlan, UserSubnet } from './interface-plan.js'

export const userPlan = ({ macAddress, mtu, addresses }: GuestInterface): InterfacePlan => {
  const address = addresses.find(({ version }) => version === 4)
  return { kind: 'user', macAddress, mtu, ipv4: address === undefined ? null : userSubnet(address) }
}

/** Null where the subnet has no room for QEMU's own addresses: the guest has an interface then, and nobody on it. */
function userSubnet({ ipAddress, cidr, gatewayIp }: GuestInterface['addresses'][number]): UserSubnet | null {
  const network = ipaddr.IPv4.networkAddressFromCIDR(cidr).toString()
  const last = numberOf(ipaddr.IPv4.broadcastAddressFromCIDR(cidr).toString())
  const taken = new Set([ipAddress, ...(gatewayIp === null ? [] : [gatewayIp])])
  const free: string[] = []
  for (let at = numberOf(network) + 1; at <= last && free.length < 2; at++) {
    const candidate = addressOf(at)
    if (!taken.has(candidate)) free.push(candidate)
  }
  const server = gatewayIp === null || gatewayIp === ipAddress ? free.shift() : gatewayIp
  const dns = free.shift()
  if (server === undefined || dns === undefined) return null
  return { cidr: `${network}/${cidr.split('/')[1]}`, address: ipAddress, server, dns }
}

const numberOf = (address: string): number =>
  ipaddr.IPv4.parse(address)
    .toByteArray()
    .reduce((sum, byte) => sum * 256 + byte, 0)

const addressOf = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.')
