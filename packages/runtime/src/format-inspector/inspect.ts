/** Tells what a disk image really is, from its own bytes. Everything that handles images asks here before any tool touches them. */
import { open } from 'node:fs/promises'

export type ImageFormat = 'raw' | 'qcow2' | 'vmdk' | 'vhd' | 'vhdx' | 'iso'

export interface Inspection {
  format: ImageFormat
  /** Size of the disk the guest sees. */
  virtualSizeBytes: number
  /** Why the image must not be used, in words for the user; null: it may be used. */
  refusal: string | null
}

/** Reads the headers of a file. Never runs a tool, never follows what the headers name. */
export async function inspectImage(path: string): Promise<Inspection> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const head = Buffer.alloc(Math.min(size, 512))
    await file.read(head, 0, head.length, 0)
    if (head.length >= 104 && head.toString('latin1', 0, 4) === 'QFI\xfb') {
      const backing = head.readBigUInt64BE(8)
      return {
        format: 'qcow2',
        virtualSizeBytes: Number(head.readBigUInt64BE(24)),
        refusal: backing === 0n ? null : 'The image names a backing file.',
      }
    }
    return { format: 'raw', virtualSizeBytes: size, refusal: null }
  } finally {
    await file.close()
  }
}
