import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  dynamicVhd,
  fixedVhd,
  iso,
  partitioned,
  qcow2,
  qcow2Extension,
  streamVmdk,
  vhdx,
  vmdk,
  vmdkDescriptor,
  write,
} from './crafted-images.testkit.js'
import { type ImageFormat, type Inspection, inspectImage } from './inspect.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kilonova-inspector-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function inspect(image: Buffer): Promise<Inspection> {
  const path = join(folder, 'image')
  writeFileSync(path, image)
  return inspectImage(path)
}

describe('accepts', () => {
  it.each<[string, Buffer, ImageFormat, number]>([
    ['qcow2 version 3', qcow2(), 'qcow2', 2 ** 30],
    ['qcow2 version 2', qcow2(undefined, 2), 'qcow2', 2 ** 30],
    ['qcow2 with a feature name table', qcow2(qcow2Extension(0x6803f857, 'names of features')), 'qcow2', 2 ** 30],
    ['qcow2 that was not closed', qcow2(write(72, 1n)), 'qcow2', 2 ** 30],
    ['a sparse VMDK', vmdk(), 'vmdk', 2 ** 20],
    ['a VMDK written in one stream', streamVmdk(), 'vmdk', 2 ** 20],
    ['a fixed VHD', fixedVhd(), 'vhd', 2 ** 20],
    ['a fixed VHD of a partitioned disk', Buffer.concat([partitioned(), fixedVhd().subarray(2 ** 20)]), 'vhd', 2 ** 20],
    ['a dynamic VHD', dynamicVhd(), 'vhd', 2 ** 23],
    ['a VHDX', vhdx(), 'vhdx', 2 ** 30],
    ['a CD', iso(), 'iso', 81_920],
    ['a CD that also starts from a stick', iso((image) => image.writeUInt16LE(0xaa55, 510)), 'iso', 81_920],
    ['a UDF disc', iso(write(32_769, 'BEA01')), 'iso', 81_920],
    ['a partitioned disk', partitioned(), 'raw', 2 ** 20],
    ['anything else as raw', Buffer.from('hello'), 'raw', 5],
  ])('%s', async (_what, image, format, virtualSizeBytes) => {
    expect(await inspect(image)).toEqual({ format, virtualSizeBytes, refusal: null })
  })
})

