/**
 * Guests of a user who is not root: libvirt's session daemons, QEMU as the user himself, QEMU's own network. This process gives up root for
 * it, for good, so the file has a process of its own and everything it leaves could only be that user's.
 */
import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { GuestSpec } from '@kilonova/contract/rpc/guest'
import { powerStates } from '@kilonova/contract/server-states'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { guestSpecFor } from '../../guest.testkit.js'
import { guestFarewell, guestIsUp, tellGuest } from './boot-guest.testkit.js'
import type { LibvirtDriver } from './libvirt.driver.js'
import { OwnLibvirt } from './own-libvirt.testkit.js'

/** Debian's `nobody`: has no home, no groups and no rights. */
const nobody = 65_534
const never = new AbortController().signal
const patience = { timeout: 30_000, interval: 50 }
const whole = { tailLines: null, fromOffset: null }

let libvirt: OwnLibvirt
let driver: LibvirtDriver
let guest: GuestSpec
/** Of every process of ours that outlives this one. */
const pids: number[] = []

beforeAll(async () => {
  if (process.getuid?.() === 0) {
    process.setgroups?.([])
    process.setgid?.(nobody)
    process.setuid?.(nobody)
  }
  libvirt = new OwnLibvirt()
  await libvirt.start()
  driver = libvirt.driver()
  await driver.start()
  const spec = guestSpecFor({ serverId: randomUUID(), instanceName: 'instance-00000701' })
  guest = {
    ...spec,
    flavor: { ...spec.flavor, ramMb: 64, diskGb: 0 },
    image: { ...spec.image, virtualSizeBytes: libvirt.imageBytes },
  }
})
afterAll(async () => {
  await driver?.close()
  if (libvirt !== undefined && existsSync(libvirt.folder)) await libvirt.remove()
})

const output = async (): Promise<string> => (await driver.consoleLog(guest.serverId, whole)).output

function qemuOf(serverId: string): number {
  const found = readdirSync('/proc').filter((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      return command.includes('qemu-system') && command.includes(serverId)
    } catch {
      return false
    }
  })
  expect(found).toHaveLength(1)
  return Number(found[0])
}

async function type(byte: string): Promise<void> {
  const target = await driver.consoleTarget(guest.serverId, 'SERIAL')
  if (target.kind !== 'unix') throw new Error('the serial console is a unix socket')
  const socket = connect(target.path)
  await new Promise<void>((resolve, reject) => {
    socket.once('data', () => resolve()).once('error', reject)
    socket.write(byte)
  })
  socket.destroy()
}

it('boots a guest as the user, with a config drive and the port’s own address on QEMU’s network', async () => {
  expect(process.getuid?.()).not.toBe(0)
  await driver.prepareDisks(guest, never)
  await driver.spawn(guest, never)
  await vi.waitFor(async () => expect(await output()).toContain(guestIsUp), patience)
  const qemu = qemuOf(guest.serverId)
  pids.push(qemu, libvirt.pidOf('libvirtd'), libvirt.pidOf('virtlogd'))
  for (const pid of pids) expect([pid, statSync(`/proc/${pid}`).uid]).toEqual([pid, process.getuid?.()])
  const command = readFileSync(`/proc/${qemu}/cmdline`, 'utf8')
  expect(command).toContain('restrict=on,ipv6=off,net=10.20.0.0/20,host=10.20.0.1,dhcpstart=10.20.0.5')
  expect(existsSync(join(libvirt.guestFolder, guest.serverId, 'disk.config'))).toBe(true)
  expect(await driver.consoleTarget(guest.serverId, 'NOVNC')).toMatchObject({ kind: 'unix' })
})

it('keeps its files and sockets to itself and away from the user’s own libvirt', () => {
  expect(statSync(libvirt.daemonFolder).mode & 0o077).toBe(0)
  const environment = readFileSync(`/proc/${libvirt.pidOf('libvirtd')}/environ`, 'utf8').split('\0')
  for (const name of ['XDG_CONFIG_HOME', 'XDG_RUNTIME_DIR', 'XDG_CACHE_HOME', 'XDG_DATA_HOME']) {
    expect(environment.find((entry) => entry.startsWith(`${name}=`))).toContain(libvirt.folder)
  }
})

it('adopts the guest when the cloud and libvirtd come back', async () => {
  await driver.close()
  const [qemu = 0, libvirtd = 0, virtlogd] = pids
  process.kill(libvirtd, 'SIGKILL')
  await vi.waitFor(() => expect(existsSync(`/proc/${libvirtd}/exe`)).toBe(false), patience)
  await libvirt.start()
  expect(libvirt.pidOf('libvirtd')).not.toBe(libvirtd)
  expect(libvirt.pidOf('virtlogd')).toBe(virtlogd)
  pids.push(libvirt.pidOf('libvirtd'))
  driver = libvirt.driver()
  await driver.start()
  expect(await driver.presentServers()).toEqual([guest.serverId])
  expect(await driver.powerState(guest.serverId)).toBe(powerStates.RUNNING)
  expect(qemuOf(guest.serverId)).toBe(qemu)
  await type(tellGuest.reset)
  await vi.waitFor(async () => expect((await output()).split(guestIsUp).length).toBe(3), patience)
})

it('shuts the guest down by its power button and starts it again', async () => {
  await driver.powerOff(guest.serverId, 60, never)
  expect(await output()).toContain(guestFarewell)
  await driver.powerOn(guest.serverId)
  await vi.waitFor(async () => expect((await output()).split(guestIsUp).length).toBe(4), patience)
  pids.push(qemuOf(guest.serverId))
})

it('leaves nothing: no process, no file', async () => {
  await driver.destroy(guest.serverId)
  expect(readdirSync(libvirt.guestFolder)).toEqual([])
  await driver.close()
  await libvirt.remove()
  expect(existsSync(libvirt.folder)).toBe(false)
  await vi.waitFor(() => expect(pids.filter((pid) => existsSync(`/proc/${pid}/exe`))).toEqual([]), patience)
})
