/** VHD, the older format of Hyper-V: fixed and dynamic disks are fine, differencing ones name their parent. */
import { type ImageBytes, isPowerOfTwo, Refused, sensibleSize } from './image-bytes.js'

const cookie = 'conectix'
const types = { fixed: 2, dynamic: 3, differencing: 4 }
const footerBytes = 512

export const isVhd = (head: Buffer, tail: Buffer): boolean =>
  head.toString('latin1', 0, 8) === cookie || (tail.length === footerBytes && tail.toString('latin1', 0, 8) === cookie)

export async function inspectVhd(image: ImageBytes): Promise<number> {
  const [head, tail] = [await image.read(0, footerBytes), await image.read(image.sizeBytes - footerBytes, footerBytes)]
  if (tail.toString('latin1', 0, 8) !== cookie) throw new Refused('The image is a VHD without an end.')
  checkSum(tail, 64)
  const type = tail.readUInt32BE(60)
  if (type === types.differencing) throw new Refused('The image is a differencing VHD, which names a parent.')
  if (type !== types.fixed && type !== types.dynamic) throw new Refused(`The image is a VHD of the unknown type ${type}.`)
  const current = tail.readBigUInt64BE(48)
  const size = sensibleSize(current)
  if (type === types.fixed) {
    if (head.toString('latin1', 0, 8) === cookie) throw new Refused('The image is a VHD whose two headers contradict each other.')
    if (current !== BigInt(image.sizeBytes - footerBytes)) throw new Refused('The image is a fixed VHD of another size than it says.')
    return size
  }
  if (!head.equals(tail)) throw new Refused('The image is a VHD whose two headers contradict each other.')
  await checkDynamic(image, tail, current)
  return size
}

async function checkDynamic(image: ImageBytes, footer: Buffer, virtualBytes: bigint): Promise<void> {
  const header = await image.read(footer.readBigUInt64BE(16), 1024)
  if (header.toString('latin1', 0, 8) !== 'cxsparse') throw new Refused('The image is a dynamic VHD without its second header.')
  checkSum(header, 36)
  // Parent's id, name, and where to find it.
  if (header.subarray(40, 56).some(Boolean) || header.subarray(64, 768).some(Boolean))
    throw new Refused('The image is a VHD that names a parent.')
  const [tableOffset, entries, blockBytes] = [header.readBigUInt64BE(16), header.readUInt32BE(28), header.readUInt32BE(32)]
  if (!isPowerOfTwo(blockBytes) || blockBytes < 512 || blockBytes > 2 ** 28) throw new Refused('The image has an impossible block size.')
  if (BigInt(entries) * BigInt(blockBytes) < virtualBytes || !image.holds(tableOffset, BigInt(entries) * 4n)) {
    throw new Refused('The image has a table of impossible size.')
  }
}

/** The complement of the sum of all bytes but the sum's own. */
function checkSum(block: Buffer, at: number): void {
  let sum = 0
  block.forEach((byte, index) => {
    if (index < at || index >= at + 4) sum += byte
  })
  if (block.readUInt32BE(at) !== ~sum >>> 0) throw new Refused('The image is a VHD with a wrong checksum.')
}
