/** qcow2, the format of QEMU: refuses everything that refers to another file, hides its content, or is built to exhaust its reader. */
import { type ImageBytes, Refused, sensibleSize } from './image-bytes.js'

export const isQcow2 = (head: Buffer): boolean => head.toString('latin1', 0, 4) === 'QFI\xfb'

const incompatible = { dirty: 1n, corrupt: 2n, externalData: 4n, compressionType: 8n, extendedL2: 16n }
const understood = Object.values(incompatible).reduce((all, bit) => all | bit, 0n)
const extensions = { end: 0, backingFormat: 0xe2792aca, externalData: 0x44415441, encryption: 0x0537be77 }

/** The limits QEMU itself has. */
const maxL1Bytes = 32n * 2n ** 20n
const maxRefcountTableBytes = 8n * 2n ** 20n
const maxSnapshots = 65_536
const maxExtensions = 64

/** Answers the size of the disk; throws Refused. */
export async function inspectQcow2(image: ImageBytes): Promise<number> {
  const head = await image.read(0, 72)
  const version = head.readUInt32BE(4)
  if (version !== 2 && version !== 3) throw new Refused(`The image is qcow version ${version}; versions 2 and 3 are supported.`)
  if (head.readBigUInt64BE(8) !== 0n || head.readUInt32BE(16) !== 0) throw new Refused('The image names a backing file.')
  if (head.readUInt32BE(32) !== 0) throw new Refused('The image is encrypted.')
  const clusterBits = head.readUInt32BE(20)
  if (clusterBits < 9 || clusterBits > 21) throw new Refused('The image has an impossible cluster size.')
  const clusterBytes = 2 ** clusterBits

  const v3 = version === 3 ? await readVersion3(image, clusterBytes) : { headerLength: 72, entryBytes: 8 }
  await checkExtensions(image, v3.headerLength, clusterBytes)

  const virtualBytes = head.readBigUInt64BE(24)
  const size = sensibleSize(virtualBytes)
  const bytesPerL1Entry = BigInt(clusterBytes) * BigInt(clusterBytes / v3.entryBytes)
  checkL1(image, head, (virtualBytes + bytesPerL1Entry - 1n) / bytesPerL1Entry, clusterBytes)
  checkRefcounts(image, head, clusterBytes)
  if (head.readUInt32BE(60) > maxSnapshots) throw new Refused('The image claims an absurd number of snapshots.')
  return size
}

async function readVersion3(image: ImageBytes, clusterBytes: number): Promise<{ headerLength: number; entryBytes: 8 | 16 }> {
  const head = await image.read(0, 104)
  const features = head.readBigUInt64BE(72)
  if ((features & incompatible.externalData) !== 0n) throw new Refused('The image keeps its data in another file.')
  if ((features & incompatible.corrupt) !== 0n) throw new Refused('The image is marked as damaged.')
  if ((features & ~understood) !== 0n) throw new Refused('The image uses features that are not known here.')
  if (head.readUInt32BE(96) > 6) throw new Refused('The image has impossible reference counts.')
  const headerLength = head.readUInt32BE(100)
  if (headerLength < 104 || headerLength > clusterBytes || headerLength % 8 !== 0)
    throw new Refused('The image has a header of impossible length.')
  if ((features & incompatible.compressionType) !== 0n) {
    const [type = 255] = headerLength > 104 ? await image.read(104, 1) : []
    if (type > 1) throw new Refused('The image is compressed in a way that is not known here.')
  }
  return { headerLength, entryBytes: (features & incompatible.extendedL2) === 0n ? 8 : 16 }
}

/** A list of type, length, data between the header and the end of the first cluster. */
async function checkExtensions(image: ImageBytes, start: number, clusterBytes: number): Promise<void> {
  let offset = start
  for (let count = 0; offset + 8 <= clusterBytes; count++) {
    const entry = await image.readUpTo(offset, 8)
    if (entry.length < 8) return
    const [type, length] = [entry.readUInt32BE(0), entry.readUInt32BE(4)]
    if (type === extensions.end) return
    if (type === extensions.backingFormat) throw new Refused('The image names the format of a backing file.')
    if (type === extensions.externalData) throw new Refused('The image names a file for its data.')
    if (type === extensions.encryption) throw new Refused('The image is encrypted.')
    offset += 8 + Math.ceil(length / 8) * 8
    if (offset > clusterBytes || count >= maxExtensions) throw new Refused('The image has broken header extensions.')
  }
}

function checkL1(image: ImageBytes, head: Buffer, neededEntries: bigint, clusterBytes: number): void {
  const [entries, offset] = [BigInt(head.readUInt32BE(36)), head.readBigUInt64BE(40)]
  if (entries < neededEntries || entries * 8n > maxL1Bytes) throw new Refused('The image has a table of impossible size.')
  if (!isPlace(image, offset, entries * 8n, clusterBytes)) throw new Refused('The image has a table outside of itself.')
}

function checkRefcounts(image: ImageBytes, head: Buffer, clusterBytes: number): void {
  const [offset, bytes] = [head.readBigUInt64BE(48), BigInt(head.readUInt32BE(56)) * BigInt(clusterBytes)]
  if (bytes === 0n || bytes > maxRefcountTableBytes || !isPlace(image, offset, 8n, clusterBytes)) {
    throw new Refused('The image has impossible reference counts.')
  }
}

/** Tables start at a cluster, never in the first one, and lie within the file. */
const isPlace = (image: ImageBytes, offset: bigint, length: bigint, clusterBytes: number): boolean =>
  offset >= BigInt(clusterBytes) && offset % BigInt(clusterBytes) === 0n && image.holds(offset, length)
