/** VHDX, the newer format of Hyper-V. Its facts lie in a metadata region, which a region table points to; all are found by GUID. */
import { type ImageBytes, isPowerOfTwo, Refused, sensibleSize } from './image-bytes.js'

const regionTableOffset = 192 * 1024
const headerOffsets = [64 * 1024, 128 * 1024]
const maxEntries = 2047

/** As they lie in the file: the first three groups are little-endian. */
const guids = {
  metadataRegion: '06a27c8b90479a4bb8fe575f050f886e',
  fileParameters: '3767a1ca36fa434db3b633f0aa44e76b',
  virtualDiskSize: '2442a52f1bcd7648b2115dbed83bf4b8',
  parentLocator: '2d5fd3a80bb34d45abf7d3d84834ab0c',
}
const hasParent = 2

export const isVhdx = (head: Buffer): boolean => head.toString('latin1', 0, 8) === 'vhdxfile'

export async function inspectVhdx(image: ImageBytes): Promise<number> {
  await checkHeaders(image)
  const metadata = await findMetadata(image)
  if (metadata.has(guids.parentLocator)) throw new Refused('The image is a VHDX that names a parent.')
  const [parameters, diskSize] = [metadata.get(guids.fileParameters), metadata.get(guids.virtualDiskSize)]
  if (parameters === undefined || diskSize === undefined) throw new Refused('The image is a VHDX that lacks its metadata.')
  const facts = await image.read(parameters, 8)
  if ((facts.readUInt32LE(4) & hasParent) !== 0) throw new Refused('The image is a VHDX that has a parent.')
  const blockBytes = facts.readUInt32LE(0)
  if (!isPowerOfTwo(blockBytes) || blockBytes < 2 ** 20 || blockBytes > 2 ** 28)
    throw new Refused('The image has an impossible block size.')
  return sensibleSize((await image.read(diskSize, 8)).readBigUInt64LE(0))
}

async function checkHeaders(image: ImageBytes): Promise<void> {
  const headers = await Promise.all(headerOffsets.map((offset) => image.read(offset, 80)))
  const valid = headers.filter((header) => header.toString('latin1', 0, 4) === 'head')
  const newest = valid.sort((a, b) => Number(b.readBigUInt64LE(8) - a.readBigUInt64LE(8)))[0]
  if (newest === undefined) throw new Refused('The image is a VHDX without a header.')
  // A log must be replayed before the rest means anything, and the image is never written to.
  if (newest.subarray(48, 64).some(Boolean)) throw new Refused('The image is a VHDX that was not closed properly.')
}

/** Offsets of the metadata items, by GUID. */
async function findMetadata(image: ImageBytes): Promise<Map<string, bigint>> {
  const regions = await image.read(regionTableOffset, 64 * 1024)
  const count = regions.readUInt32LE(8)
  if (regions.toString('latin1', 0, 4) !== 'regi' || count > maxEntries) throw new Refused('The image is a VHDX without regions.')
  const entry = Array.from({ length: count }, (_, index) => regions.subarray(16 + index * 32, 48 + index * 32)).find(
    (candidate) => candidate.toString('hex', 0, 16) === guids.metadataRegion,
  )
  if (entry === undefined) throw new Refused('The image is a VHDX that lacks its metadata.')
  const start = entry.readBigUInt64LE(16)
  const table = await image.read(start, 64 * 1024)
  const items = table.readUInt16LE(10)
  if (table.toString('latin1', 0, 8) !== 'metadata' || items > maxEntries) throw new Refused('The image is a VHDX that lacks its metadata.')
  return new Map(
    Array.from({ length: items }, (_, index) => {
      const item = table.subarray(32 + index * 32, 64 + index * 32)
      return [item.toString('hex', 0, 16), start + BigInt(item.readUInt32LE(16))]
    }),
  )
}
