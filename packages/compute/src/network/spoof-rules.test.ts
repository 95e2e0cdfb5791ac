/**
 * Guests that lie about who they are, in network namespaces. Each lie is told twice: under the rules, where nobody may hear it, and with
 * the rules taken away, where it must be heard; otherwise the test would prove nothing.
 */
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GuestSpec } from '@kilonova/contract/rpc/guest'
import { createLogger } from '@kilonova/runtime/logger'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { guestSpecFor } from '../guest.testkit.js'
import { tableName } from './firewall.js'
import { HostNetwork } from './host-network.js'
import { canUseNamespaces, NetworkNamespace } from './network-namespaces.testkit.js'

const cloudId = 'c1a0c1a0-0000-4000-8000-00000000000b'
const hasIpv6 = existsSync('/proc/net/if_inet6')
const macOf = (n: number): string => `fa:16:3e:00:00:0${n}`

/** Guest `n`: 10.9.0.<n> and fd00::<n>, on a network where the host serves no DHCP. */
function guestOf(n: number): GuestSpec {
  const padded = String(n).padStart(12, '0')
  const ipv4 = { ipAddress: `10.9.0.${n}`, version: 4 as const, cidr: '10.9.0.0/24', gatewayIp: null, dnsServers: [] }
  const ipv6 = { ipAddress: `fd00::${n}`, version: 6 as const, cidr: 'fd00::/64', gatewayIp: null, dnsServers: [] }
  return guestSpecFor({
    serverId: `11111111-0000-4000-8000-${padded}`,
    interfaces: [
      {
        portId: `2222000${n}-0000-4000-8000-${padded}`,
        networkId: 'network',
        networkName: 'n',
        macAddress: macOf(n),
        mtu: 1500,
        tag: null,
        addresses: [ipv4, ipv6],
      },
    ],
  })
}

