/**
 * The networks of guests on this host. As root: one bridge per network with the subnet's gateway address, a dnsmasq on each, and rules
 * that let guests reach of the host DHCP and DNS only, and the outside through the host's address if it has a way out; nobody speaks in
 * another's name. Otherwise QEMU's own user-mode network, which is cut off from host and outside. Everything may be repeated, outlives this process, and is written down first so that it can be removed.
 */
import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { GuestInterface, GuestSpec } from '@kilonova/contract/rpc/guest'
import type { Logger } from '@kilonova/runtime/logger'
import { z } from 'zod'
import { tapName } from '../config-drive/instance-data.js'
import { Dnsmasq } from './dnsmasq.js'
import { applyFirewall, firewallRules, tableName, type Uplink } from './firewall.js'
import { HostCommands } from './host-commands.js'
import type { InterfacePlan } from './interface-plan.js'
import { type HostBridge, type NetworkRecord, readRecord, removeRecord, writeRecord } from './network-record.js'
import { userPlan } from './user-network.js'

export interface HostNetworkOptions {
  cloudId: string
  /** Where the record is kept; it must outlive a restart of the host. */
  folder: string
  log: Logger
  /** Bridges need root; without it guests get user-mode networks. */
  kind?: InterfacePlan['kind']
  /** Files of running programs; gone after a restart of the host, as the programs are. */
  runFolder?: string
  /** Put before every command, to work in another network namespace. */
  commandPrefix?: readonly string[]
}

const links = z.array(z.object({ ifname: z.string(), ifalias: z.string().optional() }))
const routes = z.array(z.object({ dst: z.string(), dev: z.string().optional(), metric: z.number().default(0) }))

export class HostNetwork {
  readonly kind: InterfacePlan['kind']
  readonly #cloudId: string
  readonly #recordPath: string
  readonly #runFolder: string
  readonly #log: Logger
  readonly #commands: HostCommands
  readonly #dnsmasq: Dnsmasq
  /** Changes come one after another. */
  #last: Promise<unknown> = Promise.resolve()

  constructor({ cloudId, folder, log, kind, runFolder, commandPrefix }: HostNetworkOptions) {
    this.kind = kind ?? (process.getuid?.() === 0 ? 'bridge' : 'user')
    this.#cloudId = cloudId
    this.#recordPath = join(folder, 'host-network.json')
    this.#runFolder = runFolder ?? `/run/kilonova-${cloudId}/network`
    this.#log = log
    this.#commands = new HostCommands(commandPrefix)
    this.#dnsmasq = new Dnsmasq(this.#commands, this.#runFolder, log)
  }

