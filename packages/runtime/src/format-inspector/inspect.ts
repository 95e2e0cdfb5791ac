/**
 * Tells what a disk image really is, from its own bytes. Everything that handles images asks here before any tool touches them: image
 * formats can name other files of the host, and tools open what they name.
 */
import { open } from 'node:fs/promises'
import { ImageBytes, Refused, sensibleSize } from './image-bytes.js'
import { isIso } from './iso.js'
import { isPartitioned } from './mbr-gpt.js'
import { otherFormat } from './other-formats.js'
import { inspectQcow2, isQcow2 } from './qcow2.js'
import { inspectVhd, isVhd } from './vhd.js'
import { inspectVhdx, isVhdx } from './vhdx.js'
import { inspectVmdk, isVmdk } from './vmdk.js'

export type ImageFormat = 'raw' | 'qcow2' | 'vmdk' | 'vhd' | 'vhdx' | 'iso'

export interface Inspection {
  format: ImageFormat
  /** Size of the disk the guest sees; 0 when the image is refused. */
  virtualSizeBytes: number
  /** Why the image must not be used, in words for the user; null: it may be used. */
  refusal: string | null
}

const sectorBytes = 512

/** Reads headers only. Never runs a tool, never follows what the headers name. */
export async function inspectImage(path: string): Promise<Inspection> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const image = new ImageBytes(file, size)
    const head = await image.readUpTo(0, sectorBytes)
    const tail = await image.readUpTo(Math.max(0, size - sectorBytes), sectorBytes)
    const formats = await formatsOf(image, head, tail)
    const format = formats[0] ?? 'raw'
    try {
      refuseDisguises(formats, head, tail)
      return { format, virtualSizeBytes: await sizeOf(format, image), refusal: null }
    } catch (error) {
      if (error instanceof Refused) return { format, virtualSizeBytes: 0, refusal: error.message }
      throw error
    }
  } finally {
    await file.close()
  }
}

/** All formats whose marks the bytes bear; none: it is raw. */
async function formatsOf(image: ImageBytes, head: Buffer, tail: Buffer): Promise<ImageFormat[]> {
  const marks: Record<Exclude<ImageFormat, 'raw'>, boolean> = {
    qcow2: isQcow2(head),
    vmdk: isVmdk(head),
    vhdx: isVhdx(head),
    vhd: isVhd(head, tail),
    iso: await isIso(image),
  }
  return (Object.keys(marks) as (keyof typeof marks)[]).filter((format) => marks[format])
}

/** What looks like two things is meant to be taken for one of them by the check and for the other one by the host. */
function refuseDisguises(formats: readonly ImageFormat[], head: Buffer, tail: Buffer): void {
  const other = otherFormat(head, tail)
  if (other !== null) throw new Refused(`The image is ${other} disk, which is not supported.`)
  if (formats.length > 1) throw new Refused(`The image looks like several formats at once: ${formats.join(' and ')}.`)
  // CDs that also start from USB sticks, and fixed VHDs, begin with the disk's own first sector.
  const [format] = formats
  const beginsWithDisk = format === undefined || format === 'iso' || format === 'vhd'
  if (!beginsWithDisk && isPartitioned(head))
    throw new Refused(`The image looks like several formats at once: ${format} and a partitioned disk.`)
}

function sizeOf(format: ImageFormat, image: ImageBytes): Promise<number> | number {
  switch (format) {
    case 'qcow2':
      return inspectQcow2(image)
    case 'vmdk':
      return inspectVmdk(image)
    case 'vhd':
      return inspectVhd(image)
    case 'vhdx':
      return inspectVhdx(image)
    case 'iso':
    case 'raw':
      return sensibleSize(BigInt(image.sizeBytes))
  }
}