describe('refuses', () => {
  it.each<[string, Buffer, ImageFormat, RegExp]>([
    [
      'qcow2 with a backing file',
      qcow2((image) => {
        write(8, 512n)(image)
        write(16, 11)(image)
        write(512, '/etc/passwd')(image)
      }),
      'qcow2',
      /backing file/,
    ],
    ['qcow2 with the length of a backing file’s name', qcow2(write(16, 11)), 'qcow2', /backing file/],
    ['qcow2 with the format of a backing file', qcow2(qcow2Extension(0xe2792aca, 'raw')), 'qcow2', /format of a backing file/],
    ['qcow2 with an external data file', qcow2(write(72, 4n)), 'qcow2', /another file/],
    ['qcow2 with the name of a data file', qcow2(qcow2Extension(0x44415441, '/etc/shadow')), 'qcow2', /names a file/],
    ['qcow2 with unknown features', qcow2(write(72, 1n << 5n)), 'qcow2', /not known/],
    ['qcow2 with a far unknown feature', qcow2(write(72, 1n << 63n)), 'qcow2', /not known/],
    ['qcow2 marked as damaged', qcow2(write(72, 2n)), 'qcow2', /damaged/],
    [
      'qcow2 with an unknown compression',
      qcow2((image) => {
        write(72, 8n)(image)
        image.writeUInt32BE(112, 100)
        image.writeUInt8(9, 104)
      }),
      'qcow2',
      /compressed/,
    ],
    ['encrypted qcow2', qcow2(write(32, 1)), 'qcow2', /encrypted/],
    ['qcow2 encrypted with LUKS', qcow2(write(32, 2)), 'qcow2', /encrypted/],
    ['qcow2 with an encryption header', qcow2(qcow2Extension(0x0537be77, '0123456789abcdef')), 'qcow2', /encrypted/],
    ['qcow2 version 1', qcow2(write(4, 1)), 'qcow2', /version 1/],
    ['qcow2 with tiny clusters', qcow2(write(20, 8)), 'qcow2', /cluster size/],
    ['qcow2 with huge clusters', qcow2(write(20, 22)), 'qcow2', /cluster size/],
    ['qcow2 of an absurd size', qcow2(write(24, 2n ** 47n)), 'qcow2', /at most 64 TiB/],
    ['qcow2 of the largest size', qcow2(write(24, 2n ** 64n - 1n)), 'qcow2', /at most 64 TiB/],
    ['qcow2 without a size', qcow2(write(24, 0n)), 'qcow2', /without any bytes/],
    ['qcow2 with a table that is too small', qcow2(write(36, 1)), 'qcow2', /table of impossible size/],
    ['qcow2 with a table that fills memory', qcow2(write(36, 2 ** 32 - 1)), 'qcow2', /table of impossible size/],
    ['qcow2 with a table outside', qcow2(write(40, 2n ** 40n)), 'qcow2', /outside of itself/],
    ['qcow2 with a table in its header', qcow2(write(40, 0n)), 'qcow2', /outside of itself/],
    ['qcow2 with a table at an odd place', qcow2(write(40, 65_544n)), 'qcow2', /outside of itself/],
    ['qcow2 with no reference counts', qcow2(write(56, 0)), 'qcow2', /reference counts/],
    ['qcow2 with endless reference counts', qcow2(write(56, 2 ** 31)), 'qcow2', /reference counts/],
    ['qcow2 with reference counts in its header', qcow2(write(48, 0n)), 'qcow2', /reference counts/],
    ['qcow2 with giant reference counts', qcow2(write(96, 7)), 'qcow2', /reference counts/],
    ['qcow2 with a header beyond its cluster', qcow2(write(100, 2 ** 20)), 'qcow2', /header of impossible length/],
    [
      'qcow2 with broken extensions',
      qcow2((image) => {
        write(104, 0x11111111)(image)
        write(108, 2 ** 31)(image)
      }),
      'qcow2',
      /broken header extensions/,
    ],
    [
      'qcow2 with endless extensions',
      qcow2((image) => {
        for (let at = 104; at < 60_000; at += 8) write(at, 0x11111111)(image)
      }),
      'qcow2',
      /broken header extensions/,
    ],
    ['qcow2 with countless snapshots', qcow2(write(60, 100_000)), 'qcow2', /snapshots/],
    ['qcow2 that is cut short', qcow2().subarray(0, 60), 'qcow2', /cut short/],

    [
      'a bare VMDK descriptor',
      Buffer.from(vmdkDescriptor({ createType: '"monolithicFlat"' }, ['RW 2048 FLAT "/etc/passwd" 0'])),
      'vmdk',
      /names other files/,
    ],
    ['a VMDK descriptor after blanks', Buffer.from(`\n \n${vmdkDescriptor()}`), 'vmdk', /names other files/],
    ['an ESX VMDK', vmdk(undefined, write(0, 'COWD')), 'vmdk', /names other files/],
    ['a VMDK with a flat extent', vmdk(vmdkDescriptor({}, ['RW 2048 FLAT "disk-flat.vmdk" 0'])), 'vmdk', /names other files/],
    ['a VMDK with a path', vmdk(vmdkDescriptor({}, ['RW 2048 SPARSE "/etc/passwd"'])), 'vmdk', /names other files/],
    ['a VMDK with a path of Windows', vmdk(vmdkDescriptor({}, ['RW 2048 SPARSE "..\\secret"'])), 'vmdk', /names other files/],
    ['a VMDK with an address', vmdk(vmdkDescriptor({}, ['RW 2048 SPARSE "nbd:unix:x"'])), 'vmdk', /names other files/],
    ['a VMDK with a second extent', vmdk(vmdkDescriptor({}, ['RW 1024 SPARSE "a"', 'RW 1024 SPARSE "b"'])), 'vmdk', /names other files/],
    ['a VMDK without an extent', vmdk(vmdkDescriptor({}, [])), 'vmdk', /names other files/],
    ['a VMDK whose extent is a device', vmdk(vmdkDescriptor({}, ['RW 2048 VMFSRDM "disk"'])), 'vmdk', /names other files/],
    ['a VMDK of several files', vmdk(vmdkDescriptor({ createType: '"twoGbMaxExtentSparse"' })), 'vmdk', /twoGbMaxExtentSparse/],
    ['a VMDK without a type', vmdk(vmdkDescriptor({ createType: '""' })), 'vmdk', /only monolithicSparse/],
    ['a VMDK with a parent', vmdk(vmdkDescriptor({ parentCID: '01234567' })), 'vmdk', /parent/],
    ['a VMDK with the name of a parent', vmdk(vmdkDescriptor({ parentFileNameHint: '"/etc/passwd"' })), 'vmdk', /parent/],
    ['a VMDK that contradicts itself', vmdk(vmdkDescriptor({}, ['RW 4096 SPARSE "disk.vmdk"'])), 'vmdk', /contradicts its header/],
    ['a VMDK with text behind its descriptor', vmdk(undefined, write(5000, 'RW 1 FLAT "/etc/passwd" 0')), 'vmdk', /hides text/],
    ['a VMDK that only wraps a descriptor', vmdk(undefined, (image) => image.writeBigUInt64LE(0n, 12)), 'vmdk', /without data of its own/],
    ['a VMDK without a descriptor', vmdk(undefined, (image) => image.writeBigUInt64LE(0n, 28)), 'vmdk', /no proper VMDK descriptor/],
    [
      'a VMDK with an endless descriptor',
      vmdk(undefined, (image) => image.writeBigUInt64LE(2n ** 40n, 36)),
      'vmdk',
      /no proper VMDK descriptor/,
    ],
    ['a VMDK of an absurd size', vmdk(undefined, (image) => image.writeBigUInt64LE(2n ** 50n, 12)), 'vmdk', /at most 64 TiB/],
    ['a VMDK with absurd grains', vmdk(undefined, (image) => image.writeBigUInt64LE(3n, 20)), 'vmdk', /tables of impossible size/],
    ['a VMDK of an unknown version', vmdk(undefined, (image) => image.writeUInt32LE(9, 4)), 'vmdk', /version 9/],
    [
      'a VMDK whose second header says something else',
      streamVmdk((footer) => footer.writeBigUInt64LE(0n, 12)),
      'vmdk',
      /contradict each other/,
    ],
    [
      'a VMDK whose second header has another descriptor',
      streamVmdk((footer) => footer.writeBigUInt64LE(40n, 28)),
      'vmdk',
      /contradict each other/,
    ],

    ['a differencing VHD', dynamicVhd(undefined, 4), 'vhd', /differencing/],
    ['a VHD of an unknown type', dynamicVhd(undefined, 5), 'vhd', /unknown type 5/],
    ['a VHD with the id of a parent', dynamicVhd(write(40, 7)), 'vhd', /names a parent/],
    ['a VHD with the name of a parent', dynamicVhd(write(64, 'p')), 'vhd', /names a parent/],
    ['a VHD with a parent locator', dynamicVhd(write(576, 'W2ku')), 'vhd', /names a parent/],
    [
      'a VHD with a wrong checksum',
      (() => {
        const image = fixedVhd()
        image.writeUInt8(9, image.length - 400)
        return image
      })(),
      'vhd',
      /wrong checksum/,
    ],
    ['a VHD with an endless table', dynamicVhd(write(28, 2 ** 31)), 'vhd', /table of impossible size/],
    ['a VHD with a table that is too small', dynamicVhd(write(28, 3)), 'vhd', /table of impossible size/],
    ['a VHD with impossible blocks', dynamicVhd(write(32, 3)), 'vhd', /block size/],
    ['a VHD without its second header', dynamicVhd(write(0, 'xxxxxxxx')), 'vhd', /second header/],
    ['a fixed VHD of another size', fixedVhd(write(48, 2n ** 30n)), 'vhd', /another size/],
    ['a VHD without an end', dynamicVhd().subarray(0, 2048), 'vhd', /without an end/],
    [
      'a VHD with two different headers',
      (() => {
        const image = dynamicVhd()
        image.writeUInt8(9, 30)
        return image
      })(),
      'vhd',
      /contradict each other/,
    ],

    ['a VHDX with a parent locator', vhdx({ parent: true }), 'vhdx', /names a parent/],
    ['a VHDX that says it has a parent', vhdx({ hasParent: true }), 'vhdx', /has a parent/],
    ['a VHDX with a log', vhdx({ log: true }), 'vhdx', /not closed properly/],
    ['a VHDX of an absurd size', vhdx({ sizeBytes: 2n ** 60n }), 'vhdx', /at most 64 TiB/],
    ['a VHDX with countless regions', vhdx({ regions: 2 ** 31 }), 'vhdx', /without regions/],
    ['a VHDX that is cut short', vhdx().subarray(0, 200_000), 'vhdx', /cut short/],

    ['qcow2 that is a CD as well', qcow2(write(32_769, 'CD001')), 'qcow2', /qcow2 and iso/],
    ['a VMDK that is a CD as well', vmdk(undefined, write(32_769, 'CD001')), 'vmdk', /vmdk and iso/],
    ['qcow2 that is a VHD as well', Buffer.concat([qcow2(), fixedVhd().subarray(-512)]), 'qcow2', /qcow2 and vhd/],
    ['qcow2 that is a partitioned disk as well', qcow2((image) => image.writeUInt16LE(0xaa55, 510)), 'qcow2', /partitioned disk/],
    ['LUKS', partitioned(write(0, 'LUKS\xba\xbe')), 'raw', /LUKS/],
    ['QED', partitioned(write(0, 'QED\0')), 'raw', /QED/],
    ['VDI', partitioned(write(64, '\x7f\x10\xda\xbe')), 'raw', /VDI/],
    ['nothing', Buffer.alloc(0), 'raw', /without any bytes/],
  ])('%s', async (_what, image, format, refusal) => {
    expect(await inspect(image)).toEqual({ format, virtualSizeBytes: 0, refusal: expect.stringMatching(refusal) })
  })

  it('tells the format of disguised data, so that a false declaration is seen', async () => {
    expect((await inspect(qcow2())).format).toBe('qcow2')
  })
})