  /** Makes the recorded networks anew where they are missing, for example after a restart of the host. */
  async start(): Promise<void> {
    if (this.kind === 'user') return
    await this.#inTurn(async () => {
      const record = await readRecord(this.#recordPath)
      for (const bridge of Object.values(record.bridges)) await this.#ensureBridge(bridge)
      if (Object.keys(record.bridges).length > 0) await this.#guard(record)
      for (const bridge of Object.values(record.bridges)) await this.#dnsmasq.ensure(bridge)
    })
  }

  /** Connects a guest's interfaces; answers what its domain needs to know, in their order. */
  async plug(guest: GuestSpec): Promise<InterfacePlan[]> {
    if (this.kind === 'user') return guest.interfaces.map(userPlan)
    return this.#inTurn(async () => {
      const record = await readRecord(this.#recordPath)
      const touched = new Set(guest.interfaces.map((port) => this.#recordPort(record, guest.serverId, port)))
      await writeRecord(this.#recordPath, record)
      for (const bridge of touched) await this.#ensureBridge(bridge)
      // Before DHCP: a guest never runs without the rules.
      await this.#guard(record)
      for (const bridge of touched) await this.#dnsmasq.ensure(bridge)
      return guest.interfaces.map(({ portId, networkId, macAddress, mtu }) => ({
        kind: 'bridge',
        bridge: this.bridgeName(networkId),
        macAddress,
        mtu,
        target: tapName(portId),
      }))
    })
  }

  /** Forgets a server's interfaces; a network without any left goes away. */
  async unplug(serverId: string): Promise<void> {
    if (this.kind === 'user') return
    await this.#inTurn(async () => {
      const record = await readRecord(this.#recordPath)
      for (const bridge of Object.values(record.bridges)) {
        const kept = Object.entries(bridge.ports).filter(([, port]) => port.serverId !== serverId)
        if (kept.length === Object.keys(bridge.ports).length) continue
        bridge.ports = Object.fromEntries(kept)
        if (kept.length > 0) {
          await this.#dnsmasq.ensure(bridge)
        } else {
          await this.#removeBridge(bridge)
          delete record.bridges[bridge.networkId]
        }
      }
      await this.#guard(record)
      await writeRecord(this.#recordPath, record)
    })
  }

  /** Servers with anything recorded here. */
  async servers(): Promise<string[]> {
    const record = await readRecord(this.#recordPath)
    const ports = Object.values(record.bridges).flatMap((bridge) => Object.values(bridge.ports))
    return [...new Set(ports.map((port) => port.serverId))]
  }

  /** Removes everything this cloud has in the host's network. */
  async remove(): Promise<void> {
    if (this.kind === 'user') return
    await this.#inTurn(async () => {
      const record = await readRecord(this.#recordPath)
      for (const bridge of Object.values(record.bridges)) await this.#removeBridge(bridge)
      // Bridges that a lost record no longer names carry their cloud in their alias.
      const present = links.parse(parseList(await this.#commands.ip('-j', 'link', 'show', 'type', 'bridge')))
      for (const { ifname, ifalias } of present) {
        if (ifalias?.startsWith(this.#alias('')) === true) await this.#commands.ip('link', 'delete', 'dev', ifname)
      }
      await this.#guard({ ...record, bridges: {} })
      await removeRecord(this.#recordPath)
      await rm(this.#runFolder, { recursive: true, force: true })
    })
  }

  /** Interface names have at most 15 characters, so ids are hashed; equal networks of two clouds get different bridges. */
  bridgeName(networkId: string): string {
    return `kn${this.#hash(networkId).slice(0, 12)}`
  }

  #hash(networkId: string): string {
    return createHash('sha256').update(`${this.#cloudId}/${networkId}`).digest('hex')
  }

  #alias(networkId: string): string {
    return `kilonova:${this.#cloudId}:${networkId}`
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {})
    return turn
  }

  #recordPort(record: NetworkRecord, serverId: string, port: GuestInterface): HostBridge {
    const { networkId, mtu, macAddress } = port
    const address = port.addresses.find(({ version }) => version === 4)
    const bridge = record.bridges[networkId] ?? { networkId, name: this.bridgeName(networkId), mtu, subnet: null, ports: {} }
    bridge.mtu = mtu
    if (address?.gatewayIp != null) {
      bridge.subnet = { cidr: address.cidr, gatewayIp: address.gatewayIp, dnsServers: address.dnsServers }
    }
    const addresses = port.addresses.map(({ ipAddress }) => ipAddress)
    bridge.ports[port.portId] = { serverId, macAddress, ipAddress: address?.ipAddress ?? null, addresses }
    record.bridges[networkId] = bridge
    return bridge
  }

  async #ensureBridge({ name, networkId, mtu, subnet }: HostBridge): Promise<void> {
    const { code } = await this.#commands.try('ip', ['link', 'show', 'dev', name])
    if (code !== 0) {
      // An address of its own: otherwise it takes one of its ports', and changes it under the guests whenever ports come and go.
      const digits = this.#hash(networkId)
      const macAddress = ['02', ...[0, 2, 4, 6, 8].map((at) => digits.slice(at, at + 2))].join(':')
      // forward_delay 0: ports carry traffic at once; there is no second bridge to loop with.
      await this.#commands.ip('link', 'add', 'name', name, 'address', macAddress, 'type', 'bridge', 'forward_delay', '0')
    }
    await this.#commands.ip('link', 'set', 'dev', name, 'alias', this.#alias(networkId))
    // Guests could otherwise tell the host routes and addresses by router advertisements.
    if ((await this.#commands.readSetting(`net/ipv6/conf/${name}/disable_ipv6`)) !== null) {
      await this.#commands.writeSetting(`net/ipv6/conf/${name}/disable_ipv6`, '1')
    }
    // The host answers for this bridge's own address only, not for those of its other interfaces.
    await this.#commands.writeSetting(`net/ipv4/conf/${name}/arp_ignore`, '1')
    await this.#commands.writeSetting(`net/ipv4/conf/${name}/rp_filter`, '1')
    if (subnet !== null) {
      await this.#commands.ip('address', 'replace', `${subnet.gatewayIp}/${subnet.cidr.split('/')[1]}`, 'dev', name)
    }
    await this.#commands.ip('link', 'set', 'dev', name, 'mtu', String(mtu), 'up')
  }

  async #removeBridge(bridge: HostBridge): Promise<void> {
    await this.#dnsmasq.remove(bridge)
    const { code } = await this.#commands.try('ip', ['link', 'show', 'dev', bridge.name])
    if (code === 0) await this.#commands.ip('link', 'delete', 'dev', bridge.name)
    this.#log.info({ bridge: bridge.name, networkId: bridge.networkId }, 'bridge removed')
  }

  /** Forwarding and rules as the record demands; both in the order that never leaves a gap. */
  async #guard(record: NetworkRecord): Promise<void> {
    const bridges = Object.values(record.bridges)
    const wayOut = bridges.some(({ subnet }) => subnet !== null) ? await this.#defaultInterface() : null
    const uplink = wayOut === null ? null : await this.#uplink(wayOut, record)
    if (uplink?.onlyGuests === true && !record.forwarding.includes(uplink.interface)) {
      record.forwarding.push(uplink.interface)
      await writeRecord(this.#recordPath, record)
    }
    if (uplink === null) await this.#restoreForwarding(record)
    await applyFirewall(this.#commands, firewallRules(tableName(this.#cloudId), bridges, uplink))
    if (uplink === null) return
    for (const name of [uplink.interface, ...bridges.map((bridge) => bridge.name)]) {
      await this.#commands.writeSetting(forwardingOf(name), '1')
    }
  }

  /**
   * Forwarding is switched on per interface, not for the whole host. If it was off before, the rules keep it off for everything else;
   * once somebody else has switched it on for the host, that is no longer ours to forbid.
   */
  async #uplink(name: string, record: NetworkRecord): Promise<Uplink> {
    const wholeHost = (await this.#commands.readSetting('net/ipv4/ip_forward')) === '1'
    const wasOff = record.forwarding.includes(name) || (await this.#commands.readSetting(forwardingOf(name))) === '0'
    return { interface: name, onlyGuests: wasOff && !wholeHost }
  }

  async #restoreForwarding(record: NetworkRecord): Promise<void> {
    const wholeHost = (await this.#commands.readSetting('net/ipv4/ip_forward')) === '1'
    for (const name of record.forwarding) {
      if (!wholeHost && (await this.#commands.readSetting(forwardingOf(name))) !== null) {
        await this.#commands.writeSetting(forwardingOf(name), '0')
      }
    }
    record.forwarding = []
  }

  async #defaultInterface(): Promise<string | null> {
    const found = routes.parse(parseList(await this.#commands.ip('-4', '-j', 'route', 'show', 'default')))
    const [best] = found.filter((route) => route.dev !== undefined).sort((a, b) => a.metric - b.metric)
    return best?.dev ?? null
  }
}

const forwardingOf = (name: string): string => `net/ipv4/conf/${name}/forwarding`

/** `ip -j` prints nothing at all for an empty list in some versions, and empty objects for what a filter left out. */
const parseList = (text: string): unknown[] =>
  (text.trim() === '' ? [] : (JSON.parse(text) as unknown[])).filter((item) => Object.keys(item as object).length > 0)
