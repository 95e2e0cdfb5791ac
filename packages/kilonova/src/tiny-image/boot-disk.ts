/** A disk that a BIOS boots: partition table, one FAT file system, SYSLINUX. Made in a file, without root, loop devices or mounts. */
import { execFile } from 'node:child_process'
import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

const sectorBytes = 512
const startSector = 2048
const partitionType = { fat16: 0x06 }

export interface BootDisk {
  folder: string
  kernel: string
  initramfs: string
  kernelArguments: string
  target: string
}

/** Writes a raw disk to `target`. `folder` is for files made on the way. */
export async function makeBootDisk({ folder, kernel, initramfs, kernelArguments, target }: BootDisk): Promise<void> {
  const [kernelBytes, initramfsBytes] = await Promise.all([readFile(kernel), readFile(initramfs)])
  // What the file system needs for itself and for SYSLINUX is well below two MiB.
  const partitionMib = Math.ceil((kernelBytes.length + initramfsBytes.length) / 2 ** 20) + 2
  const sectors = (partitionMib * 2 ** 20) / sectorBytes
  const disk = await open(target, 'w', 0o600)
  try {
    await disk.truncate((startSector + sectors) * sectorBytes)
    await disk.write(await bootRecord(sectors), 0, sectorBytes, 0)
  } finally {
    await disk.close()
  }
  const menu = join(folder, 'syslinux.cfg')
  await writeFile(
    menu,
    `DEFAULT linux\nPROMPT 0\nTIMEOUT 0\nLABEL linux\n  LINUX /vmlinuz\n  INITRD /initramfs\n  APPEND ${kernelArguments}\n`,
  )
  const partition = `${target}@@${startSector * sectorBytes}`
  // The user's own mtools settings must not matter.
  const env = { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', MTOOLSRC: '/dev/null', MTOOLS_SKIP_CHECK: '1' }
  const geometry = ['-h', '16', '-s', '63', '-H', String(startSector)]
  await execute('mformat', ['-i', partition, '-T', String(sectors), ...geometry, '-v', 'KILONOVA', '::'], { env })
  for (const [source, name] of [
    [kernel, 'vmlinuz'],
    [initramfs, 'initramfs'],
    [menu, 'syslinux.cfg'],
  ] as const) {
    await execute('mcopy', ['-i', partition, source, `::/${name}`], { env })
  }
  await execute('syslinux', ['--install', '--offset', String(startSector * sectorBytes), target], { env: { ...env, MTOOLSRC: undefined } })
}

/** SYSLINUX's boot code and one bootable partition. */
async function bootRecord(sectors: number): Promise<Buffer> {
  const record = Buffer.alloc(sectorBytes)
  const code = await readFile('/usr/lib/syslinux/mbr/mbr.bin')
  code.copy(record, 0, 0, 440)
  record.write('KNTL', 440, 'latin1')
  const entry = 446
  // Cylinder, head and sector say "too far to be told": only the sector numbers count.
  const unaddressable = [0xfe, 0xff, 0xff]
  record.set([0x80, ...unaddressable, partitionType.fat16, ...unaddressable], entry)
  record.writeUInt32LE(startSector, entry + 8)
  record.writeUInt32LE(sectors, entry + 12)
  record.writeUInt16LE(0xaa55, 510)
  return record
}
