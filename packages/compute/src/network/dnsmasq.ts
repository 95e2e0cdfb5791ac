/**
 * One dnsmasq per bridge: DHCP with a fixed address for each port, and a DNS forwarder. It runs on its own, so that guests keep their
 * addresses while the agent is away, and is found again by its process id file.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '@kilonova/runtime/logger'
import ipaddr from 'ipaddr.js'
import { DriverError } from '../driver.js'
import type { HostCommands } from './host-commands.js'
import type { HostBridge, HostSubnet } from './network-record.js'

const leaseSeconds = 86_400
const endTimeoutMs = 5000

export class Dnsmasq {
  readonly #commands: HostCommands
  readonly #folder: string
  readonly #log: Logger

  /** The folder is for all bridges of a cloud, and must be open to dnsmasq's own user: it reads host files after it gave up root. */
  constructor(commands: HostCommands, folder: string, log: Logger) {
    this.#commands = commands
    this.#folder = folder
    this.#log = log
  }

  /** Writes the hosts of a bridge and makes sure that dnsmasq runs as this bridge needs it. */
  async ensure(bridge: HostBridge): Promise<void> {
    if (bridge.subnet === null) return
    const hosts = this.#file(bridge, 'hosts')
    await mkdir(this.#folder, { recursive: true, mode: 0o711 })
    await mkdir(hosts, { recursive: true, mode: 0o755 })
    const wanted = new Map(
      Object.entries(bridge.ports).flatMap(([portId, { macAddress, ipAddress }]) =>
        ipAddress === null ? [] : [[portId, `${macAddress},${ipAddress}\n`] as const],
      ),
    )
    const stale = (await readdir(hosts)).filter((name) => !wanted.has(name))
    const args = this.#arguments(bridge, bridge.subnet)
    const running = await this.#runningArguments(bridge)
    if (running !== null && (stale.length > 0 || running.join('\0') !== args.join('\0'))) await this.#end(bridge)
    for (const name of stale) await rm(join(hosts, name), { force: true })
    // A new file is seen at once; only what is gone needs a new start, which also frees the address for another port.
    for (const [portId, line] of wanted) await writeIfOther(join(hosts, portId), line)
    if ((await this.#runningArguments(bridge)) !== null) return
    await this.#forgetLeases(bridge)
    await this.#begin(bridge, args)
  }

  async remove(bridge: HostBridge): Promise<void> {
    await this.#end(bridge)
    for (const name of ['hosts', 'leases', 'pid', 'log']) await rm(this.#file(bridge, name), { recursive: true, force: true })
  }

  #file(bridge: HostBridge, name: string): string {
    return join(this.#folder, `${bridge.name}.${name}`)
  }

  #arguments(bridge: HostBridge, subnet: HostSubnet): string[] {
    const [network, prefixLength] = ipaddr.IPv4.parseCIDR(subnet.cidr)
    const mask = ipaddr.IPv4.subnetMaskFromPrefixLength(prefixLength).toString()
    const servers = subnet.dnsServers.length > 0 ? subnet.dnsServers : [subnet.gatewayIp]
    return [
      '--conf-file=/dev/null',
      '--no-hosts',
      '--bind-interfaces',
      '--domain-needed',
      '--bogus-priv',
      `--interface=${bridge.name}`,
      '--except-interface=lo',
      `--listen-address=${subnet.gatewayIp}`,
      `--dhcp-range=${network.toString()},static,${mask},${leaseSeconds}`,
      `--dhcp-lease-max=${2 ** (32 - prefixLength)}`,
      '--dhcp-authoritative',
      '--dhcp-ignore-names',
      '--no-ping',
      `--dhcp-option=option:router,${subnet.gatewayIp}`,
      `--dhcp-option=option:dns-server,${servers.join(',')}`,
      `--dhcp-option=option:mtu,${bridge.mtu}`,
      `--dhcp-hostsdir=${this.#file(bridge, 'hosts')}`,
      `--dhcp-leasefile=${this.#file(bridge, 'leases')}`,
      `--pid-file=${this.#file(bridge, 'pid')}`,
      `--log-facility=${this.#file(bridge, 'log')}`,
      '--quiet-dhcp',
    ]
  }

  async #begin(bridge: HostBridge, args: readonly string[]): Promise<void> {
    const { code, stderr } = await this.#commands.try('dnsmasq', args)
    if (code !== 0) {
      throw new DriverError('HOST_REFUSED', 'The host could not serve DHCP to the network of the server; its log says more.', {
        cause: new Error(`dnsmasq on ${bridge.name} failed (${code}): ${stderr.trim()}`),
      })
    }
    this.#log.info({ bridge: bridge.name, networkId: bridge.networkId }, 'dnsmasq started')
  }

  async #end(bridge: HostBridge): Promise<void> {
    const pid = await this.#pid(bridge)
    if (pid === null) return
    const startedMs = performance.now()
    signal(pid, 'SIGTERM')
    while (await isAlive(pid)) {
      if (performance.now() - startedMs > endTimeoutMs) signal(pid, 'SIGKILL')
      await delay(10)
    }
  }

  /** A port's address may go to another port: leases of ports that are gone would keep it back. */
  async #forgetLeases(bridge: HostBridge): Promise<void> {
    const path = this.#file(bridge, 'leases')
    const lines = await readFile(path, 'utf8').catch(() => null)
    if (lines === null) return
    const known = new Set(Object.values(bridge.ports).map((port) => `${port.macAddress.toLowerCase()} ${port.ipAddress}`))
    const kept = lines.split('\n').filter((line) => known.has(line.split(' ').slice(1, 3).join(' ').toLowerCase()))
    await writeFile(path, kept.map((line) => `${line}\n`).join(''))
  }

  async #runningArguments(bridge: HostBridge): Promise<string[] | null> {
    const pid = await this.#pid(bridge)
    return pid === null ? null : await argumentsOf(pid)
  }

  /** The process of this bridge; null when it is gone, even if its number went to another program. */
  async #pid(bridge: HostBridge): Promise<number | null> {
    const path = this.#file(bridge, 'pid')
    const pid = Number(await readFile(path, 'utf8').catch(() => ''))
    if (!Number.isInteger(pid) || pid <= 0) return null
    return (await argumentsOf(pid))?.includes(`--pid-file=${path}`) === true ? pid : null
  }
}

/** A process that ends loses its arguments before its sockets, so it counts as alive until only its exit code is left. */
async function isAlive(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return text !== '' && !/^[ZX]/.test(text.slice(text.lastIndexOf(')') + 2))
}

/** It may have ended by itself in this moment. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function argumentsOf(pid: number): Promise<string[] | null> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return text === '' ? null : text.split('\0').slice(1, -1)
}

async function writeIfOther(path: string, content: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => null)) === content) return
  // Under a name that dnsmasq ignores first, so that it never reads half a line.
  const hidden = join(path, '..', `.${path.split('/').at(-1)}`)
  await writeFile(hidden, content, { mode: 0o644 })
  await rename(hidden, path)
}
