/** The contract of a driver with real guests, and what only real ones can show. Needs root, libvirt and QEMU; no KVM. */
import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { GuestSpec } from '@kilonova/contract/rpc/guest'
import { type PowerState, powerStates } from '@kilonova/contract/server-states'
import { systemClock } from '@kilonova/runtime/clock'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { guestSpecFor } from '../../guest.testkit.js'
import { driverSuite } from '../driver-suite.testkit.js'
import { guestFarewell, guestHasFilled, guestIsUp, tellGuest } from './boot-guest.testkit.js'
import { endGuests } from './end-guests.js'
import type { LibvirtDriver } from './libvirt.driver.js'
import { OwnLibvirt } from './own-libvirt.testkit.js'

const never = new AbortController().signal
const patience = { timeout: 30_000, interval: 50 }
const whole = { tailLines: null, fromOffset: null }

let libvirt: OwnLibvirt
let otherCloud: LibvirtDriver
const otherCloudId = randomUUID()
beforeAll(async () => {
  libvirt = new OwnLibvirt()
  await libvirt.start()
  otherCloud = libvirt.driver(otherCloudId)
  await otherCloud.start()
})
afterAll(async () => {
  await otherCloud?.close()
  await libvirt?.remove([libvirt.cloudId, otherCloudId])
})

const specFor = (spec: GuestSpec): GuestSpec => ({
  ...spec,
  configDrive: false,
  flavor: { ...spec.flavor, ramMb: 64, diskGb: 0 },
  image: { ...spec.image, virtualSizeBytes: libvirt.imageBytes },
})

/** Types one byte on the serial console and waits until the guest has taken it. */
async function type(driver: LibvirtDriver, serverId: string, byte: string): Promise<void> {
  const target = await driver.consoleTarget(serverId, 'SERIAL')
  if (target.kind !== 'unix') throw new Error('the serial console is a unix socket')
  const socket = connect(target.path)
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('data', () => resolve()).once('error', reject)
      socket.write(byte)
    })
  } finally {
    socket.destroy()
  }
}

/** How often the guest has come up, by its console. */
async function timesUp(driver: LibvirtDriver, serverId: string): Promise<number> {
  return (await driver.consoleLog(serverId, whole)).output.split(guestIsUp).length - 1
}
const untilUp = (driver: LibvirtDriver, serverId: string, times = 1): Promise<void> =>
  vi.waitFor(async () => expect(await timesUp(driver, serverId)).toBeGreaterThanOrEqual(times), patience)

async function running(driver: LibvirtDriver, instanceName: string): Promise<string> {
  const guest = specFor(guestSpecFor({ serverId: randomUUID(), instanceName }))
  await driver.prepareDisks(guest, never)
  await driver.spawn(guest, never)
  await untilUp(driver, guest.serverId)
  return guest.serverId
}

async function withDriver(act: (driver: LibvirtDriver) => Promise<void>): Promise<void> {
  const driver = libvirt.driver()
  await driver.start()
  try {
    await act(driver)
  } finally {
    for (const serverId of await driver.presentServers()) await driver.destroy(serverId)
    await driver.close()
  }
}

driverSuite('libvirt', async () => {
  let driver = libvirt.driver()
  await driver.start()
  return {
    get driver() {
      return driver
    },
    guest: specFor,
    untilUp: (serverId) => untilUp(driver, serverId),
    ignoreShutdown: (serverId) => type(driver, serverId, tellGuest.ignorePowerButton),
    endByItself: (serverId) => type(driver, serverId, tellGuest.powerOff),
    restart: async () => {
      await driver.close()
      driver = libvirt.driver()
      await driver.start()
      return driver
    },
    close: () => driver.close(),
  }
})

it('shuts down by the power button, not by force', () =>
  withDriver(async (driver) => {
    const serverId = await running(driver, 'instance-00000101')
    await driver.powerOff(serverId, 60, never)
    expect((await driver.consoleLog(serverId, whole)).output).toContain(guestFarewell)
  }))

it('does not take a guest that resets itself for one that is off', () =>
  withDriver(async (driver) => {
    const heard: PowerState[] = []
    driver.onPowerState((_, state) => heard.push(state))
    const serverId = await running(driver, 'instance-00000102')
    await type(driver, serverId, tellGuest.reset)
    await untilUp(driver, serverId, 2)
    expect(await driver.powerState(serverId)).toBe(powerStates.RUNNING)
    // What the guest does next is told; so everything before has been.
    await type(driver, serverId, tellGuest.powerOff)
    await vi.waitFor(() => expect(heard).toContain(powerStates.SHUTDOWN), patience)
    expect(heard.indexOf(powerStates.SHUTDOWN)).toBe(heard.length - 1)
  }))

