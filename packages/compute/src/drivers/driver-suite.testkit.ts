/** The contract of a driver as tests: every driver passes the same ones (see driver.ts). */
import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { nodeReport } from '@kilonova/contract/rpc/conductor'
import type { GuestSpec } from '@kilonova/contract/rpc/guest'
import { type PowerState, powerStates } from '@kilonova/contract/server-states'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Driver, DriverError } from '../driver.js'
import { guestSpecFor } from '../guest.testkit.js'
import { printableConsole } from './console-log.js'

/** A driver and what only a test can do to its guests. */
export interface DriverUnderTest {
  readonly driver: Driver
  /** Fills in an image and interfaces that this driver can use. */
  guest(spec: GuestSpec): GuestSpec
  /** Resolves when the guest has booted so far that it hears the power button. */
  untilUp(serverId: string): Promise<void>
  /** Makes the guest ignore the power button. */
  ignoreShutdown(serverId: string): Promise<void>
  /** The guest switches itself off. */
  endByItself(serverId: string): Promise<void>
  /** Ends the driver, not its guests, and answers a new one. */
  restart(): Promise<Driver>
  close(): Promise<void>
}

const patience = { timeout: 20_000, interval: 50 }
const never = new AbortController().signal
const unknownServer = '00000000-0000-4000-8000-000000000000'