describe.skipIf(!canUseNamespaces)('guests on a bridge', () => {
  let folder: string
  let host: NetworkNamespace
  let network: HostNetwork
  let liar: NetworkNamespace
  let owner: NetworkNamespace
  let witness: NetworkNamespace
  const guests: NetworkNamespace[] = []

  async function boot(n: number): Promise<NetworkNamespace> {
    const [plan] = await network.plug(guestOf(n))
    if (plan?.kind !== 'bridge') throw new Error('no bridge')
    const guest = await NetworkNamespace.make()
    guests.push(guest)
    host.connect(plan.target, guest, 'eth0')
    host.run('ip', 'link', 'set', plan.target, 'master', plan.bridge)
    guest.run('ip', 'link', 'set', 'eth0', 'address', plan.macAddress)
    guest.run('ip', 'addr', 'add', `10.9.0.${n}/24`, 'dev', 'eth0')
    if (hasIpv6) guest.run('ip', 'addr', 'add', `fd00::${n}/64`, 'dev', 'eth0', 'nodad')
    return guest
  }
  const removeRules = (): string => host.run('nft', 'delete', 'table', 'bridge', tableName(cloudId))
  const ping = (from: NetworkNamespace, to: string, ...options: string[]): boolean =>
    from.succeeds('busybox', 'ping', '-c', '1', '-W', '1', ...options, to)
  /** Counts what reaches a guest, or leaves it. */
  const watch = (family: string, what: string, where = witness, hook = 'input'): void => {
    where.succeeds('nft', 'delete', 'table', family, 'watch')
    where.run('nft', `table ${family} watch { chain c { type filter hook ${hook} priority 0; policy accept; ${what} counter; }; }`)
  }
  const seen = (family: string, where = witness): number =>
    Number(/packets (\d+)/.exec(where.run('nft', 'list', 'table', family, 'watch'))?.[1])
  /** A lie told under the rules and without them; what the witness heard each time. */
  async function told(tell: () => unknown, heard: () => boolean): Promise<void> {
    for (let times = 0; times < 2; times++) await tell()
    expect(heard()).toBe(false)
    removeRules()
    await vi.waitFor(async () => {
      await tell()
      expect(heard()).toBe(true)
    }, 15_000)
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kilonova-spoof-'))
    chmodSync(folder, 0o711)
    host = await NetworkNamespace.make()
    const options = { cloudId, folder, log: createLogger('silent'), runFolder: join(folder, 'run'), commandPrefix: host.prefix }
    network = new HostNetwork({ ...options, kind: 'bridge' })
    liar = await boot(5)
    owner = await boot(6)
    witness = await boot(7)
  })
  // The rules are back, and everybody knows the owner.
  beforeEach(async () => {
    await network.start()
    witness.run('ip', 'neigh', 'flush', 'all')
    expect(ping(witness, '10.9.0.6')).toBe(true)
  })
  afterAll(async () => {
    await network?.remove()
    for (const namespace of [...guests, host]) namespace?.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  it('speak to each other', () => {
    expect(ping(liar, '10.9.0.6')).toBe(true)
    if (hasIpv6) expect(ping(liar, 'fd00::7', '-6')).toBe(true)
  })

  it('cannot claim another’s address by ARP', async () => {
    const claim = (): string => liar.run('busybox', 'arping', '-c', '1', '-U', '-I', 'eth0', '-s', '10.9.0.6', '10.9.0.6')
    liar.run('ip', 'addr', 'add', '10.9.0.6/32', 'dev', 'eth0')
    try {
      const believed = (): boolean => witness.run('ip', 'neigh', 'show', '10.9.0.6').includes(macOf(5))
      await told(claim, believed)
    } finally {
      liar.run('ip', 'addr', 'del', '10.9.0.6/32', 'dev', 'eth0')
    }
  })

  it('cannot send from another’s IP address', async () => {
    watch('ip', 'ip saddr 10.9.0.6')
    liar.run('ip', 'addr', 'add', '10.9.0.6/32', 'dev', 'eth0')
    try {
      await told(
        () => ping(liar, '10.9.0.7', '-I', '10.9.0.6'),
        () => seen('ip') > 0,
      )
    } finally {
      liar.run('ip', 'addr', 'del', '10.9.0.6/32', 'dev', 'eth0')
    }
  })

  it('cannot send from another’s hardware address', async () => {
    watch('ip', 'ip saddr 10.9.0.5')
    liar.run('ip', 'link', 'set', 'eth0', 'address', macOf(6))
    try {
      await told(
        () => ping(liar, '10.9.0.7'),
        () => seen('ip') > 0,
      )
    } finally {
      liar.run('ip', 'link', 'set', 'eth0', 'address', macOf(5))
    }
  })

  it('cannot answer DHCP', async () => {
    const server = liar.start(
      ...['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--dhcp-authoritative', '--no-ping'],
      ...['--interface=eth0', '--bind-interfaces', '--dhcp-range=10.9.0.100,10.9.0.120,120', `--dhcp-leasefile=${join(folder, 'rogue')}`],
      ...['--user=root', '--pid-file'],
    )
    try {
      await vi.waitFor(() => expect(liar.run('cat', '/proc/net/udp')).toContain(':0043 '))
      let leased = false
      await told(
        () => {
          leased ||= witness.succeeds('busybox', 'udhcpc', '-i', 'eth0', '-n', '-q', '-f', '-s', '/bin/true', '-t', '1', '-T', '1')
        },
        () => leased,
      )
    } finally {
      server.kill('SIGKILL')
    }
  })

  it.runIf(hasIpv6)('cannot send from another’s IPv6 address, nor speak for it', async () => {
    watch('ip6', 'ip6 saddr fd00::6')
    liar.run('ip', 'addr', 'add', 'fd00::6/128', 'dev', 'eth0', 'nodad')
    try {
      await told(
        () => ping(liar, 'fd00::7', '-6', '-I', 'fd00::6'),
        () => seen('ip6') > 0,
      )
      await network.start()
      witness.run('ip', 'neigh', 'flush', 'all')
      // The true owner is silent, so that only the liar could answer.
      owner.run('ip', 'addr', 'del', 'fd00::6/64', 'dev', 'eth0')
      await told(
        () => ping(witness, 'fd00::6', '-6'),
        () => witness.run('ip', 'neigh', 'show', 'fd00::6').includes(macOf(5)),
      )
    } finally {
      liar.run('ip', 'addr', 'del', 'fd00::6/128', 'dev', 'eth0')
    }
  })

  it.runIf(hasIpv6)('cannot advertise routes', async () => {
    watch('ip6', 'icmpv6 type nd-router-advert')
    watch('ip6', 'icmpv6 type nd-router-advert', liar, 'output')
    const server = liar.start(
      ...['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--interface=eth0', '--enable-ra', '--user=root'],
      ...['--dhcp-range=fd00::,ra-only', `--dhcp-leasefile=${join(folder, 'routes')}`, '--pid-file'],
    )
    try {
      await vi.waitFor(() => expect(liar.run('cat', '/proc/net/raw6')).toMatch(/:003A /))
      // Asks for an advertisement by coming up.
      const ask = async (): Promise<void> => {
        const before = seen('ip6', liar)
        witness.run('ip', 'link', 'set', 'eth0', 'down')
        witness.run('ip', 'link', 'set', 'eth0', 'up')
        await vi.waitFor(() => expect(seen('ip6', liar)).toBeGreaterThan(before), 10_000)
      }
      await told(ask, () => seen('ip6') > 0)
    } finally {
      server.kill('SIGKILL')
    }
  })
})
