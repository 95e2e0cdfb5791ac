/** Sockets have short paths only, and a user has no folder of the system to fall back to. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { DataFolder } from '../cloud/data-folder.js'
import { chooseGuestRoot } from './guest-root.js'
import { daemonAt } from './libvirt-uri.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kilonova-root-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function dataAt(length: number): DataFolder {
  const path = join(folder, 'd'.repeat(length - folder.length - 1))
  mkdirSync(path)
  return DataFolder.open(path)
}

it('puts a user’s guests into the data folder as long as sockets fit, and at home otherwise', () => {
  const [longest, tooLong] = [dataAt(45), dataAt(46)]
  expect(chooseGuestRoot(longest, 'session', '/home/user')).toEqual({ path: longest.path, because: null })
  const elsewhere = chooseGuestRoot(tooLong, 'session', '/home/user')
  expect(elsewhere.path).toBe(`/home/user/.kilonova-${tooLong.shortId}`)
  expect(elsewhere.because).toContain(tooLong.path)
})

it('says so when neither is short enough', () => {
  expect(() => chooseGuestRoot(dataAt(46), 'session', `/home/${'u'.repeat(30)}`)).toThrow(/too long for sockets.*--data/)
})

it('knows where the daemon of an address listens', () => {
  expect(daemonAt('qemu:///system', 'system')).toBe('/run/libvirt/libvirt-sock')
  expect(daemonAt('qemu+unix:///system?socket=/x', 'system')).toBe('/x')
  expect(daemonAt('qemu:///session', 'session', { XDG_RUNTIME_DIR: '/run/user/7' })).toBe('/run/user/7/libvirt/libvirt-sock')
  expect(daemonAt('qemu:///session', 'session', { XDG_CACHE_HOME: '/c' })).toBe('/c/libvirt/libvirt-sock')
  expect(() => daemonAt('qemu:///system', 'session')).toThrow(/needs root.*qemu:\/\/\/session/)
  expect(() => daemonAt('qemu:///session', 'system')).toThrow(/qemu:\/\/\/system/)
  for (const uri of ['qemu+ssh://host/system', 'xen:///system', 'qemu:///else', 'nonsense']) {
    expect(() => daemonAt(uri, 'system')).toThrow(/no address of a libvirt daemon/)
  }
})
