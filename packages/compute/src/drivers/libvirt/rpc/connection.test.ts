/** The connection against a socket that speaks the protocol: calls, errors, events, keepalive, and every way to lose it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { LibvirtConnection } from './connection.js'
import { FakeLibvirtd } from './fake-libvirtd.testkit.js'
import { LibvirtError, LibvirtUnavailableError } from './libvirt-error.js'
import { messageType, packet, procedure, remoteProgram } from './protocol.js'
import { XdrWriter } from './xdr.js'

let folder: string
let daemon: FakeLibvirtd
let connection: LibvirtConnection | undefined

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kilonova-rpc-'))
  daemon = new FakeLibvirtd(join(folder, 'sock'))
  await daemon.start()
})
afterEach(async () => {
  connection?.close()
  connection = undefined
  await daemon.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function open(): Promise<LibvirtConnection> {
  connection = await LibvirtConnection.open(daemon.path, 'qemu:///system')
  return connection
}
const hostname = async (from: LibvirtConnection, timeoutMs?: number): Promise<string> =>
  (await from.call('getHostname', new XdrWriter(), timeoutMs)).string()

it('asks how to authenticate, then opens the hypervisor it was told', async () => {
  let uri: string | null = null
  daemon.on('connectOpen', (body) => {
    uri = body.optional(() => body.string())
    return new XdrWriter()
  })
  await open()
  expect(daemon.calls).toEqual([procedure.authList, procedure.connectOpen])
  expect(uri).toBe('qemu:///system')
})

it('does not use a daemon that wants a password', async () => {
  daemon.on('authList', () => new XdrWriter().uint(1).int(1))
  await expect(open()).rejects.toThrow('password')
})

it('says where nobody answers', async () => {
  await expect(LibvirtConnection.open(join(folder, 'nobody'), 'qemu:///system')).rejects.toThrow(join(folder, 'nobody'))
})

it('keeps calls apart that are under way at the same time', async () => {
  const calls = await open()
  daemon.on('domainGetXmlDesc', (body) => new XdrWriter().string(`xml of ${body.string()}`))
  const ask = async (name: string): Promise<string> => (await calls.call('domainGetXmlDesc', new XdrWriter().string(name))).string()
  const names = Array.from({ length: 200 }, (_, index) => `guest-${index}`)
  expect(await Promise.all(names.map(ask))).toEqual(names.map((name) => `xml of ${name}`))
})

it('hands on errors as libvirt words them', async () => {
  const calls = await open()
  daemon.on('getHostname', () => ({ code: 42, domain: 10, message: 'Domain not found', level: 2 }))
  const error = await hostname(calls).catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(LibvirtError)
  expect(error).toMatchObject({ code: 42, domain: 10, level: 2, message: 'Domain not found' })
  expect(error instanceof LibvirtError && error.is('noDomain')).toBe(true)
})

it('waits only so long, and drops an answer that comes too late', async () => {
  const calls = await open()
  daemon.on('getHostname', () => 'silence')
  await expect(hostname(calls, 30)).rejects.toThrow(LibvirtUnavailableError)
  // The serial of the call that was given up: authList, connectOpen, getHostname.
  const late = { program: remoteProgram, version: 1, procedure: procedure.getHostname, type: messageType.reply, serial: 3, status: 0 }
  daemon.write(packet(late, new XdrWriter().string('late').bytes()))
  daemon.on('getHostname', () => new XdrWriter().string('node-1'))
  expect(await hostname(calls)).toBe('node-1')
})

it('puts messages together from pieces, and takes apart what came at once', async () => {
  const calls = await open()
  const heard: string[] = []
  calls.onEvent((_, body) => heard.push(body.string()))
  const event = (text: string): Buffer =>
    packet(
      { program: remoteProgram, version: 1, procedure: 9, type: messageType.event, serial: 0, status: 0 },
      new XdrWriter().string(text).bytes(),
    )
  const bytes = Buffer.concat([event('one'), event('two'), event('x'.repeat(200_000)), event('four')])
  for (let at = 0; at < bytes.length; at += at < 200 ? 1 : 50_000) daemon.write(bytes.subarray(at, at < 200 ? at + 1 : at + 50_000))
  await vi.waitFor(() => expect(heard.map((text) => text.length)).toEqual([3, 3, 200_000, 4]))
})

it('answers pings', async () => {
  await open()
  daemon.ping()
  await vi.waitFor(() => expect(daemon.pongs).toBe(1))
})

it('rejects what is under way when the daemon dies, and every call after', async () => {
  const calls = await open()
  daemon.on('getHostname', () => 'silence')
  const reasons: Error[] = []
  calls.onClose((reason) => reasons.push(reason))
  const underWay = hostname(calls)
  const rejected = expect(underWay).rejects.toThrow(LibvirtUnavailableError)
  await vi.waitFor(() => expect(daemon.calls).toContain(procedure.getHostname))
  await daemon.stop()
  await rejected
  expect(calls.isOpen).toBe(false)
  expect(reasons).toHaveLength(1)
  await expect(hostname(calls)).rejects.toThrow(LibvirtUnavailableError)
  // A listener that comes too late hears it too.
  calls.onClose((reason) => reasons.push(reason))
  expect(reasons).toHaveLength(2)
})

it.each([
  ['a length that no message has', Buffer.from('fffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 'hex')],
  ['a length shorter than a header', Buffer.from('00000004', 'hex')],
])('gives up on %s', async (_, bytes) => {
  const calls = await open()
  daemon.write(bytes)
  await vi.waitFor(() => expect(calls.isOpen).toBe(false))
})

it('survives an event that cannot be read: the connection is lost, the process is not', async () => {
  const calls = await open()
  calls.onEvent((_, body) => body.string())
  daemon.event(procedure.eventCallbackLifecycle, new XdrWriter().uint(4000))
  await vi.waitFor(() => expect(calls.isOpen).toBe(false))
})
