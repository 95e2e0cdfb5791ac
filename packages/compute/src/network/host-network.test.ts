/**
 * A host, the outside and guests, each in a network namespace of its own: everything but the guests' being guests is real. Whoever may
 * not connect is compared with somebody who may, so that a test cannot pass because nothing works.
 */
import type { ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GuestSpec } from '@kilonova/contract/rpc/guest'
import { createLogger } from '@kilonova/runtime/logger'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { guestSpecFor } from '../guest.testkit.js'
import { HostNetwork } from './host-network.js'
import { canUseNamespaces, NetworkNamespace } from './network-namespaces.testkit.js'

const cloudId = 'c1a0c1a0-0000-4000-8000-00000000000a'
const log = createLogger('silent')

/** Guest `n` of network `network`: 10.<network>.0.<n>. */
function guestOf(n: number, network: number): GuestSpec {
  const id = (start: string): string => `${start}-0000-4000-8000-${String(network * 1000 + n).padStart(12, '0')}`
  return guestSpecFor({
    serverId: id('11111111'),
    interfaces: [
      {
        portId: `${String(network).padStart(4, '0')}${String(n).padStart(4, '0')}-0000-4000-8000-000000000000`,
        networkId: `network-${network}`,
        networkName: 'n',
        macAddress: `fa:16:3e:00:0${network}:0${n}`,
        mtu: 1400,
        tag: null,
        addresses: [
          { ipAddress: `10.${network}.0.${n}`, version: 4, cidr: `10.${network}.0.0/20`, gatewayIp: `10.${network}.0.1`, dnsServers: [] },
        ],
      },
    ],
  })
}

it('gives user-mode networks without root', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kilonova-host-network-'))
  const network = new HostNetwork({ cloudId, folder, log, kind: 'user' })
  const ipv4 = { cidr: '10.1.0.0/20', address: '10.1.0.5', server: '10.1.0.1', dns: '10.1.0.2' }
  expect(await network.plug(guestOf(5, 1))).toEqual([{ kind: 'user', macAddress: 'fa:16:3e:00:01:05', mtu: 1400, ipv4 }])
  await network.unplug(guestOf(5, 1).serverId)
  await network.remove()
  expect(readdirSync(folder)).toEqual([])
  rmSync(folder, { recursive: true })
})