it('reads little, however large the file is', async () => {
  const path = join(folder, 'huge')
  writeFileSync(path, qcow2())
  truncateSync(path, 2 ** 43)
  const startedMs = performance.now()
  expect(await inspectImage(path)).toMatchObject({ format: 'qcow2', refusal: null })
  expect(performance.now() - startedMs).toBeLessThan(1000)
})

it('is not shaken by noise', async () => {
  const samples = [qcow2(), vmdk(), streamVmdk(), fixedVhd(), dynamicVhd(), vhdx(), iso()]
  // A fixed sequence: a failure can be repeated.
  let state = 12_345
  const random = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state % below
  }
  for (let round = 0; round < 300; round++) {
    const image = Buffer.from(samples[round % samples.length] ?? [])
    for (let count = 0; count < 4; count++) image.writeUInt8(random(256), random(Math.min(image.length, 1100)))
    expect(await inspect(image)).toHaveProperty('format')
  }
})

describe.skipIf(!existsSync('/usr/bin/qemu-img'))('real images', () => {
  const make = (...args: string[]): string => {
    const path = join(folder, `real-${args.join('-').replaceAll(/[^\w]/g, '')}`)
    execFileSync('qemu-img', ['create', '-q', ...args, path, '10M'], { cwd: folder })
    return path
  }

  it.each<[string, string[], ImageFormat]>([
    ['qcow2', ['-f', 'qcow2'], 'qcow2'],
    ['old qcow2', ['-f', 'qcow2', '-o', 'compat=0.10'], 'qcow2'],
    ['new qcow2', ['-f', 'qcow2', '-o', 'compression_type=zstd,extended_l2=on,lazy_refcounts=on'], 'qcow2'],
    ['VMDK', ['-f', 'vmdk'], 'vmdk'],
    ['stream VMDK', ['-f', 'vmdk', '-o', 'subformat=streamOptimized'], 'vmdk'],
    ['VHD', ['-f', 'vpc', '-o', 'force_size=on'], 'vhd'],
    ['fixed VHD', ['-f', 'vpc', '-o', 'subformat=fixed,force_size=on'], 'vhd'],
    ['VHDX', ['-f', 'vhdx'], 'vhdx'],
    ['raw', ['-f', 'raw'], 'raw'],
  ])('%s is accepted', async (_what, args, format) => {
    expect(await inspectImage(make(...args))).toEqual({ format, virtualSizeBytes: 10 * 2 ** 20, refusal: null })
  })

  it.each<[string, string[], RegExp]>([
    ['qcow2 with a data file', ['-f', 'qcow2', '-o', 'data_file=data,data_file_raw=on'], /another file/],
    ['flat VMDK', ['-f', 'vmdk', '-o', 'subformat=monolithicFlat'], /names other files/],
    ['split VMDK', ['-f', 'vmdk', '-o', 'subformat=twoGbMaxExtentSparse'], /names other files/],
    ['QED', ['-f', 'qed'], /QED/],
    ['VDI', ['-f', 'vdi'], /VDI/],
  ])('%s is refused', async (_what, args, refusal) => {
    expect((await inspectImage(make(...args))).refusal).toMatch(refusal)
  })
})
