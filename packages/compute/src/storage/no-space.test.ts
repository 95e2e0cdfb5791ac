/** A full disk at each step of making a guest's disks: a sentence that says so, and nothing left. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, rmdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '@kilonova/runtime/logger'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { writeConfigDrive } from '../config-drive/config-drive.js'
import { guestSpecFor } from '../guest.testkit.js'
import { ImageCache } from '../image-cache/image-cache.js'
import { createRootDisk } from './root-disk.js'

const canMount = process.getuid?.() === 0 && existsSync('/usr/bin/qemu-img') && existsSync('/usr/bin/genisoimage')
const full = { code: 'HOST_REFUSED', hostAtFault: true, message: expect.stringContaining('No space is left') }

describe.skipIf(!canMount)('a full disk', () => {
  let folder: string
  let server: Server
  let responses: ServerResponse[]

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kilonova-no-space-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'kilonova-test', folder])
    responses = []
    server = createServer((_request, response) => void responses.push(response))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    execFileSync('umount', ['-l', folder])
    rmdirSync(folder)
  })

  /** Leaves room for the given number of blocks of 4 KiB. */
  const fill = (blocks: number): void => {
    const { bavail, bsize } = statfsSync(folder)
    writeFileSync(join(folder, 'filler'), Buffer.alloc((bavail - blocks) * bsize))
  }

  it('while an image arrives', async () => {
    const bytes = Buffer.alloc(2 ** 20, 'x')
    const image = {
      ...guestSpecFor().image,
      diskFormat: 'raw' as const,
      sizeBytes: bytes.length,
      virtualSizeBytes: bytes.length,
      hashValue: createHash('sha256').update(bytes).digest('hex'),
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    }
    const cache = new ImageCache({ folder, log: createLogger('silent') })
    const getting = cache.get(image, new AbortController().signal)
    const outcome = expect(getting).rejects.toMatchObject(full)
    await vi.waitFor(() => expect(responses).toHaveLength(1))
    fill(16)
    responses[0]?.end(bytes)
    await outcome
    expect(readdirSync(join(folder, '_base'))).toEqual([])
    rmSync(join(folder, 'filler'))
    const again = cache.get(image, new AbortController().signal)
    await vi.waitFor(() => expect(responses).toHaveLength(2))
    responses[1]?.end(bytes)
    await expect(again).resolves.toBe(cache.pathOf(image.imageId))
  })

  it('while a root disk is made', async () => {
    const base = join(folder, 'base')
    writeFileSync(base, '')
    truncateSync(base, 2 ** 20)
    fill(8)
    const making = createRootDisk({ base, baseFormat: 'raw', target: join(folder, 'disk'), sizeGb: 1, virtualSizeBytes: 2 ** 20 })
    await expect(making).rejects.toMatchObject(full)
    expect(readdirSync(folder).sort()).toEqual(['base', 'filler'])
  })

  it('while a config drive is made', async () => {
    fill(60)
    const making = writeConfigDrive({ guest: guestSpecFor(), adminPassword: 'pw', userData: null, target: join(folder, 'config') })
    await expect(making).rejects.toMatchObject(full)
    expect(readdirSync(folder)).toEqual(['filler'])
  })
})
