/** Disk images made byte by byte: each is valid as it comes, and tests change the one thing they are about. */

const mebibyte = 2 ** 20
const cluster = 65_536

export type Change = (image: Buffer) => void

/** An empty qcow2 disk of 1 GiB, version 3: header, refcount table, refcount block, L1 table. */
export function qcow2(change: Change = () => {}, version: 2 | 3 = 3): Buffer {
  const image = Buffer.alloc(3 * cluster + 512)
  image.write('QFI\xfb', 'latin1')
  image.writeUInt32BE(version, 4)
  image.writeUInt32BE(16, 20)
  image.writeBigUInt64BE(2n ** 30n, 24)
  image.writeUInt32BE(2, 36)
  image.writeBigUInt64BE(BigInt(3 * cluster), 40)
  image.writeBigUInt64BE(BigInt(cluster), 48)
  image.writeUInt32BE(1, 56)
  if (version === 3) {
    image.writeUInt32BE(4, 96)
    image.writeUInt32BE(104, 100)
  }
  change(image)
  return image
}

export function qcow2Extension(type: number, data: string): Change {
  return (image) => {
    image.writeUInt32BE(type, 104)
    image.writeUInt32BE(data.length, 108)
    image.write(data, 112)
  }
}

export const vmdkDescriptor = (over: Record<string, string> = {}, extents: string[] = ['RW 2048 SPARSE "disk.vmdk"']): string =>
  [
    '# Disk DescriptorFile',
    ...Object.entries({ version: '1', CID: 'b2a8f1d3', parentCID: 'ffffffff', createType: '"monolithicSparse"', ...over }).map(
      ([name, value]) => `${name}=${value}`,
    ),
    '',
    '# Extent description',
    ...extents,
    '',
    'ddb.adapterType = "ide"',
    '',
  ].join('\n')

/** A sparse VMDK of 1 MiB with its descriptor inside. */
export function vmdk(descriptor = vmdkDescriptor(), change: Change = () => {}): Buffer {
  const image = Buffer.alloc(128 * 1024)
  image.write('KDMV', 'latin1')
  image.writeUInt32LE(1, 4)
  image.writeUInt32LE(3, 8)
  image.writeBigUInt64LE(2048n, 12)
  image.writeBigUInt64LE(128n, 20)
  image.writeBigUInt64LE(1n, 28)
  image.writeBigUInt64LE(20n, 36)
  image.writeUInt32LE(512, 44)
  image.writeBigUInt64LE(21n, 48)
  image.writeBigUInt64LE(26n, 56)
  image.writeBigUInt64LE(128n, 64)
  image.write(descriptor, 512)
  change(image)
  return image
}

/** The same in the kind that is written in one stream, with a second header at its end. */
export function streamVmdk(changeFooter: Change = () => {}): Buffer {
  const image = vmdk(vmdkDescriptor({ createType: '"streamOptimized"' }), (bytes) => bytes.writeBigUInt64LE(0xffff_ffff_ffff_ffffn, 56))
  const footer = Buffer.from(image.subarray(0, 512))
  footer.writeBigUInt64LE(26n, 56)
  changeFooter(footer)
  footer.copy(image, image.length - 1024)
  return image
}

function withSum(block: Buffer, at: number): Buffer {
  block.writeUInt32BE(0, at)
  block.writeUInt32BE(~block.reduce((sum, byte) => sum + byte, 0) >>> 0, at)
  return block
}

function vhdFooter(type: number, sizeBytes: number, change: Change = () => {}): Buffer {
  const footer = Buffer.alloc(512)
  footer.write('conectix')
  footer.writeUInt32BE(2, 8)
  footer.writeUInt32BE(0x10000, 12)
  footer.writeBigUInt64BE(type === 2 ? 0xffff_ffff_ffff_ffffn : 512n, 16)
  footer.writeBigUInt64BE(BigInt(sizeBytes), 40)
  footer.writeBigUInt64BE(BigInt(sizeBytes), 48)
  footer.writeUInt32BE(type, 60)
  change(footer)
  return withSum(footer, 64)
}

export const fixedVhd = (change?: Change): Buffer => Buffer.concat([Buffer.alloc(mebibyte), vhdFooter(2, mebibyte, change)])

export function dynamicVhd(changeHeader: Change = () => {}, type = 3): Buffer {
  const header = Buffer.alloc(1024)
  header.write('cxsparse')
  header.writeBigUInt64BE(0xffff_ffff_ffff_ffffn, 8)
  header.writeBigUInt64BE(1536n, 16)
  header.writeUInt32BE(0x10000, 24)
  header.writeUInt32BE(4, 28)
  header.writeUInt32BE(2 * mebibyte, 32)
  changeHeader(header)
  const footer = vhdFooter(type, 8 * mebibyte)
  return Buffer.concat([footer, withSum(header, 36), Buffer.alloc(512, 0xff), footer])
}

const vhdxItems = {
  parameters: '3767a1ca36fa434db3b633f0aa44e76b',
  size: '2442a52f1bcd7648b2115dbed83bf4b8',
  parentLocator: '2d5fd3a80bb34d45abf7d3d84834ab0c',
}

export function vhdx({ parent = false, hasParent = false, log = false, sizeBytes = 2n ** 30n, regions = 1 } = {}): Buffer {
  const image = Buffer.alloc(2 * mebibyte)
  image.write('vhdxfile')
  for (const [index, offset] of [64 * 1024, 128 * 1024].entries()) {
    image.write('head', offset)
    image.writeBigUInt64LE(BigInt(index + 1), offset + 8)
    if (log) image.fill(0xab, offset + 48, offset + 64)
  }
  const table = 192 * 1024
  image.write('regi', table)
  image.writeUInt32LE(regions, table + 8)
  image.write('06a27c8b90479a4bb8fe575f050f886e', table + 16, 'hex')
  image.writeBigUInt64LE(BigInt(mebibyte), table + 32)
  image.writeUInt32LE(mebibyte, table + 40)
  image.write('metadata', mebibyte)
  const items = [vhdxItems.parameters, vhdxItems.size, ...(parent ? [vhdxItems.parentLocator] : [])]
  image.writeUInt16LE(items.length, mebibyte + 10)
  for (const [index, guid] of items.entries()) {
    image.write(guid, mebibyte + 32 + index * 32, 'hex')
    image.writeUInt32LE(65_536 + index * 64, mebibyte + 48 + index * 32)
  }
  image.writeUInt32LE(32 * mebibyte, mebibyte + 65_536)
  image.writeUInt32LE(hasParent ? 2 : 0, mebibyte + 65_540)
  image.writeBigUInt64LE(sizeBytes, mebibyte + 65_536 + 64)
  return image
}

export function iso(change: Change = () => {}): Buffer {
  const image = Buffer.alloc(40 * 2048)
  image.writeUInt8(1, 32_768)
  image.write('CD001', 32_769)
  change(image)
  return image
}

export function partitioned(change: Change = () => {}): Buffer {
  const image = Buffer.alloc(mebibyte)
  image.writeUInt8(0xee, 450)
  image.writeUInt16LE(0xaa55, 510)
  image.write('EFI PART', 512)
  change(image)
  return image
}

export const write =
  (offset: number, value: bigint | number | string): Change =>
  (image) => {
    if (typeof value === 'bigint') image.writeBigUInt64BE(value, offset)
    else if (typeof value === 'number') image.writeUInt32BE(value, offset)
    else image.write(value, offset, 'latin1')
  }
