/** What users read when libvirt refuses, fails or is away. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@kilonova/runtime/clock'
import { createLogger } from '@kilonova/runtime/logger'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { allocationOf, computeOptions } from '../../config.js'
import { guestSpecFor } from '../../guest.testkit.js'
import { LibvirtDriver } from './libvirt.driver.js'
import { FakeLibvirtd } from './rpc/fake-libvirtd.testkit.js'
import { type RemoteError, readDomain, writeDomain } from './rpc/protocol.js'
import { domainState, LibvirtSession } from './rpc/session.js'
import { XdrWriter } from './rpc/xdr.js'

const guest = guestSpecFor({ configDrive: false })
const domain = { name: guest.instanceName, uuid: Buffer.from(guest.serverId.replaceAll('-', ''), 'hex'), id: -1 }
const never = new AbortController().signal
const errorOf = (message: string, code = 1): RemoteError => ({ code, domain: 10, message, level: 2 })

let folder: string
let daemon: FakeLibvirtd
let driver: LibvirtDriver

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kilonova-driver-'))
  daemon = new FakeLibvirtd(join(folder, 'sock'))
  daemon.on('domainLookupByUuid', () => writeDomain(new XdrWriter(), domain))
  daemon.on('domainGetState', () => new XdrWriter().int(domainState.shutoff).int(1))
  await daemon.start()
  const log = createLogger('silent')
  driver = new LibvirtDriver({
    host: 'node-1',
    nodeId: '5e5e5e5e-0000-4000-8000-000000000001',
    cloudId: 'c10dc10d-0000-4000-8000-000000000001',
    guestFolder: join(folder, 'guests'),
    qemuIdentity: null,
    session: new LibvirtSession({ socketPath: daemon.path, uri: 'qemu:///system', clock: systemClock, log }),
    virtType: 'qemu',
    images: { get: async () => '', clean: async () => [] },
    network: { plug: async () => [], unplug: async () => {}, servers: async () => [] },
    unseal: () => {
      throw new Error('nothing is sealed')
    },
    allocation: allocationOf(computeOptions.compute.parse({})),
    clock: systemClock,
    log,
  })
  await driver.start()
  mkdirSync(join(folder, 'guests', guest.serverId))
  writeFileSync(join(folder, 'guests', guest.serverId, 'disk'), '')
})
afterEach(async () => {
  await driver.close()
  await daemon.stop()
  rmSync(folder, { recursive: true, force: true })
})

it('keeps what libvirt says from users and hands it to administrators', async () => {
  daemon.on('domainCreateWithFlags', () => errorOf('internal error: /secret/path is broken'))
  const error = await driver.spawn(guest, never).catch((caught: unknown) => caught)
  expect(error).toMatchObject({ name: 'DriverError', code: 'GUEST_ERROR', hostAtFault: true, message: 'The hypervisor refused.' })
  expect((error as Error).cause).toMatchObject({ message: 'internal error: /secret/path is broken' })
})

it('says that the host is full when it is', async () => {
  daemon.on('domainCreateWithFlags', () => errorOf('unable to write: No space left on device', 38))
  await expect(driver.spawn(guest, never)).rejects.toMatchObject({ code: 'HOST_REFUSED', exception: 'InsufficientFreeDisk' })
})

it('says that the hypervisor is away when it is', async () => {
  await daemon.stop()
  await expect(driver.powerOn(guest.serverId)).rejects.toMatchObject({ name: 'DriverError', code: 'GUEST_ERROR' })
})

it('starts a guest that was defined by an attempt before it, and does not define it anew', async () => {
  let created = 0
  daemon.on('domainCreateWithFlags', () => {
    created += 1
    return writeDomain(new XdrWriter(), domain)
  })
  daemon.on('domainDefineXmlFlags', () => errorOf('it must not be defined again'))
  await driver.spawn(guest, never)
  expect(created).toBe(1)
})

it('restores only what was saved, and boots without it', async () => {
  const flags: number[] = []
  let saved = 0
  daemon.on('domainHasManagedSaveImage', () => new XdrWriter().int(saved))
  daemon.on('domainCreateWithFlags', (body) => {
    readDomain(body)
    flags.push(body.uint())
    return writeDomain(new XdrWriter(), domain)
  })
  await expect(driver.resume(guest.serverId)).rejects.toMatchObject({ code: 'GUEST_ERROR', leavesNothingToUndo: true })
  await expect(driver.suspend(guest.serverId)).rejects.toMatchObject({ leavesNothingToUndo: true })
  saved = 1
  await driver.suspend(guest.serverId)
  await driver.resume(guest.serverId)
  await driver.powerOn(guest.serverId)
  expect(flags, 'VIR_DOMAIN_START_FORCE_BOOT for the boot').toEqual([0, 8])
})

it('goes on from a save that was cut short: the guest is paused, nothing is saved', async () => {
  daemon.on('domainGetState', () => new XdrWriter().int(domainState.paused).int(0))
  const calls: string[] = []
  daemon.on('domainResume', () => {
    calls.push('resume')
    return new XdrWriter()
  })
  daemon.on('domainManagedSave', (body) => {
    readDomain(body)
    calls.push(`save ${body.uint()}`)
    return new XdrWriter()
  })
  await driver.suspend(guest.serverId)
  await driver.resume(guest.serverId)
  await driver.pause(guest.serverId)
  await driver.unpause(guest.serverId)
  expect(calls, 'VIR_DOMAIN_SAVE_RUNNING: it runs when it is restored').toEqual(['save 2', 'resume', 'resume'])
})
