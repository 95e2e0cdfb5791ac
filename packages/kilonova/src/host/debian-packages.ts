/** Debian packages that real guests need, and how they come onto the machine: by apt, as root, and nothing is started. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { OperatorError } from '../cloud/data-folder.js'

const execute = promisify(execFile)

/** A file that is there when the package is, and the package. */
type Need = readonly [file: string, debianPackage: string]

const needed: readonly Need[] = [
  ['/usr/sbin/libvirtd', 'libvirt-daemon'],
  ['/usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_qemu.so', 'libvirt-daemon-driver-qemu'],
  ['/usr/bin/qemu-system-x86_64', 'qemu-system-x86'],
  ['/usr/bin/qemu-img', 'qemu-utils'],
  ['/usr/bin/genisoimage', 'genisoimage'],
  ['/usr/bin/mcopy', 'mtools'],
  ['/usr/bin/syslinux', 'syslinux'],
  ['/usr/lib/syslinux/modules/bios/ldlinux.c32', 'syslinux-common'],
  ['/usr/bin/cpio', 'cpio'],
  ['/usr/bin/lz4', 'lz4'],
  ['/usr/bin/tini', 'tini'],
]

/** For bridges, which only root makes. */
const neededForBridges: readonly Need[] = [
  ['/usr/sbin/dnsmasq', 'dnsmasq-base'],
  ['/usr/sbin/nft', 'nftables'],
]

/** Files that lie in different places before and after Debian's merged /usr. */
const neededAnywhere: readonly (readonly [files: readonly string[], debianPackage: string])[] = [
  [['/bin/busybox', '/usr/bin/busybox'], 'busybox-static'],
  [['/sbin/ip', '/usr/sbin/ip', '/bin/ip'], 'iproute2'],
  [['/sbin/modprobe', '/usr/sbin/modprobe'], 'kmod'],
  [['/sbin/sfdisk', '/usr/sbin/sfdisk'], 'fdisk'],
]

export function missingPackages(network: 'bridge' | 'user'): string[] {
  const missing = [...needed, ...(network === 'bridge' ? neededForBridges : [])]
    .filter(([file]) => !existsSync(file))
    .map(([, name]) => name)
  for (const [files, name] of neededAnywhere) if (!files.some((file) => existsSync(file))) missing.push(name)
  return missing
}

export const installCommand = (packages: readonly string[]): string => `apt-get install --no-install-recommends ${packages.join(' ')}`

/** Installs packages; throws OperatorError with what apt said. */
export async function installPackages(packages: readonly string[]): Promise<void> {
  const apt = async (args: string[]): Promise<void> => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    await execute('apt-get', ['-o', 'DPkg::Lock::Timeout=600', '-qq', ...args], { env, maxBuffer: 64 * 2 ** 20 })
  }
  try {
    await apt(['update'])
    await apt(['install', '-y', '--no-install-recommends', ...packages])
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim().split('\n').slice(-3).join(' ') ?? (error as Error).message
    throw new OperatorError(`Debian packages could not be installed (${packages.join(', ')}): ${said}`)
  }
}
