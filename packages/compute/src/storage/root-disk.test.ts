import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { baseFormatOf, createRootDisk } from './root-disk.js'

const mebibyte = 2 ** 20

describe.skipIf(!existsSync('/usr/bin/qemu-img'))('createRootDisk', () => {
  let folder: string
  let base: string
  let target: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kilonova-root-disk-'))
    base = join(folder, 'base')
    target = join(folder, 'guest', 'disk')
    writeFileSync(base, '')
    truncateSync(base, 3 * mebibyte)
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const info = (): unknown => JSON.parse(execFileSync('qemu-img', ['info', '--output=json', '-f', 'qcow2', target], { encoding: 'utf8' }))

  it('makes an overlay with the formats said, of the flavor’s size', async () => {
    await createRootDisk({ base, baseFormat: 'raw', target, sizeGb: 1, virtualSizeBytes: 3 * mebibyte })
    expect(info()).toMatchObject({
      format: 'qcow2',
      'virtual-size': 2 ** 30,
      'backing-filename': base,
      'backing-filename-format': 'raw',
    })
  })

  it('takes the image’s size for a flavor without a disk', async () => {
    await createRootDisk({ base, baseFormat: 'raw', target, sizeGb: 0, virtualSizeBytes: 3 * mebibyte })
    expect(info()).toMatchObject({ 'virtual-size': 3 * mebibyte })
  })

  it('never guesses: a raw base whose bytes look like qcow2 stays raw', async () => {
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', '/etc/passwd', '-F', 'raw', base])
    await createRootDisk({ base, baseFormat: 'raw', target, sizeGb: 0, virtualSizeBytes: 3 * mebibyte })
    expect(info()).toMatchObject({ 'backing-filename-format': 'raw' })
    const first = join(folder, 'first')
    execFileSync('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', target, first])
    expect(readFileSync(first).toString('latin1', 0, 4)).toBe('QFI\xfb')
  })

  it('leaves a disk that is there alone', async () => {
    const disk = { base, baseFormat: 'raw', target, sizeGb: 1, virtualSizeBytes: mebibyte } as const
    await createRootDisk(disk)
    execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -P 7 0 64k', target])
    const before = readFileSync(target)
    await createRootDisk(disk)
    expect(readFileSync(target).equals(before)).toBe(true)
  })

  it('refuses a flavor that is too small and says both sizes', async () => {
    const making = createRootDisk({ base, baseFormat: 'raw', target, sizeGb: 1, virtualSizeBytes: 3 * 2 ** 30 })
    await expect(making).rejects.toMatchObject({ code: 'BUILD_FAILED', hostAtFault: false, message: expect.stringContaining('3 GiB') })
  })

  it('leaves nothing when it fails', async () => {
    const making = createRootDisk({ base: join(folder, 'missing'), baseFormat: 'qcow2', target, sizeGb: 1, virtualSizeBytes: mebibyte })
    await expect(making).rejects.toMatchObject({ code: 'HOST_REFUSED' })
    expect(readdirSync(join(folder, 'guest'))).toEqual([])
  })
})

it('knows what each image is once it is cached', () => {
  expect((['raw', 'iso', 'qcow2', 'vmdk', 'vhd', 'vhdx'] as const).map(baseFormatOf)).toEqual([
    'raw',
    'raw',
    'qcow2',
    'qcow2',
    'qcow2',
    'qcow2',
  ])
})
