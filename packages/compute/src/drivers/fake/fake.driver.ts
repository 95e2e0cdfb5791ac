/**
 * A simulated hypervisor: the states, delays and faults of a real one without guests. Hundreds fit in one process. Its guests live in
 * files, so that they outlive the agent as real ones do.
 *
 * Names of servers provoke faults: `fail-disk`, `fail-spawn` (any host), `fail-spawn-on-<host>`, `fail-image`, `slow-disk`,
 * `slow-spawn`, `crash-later`, `fail-reboot`, `ignore-shutdown`, `fail-pause`, `fail-unpause`, `fail-suspend`, `fail-resume`, and
 * `no-pause`, `no-unpause`, `no-suspend`, `no-resume` for a hypervisor that lacks the feature.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConsoleTarget, ConsoleTypeName } from '@kilonova/contract/rpc/agent'
import type { NodeReport } from '@kilonova/contract/rpc/conductor'
import type { GuestSpec } from '@kilonova/contract/rpc/guest'
import { type PowerState, powerStates } from '@kilonova/contract/server-states'
import type { Clock } from '@kilonova/runtime/clock'
import { z } from 'zod'
import { type ConsoleBytes, type ConsoleLogSlice, type Driver, DriverError, nothingSaved } from '../../driver.js'
import { type ConsoleSource, consoleInMemory, cutConsoleBytes, cutConsoleLog } from '../console-log.js'
import { FakeConsoles } from './fake-consoles.js'

const guestFile = z.object({
  serverId: z.string(),
  name: z.string(),
  instanceName: z.string(),
  hostname: z.string().default('guest'),
  disks: z.boolean(),
  defined: z.boolean(),
  powerState: z.number(),
  /** Its memory is on disk. */
  saved: z.boolean().default(false),
  vcpus: z.number(),
  ramMb: z.number(),
  diskGb: z.number(),
  macAddresses: z.array(z.string()),
  console: z.string(),
  /** Bytes of the console's beginning that are no longer kept. */
  consoleDropped: z.number().default(0),
})
type FakeGuest = z.infer<typeof guestFile>

export interface FakeDriverOptions {
  host: string
  nodeId: string
  folder: string
  clock: Clock
  capacity: { vcpus: number; memoryMb: number; diskGb: number }
  /** How long things take, in milliseconds. */
  delays: { prepareDisks: number; spawn: number; power: number }
  allocation: Pick<NodeReport, 'reserved' | 'allocationRatios' | 'initialAllocationRatios'>
}

const slowMs = 3000
const consoleKeepsBytes = 128 * 1024

export class FakeDriver implements Driver {
  readonly hypervisorType = 'FAKE'
  readonly #options: FakeDriverOptions
  readonly #guests = new Map<string, FakeGuest>()
  readonly #listeners: ((serverId: string, state: PowerState) => void)[] = []
  readonly #consoles: FakeConsoles

  constructor(options: FakeDriverOptions) {
    this.#options = options
    this.#consoles = new FakeConsoles(options.folder)
  }

