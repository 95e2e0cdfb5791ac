/**
 * The first image of a cloud: a Linux small enough to be built in seconds from Debian's cloud kernel and BusyBox, and useful enough to
 * show that everything works: it reads its config drive, gets its address by DHCP, has shells on both consoles, honours the power button.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import type { Logger } from '@kilonova/runtime/logger'
import { makeBootDisk } from './boot-disk.js'
import { type ArchiveEntry, writeArchive } from './cpio.js'
import { cloudKernel, packageOf, unpack } from './debian.js'
import { guestFiles, guestModules, kernelArguments } from './guest-files.js'
import { loadOrder } from './modules.js'

const execute = promisify(execFile)
const compress = promisify(gzip)

export interface TinyImage {
  path: string
  format: 'qcow2'
  sizeBytes: number
  minRamMb: 128
}

export interface TinyImageOptions {
  /** The image stays here, in the sub-folder `tiny-image`; the next call answers it at once. */
  workFolder: string
  log: Logger
}

const prefix = 'tiny-'

export async function buildTinyImage({ workFolder, log }: TinyImageOptions): Promise<TinyImage> {
  const folder = join(workFolder, 'tiny-image')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const [kernel, busybox] = await Promise.all([cloudKernel(), packageOf('busybox-static')])
  const recipe = { kernel, busybox, guestFiles, guestModules, kernelArguments }
  const digest = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12)
  const path = join(folder, `${prefix}${kernel.version.replace(/[^\w.+-]/g, '_')}-${digest}.qcow2`)
  const known = await sizeOf(path)
  if (known !== null) return { path, format: 'qcow2', sizeBytes: known, minRamMb: 128 }

  const startedMs = performance.now()
  const attempt = await mkdtemp(join(folder, 'build-'))
  try {
    const tree = join(attempt, 'tree')
    for (const needed of [kernel, busybox]) await unpack(needed, join(attempt, 'downloads'), tree)
    const initramfs = join(attempt, 'initramfs')
    await writeFile(initramfs, await compress(await initramfsOf(tree), { level: constants.Z_BEST_COMPRESSION }))
    const [raw, image] = [join(attempt, 'raw'), join(attempt, 'image')]
    await makeBootDisk({ folder: attempt, kernel: await kernelIn(tree), initramfs, kernelArguments, target: raw })
    await execute('qemu-img', ['convert', '-q', '-c', '-f', 'raw', '-O', 'qcow2', raw, image])
    await rename(image, path)
  } finally {
    await rm(attempt, { recursive: true, force: true })
  }
  for (const name of await readdir(folder)) {
    const old = join(folder, name)
    if (name.startsWith(prefix) && old !== path) await rm(old, { force: true })
  }
  const { size } = await stat(path)
  log.info({ kernel: kernel.version, sizeBytes: size, ms: Math.round(performance.now() - startedMs) }, 'tiny image built')
  return { path, format: 'qcow2', sizeBytes: size, minRamMb: 128 }
}

async function kernelIn(tree: string): Promise<string> {
  const name = (await readdir(join(tree, 'boot'))).find((file) => file.startsWith('vmlinuz-'))
  if (name === undefined) throw new Error('The kernel package holds no kernel.')
  return join(tree, 'boot', name)
}

async function initramfsOf(tree: string): Promise<Buffer> {
  const entries: ArchiveEntry[] = ['bin', 'dev', 'etc', 'lib', 'lib/modules'].map((path) => ({ kind: 'folder', path }))
  // The kernel opens it for process 1, before that can have made it.
  entries.push({ kind: 'device', path: 'dev/console', major: 5, minor: 1 })
  entries.push({ kind: 'file', path: 'bin/busybox', content: await busyboxIn(tree), executable: true })
  entries.push({ kind: 'link', path: 'bin/sh', target: 'busybox' })
  for (const file of guestFiles) entries.push({ kind: 'file', ...file })
  const modules = await modulesIn(tree)
  for (const { name, content } of modules) entries.push({ kind: 'file', path: `lib/modules/${name}`, content })
  entries.push({ kind: 'file', path: 'etc/modules', content: modules.map(({ name }) => `${name}\n`).join('') })
  return writeArchive(entries)
}

/** Debian moved programs from /bin to /usr/bin between releases. */
async function busyboxIn(tree: string): Promise<Buffer> {
  return readFile(join(tree, 'bin/busybox')).catch(() => readFile(join(tree, 'usr/bin/busybox')))
}

async function modulesIn(tree: string): Promise<{ name: string; content: Buffer }[]> {
  const root = (await sizeOf(join(tree, 'lib/modules'))) === null ? join(tree, 'usr') : tree
  const [release] = await readdir(join(root, 'lib/modules'))
  if (release === undefined) throw new Error('The kernel package holds no modules.')
  await execute('depmod', ['-b', root, release], { env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` } })
  const folder = join(root, 'lib/modules', release)
  const [dependencies, builtin] = await Promise.all(['modules.dep', 'modules.builtin'].map((name) => readFile(join(folder, name), 'utf8')))
  const paths = loadOrder(guestModules, dependencies ?? '', builtin ?? '')
  return Promise.all(
    paths.map(async (path) => ({
      name: (path.split('/').at(-1) ?? path).replace(/\.xz$/, ''),
      content: await moduleAt(join(folder, path)),
    })),
  )
}

/** Newer kernel packages hold compressed modules, which BusyBox cannot load. */
async function moduleAt(path: string): Promise<Buffer> {
  if (!path.endsWith('.xz')) return readFile(path)
  return (await execute('xz', ['-dc', path], { encoding: 'buffer', maxBuffer: 64 * 2 ** 20 })).stdout
}

async function sizeOf(path: string): Promise<number | null> {
  return stat(path).then(
    ({ size }) => size,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    },
  )
}
