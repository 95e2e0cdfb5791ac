/** Real guests: QEMU by libvirt on this host. Domains of other clouds, and of the machine's owner, are never touched or counted. */
import { existsSync } from 'node:fs'
import { chown, mkdir, readdir, readFile, rm, statfs } from 'node:fs/promises'
import { availableParallelism, uptime } from 'node:os'
import { join } from 'node:path'
import type { ConsoleTarget, ConsoleTypeName } from '@kilonova/contract/rpc/agent'
import type { NodeReport } from '@kilonova/contract/rpc/conductor'
import type { GuestImage, GuestSpec } from '@kilonova/contract/rpc/guest'
import { type PowerState, powerStates } from '@kilonova/contract/server-states'
import type { Clock } from '@kilonova/runtime/clock'
import type { Logger } from '@kilonova/runtime/logger'
import type { Secret } from '@kilonova/runtime/secrets'
import { writeConfigDrive } from '../../config-drive/config-drive.js'
import { domainXml } from '../../domain-xml/domain-xml.js'
import { type ConsoleBytes, type ConsoleLogSlice, type Driver, DriverError, nothingSaved } from '../../driver.js'
import type { InterfacePlan } from '../../network/interface-plan.js'
import { isNoSpace, noSpace } from '../../storage/qemu-img.js'
import { baseFormatOf, createRootDisk } from '../../storage/root-disk.js'
import { cutConsoleBytes, cutConsoleLog } from '../console-log.js'
import { consoleLogFile, withConsole } from './console-files.js'
import { ownServerOf } from './own-domains.js'
import { LibvirtError, LibvirtUnavailableError } from './rpc/libvirt-error.js'
import type { RemoteDomain } from './rpc/protocol.js'
import { domainState, type LibvirtSession } from './rpc/session.js'

export interface GuestNetwork {
  plug(guest: GuestSpec): Promise<InterfacePlan[]>
  unplug(serverId: string): Promise<void>
  /** Servers with something plugged on this host. */
  servers(): Promise<string[]>
}

export interface LibvirtDriverOptions {
  host: string
  nodeId: string
  cloudId: string
  /** One folder per guest below it; QEMU's user can traverse it. */
  guestFolder: string
  /** User and group QEMU runs as: the folders with its sockets belong to it. Null where everything runs as one user. */
  qemuIdentity: { uid: number; gid: number } | null
  session: LibvirtSession
  virtType: 'kvm' | 'qemu'
  images: {
    get(image: GuestImage, signal: AbortSignal): Promise<string>
    clean(usedImageIds: Iterable<string>, minimumAgeSeconds: number, nowMs: number): Promise<string[]>
  }
  network: GuestNetwork
  unseal: (sealed: string) => Secret
  allocation: Pick<NodeReport, 'reserved' | 'allocationRatios' | 'initialAllocationRatios'>
  clock: Clock
  log: Logger
}

/** A power button pressed before the guest listens is lost, so it is pressed again. */
const pressAgainMs = 5000
const lookMs = 200

const powerStateOf: Record<number, PowerState> = {
  [domainState.noState]: powerStates.NOSTATE,
  [domainState.running]: powerStates.RUNNING,
  [domainState.blocked]: powerStates.RUNNING,
  [domainState.paused]: powerStates.PAUSED,
  [domainState.shutdown]: powerStates.SHUTDOWN,
  [domainState.shutoff]: powerStates.SHUTDOWN,
  [domainState.crashed]: powerStates.CRASHED,
  [domainState.pmSuspended]: powerStates.SUSPENDED,
}
/** virDomainEventType to the state it leads to; definitions and intermediate events lead to none. */
const stateAfterEvent: Record<number, PowerState> = {
  2: powerStates.RUNNING,
  3: powerStates.PAUSED,
  4: powerStates.RUNNING,
  5: powerStates.SHUTDOWN,
  7: powerStates.SUSPENDED,
  8: powerStates.CRASHED,
}

export class LibvirtDriver implements Driver {
  readonly hypervisorType = 'QEMU'
  readonly #options: LibvirtDriverOptions
  readonly #listeners: ((serverId: string, state: PowerState) => void)[] = []

