/** The session against a daemon that restarts, and against guests that come and go in the middle of a call. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@kilonova/runtime/clock'
import { createLogger } from '@kilonova/runtime/logger'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { FakeLibvirtd } from './fake-libvirtd.testkit.js'
import { procedure, type RemoteError, writeDomain } from './protocol.js'
import { domainState, LibvirtSession, type LifecycleEvent } from './session.js'
import { XdrWriter } from './xdr.js'

const uuid = '83679162-1378-4288-a2d4-70e13ec132aa'
const domain = { name: 'instance-00000001', uuid: Buffer.from(uuid.replaceAll('-', ''), 'hex'), id: -1 }
const noDomain: RemoteError = { code: 42, domain: 10, message: 'Domain not found', level: 2 }
const invalid: RemoteError = { code: 55, domain: 10, message: 'domain is not running', level: 2 }

let folder: string
let daemon: FakeLibvirtd
let session: LibvirtSession

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kilonova-session-'))
  daemon = new FakeLibvirtd(join(folder, 'sock'))
  daemon.on('domainLookupByUuid', () => writeDomain(new XdrWriter(), domain))
  daemon.on('domainGetState', () => new XdrWriter().int(domainState.running).int(1))
  await daemon.start()
  session = new LibvirtSession({ socketPath: daemon.path, uri: 'qemu:///system', clock: systemClock, log: createLogger('silent') })
})
afterEach(async () => {
  await session.close()
  await daemon.stop()
  rmSync(folder, { recursive: true, force: true })
})

const lifecycle = (event: number): void =>
  daemon.event(procedure.eventCallbackLifecycle, writeDomain(new XdrWriter().int(1), domain).int(event).int(0))

it('hears of guests by a connection of its own', async () => {
  const heard: LifecycleEvent[] = []
  session.onLifecycle((event) => heard.push(event))
  await session.start()
  expect(daemon.clients.size).toBe(2)
  lifecycle(5)
  await vi.waitFor(() => expect(heard).toContainEqual({ uuid, event: 5, detail: 0 }))
})

it('finds its way back to a daemon that restarts, registers for events again and says so', async () => {
  const heard: number[] = []
  let returned = 0
  session.onLifecycle(({ event }) => heard.push(event))
  session.onReconnected(() => {
    returned += 1
  })
  await session.start()
  await daemon.stop()
  await expect(session.state(uuid)).rejects.toThrow('libvirt')
  await daemon.start()
  await vi.waitFor(() => expect(returned).toBe(1), { timeout: 10_000 })
  heard.length = 0
  lifecycle(2)
  await vi.waitFor(() => expect(heard).toContain(2))
  expect(await session.state(uuid)).toBe(domainState.running)
})

it('opens one connection for many calls that find the old one lost', async () => {
  await session.start()
  for (const client of daemon.clients) client.destroy()
  await vi.waitFor(() => expect(daemon.calls.filter((call) => call === procedure.eventCallbackRegisterAny)).toHaveLength(2))
  const before = daemon.calls.filter((call) => call === procedure.connectOpen).length
  const states = await Promise.all(Array.from({ length: 20 }, () => session.state(uuid)))
  expect(states).toEqual(Array.from({ length: 20 }, () => domainState.running))
  expect(daemon.calls.filter((call) => call === procedure.connectOpen).length - before).toBe(1)
  expect(daemon.clients.size).toBe(2)
})

it('leaves no connection behind when it is closed', async () => {
  await session.start()
  await session.close()
  await vi.waitFor(() => expect(daemon.clients.size).toBe(0))
  await expect(session.domains()).rejects.toThrow('closed')
})

it('takes a guest that is gone for gone, and one that is off for off', async () => {
  await session.start()
  daemon.on('domainDestroyFlags', () => invalid)
  daemon.on('domainShutdownFlags', () => invalid)
  daemon.on('domainUndefineFlags', () => noDomain)
  await session.destroy(domain)
  await session.shutdown(domain)
  await session.undefine(domain)
  daemon.on('domainGetState', () => noDomain)
  expect(await session.state(uuid)).toBeNull()
  daemon.on('domainLookupByUuid', () => noDomain)
  expect(await session.find(uuid)).toBeNull()
})

it('does not hide other refusals', async () => {
  await session.start()
  daemon.on('domainDestroyFlags', () => ({ code: 1, domain: 10, message: 'QEMU is stuck', level: 2 }))
  await expect(session.destroy(domain)).rejects.toThrow('QEMU is stuck')
})

it('reads lists of domains and 64-bit versions', async () => {
  await session.start()
  daemon.on('listAllDomains', () => writeDomain(writeDomain(new XdrWriter().uint(2), domain), { ...domain, id: 7 }).uint(2))
  daemon.on('getVersion', () => new XdrWriter().uint(0).uint(7_002_022))
  expect((await session.domains()).map(({ id }) => id)).toEqual([-1, 7])
  expect(await session.hypervisorVersion()).toBe(7_002_022)
})
