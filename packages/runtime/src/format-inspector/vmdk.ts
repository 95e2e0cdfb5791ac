/**
 * VMDK, the format of VMware. Its descriptor is text that may name any file as the place of its data; only the two kinds that hold
 * everything in one file are allowed, and the descriptor is read to make sure that it says nothing else.
 */
import { type ImageBytes, isPowerOfTwo, Refused, sensibleSize } from './image-bytes.js'

const sectorBytes = 512n
const footerAtEnd = 0xffff_ffff_ffff_ffffn
const maxDescriptorSectors = 2048n
const allowedTypes = new Set(['monolithicsparse', 'streamoptimized'])

export const isVmdk = (head: Buffer): boolean =>
  ['KDMV', 'COWD'].includes(head.toString('latin1', 0, 4)) ||
  /^\s*(# *disk *descriptorfile|createtype\s*=)/i.test(head.toString('latin1', 0, 512))

export async function inspectVmdk(image: ImageBytes): Promise<number> {
  const head = await image.readUpTo(0, 512)
  if (head.toString('latin1', 0, 4) !== 'KDMV')
    throw new Refused('The image is a VMDK descriptor, which names other files. Upload a monolithicSparse or streamOptimized VMDK.')
  const header = await image.read(0, 512)
  const version = header.readUInt32LE(4)
  if (version < 1 || version > 3) throw new Refused(`The image is VMDK version ${version}; versions 1 to 3 are supported.`)
  const capacitySectors = header.readBigUInt64LE(12)
  // Readers take an extent without capacity for a mere wrapper of its descriptor, and open what that names.
  if (capacitySectors === 0n) throw new Refused('The image is a VMDK without data of its own.')
  const size = sensibleSize(capacitySectors * sectorBytes)
  const [grainSectors, entriesPerTable] = [Number(header.readBigUInt64LE(20)), header.readUInt32LE(44)]
  if (!isPowerOfTwo(grainSectors) || grainSectors < 8 || grainSectors > 2048 || entriesPerTable === 0 || entriesPerTable > 512) {
    throw new Refused('The image has tables of impossible size.')
  }
  await checkDescriptor(image, header, capacitySectors)
  if (header.readBigUInt64LE(56) === footerAtEnd) await checkFooter(image, header)
  return size
}

async function checkDescriptor(image: ImageBytes, header: Buffer, capacitySectors: bigint): Promise<void> {
  const [offset, length] = [header.readBigUInt64LE(28), header.readBigUInt64LE(36)]
  if (offset === 0n || length === 0n || length > maxDescriptorSectors) throw new Refused('The image has no proper VMDK descriptor.')
  const bytes = await image.read(offset * sectorBytes, Number(length * sectorBytes))
  const end = bytes.indexOf(0)
  // Text after the first zero would be read by nobody, or by somebody else.
  if (end >= 0 && bytes.subarray(end).some((byte) => byte !== 0)) throw new Refused('The image hides text behind its VMDK descriptor.')
  const lines = bytes
    .toString('latin1', 0, end < 0 ? bytes.length : end)
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))

  const settings = new Map(
    lines.flatMap((line) => {
      const match = /^([\w.]+)\s*=\s*"?(.*?)"?$/.exec(line)
      return match === null ? [] : [[(match[1] ?? '').toLowerCase(), match[2] ?? ''] as const]
    }),
  )
  const type = settings.get('createtype') ?? ''
  if (!allowedTypes.has(type.toLowerCase()))
    throw new Refused(`The image is a VMDK of the type "${type.slice(0, 40)}"; only monolithicSparse and streamOptimized are supported.`)
  if ((settings.get('parentcid') ?? 'ffffffff').toLowerCase() !== 'ffffffff' || settings.has('parentfilenamehint')) {
    throw new Refused('The image is a VMDK that names a parent.')
  }
  const extents = lines.filter((line) => !/^[\w.]+\s*=/.test(line))
  const own = /^(?:RW|RDONLY) (\d+) SPARSE "([^"/\\]+)"(?: 0)?$/.exec(extents[0] ?? '')
  if (extents.length !== 1 || own === null || own[2]?.includes(':') === true)
    throw new Refused('The image is a VMDK whose descriptor names other files.')
  if (BigInt(own[1] ?? 0) !== capacitySectors) throw new Refused('The image is a VMDK whose descriptor contradicts its header.')
}

/** An image that was written in one stream has a second header at its end, and readers believe that one. */
async function checkFooter(image: ImageBytes, header: Buffer): Promise<void> {
  const footer = await image.read(image.sizeBytes - 1024, 512)
  const same = (start: number, end: number): boolean => header.subarray(start, end).equals(footer.subarray(start, end))
  // Everything but the flags of a clean end and the place of the grain directory.
  if (!same(0, 8) || !same(12, 48) || !same(77, 79)) throw new Refused('The image has two headers that contradict each other.')
}
