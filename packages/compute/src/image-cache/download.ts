/**
 * Fetches the bytes of an image into a file, counting and hashing on the way. The address holds a ticket: it must appear in no message,
 * log or cause, so errors of the HTTP client, which may quote it, are never passed on.
 */
import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import type { GuestImage } from '@kilonova/contract/rpc/guest'
import { DriverError } from '../driver.js'
import { cancelled } from '../storage/qemu-img.js'

export async function download(image: GuestImage, target: string, signal: AbortSignal): Promise<void> {
  const file = await open(target, 'wx', 0o600)
  try {
    const body = await request(image.url, signal)
    const hash = createHash(image.hashAlgorithm)
    const received = await copy(body, file, hash, image.sizeBytes, signal)
    if (received !== image.sizeBytes) throw rejected(`${image.sizeBytes} bytes were expected, ${received} arrived.`)
    if (hash.digest('hex') !== image.hashValue.toLowerCase()) throw rejected('The checksum of the image is wrong.')
    await file.sync()
  } finally {
    await file.close()
  }
}

async function request(url: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  const response = await fetch(url, { signal, redirect: 'error' }).catch(() => {
    throw signal.aborted ? cancelled() : unreachable()
  })
  if (response.ok && response.body !== null) return response.body
  await response.body?.cancel().catch(() => {})
  if (response.status === 404 || response.status === 410) {
    throw new DriverError('BUILD_FAILED', 'The data of the image is gone.', { hostAtFault: false, exception: 'ImageNotFound' })
  }
  throw new DriverError('HOST_REFUSED', `The image service answered the host with status ${response.status}.`, {
    exception: 'ImageNotAuthorized',
  })
}

async function copy(
  body: AsyncIterable<Uint8Array>,
  file: FileHandle,
  hash: Hash,
  limitBytes: number,
  signal: AbortSignal,
): Promise<number> {
  let received = 0
  const chunks = body[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await chunks.next().catch(() => {
        throw signal.aborted ? cancelled() : unreachable()
      })
      if (next.done === true) return received
      received += next.value.byteLength
      if (received > limitBytes) throw rejected(`${limitBytes} bytes were expected, more arrived.`)
      hash.update(next.value)
      await writeAll(file, next.value)
    }
  } finally {
    // Ends the request when the loop was left early.
    await chunks.return?.().catch(() => {})
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.byteLength; ) offset += (await file.write(bytes, offset)).bytesWritten
}

const rejected = (message: string): DriverError =>
  new DriverError('IMAGE_REJECTED', message, { hostAtFault: false, exception: 'ImageUnacceptable' })

const unreachable = (): DriverError =>
  new DriverError('HOST_REFUSED', 'The host could not fetch the image: the connection to the image service failed.', {
    exception: 'ImageDownloadFailed',
  })
