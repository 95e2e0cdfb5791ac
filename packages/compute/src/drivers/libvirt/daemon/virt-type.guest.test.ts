/** KVM is believed only when a guest has been seen on it, and the answer is remembered until host or QEMU change. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { writeBootGuest } from '../boot-guest.testkit.js'
import { proveVirtType } from './virt-type.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kilonova-virt-type-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it.runIf(existsSync('/dev/kvm'))('does not choose KVM when no guest shows a sign of life; asks once', async () => {
  const disk = join(folder, 'disk')
  writeBootGuest(disk)
  let asked = 0
  const options = {
    cacheFile: join(folder, 'answer.json'),
    guest: async () => {
      asked += 1
      return { disk, marker: 'never said' }
    },
    deadlineMs: 1000,
  }
  expect(await proveVirtType(options)).toMatchObject({ virtType: 'qemu' })
  expect(await proveVirtType(options)).toMatchObject({ virtType: 'qemu' })
  expect(asked).toBe(1)
  // Another boot, kernel or QEMU: asked again.
  const answer = JSON.parse(readFileSync(options.cacheFile, 'utf8'))
  writeFileSync(options.cacheFile, JSON.stringify({ ...answer, key: 'another', virtType: 'kvm' }))
  expect(await proveVirtType(options)).toMatchObject({ virtType: 'qemu' })
  expect(asked).toBe(2)
})