  async start(): Promise<void> {
    mkdirSync(this.#options.folder, { recursive: true, mode: 0o700 })
    for (const name of readdirSync(this.#options.folder)) {
      if (!name.endsWith('.json')) continue
      const guest = guestFile.parse(JSON.parse(readFileSync(join(this.#options.folder, name), 'utf8')))
      this.#guests.set(guest.serverId, guest)
    }
  }

  async close(): Promise<void> {
    await this.#consoles.closeAll()
  }

  async node(): Promise<NodeReport> {
    const { host, nodeId, capacity, allocation } = this.#options
    return {
      host,
      nodeId,
      hypervisorHostname: host,
      hypervisorType: 'FAKE',
      hypervisorVersion: 1000,
      hostIp: '127.0.0.1',
      serviceVersion: 1,
      ...capacity,
      ...allocation,
      supportedInstances: [
        ['x86_64', 'fake', 'hvm'],
        ['x86_64', 'qemu', 'hvm'],
      ],
      traits: ['COMPUTE_NODE'],
      consoleTypes: ['NOVNC', 'SERIAL'],
    }
  }

  async uptime(): Promise<string | null> {
    return null
  }

  async prepareDisks(guest: GuestSpec, signal: AbortSignal): Promise<void> {
    await this.#pause(guest.name.includes('slow-disk') ? slowMs : this.#options.delays.prepareDisks, signal)
    if (guest.name.includes('fail-image')) {
      throw new DriverError('IMAGE_REJECTED', 'The image failed its checks on the host.', {
        hostAtFault: false,
        exception: 'ImageUnacceptable',
      })
    }
    if (guest.name.includes('fail-disk')) {
      throw new DriverError('HOST_REFUSED', 'No space is left on the host for the disks of the server.', {
        exception: 'InsufficientFreeDisk',
      })
    }
    const known = this.#guests.get(guest.serverId)
    if (known?.disks === true) return
    this.#save({
      serverId: guest.serverId,
      name: guest.name,
      instanceName: guest.instanceName,
      hostname: guest.hostname,
      disks: true,
      defined: false,
      powerState: powerStates.NOSTATE,
      saved: false,
      vcpus: guest.flavor.vcpus,
      ramMb: guest.flavor.ramMb,
      diskGb: guest.flavor.diskGb,
      macAddresses: guest.interfaces.map((port) => port.macAddress),
      console: '',
      consoleDropped: 0,
    })
  }

  async discardDisks(serverId: string): Promise<void> {
    await this.destroy(serverId)
  }

  async spawn(guest: GuestSpec, signal: AbortSignal): Promise<void> {
    const { host, delays } = this.#options
    await this.#pause(guest.name.includes('slow-spawn') ? slowMs : delays.spawn, signal)
    if (guest.name.includes(`fail-spawn-on-${host}`) || /fail-spawn(?!-on-)/.test(guest.name)) {
      throw new DriverError('GUEST_ERROR', 'The hypervisor could not start the guest.', { exception: 'LibvirtError' })
    }
    const known = this.#require(guest.serverId)
    this.#save({
      ...known,
      defined: true,
      powerState: powerStates.RUNNING,
      console: `${known.console}[    0.000000] Kilonova simulated guest ${guest.hostname}\r\n${guest.hostname} login: `,
    })
    if (guest.name.includes('crash-later')) {
      void this.#options.clock.sleep(500, signal).then(() => this.simulatePowerState(guest.serverId, powerStates.SHUTDOWN))
    }
  }

  async destroy(serverId: string): Promise<void> {
    await this.#consoles.close(serverId)
    rmSync(this.#fileOf(serverId), { force: true })
    this.#guests.delete(serverId)
  }

  /** Simulated disks need no images. */
  async cleanImages(): Promise<void> {}

  async powerOn(serverId: string): Promise<void> {
    const guest = this.#require(serverId)
    await this.#pause(this.#options.delays.power)
    this.#save({ ...guest, powerState: powerStates.RUNNING, saved: false })
    this.#print(serverId, '\r\n[    0.000000] powered on\r\n')
  }

  async powerOff(serverId: string, timeoutSeconds: number, signal: AbortSignal): Promise<void> {
    const guest = this.#require(serverId)
    const patient = guest.name.includes('ignore-shutdown')
    await this.#pause(patient ? timeoutSeconds * 1000 : this.#options.delays.power, signal)
    this.#save({ ...this.#require(serverId), powerState: powerStates.SHUTDOWN })
    await this.#consoles.close(serverId)
  }

  async reboot(serverId: string, _type: 'SOFT' | 'HARD', _timeoutSeconds: number, signal: AbortSignal): Promise<void> {
    const guest = this.#require(serverId)
    await this.#pause(this.#options.delays.power, signal)
    if (guest.name.includes('fail-reboot'))
      throw new DriverError('GUEST_ERROR', 'The guest could not be rebooted.', { exception: 'InstanceRebootFailure' })
    // A real guest ends and another begins: its consoles are cut.
    await this.#consoles.close(serverId)
    this.#save({ ...this.#require(serverId), powerState: powerStates.RUNNING, saved: false })
    this.#print(serverId, '\r\n[    0.000000] rebooted\r\n')
  }

  async pause(serverId: string): Promise<void> {
    const guest = await this.#begin(serverId, 'pause')
    if (guest.powerState === powerStates.PAUSED) return
    if (guest.powerState !== powerStates.RUNNING) throw DriverError.wrongState('The guest does not run, so it cannot be paused.')
    this.#save({ ...guest, powerState: powerStates.PAUSED })
  }

  async unpause(serverId: string): Promise<void> {
    const guest = await this.#begin(serverId, 'unpause')
    if (guest.powerState === powerStates.RUNNING) return
    if (guest.powerState !== powerStates.PAUSED) throw DriverError.wrongState('The guest is not paused.')
    this.#save({ ...guest, powerState: powerStates.RUNNING })
  }

  async suspend(serverId: string): Promise<void> {
    const guest = await this.#begin(serverId, 'suspend')
    if (guest.saved) return
    if (guest.powerState !== powerStates.RUNNING && guest.powerState !== powerStates.PAUSED) {
      throw DriverError.wrongState('The guest does not run, so there is no memory to save.')
    }
    this.#save({ ...guest, powerState: powerStates.SHUTDOWN, saved: true })
    await this.#consoles.close(serverId)
  }

  async resume(serverId: string): Promise<void> {
    const guest = await this.#begin(serverId, 'resume')
    if (guest.powerState === powerStates.RUNNING) return
    if (guest.powerState !== powerStates.PAUSED && !guest.saved) throw DriverError.wrongState(nothingSaved)
    this.#save({ ...guest, powerState: powerStates.RUNNING, saved: false })
  }

  async powerState(serverId: string): Promise<PowerState> {
    const guest = this.#guests.get(serverId)
    return guest?.defined === true ? (guest.powerState as PowerState) : powerStates.NOSTATE
  }

  async presentServers(): Promise<string[]> {
    return [...this.#guests.keys()]
  }

  onPowerState(listener: (serverId: string, state: PowerState) => void): void {
    this.#listeners.push(listener)
  }

  async consoleLog(serverId: string, cut: { tailLines: number | null; fromOffset: number | null }): Promise<ConsoleLogSlice> {
    return cutConsoleLog(this.#consoleOf(serverId), cut)
  }

  async consoleBytes(serverId: string, cut: { fromOffset: number | null; limitBytes: number }): Promise<ConsoleBytes> {
    return cutConsoleBytes(this.#consoleOf(serverId), cut)
  }

  async consoleTarget(serverId: string, type: ConsoleTypeName): Promise<ConsoleTarget> {
    const guest = this.#require(serverId)
    if (guest.powerState !== powerStates.RUNNING) {
      throw new DriverError('INVALID_STATE', `The guest of ${serverId} is not running.`, { exception: 'InstanceInvalidState' })
    }
    return this.#consoles.target(
      {
        serverId,
        hostname: guest.hostname,
        onOutput: (text) => this.#print(serverId, text),
      },
      type,
    )
  }

  /** For tests: the guest changes its state by itself. */
  simulatePowerState(serverId: string, powerState: PowerState): void {
    const guest = this.#guests.get(serverId)
    if (guest === undefined) return
    this.#save({ ...guest, powerState })
    if (powerState !== powerStates.RUNNING) void this.#consoles.close(serverId)
    for (const listener of this.#listeners) listener(serverId, powerState)
  }

  /** The guest as it is when the time of an action is over. */
  async #begin(serverId: string, action: 'pause' | 'unpause' | 'suspend' | 'resume'): Promise<FakeGuest> {
    const { name } = this.#require(serverId)
    await this.#pause(this.#options.delays.power)
    if (name.split(' ').includes(`fail-${action}`)) {
      throw new DriverError('GUEST_ERROR', `The hypervisor could not ${action} the guest.`, { exception: 'LibvirtError' })
    }
    if (name.split(' ').includes(`no-${action}`)) {
      throw new DriverError('NOT_IMPLEMENTED', `This hypervisor cannot ${action} guests.`, {
        hostAtFault: false,
        exception: 'NotImplementedError',
      })
    }
    return this.#require(serverId)
  }

  /** For tests: the guest writes something by itself. */
  simulateOutput(serverId: string, text: string): void {
    this.#print(serverId, text)
    this.#consoles.say(serverId, text)
  }

  async #pause(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms > 0) await this.#options.clock.sleep(ms, signal)
    if (signal?.aborted) throw new DriverError('CANCELLED', 'The work was stopped.', { hostAtFault: false })
  }

  #print(serverId: string, text: string): void {
    const guest = this.#guests.get(serverId)
    if (guest === undefined) return
    const written = guest.console + text
    // The console is ASCII: its letters are its bytes.
    const kept = written.length > consoleKeepsBytes ? written.slice(-consoleKeepsBytes / 2) : written
    this.#save({ ...guest, console: kept, consoleDropped: guest.consoleDropped + written.length - kept.length })
  }

  #consoleOf(serverId: string): ConsoleSource {
    const { console: written, consoleDropped } = this.#require(serverId)
    return consoleInMemory(Buffer.from(written), consoleDropped)
  }

  #require(serverId: string): FakeGuest {
    const guest = this.#guests.get(serverId)
    if (guest === undefined) throw DriverError.noGuest(serverId)
    return guest
  }

  #save(guest: FakeGuest): void {
    const file = this.#fileOf(guest.serverId)
    // Renamed into place: a crash leaves no half a guest.
    writeFileSync(`${file}.new`, JSON.stringify(guest), { mode: 0o600 })
    renameSync(`${file}.new`, file)
    this.#guests.set(guest.serverId, guest)
  }

  #fileOf(serverId: string): string {
    return join(this.#options.folder, `${serverId}.json`)
  }
}
