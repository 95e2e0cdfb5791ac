import { execFileSync } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GuestImage } from '@kilonova/contract/rpc/guest'
import { createLogger } from '@kilonova/runtime/logger'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { guestSpecFor } from '../guest.testkit.js'
import { ImageCache } from './image-cache.js'

const bytes = Buffer.alloc(3 * 65536, 'kilonova')
const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex')

let folder: string
let server: Server
let requests: number
let answer: (response: ServerResponse) => void
let logged: string
let cache: ImageCache

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kilonova-image-cache-'))
  requests = 0
  answer = (response) => void response.end(bytes)
  server = createServer((_request, response) => {
    requests += 1
    answer(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  logged = ''
  cache = new ImageCache({
    folder,
    log: createLogger('trace', {
      write: (line) => {
        logged += line
      },
    }),
  })
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  rmSync(folder, { recursive: true, force: true })
})

const imageOf = (data: Buffer, over: Partial<GuestImage> = {}): GuestImage => ({
  ...guestSpecFor().image,
  imageId: randomUUID(),
  diskFormat: 'raw',
  sizeBytes: data.length,
  virtualSizeBytes: data.length,
  hashValue: sha256(data),
  url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/images/x/data?ticket=canary-ticket`,
  ...over,
})
const never = new AbortController().signal
const files = (): string[] => readdirSync(join(folder, '_base'))
async function failure(work: Promise<unknown>): Promise<Error & { code: string; hostAtFault: boolean }> {
  return work.then(
    () => {
      throw new Error('It did not fail.')
    },
    (error) => error,
  )
}

describe('get (C-IMC-1)', () => {
  it('fetches once and names the file by the SHA-1 of the image id', async () => {
    const image = imageOf(bytes)
    const path = await cache.get(image, never)
    expect(path).toBe(join(folder, '_base', createHash('sha1').update(image.imageId).digest('hex')))
    expect(readFileSync(path).equals(bytes)).toBe(true)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(await cache.get(image, never)).toBe(path)
    expect(requests).toBe(1)
  })

  it('fetches once for many guests that ask at the same time', async () => {
    const image = imageOf(bytes)
    const paths = await Promise.all(Array.from({ length: 20 }, () => cache.get(image, never)))
    expect(new Set(paths).size).toBe(1)
    expect(requests).toBe(1)
  })

  it('goes on for the others when one stops waiting, and stops when nobody waits', async () => {
    const image = imageOf(bytes)
    const held: ServerResponse[] = []
    answer = (response) => {
      response.write(bytes.subarray(0, 1000))
      held.push(response)
    }
    const [first, second, third] = [new AbortController(), new AbortController(), new AbortController()]
    const one = failure(cache.get(image, first.signal))
    const two = cache.get(image, second.signal)
    await vi.waitFor(() => expect(held).toHaveLength(1))
    first.abort()
    expect(await one).toMatchObject({ code: 'CANCELLED', hostAtFault: false })
    held[0]?.end(bytes.subarray(1000))
    expect(readFileSync(await two).equals(bytes)).toBe(true)

    const lonely = failure(cache.get(imageOf(bytes), third.signal))
    await vi.waitFor(() => expect(held).toHaveLength(2))
    const closed = new Promise((resolve) => held[1]?.once('close', resolve))
    third.abort()
    expect(await lonely).toMatchObject({ code: 'CANCELLED' })
    await closed
    await vi.waitFor(() => expect(files()).toHaveLength(1))
  })

  it.each<[string, Partial<GuestImage>, string]>([
    ['a wrong checksum', { hashValue: sha256(Buffer.from('other')) }, 'IMAGE_REJECTED'],
    ['more bytes than said', { sizeBytes: bytes.length - 1 }, 'IMAGE_REJECTED'],
    ['fewer bytes than said', { sizeBytes: bytes.length + 1 }, 'IMAGE_REJECTED'],
    ['another format than said', { diskFormat: 'qcow2' }, 'IMAGE_REJECTED'],
    ['more bytes than the host has room for', { sizeBytes: 2 ** 52 }, 'HOST_REFUSED'],
  ])('refuses %s and leaves nothing', async (_what, over, code) => {
    const error = await failure(cache.get(imageOf(bytes, over), never))
    expect(error).toMatchObject({ code, hostAtFault: code === 'HOST_REFUSED' })
    expect(files()).toEqual([])
  })

  it('refuses a qcow2 image that names a backing file', async () => {
    const qcow2 = Buffer.alloc(65536)
    qcow2.write('QFI\xfb', 'latin1')
    qcow2.writeUInt32BE(2, 4)
    qcow2.writeBigUInt64BE(512n, 8)
    qcow2.writeUInt32BE(11, 16)
    qcow2.writeUInt32BE(16, 20)
    qcow2.writeBigUInt64BE(1048576n, 24)
    qcow2.write('/etc/passwd', 512)
    answer = (response) => void response.end(qcow2)
    expect(await failure(cache.get(imageOf(qcow2, { diskFormat: 'qcow2' }), never))).toMatchObject({
      code: 'IMAGE_REJECTED',
      hostAtFault: false,
    })
    expect(files()).toEqual([])
  })

  it.each([
    [404, 'BUILD_FAILED'],
    [403, 'HOST_REFUSED'],
    [503, 'HOST_REFUSED'],
  ])('says what status %i means', async (status, code) => {
    answer = (response) => void response.writeHead(status).end('no')
    expect(await failure(cache.get(imageOf(bytes), never))).toMatchObject({ code })
    expect(files()).toEqual([])
  })

  it('tries anew after a failure', async () => {
    const image = imageOf(bytes)
    const [whole, broken] = [answer, (response: ServerResponse) => void response.writeHead(200).write('x', () => response.destroy())]
    answer = broken
    expect(await failure(cache.get(image, never))).toMatchObject({ code: 'HOST_REFUSED', hostAtFault: true })
    answer = whole
    await expect(cache.get(image, never)).resolves.toContain('_base')
  })

  it('never tells the ticket', async () => {
    const said: string[] = []
    const tell = (error: Error): void =>
      void said.push(`${error.stack} ${JSON.stringify(error)} ${String((error as Error & { cause?: unknown }).cause)}`)
    tell(await failure(cache.get(imageOf(bytes, { url: 'http://127.0.0.1:1/x?ticket=canary-ticket' }), never)))
    tell(await failure(cache.get(imageOf(bytes, { url: 'not an address ?ticket=canary-ticket' }), never)))
    tell(await failure(cache.get(imageOf(bytes, { hashValue: '00' }), never)))
    await cache.get(imageOf(bytes), never)
    expect(`${said.join('\n')}${logged}`).not.toContain('canary')
    expect(logged).toContain('image cached')
  })

  it.skipIf(!existsSync('/usr/bin/qemu-img'))('converts images of other hypervisors to qcow2', async () => {
    const raw = join(folder, 'raw')
    writeFileSync(raw, Buffer.alloc(2 ** 20, 'disk'))
    const vmdk = join(folder, 'vmdk')
    execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=streamOptimized', raw, vmdk])
    const data = readFileSync(vmdk)
    answer = (response) => void response.end(data)
    const path = await cache.get(imageOf(data, { diskFormat: 'vmdk', virtualSizeBytes: 2 ** 20 }), never)
    execFileSync('qemu-img', ['compare', '-f', 'raw', '-F', 'qcow2', raw, path])
    expect(files()).toHaveLength(1)
  })
})

describe('leftovers', () => {
  it('of an interrupted run go at the first use', async () => {
    mkdirSync(join(folder, '_base'))
    writeFileSync(join(folder, '_base', 'abc.part'), 'half')
    await cache.get(imageOf(bytes), never)
    expect(files()).toHaveLength(1)
    expect(files()).not.toContain('abc.part')
  })
})

describe('clean (C-IMC-2)', () => {
  it('deletes what nobody uses and what is old enough', async () => {
    const [used, fresh, old] = [imageOf(bytes), imageOf(bytes), imageOf(bytes)]
    for (const image of [used, fresh, old]) await cache.get(image, never)
    const longAgo = new Date(Date.now() - 90_000_000)
    for (const image of [used, old]) utimesSync(cache.pathOf(image.imageId), longAgo, longAgo)
    const deleted = await cache.clean([used.imageId], 86_400, Date.now())
    expect(deleted).toEqual([createHash('sha1').update(old.imageId).digest('hex')])
    expect(existsSync(cache.pathOf(used.imageId))).toBe(true)
    expect(existsSync(cache.pathOf(fresh.imageId))).toBe(true)
    // In use counts as used now.
    expect(Date.now() - statSync(cache.pathOf(used.imageId)).mtimeMs).toBeLessThan(60_000)
  })
})