  constructor(options: LibvirtDriverOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { guestFolder, session } = this.#options
    await mkdir(guestFolder, { recursive: true, mode: 0o711 })
    session.onLifecycle(({ uuid, event }) => {
      const state = stateAfterEvent[event]
      if (state !== undefined && existsSync(this.#folderOf(uuid))) this.#tell(uuid, state)
    })
    session.onReconnected(() => void this.#tellAll())
    await session.start()
  }

  async close(): Promise<void> {
    await this.#options.session.close()
  }

  async node(): Promise<NodeReport> {
    const { host, nodeId, guestFolder, session, virtType, allocation } = this.#options
    const { blocks, bsize } = await statfs(guestFolder)
    // Not from libvirt: it reports too little memory where the kernel hands it out lazily.
    const memoryKib = Number(/^MemTotal:\s+(\d+) kB/m.exec(await readFile('/proc/meminfo', 'utf8'))?.[1] ?? 0)
    return {
      host,
      nodeId,
      hypervisorHostname: host,
      hypervisorType: 'QEMU',
      hypervisorVersion: await session.hypervisorVersion(),
      hostIp: '127.0.0.1',
      serviceVersion: 1,
      vcpus: availableParallelism(),
      memoryMb: Math.floor(memoryKib / 1024),
      diskGb: Math.floor((blocks * bsize) / 2 ** 30),
      ...allocation,
      supportedInstances: [
        ['x86_64', virtType, 'hvm'],
        ['i686', virtType, 'hvm'],
      ],
      traits: [
        'COMPUTE_NODE',
        'COMPUTE_IMAGE_TYPE_RAW',
        'COMPUTE_IMAGE_TYPE_QCOW2',
        'COMPUTE_IMAGE_TYPE_ISO',
        'COMPUTE_IMAGE_TYPE_VMDK',
        'COMPUTE_IMAGE_TYPE_VHD',
        'COMPUTE_IMAGE_TYPE_VHDX',
      ],
      consoleTypes: ['NOVNC', 'SERIAL'],
    }
  }

  async uptime(): Promise<string | null> {
    const minutes = Math.floor(uptime() / 60)
    return `${Math.floor(minutes / 1440)} days, ${Math.floor(minutes / 60) % 24}:${String(minutes % 60).padStart(2, '0')}`
  }

  async prepareDisks(guest: GuestSpec, signal: AbortSignal): Promise<void> {
    const { images, qemuIdentity, unseal } = this.#options
    const folder = this.#folderOf(guest.serverId)
    await guestErrors(async () => {
      await mkdir(folder, { recursive: true, mode: 0o750 })
      if (qemuIdentity !== null) await chown(folder, qemuIdentity.uid, qemuIdentity.gid)
    })
    const base = await images.get(guest.image, signal)
    await createRootDisk({
      base,
      baseFormat: baseFormatOf(guest.image.diskFormat),
      target: join(folder, 'disk'),
      sizeGb: guest.flavor.diskGb,
      virtualSizeBytes: guest.image.virtualSizeBytes,
      signal,
    })
    if (guest.configDrive) {
      await writeConfigDrive({
        guest,
        adminPassword: guest.adminPassword === null ? null : unseal(guest.adminPassword).reveal(),
        userData: guest.userData === null ? null : Buffer.from(unseal(guest.userData).reveal(), 'base64'),
        target: join(folder, 'disk.config'),
      })
    }
  }

  async discardDisks(serverId: string): Promise<void> {
    await this.destroy(serverId)
  }

  async spawn(guest: GuestSpec, signal: AbortSignal): Promise<void> {
    const { cloudId, network, session, virtType } = this.#options
    const folder = this.#folderOf(guest.serverId)
    if (!existsSync(join(folder, 'disk'))) throw new DriverError('GUEST_ERROR', 'The disks of the guest are not there.')
    if (signal.aborted) throw new DriverError('CANCELLED', 'The work was stopped.', { hostAtFault: false })
    const xml = domainXml({
      cloudId,
      guest,
      virtType,
      paths: {
        disk: join(folder, 'disk'),
        diskFormat: 'qcow2',
        configDrive: guest.configDrive ? join(folder, 'disk.config') : null,
        consoleLog: consoleLogFile(folder),
        serialSocket: join(folder, 'serial.sock'),
        vncSocket: join(folder, 'vnc.sock'),
        agentSocket: join(folder, 'agent.sock'),
      },
      interfaces: await guestErrors(() => network.plug(guest)),
    })
    await guestErrors(async () => {
      const domain = (await session.find(guest.serverId)) ?? (await session.define(xml))
      await this.#run(domain, guest.serverId)
    })
  }

  async destroy(serverId: string): Promise<void> {
    const { network, session } = this.#options
    await guestErrors(async () => {
      const domain = await session.find(serverId)
      if (domain === null) return
      await session.destroy(domain)
      await session.undefine(domain)
    })
    await network.unplug(serverId)
    await rm(this.#folderOf(serverId), { recursive: true, force: true })
  }

  async cleanImages(usedImageIds: readonly string[], minimumAgeSeconds: number): Promise<void> {
    const { clock, images } = this.#options
    await images.clean(usedImageIds, minimumAgeSeconds, clock.now())
  }

  async powerOn(serverId: string): Promise<void> {
    await guestErrors(async () => this.#run(await this.#require(serverId), serverId))
  }

  async powerOff(serverId: string, timeoutSeconds: number, signal: AbortSignal): Promise<void> {
    await guestErrors(async () => {
      const domain = await this.#require(serverId)
      if (!(await this.#shutDown(domain, serverId, timeoutSeconds, signal))) await this.#options.session.destroy(domain)
    })
  }

  async reboot(serverId: string, type: 'SOFT' | 'HARD', timeoutSeconds: number, signal: AbortSignal): Promise<void> {
    await guestErrors(async () => {
      const domain = await this.#require(serverId)
      const off = type === 'SOFT' && (await this.#shutDown(domain, serverId, timeoutSeconds, signal))
      if (!off) await this.#options.session.destroy(domain)
      await this.#run(domain, serverId)
    })
  }

  async pause(serverId: string): Promise<void> {
    await guestErrors(async () => {
      const domain = await this.#require(serverId)
      const state = await this.powerState(serverId)
      if (state === powerStates.PAUSED) return
      if (state !== powerStates.RUNNING) throw DriverError.wrongState('The guest does not run, so it cannot be paused.')
      await this.#options.session.suspend(domain)
    })
  }

  async unpause(serverId: string): Promise<void> {
    await guestErrors(async () => {
      const domain = await this.#require(serverId)
      const state = await this.powerState(serverId)
      if (state === powerStates.RUNNING) return
      if (state !== powerStates.PAUSED) throw DriverError.wrongState('The guest is not paused.')
      await this.#options.session.resume(domain)
    })
  }

  async suspend(serverId: string): Promise<void> {
    const { session } = this.#options
    await guestErrors(async () => {
      const domain = await this.#require(serverId)
      const state = await this.powerState(serverId)
      if (state === powerStates.RUNNING || state === powerStates.PAUSED) return session.save(domain)
      if (!(await session.hasSavedMemory(domain))) {
        throw DriverError.wrongState('The guest does not run, so there is no memory to save.')
      }
    })
  }

  async resume(serverId: string): Promise<void> {
    const { session } = this.#options
    await guestErrors(async () => {
      const domain = await this.#require(serverId)
      const state = await this.powerState(serverId)
      if (state === powerStates.RUNNING) return
      // A save or restore that was cut short leaves it so.
      if (state === powerStates.PAUSED) return session.resume(domain)
      if (!(await session.hasSavedMemory(domain))) throw DriverError.wrongState(nothingSaved)
      await session.restore(domain)
    })
  }

  async powerState(serverId: string): Promise<PowerState> {
    const state = await this.#options.session.state(serverId)
    return state === null ? powerStates.NOSTATE : (powerStateOf[state] ?? powerStates.NOSTATE)
  }

  async presentServers(): Promise<string[]> {
    const { cloudId, guestFolder, network, session } = this.#options
    const present = new Set((await readdir(guestFolder)).filter((name) => /^[0-9a-f-]{36}$/.test(name)))
    for (const serverId of await network.servers()) present.add(serverId)
    for (const domain of await session.domains()) {
      const serverId = await ownServerOf(session, domain, cloudId)
      if (serverId !== null) present.add(serverId)
    }
    return [...present]
  }

  onPowerState(listener: (serverId: string, state: PowerState) => void): void {
    this.#listeners.push(listener)
  }

  async consoleLog(serverId: string, cut: { tailLines: number | null; fromOffset: number | null }): Promise<ConsoleLogSlice> {
    return withConsole(this.#presentFolder(serverId), (source) => cutConsoleLog(source, cut))
  }

  async consoleBytes(serverId: string, cut: { fromOffset: number | null; limitBytes: number }): Promise<ConsoleBytes> {
    return withConsole(this.#presentFolder(serverId), (source) => cutConsoleBytes(source, cut))
  }

  async consoleTarget(serverId: string, type: ConsoleTypeName): Promise<ConsoleTarget> {
    const state = await guestErrors(() => this.powerState(serverId))
    if (state === powerStates.NOSTATE) throw DriverError.noGuest(serverId)
    if (state !== powerStates.RUNNING && state !== powerStates.PAUSED) {
      throw new DriverError('INVALID_STATE', `The guest of ${serverId} is not running.`, { exception: 'InstanceInvalidState' })
    }
    const path = join(this.#folderOf(serverId), type === 'SERIAL' ? 'serial.sock' : 'vnc.sock')
    if (!existsSync(path)) {
      throw new DriverError('OPERATION_NOT_SUPPORTED', `The guest has no ${type} console now.`, { exception: 'ConsoleTypeUnavailable' })
    }
    return { kind: 'unix', path }
  }

  /** Starts a domain that does not run. */
  async #run(domain: RemoteDomain, serverId: string): Promise<void> {
    const state = await this.powerState(serverId)
    if (state === powerStates.RUNNING || state === powerStates.PAUSED) return
    await this.#options.session.boot(domain)
  }

  /** Asks the guest to shut down; answers whether it did within the time. */
  async #shutDown(domain: RemoteDomain, serverId: string, timeoutSeconds: number, signal: AbortSignal): Promise<boolean> {
    const { clock, session } = this.#options
    const deadline = clock.monotonic() + timeoutSeconds * 1000
    let pressAt = 0
    while (!signal.aborted) {
      const state = await this.powerState(serverId)
      if (state === powerStates.SHUTDOWN || state === powerStates.CRASHED) return true
      const now = clock.monotonic()
      if (now >= deadline || state !== powerStates.RUNNING) return false
      if (now >= pressAt) {
        pressAt = now + pressAgainMs
        await session.shutdown(domain)
      }
      await clock.sleep(lookMs, signal)
    }
    throw new DriverError('CANCELLED', 'The work was stopped.', { hostAtFault: false })
  }

  async #require(serverId: string): Promise<RemoteDomain> {
    const domain = await this.#options.session.find(serverId)
    if (domain === null) throw DriverError.noGuest(serverId)
    return domain
  }

  async #tellAll(): Promise<void> {
    try {
      for (const serverId of await this.presentServers()) this.#tell(serverId, await this.powerState(serverId))
    } catch (error) {
      this.#options.log.warn({ err: error }, 'power states could not be read; the periodic look comes later')
    }
  }

  #tell(serverId: string, state: PowerState): void {
    for (const listener of this.#listeners) listener(serverId, state)
  }

  #presentFolder(serverId: string): string {
    const folder = this.#folderOf(serverId)
    if (!existsSync(folder)) throw DriverError.noGuest(serverId)
    return folder
  }

  #folderOf(serverId: string): string {
    if (!/^[0-9a-f-]{36}$/.test(serverId)) throw new Error('a server id is a UUID')
    return join(this.#options.guestFolder, serverId)
  }
}

/** What libvirt says is for administrators; users learn that the hypervisor refused. */
async function guestErrors<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (isNoSpace(error) || (error instanceof LibvirtError && /no space left/i.test(error.message))) throw noSpace(error)
    if (error instanceof LibvirtUnavailableError) {
      throw new DriverError('GUEST_ERROR', 'The hypervisor does not answer.', { exception: 'HypervisorUnavailable', cause: error })
    }
    if (error instanceof LibvirtError) {
      throw new DriverError('GUEST_ERROR', 'The hypervisor refused.', { exception: 'LibvirtError', cause: error })
    }
    throw error
  }
}
