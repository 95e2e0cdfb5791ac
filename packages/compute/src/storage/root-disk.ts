/** The root disk of a guest: a qcow2 file that holds only what the guest changed, on top of a base image in the cache. */
import { randomUUID } from 'node:crypto'
import { chmod, mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { GuestImage } from '@kilonova/contract/rpc/guest'
import { DriverError } from '../driver.js'
import { headerLimits, qemuImg } from './qemu-img.js'

export type BaseFormat = 'raw' | 'qcow2'

export interface RootDisk {
  /** Absolute path of the base image; it is never written to. */
  base: string
  baseFormat: BaseFormat
  /** Absolute path of the disk to make. */
  target: string
  /** 0: as large as the image. */
  sizeGb: number
  /** What the image's disk looks like to a guest. */
  virtualSizeBytes: number
  signal?: AbortSignal
}

/** What an image is once it lies in the cache: formats of other hypervisors are converted on the way in. */
export function baseFormatOf(diskFormat: GuestImage['diskFormat']): BaseFormat {
  switch (diskFormat) {
    case 'raw':
    case 'iso':
      return 'raw'
    case 'qcow2':
    case 'vmdk':
    case 'vhd':
    case 'vhdx':
      return 'qcow2'
  }
}

/** Does nothing when the disk is there: it is made under another name first, so what has the name is whole. */
export async function createRootDisk({ base, baseFormat, target, sizeGb, virtualSizeBytes, signal }: RootDisk): Promise<void> {
  const sizeBytes = sizeGb === 0 ? virtualSizeBytes : sizeGb * 2 ** 30
  if (sizeBytes < virtualSizeBytes) {
    throw new DriverError('BUILD_FAILED', `The image needs ${gib(virtualSizeBytes)} GiB of disk, the flavor has ${sizeGb} GiB.`, {
      hostAtFault: false,
      exception: 'FlavorDiskSmallerThanImage',
    })
  }
  if (await exists(target)) return
  await mkdir(dirname(target), { recursive: true })
  const partial = `${target}.${randomUUID()}.part`
  try {
    await qemuImg(['create', '-q', '-f', 'qcow2', '-F', baseFormat, '-b', base, partial, String(sizeBytes)], headerLimits, signal)
    await chmod(partial, 0o600)
    await rename(partial, target)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}

const gib = (bytes: number): number => Math.ceil((bytes / 2 ** 30) * 100) / 100

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )
}