export function driverSuite(name: string, make: () => Promise<DriverUnderTest>): void {
  describe(`${name} driver`, () => {
    let test: DriverUnderTest
    let instances = 0
    const made: string[] = []
    beforeAll(async () => {
      test = await make()
    })
    afterEach(async () => {
      for (const serverId of made.splice(0)) await test.driver.destroy(serverId)
    })
    afterAll(() => test?.close())

    const newGuest = (over: Partial<GuestSpec> = {}): GuestSpec => {
      instances += 1
      const serverId = randomUUID()
      made.push(serverId)
      return test.guest(guestSpecFor({ serverId, instanceName: `instance-${String(instances).padStart(8, '0')}`, ...over }))
    }
    const running = async (over: Partial<GuestSpec> = {}): Promise<string> => {
      const guest = newGuest(over)
      await test.driver.prepareDisks(guest, never)
      await test.driver.spawn(guest, never)
      await test.untilUp(guest.serverId)
      return guest.serverId
    }
    const untilState = (serverId: string, state: PowerState): Promise<void> =>
      vi.waitFor(async () => expect(await test.driver.powerState(serverId)).toBe(state), patience)

    it('reports a node that a conductor understands', async () => {
      const node = nodeReport.parse(await test.driver.node())
      expect(node.hypervisorType).toBe(test.driver.hypervisorType)
      expect(node.vcpus).toBeGreaterThan(0)
      expect(node.memoryMb).toBeGreaterThan(0)
      expect(node.traits).toContain('COMPUTE_NODE')
    })

    it('knows nothing of a server it never had', async () => {
      expect(await test.driver.powerState(unknownServer)).toBe(powerStates.NOSTATE)
      expect(await test.driver.presentServers()).not.toContain(unknownServer)
      for (const act of [
        () => test.driver.powerOn(unknownServer),
        () => test.driver.powerOff(unknownServer, 0, never),
        () => test.driver.reboot(unknownServer, 'HARD', 0, never),
        () => test.driver.pause(unknownServer),
        () => test.driver.unpause(unknownServer),
        () => test.driver.suspend(unknownServer),
        () => test.driver.resume(unknownServer),
        () => test.driver.consoleLog(unknownServer, { tailLines: null, fromOffset: null }),
        () => test.driver.consoleBytes(unknownServer, { fromOffset: null, limitBytes: 1 }),
        () => test.driver.consoleTarget(unknownServer, 'SERIAL'),
      ]) {
        await expect(act()).rejects.toMatchObject({ name: 'DriverError', code: 'NOT_FOUND' })
      }
    })

    it('counts disks as present before there is a guest, and removes them', async () => {
      const guest = newGuest()
      await test.driver.prepareDisks(guest, never)
      expect(await test.driver.presentServers()).toContain(guest.serverId)
      expect(await test.driver.powerState(guest.serverId)).toBe(powerStates.NOSTATE)
      await test.driver.discardDisks(guest.serverId)
      await test.driver.discardDisks(guest.serverId)
      expect(await test.driver.presentServers()).not.toContain(guest.serverId)
    })

    it('builds a guest; doing it again changes nothing', async () => {
      const guest = newGuest()
      await test.driver.prepareDisks(guest, never)
      await test.driver.prepareDisks(guest, never)
      await test.driver.spawn(guest, never)
      await test.untilUp(guest.serverId)
      const { endOffset } = await test.driver.consoleLog(guest.serverId, { tailLines: null, fromOffset: null })
      await test.driver.spawn(guest, never)
      expect(await test.driver.powerState(guest.serverId)).toBe(powerStates.RUNNING)
      // It was not started a second time: nothing new is on its console.
      if (test.driver.hypervisorType === 'QEMU') {
        expect((await test.driver.consoleLog(guest.serverId, { tailLines: null, fromOffset: null })).endOffset).toBe(endOffset)
      }
      expect(await test.driver.presentServers()).toContain(guest.serverId)
    })

    it('does not begin what is no longer wanted', async () => {
      const guest = newGuest()
      await test.driver.prepareDisks(guest, never)
      await expect(test.driver.spawn(guest, AbortSignal.abort())).rejects.toMatchObject({ name: 'DriverError', code: 'CANCELLED' })
      expect(await test.driver.powerState(guest.serverId)).toBe(powerStates.NOSTATE)
    })

    it('removes every trace of a guest, as often as it is asked', async () => {
      const serverId = await running()
      await test.driver.destroy(serverId)
      await test.driver.destroy(serverId)
      expect(await test.driver.powerState(serverId)).toBe(powerStates.NOSTATE)
      expect(await test.driver.presentServers()).not.toContain(serverId)
      await test.driver.destroy(unknownServer)
    })

    it('shuts a guest down and starts it again; both may be repeated', async () => {
      const serverId = await running()
      await test.driver.powerOff(serverId, 30, never)
      expect(await test.driver.powerState(serverId)).toBe(powerStates.SHUTDOWN)
      await test.driver.powerOff(serverId, 30, never)
      await test.driver.powerOn(serverId)
      expect(await test.driver.powerState(serverId)).toBe(powerStates.RUNNING)
      await test.driver.powerOn(serverId)
      await test.untilUp(serverId)
    })

    it('cuts the power of a guest that does not listen', async () => {
      const serverId = await running({ name: 'ignore-shutdown' })
      await test.ignoreShutdown(serverId)
      const startedMs = performance.now()
      await test.driver.powerOff(serverId, 1, never)
      expect(performance.now() - startedMs).toBeGreaterThan(900)
      expect(await test.driver.powerState(serverId)).toBe(powerStates.SHUTDOWN)
    })

    it.each(['SOFT', 'HARD'] as const)('reboots a guest %s: it runs, and its console goes on', async (type) => {
      const serverId = await running()
      const before = await test.driver.consoleLog(serverId, { tailLines: null, fromOffset: null })
      await test.driver.reboot(serverId, type, 30, never)
      expect(await test.driver.powerState(serverId)).toBe(powerStates.RUNNING)
      await vi.waitFor(async () => {
        const after = await test.driver.consoleLog(serverId, { tailLines: null, fromOffset: before.endOffset })
        expect(after).toMatchObject({ startOffset: before.endOffset, truncated: false })
        expect(after.output).not.toBe('')
      }, patience)
    })

    it('starts a guest by a hard reboot when it was off', async () => {
      const serverId = await running()
      await test.driver.powerOff(serverId, 0, never)
      await test.driver.reboot(serverId, 'HARD', 0, never)
      expect(await test.driver.powerState(serverId)).toBe(powerStates.RUNNING)
    })

    /** What the guest has written since; empty: it was not booted anew. */
    const writtenSince = async (serverId: string, offset: number): Promise<string> =>
      (await test.driver.consoleLog(serverId, { tailLines: null, fromOffset: offset })).output
    const consoleEnd = async (serverId: string): Promise<number> =>
      (await test.driver.consoleLog(serverId, { tailLines: null, fromOffset: null })).endOffset

    it('D-ACT-10 D-ACT-11 freezes a guest and lets it run on; both may be repeated', async () => {
      const serverId = await running()
      const end = await consoleEnd(serverId)
      await test.driver.pause(serverId)
      await test.driver.pause(serverId)
      expect(await test.driver.powerState(serverId)).toBe(powerStates.PAUSED)
      await test.driver.unpause(serverId)
      await test.driver.unpause(serverId)
      expect(await test.driver.powerState(serverId)).toBe(powerStates.RUNNING)
      expect(await writtenSince(serverId, end)).toBe('')
      await test.endByItself(serverId)
      await untilState(serverId, powerStates.SHUTDOWN)
    })

    it('D-ACT-12 D-ACT-13 saves the memory of a guest, over a restart of the driver, and goes on from there; both may be repeated', async () => {
      const serverId = await running()
      const end = await consoleEnd(serverId)
      await test.driver.suspend(serverId)
      await test.driver.suspend(serverId)
      expect(await test.driver.powerState(serverId)).toBe(powerStates.SHUTDOWN)
      expect(await test.driver.presentServers()).toContain(serverId)
      await test.restart()
      await test.driver.resume(serverId)
      await test.driver.resume(serverId)
      expect(await test.driver.powerState(serverId)).toBe(powerStates.RUNNING)
      expect(await writtenSince(serverId, end)).toBe('')
      // It is not only there, it works.
      await test.endByItself(serverId)
      await untilState(serverId, powerStates.SHUTDOWN)
    })

    it.each(['paused', 'suspended'] as const)('D-ACT-9 boots a %s guest anew by a hard reboot', async (state) => {
      const serverId = await running()
      const end = await consoleEnd(serverId)
      await (state === 'paused' ? test.driver.pause(serverId) : test.driver.suspend(serverId))
      await test.driver.reboot(serverId, 'HARD', 0, never)
      expect(await test.driver.powerState(serverId)).toBe(powerStates.RUNNING)
      await vi.waitFor(async () => expect(await writtenSince(serverId, end)).not.toBe(''), patience)
      await test.driver.powerOff(serverId, 0, never)
      await expect(test.driver.resume(serverId), 'the saved memory is gone').rejects.toMatchObject({ exception: 'InstanceInvalidState' })
    })

    it('removes a suspended guest with its memory', async () => {
      const serverId = await running()
      await test.driver.suspend(serverId)
      await test.driver.destroy(serverId)
      expect(await test.driver.powerState(serverId)).toBe(powerStates.NOSTATE)
      expect(await test.driver.presentServers()).not.toContain(serverId)
    })

    it('switches off a paused guest without waiting for it', async () => {
      const serverId = await running()
      await test.driver.pause(serverId)
      await test.driver.powerOff(serverId, 60, never)
      expect(await test.driver.powerState(serverId)).toBe(powerStates.SHUTDOWN)
    })

    it('refuses to freeze, thaw or save a guest that is off', async () => {
      const serverId = await running()
      await test.driver.powerOff(serverId, 0, never)
      for (const act of ['pause', 'unpause', 'suspend', 'resume'] as const) {
        await expect(test.driver[act](serverId), act).rejects.toMatchObject({ code: 'GUEST_ERROR', leavesNothingToUndo: true })
      }
    })

    it('hands out the console by lines and by offsets that fit together', async () => {
      const serverId = await running()
      const whole = await test.driver.consoleLog(serverId, { tailLines: null, fromOffset: null })
      expect(whole).toMatchObject({ startOffset: 0, truncated: false })
      expect(whole.endOffset).toBeGreaterThan(0)
      const half = Math.floor(whole.endOffset / 2)
      const rest = await test.driver.consoleLog(serverId, { tailLines: null, fromOffset: half })
      expect(rest).toMatchObject({ startOffset: half, truncated: false })
      expect(whole.output.endsWith(rest.output.trimStart())).toBe(true)
      const tail = await test.driver.consoleLog(serverId, { tailLines: 1, fromOffset: null })
      expect(whole.output.endsWith(tail.output)).toBe(true)
      expect(tail.output.trimEnd()).not.toContain('\n')
      // The same as the guest wrote it, for terminals.
      const raw = await test.driver.consoleBytes(serverId, { fromOffset: null, limitBytes: 1 << 20 })
      expect(raw).toMatchObject({ startOffset: 0, endOffset: raw.bytes.length })
      expect(printableConsole(raw.bytes.toString()).startsWith(whole.output)).toBe(true)
      const part = await test.driver.consoleBytes(serverId, { fromOffset: half, limitBytes: 3 })
      expect(part).toMatchObject({ bytes: raw.bytes.subarray(half, half + 3), startOffset: half })
    })

    it('leads to the consoles it says it has, while the guest runs', async () => {
      const serverId = await running()
      for (const type of (await test.driver.node()).consoleTypes) {
        const target = await test.driver.consoleTarget(serverId, type)
        expect(target.kind).toBe('unix')
        if (target.kind !== 'unix') continue
        const said = await firstBytes(target.path, type === 'SERIAL')
        if (type === 'NOVNC') expect(said).toMatch(/^RFB 003\.008\n/)
        else expect(said).not.toBe('')
      }
      await test.driver.powerOff(serverId, 0, never)
      await expect(test.driver.consoleTarget(serverId, 'NOVNC')).rejects.toMatchObject({ name: 'DriverError', code: 'INVALID_STATE' })
    })

    it('tells within 2 s that a guest ended by itself', async () => {
      const heard: [string, PowerState, number][] = []
      test.driver.onPowerState((serverId, state) => heard.push([serverId, state, performance.now()]))
      const serverId = await running()
      heard.length = 0
      const endedMs = performance.now()
      await test.endByItself(serverId)
      await vi.waitFor(() => expect(heard.map(([id, state]) => [id, state])).toContainEqual([serverId, powerStates.SHUTDOWN]), patience)
      expect((heard.find(([id]) => id === serverId)?.[2] ?? Number.POSITIVE_INFINITY) - endedMs).toBeLessThan(2000)
      await untilState(serverId, powerStates.SHUTDOWN)
    })

    it('leaves guests running when it ends, and finds them when it starts', async () => {
      const serverId = await running()
      const before = await test.driver.consoleLog(serverId, { tailLines: null, fromOffset: null })
      const restarted = await test.restart()
      expect(await restarted.powerState(serverId)).toBe(powerStates.RUNNING)
      expect(await restarted.presentServers()).toContain(serverId)
      expect((await restarted.consoleLog(serverId, { tailLines: null, fromOffset: 0 })).output.startsWith(before.output)).toBe(true)
      await restarted.powerOff(serverId, 30, never)
      expect(await restarted.powerState(serverId)).toBe(powerStates.SHUTDOWN)
    })

    it('fails with errors that say who is at fault', async () => {
      const error = await test.driver.powerOn(unknownServer).catch((caught: unknown) => caught)
      expect(error).toBeInstanceOf(DriverError)
      expect(error).toMatchObject({ exception: 'InstanceNotFound' })
    })
  })
}

/** What comes first from a console; a serial line only speaks when it is spoken to. */
export function firstBytes(path: string, speak: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.setTimeout(10_000, () => socket.destroy(new Error(`${path} says nothing`)))
    if (speak) socket.write('x')
    socket.once('data', (bytes) => {
      socket.destroy()
      resolve(bytes.toString('latin1'))
    })
    socket.once('error', reject)
  })
}