describe.skipIf(!canUseNamespaces)('bridges', () => {
  let folder: string
  let host: NetworkNamespace
  let outside: NetworkNamespace
  let network: HostNetwork
  const guests: NetworkNamespace[] = []
  const programs: ChildProcess[] = []

  const hostNetwork = (): HostNetwork =>
    new HostNetwork({ cloudId, folder, log, kind: 'bridge', runFolder: join(folder, 'run'), commandPrefix: host.prefix })
  const listen = (where: NetworkNamespace, port: number): void => {
    programs.push(where.start('busybox', 'nc', '-ll', '-p', String(port), '-e', 'true'))
  }
  const reaches = (from: NetworkNamespace, address: string, port: number): boolean =>
    from.succeeds('timeout', '2', 'busybox', 'nc', '-w', '1', address, String(port))

  /** Does what libvirt does with a tap, and what a guest does with its interface. */
  async function boot(spec: GuestSpec): Promise<NetworkNamespace> {
    const [plan] = await network.plug(spec)
    if (plan?.kind !== 'bridge') throw new Error('no bridge')
    const guest = await NetworkNamespace.make()
    guests.push(guest)
    host.connect(plan.target, guest, 'eth0')
    host.run('ip', 'link', 'set', plan.target, 'master', plan.bridge)
    guest.run('ip', 'link', 'set', 'eth0', 'address', plan.macAddress)
    const script = join(folder, 'dhcp.sh')
    writeFileSync(
      script,
      '#!/bin/sh\n[ "$1" = bound ] || exit 0\nip addr add $ip/$mask dev $interface\nip link set $interface mtu $mtu\nip route add default via $router\necho "dns $dns" > "$0.$interface.$ip"\n',
      { mode: 0o755 },
    )
    guest.run('busybox', 'udhcpc', '-i', 'eth0', '-s', script, '-n', '-q', '-t', '20', '-T', '1', '-O', 'mtu')
    return guest
  }

  let one: NetworkNamespace
  let two: NetworkNamespace
  let other: NetworkNamespace

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kilonova-host-network-'))
    chmodSync(folder, 0o711)
    host = await NetworkNamespace.make()
    outside = await NetworkNamespace.make()
    host.connect('up0', outside, 'eth0')
    host.run('ip', 'addr', 'add', '203.0.113.2/24', 'dev', 'up0')
    outside.run('ip', 'addr', 'add', '203.0.113.1/24', 'dev', 'eth0')
    outside.run('ip', 'addr', 'add', '169.254.169.254/32', 'dev', 'eth0')
    host.run('ip', 'route', 'add', 'default', 'via', '203.0.113.1')
    outside.run('ip', 'route', 'add', '10.0.0.0/8', 'via', '203.0.113.2')
    for (const where of [host, outside]) listen(where, 8774)
    network = hostNetwork()
    await network.start()
    one = await boot(guestOf(5, 1))
    two = await boot(guestOf(6, 1))
    other = await boot(guestOf(5, 2))
    for (const guest of guests) listen(guest, 22)
    await vi.waitFor(() => expect(reaches(outside, '203.0.113.2', 8774) && reaches(host, '203.0.113.1', 8774)).toBe(true))
  })
  afterAll(async () => {
    await network?.remove()
    for (const program of programs) program.kill('SIGKILL')
    for (const namespace of [...guests, host, outside]) namespace?.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  it('gives each guest its address, route, MTU and name server', () => {
    expect(one.run('ip', '-4', 'addr', 'show', 'eth0')).toMatch(/mtu 1400[\s\S]*inet 10\.1\.0\.5\/20/)
    expect(one.run('ip', 'route')).toContain('default via 10.1.0.1')
    expect(readFileSync(join(folder, 'dhcp.sh.eth0.10.1.0.5'), 'utf8')).toBe('dns 10.1.0.1\n')
    expect(other.run('ip', '-4', 'addr', 'show', 'eth0')).toContain('inet 10.2.0.5/20')
  })

  it('lets guests of one network reach each other, and the host reach them', () => {
    expect(reaches(one, '10.1.0.6', 22)).toBe(true)
    expect(reaches(host, '10.1.0.5', 22)).toBe(true)
  })

  it('lets guests ask its name server', () => {
    // It answers by itself that there is no such plain name; what counts is that it answers.
    const ask = (from: NetworkNamespace, server: string): boolean =>
      from.run('sh', '-c', `timeout 4 busybox nslookup no-such-name ${server} 2>&1 || true`).includes("can't find no-such-name")
    expect(ask(one, '10.1.0.1')).toBe(true)
    expect(ask(one, '10.2.0.1')).toBe(false)
  })

  it('lets guests reach nothing else of the host', () => {
    for (const address of ['10.1.0.1', '203.0.113.2', '10.2.0.1']) expect([address, reaches(one, address, 8774)]).toEqual([address, false])
    expect(one.succeeds('busybox', 'ping', '-c', '1', '-W', '1', '10.1.0.1')).toBe(false)
  })

  it('takes guests of different networks apart', () => {
    expect(reaches(one, '10.2.0.5', 22)).toBe(false)
    expect(reaches(other, '10.1.0.5', 22)).toBe(false)
  })

  it('lets guests out through the address of the host, and nobody in', () => {
    expect(reaches(one, '203.0.113.1', 8774)).toBe(true)
    outside.run('ip', 'route', 'del', '10.0.0.0/8')
    expect(reaches(one, '203.0.113.1', 8774)).toBe(true)
    outside.run('ip', 'route', 'add', '10.0.0.0/8', 'via', '203.0.113.2')
    expect(reaches(outside, '10.1.0.5', 22)).toBe(false)
    expect(reaches(one, '169.254.169.254', 8774)).toBe(false)
    expect(reaches(host, '203.0.113.1', 8774)).toBe(true)
  })

  it('keeps the host from forwarding anything else', () => {
    expect(host.run('cat', '/proc/sys/net/ipv4/ip_forward').trim()).toBe('0')
    expect(host.run('cat', '/proc/sys/net/ipv4/conf/up0/forwarding').trim()).toBe('1')
    expect(host.run('nft', 'list', 'ruleset')).toContain('iifname "up0" drop')
  })

  it('leaves what runs alone when another agent takes over', async () => {
    const pid = (): string => readFileSync(join(folder, 'run', `${network.bridgeName('network-1')}.pid`), 'utf8').trim()
    const before = pid()
    network = hostNetwork()
    await network.start()
    await network.plug(guestOf(5, 1))
    expect(pid()).toBe(before)
    expect(reaches(one, '10.1.0.6', 22)).toBe(true)
    // Not a child of this process, nor of its session: it lives on without us.
    const sessionOf = (process: string): string | undefined => readFileSync(`/proc/${process}/stat`, 'utf8').split(') ')[1]?.split(' ')[3]
    expect(sessionOf(before)).not.toBe(sessionOf('self'))
  })

  it('makes everything anew after a restart of the host', async () => {
    const name = network.bridgeName('network-2')
    process.kill(Number(readFileSync(join(folder, 'run', `${name}.pid`), 'utf8')), 'SIGKILL')
    host.run('ip', 'link', 'delete', name)
    host.run('nft', 'flush', 'ruleset')
    expect(reaches(one, '10.1.0.1', 8774)).toBe(true)
    await hostNetwork().start()
    expect(host.run('ip', 'addr', 'show', name)).toContain('inet 10.2.0.1/20')
    expect(reaches(one, '10.1.0.1', 8774)).toBe(false)
    expect(existsSync(`/proc/${readFileSync(join(folder, 'run', `${name}.pid`), 'utf8').trim()}`)).toBe(true)
  })

  it('gives the address of a deleted server to the next one', async () => {
    await network.unplug(guestOf(6, 1).serverId)
    two.remove()
    const [port] = guestOf(6, 1).interfaces
    if (port === undefined) throw new Error('no port')
    const successor = {
      ...guestOf(7, 1),
      interfaces: [{ ...port, portId: '77777777-0000-4000-8000-000000000000', macAddress: 'fa:16:3e:00:01:77' }],
    }
    const guest = await boot(successor)
    expect(guest.run('ip', '-4', 'addr', 'show', 'eth0')).toContain('inet 10.1.0.6/20')
  })

  it('removes a network with its last server', async () => {
    expect(await network.servers()).toContain(guestOf(5, 2).serverId)
    await network.unplug(guestOf(5, 2).serverId)
    await network.unplug(guestOf(5, 2).serverId)
    expect(await network.servers()).not.toContain(guestOf(5, 2).serverId)
    expect(host.succeeds('ip', 'link', 'show', network.bridgeName('network-2'))).toBe(false)
    expect(readdirSync(join(folder, 'run')).filter((name) => name.startsWith(network.bridgeName('network-2')))).toEqual([])
    expect(host.run('nft', 'list', 'ruleset')).not.toContain(network.bridgeName('network-2'))
    expect(host.run('nft', 'list', 'ruleset')).toContain(network.bridgeName('network-1'))
  })

  it('removes every trace, even of what the record lost', async () => {
    const pid = readFileSync(join(folder, 'run', `${network.bridgeName('network-1')}.pid`), 'utf8').trim()
    const lost = 'kn000000000000'
    host.run('ip', 'link', 'add', lost, 'type', 'bridge')
    host.run('ip', 'link', 'set', lost, 'alias', `kilonova:${cloudId}:lost`)
    await network.remove()
    await network.remove()
    expect(host.run('ip', 'link', 'show', 'type', 'bridge').trim()).toBe('')
    expect(host.run('nft', 'list', 'ruleset').trim()).toBe('')
    expect(host.run('cat', '/proc/sys/net/ipv4/conf/up0/forwarding').trim()).toBe('0')
    expect(existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('dnsmasq')).toBe(false)
    expect(existsSync(join(folder, 'run'))).toBe(false)
    expect(existsSync(join(folder, 'host-network.json'))).toBe(false)
  })
})