it('never sees, counts or ends the guests of another cloud', () =>
  withDriver(async (driver) => {
    const theirs = await running(otherCloud, 'instance-00000201')
    const ours = await running(driver, 'instance-00000202')
    expect(await driver.presentServers()).toEqual([ours])
    expect(await otherCloud.presentServers()).toEqual([theirs])
    const session = libvirt.session()
    await session.start()
    expect(await endGuests({ session, cloudId: libvirt.cloudId, remove: true, graceSeconds: 5, clock: systemClock })).toBe(1)
    await session.close()
    expect(await otherCloud.powerState(theirs)).toBe(powerStates.RUNNING)
    await otherCloud.destroy(theirs)
  }))

it('keeps offsets of the console right when its log is rotated', () =>
  withDriver(async (driver) => {
    const serverId = await running(driver, 'instance-00000301')
    const log = join(libvirt.guestFolder, serverId, 'console.log')
    const writtenBytes = (): number =>
      [log, `${log}.0`, `${log}.1`].filter((file) => existsSync(file)).reduce((sum, file) => sum + statSync(file).size, 0)
    // On until the log was rotated (at 4 MiB), and then twice more; no part of it is dropped by then.
    let end = (await driver.consoleLog(serverId, whole)).endOffset
    for (let after = 0; after < 3; after += existsSync(`${log}.0`) ? 1 : 0) {
      await type(driver, serverId, tellGuest.fillLog)
      await vi.waitFor(async () => {
        const tail = await driver.consoleLog(serverId, { tailLines: 1, fromOffset: null })
        expect(tail).toMatchObject({ output: guestHasFilled, endOffset: writtenBytes() })
        expect(tail.endOffset).toBeGreaterThan(end)
        end = tail.endOffset
      }, patience)
    }
    const last = await driver.consoleLog(serverId, { tailLines: null, fromOffset: end - 72 })
    expect(last).toMatchObject({ startOffset: end - 72, endOffset: end, truncated: false })
    expect(last.output).toMatch(new RegExp(`^0123456789abcdef.*abcd\n${guestHasFilled}$`))
    expect((await driver.consoleLog(serverId, { tailLines: null, fromOffset: 0 })).truncated).toBe(true)
  }))

it('keeps guests when libvirtd is killed, and hears of them again from the next one', () =>
  withDriver(async (driver) => {
    const serverId = await running(driver, 'instance-00000401')
    const [libvirtd, virtlogd] = [libvirt.pidOf('libvirtd'), libvirt.pidOf('virtlogd')]
    await libvirt.start()
    expect([libvirt.pidOf('libvirtd'), libvirt.pidOf('virtlogd')]).toEqual([libvirtd, virtlogd])
    const heard: [string, PowerState][] = []
    driver.onPowerState((id, state) => heard.push([id, state]))
    process.kill(libvirtd, 'SIGKILL')
    await vi.waitFor(() => expect(existsSync(`/proc/${libvirtd}/exe`)).toBe(false), patience)
    await libvirt.start()
    expect(libvirt.pidOf('libvirtd')).not.toBe(libvirtd)
    expect(libvirt.pidOf('virtlogd')).toBe(virtlogd)
    // The states of all guests are told anew, because something may have been missed.
    await vi.waitFor(() => expect(heard).toContainEqual([serverId, powerStates.RUNNING]), patience)
    await type(driver, serverId, tellGuest.powerOff)
    await vi.waitFor(() => expect(heard).toContainEqual([serverId, powerStates.SHUTDOWN]), patience)
  }))

it('leaves nothing of a destroyed guest: no process, no file', () =>
  withDriver(async (driver) => {
    const serverId = await running(driver, 'instance-00000501')
    expect(processesNaming(serverId)).toHaveLength(1)
    await driver.destroy(serverId)
    expect(processesNaming(serverId)).toEqual([])
    expect(readdirSync(libvirt.guestFolder)).toEqual([])
  }))

it('runs QEMU and the daemons apart from this process and without its rights', () =>
  withDriver(async (driver) => {
    const serverId = await running(driver, 'instance-00000601')
    const [qemu] = processesNaming(serverId)
    expect(statusOf(Number(qemu), 'Uid')).not.toBe('0')
    const mounts = readFileSync(`/proc/${libvirt.pidOf('libvirtd')}/mountinfo`, 'utf8')
    expect(mounts).toContain(' /etc/libvirt ')
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(' /etc/libvirt ')
    const sessionOf = (pid: number): string => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[3] ?? ''
    for (const pid of [libvirt.pidOf('libvirtd'), libvirt.pidOf('virtlogd'), Number(qemu)]) {
      expect(sessionOf(pid)).not.toBe(sessionOf(process.pid))
    }
  }))

const statusOf = (pid: number, key: string): string =>
  new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? ''

/** Ids of QEMU processes of a server. */
function processesNaming(serverId: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      return command.includes('qemu-system') && command.includes(serverId)
    } catch {
      return false
    }
  })
}
