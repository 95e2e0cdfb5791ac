/** QEMU refuses a network whose parts collide, and a guest must get exactly its port's address. */
import type { GuestInterface } from '@kilonova/contract/rpc/guest'
import { expect, it } from 'vitest'
import { guestSpecFor } from '../guest.testkit.js'
import { userPlan } from './user-network.js'

function planOf(ipAddress: string, cidr: string, gatewayIp: string | null) {
  const [port] = guestSpecFor().interfaces
  if (port === undefined) throw new Error('no interface')
  const address: GuestInterface['addresses'][number] = { ipAddress, version: 4, cidr, gatewayIp, dnsServers: [] }
  return userPlan({ ...port, addresses: [address] })
}

it.each([
  ['10.96.0.5', '10.96.0.0/20', '10.96.0.1', { cidr: '10.96.0.0/20', address: '10.96.0.5', server: '10.96.0.1', dns: '10.96.0.2' }],
  ['10.96.0.2', '10.96.0.0/20', '10.96.0.1', { cidr: '10.96.0.0/20', address: '10.96.0.2', server: '10.96.0.1', dns: '10.96.0.3' }],
  ['10.96.0.1', '10.96.0.0/24', null, { cidr: '10.96.0.0/24', address: '10.96.0.1', server: '10.96.0.2', dns: '10.96.0.3' }],
  ['192.0.2.2', '192.0.2.0/30', '192.0.2.1', { cidr: '192.0.2.0/30', address: '192.0.2.2', server: '192.0.2.1', dns: '192.0.2.3' }],
  ['192.0.2.2', '192.0.2.2/31', '192.0.2.3', null],
])('gives %s in %s with gateway %s', (ipAddress, cidr, gatewayIp, ipv4) => {
  expect(planOf(ipAddress, cidr, gatewayIp)).toEqual({ kind: 'user', macAddress: 'fa:16:3e:00:00:01', mtu: 1450, ipv4 })
})

it('serves no IPv4 where the port has none', () => {
  const [port] = guestSpecFor().interfaces
  if (port === undefined) throw new Error('no interface')
  expect(userPlan({ ...port, addresses: [] })).toMatchObject({ kind: 'user', ipv4: null })
})
