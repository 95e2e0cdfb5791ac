/** Gets Debian packages as files and unpacks them in a folder. Nothing is installed, and root is not needed. */
import { execFile } from 'node:child_process'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { OperatorError } from '../cloud/data-folder.js'

const execute = promisify(execFile)

export interface DebianPackage {
  name: string
  version: string
}

export async function packageOf(name: string): Promise<DebianPackage> {
  const version = /^Version: (.+)$/m.exec(await aptCache('show', '--no-all-versions', name))?.[1]
  if (version === undefined) throw unknown(name)
  return { name, version }
}

/** The kernel that Debian's cloud kernel package stands for today. */
export async function cloudKernel(): Promise<DebianPackage> {
  const meta = 'linux-image-cloud-amd64'
  const name = /Depends: (linux-image-\S+)/.exec(await aptCache('depends', meta))?.[1]
  if (name === undefined) throw unknown(meta)
  return packageOf(name)
}

/** Downloads a package, with apt's checks of its signature chain, and unpacks it into a folder. */
export async function unpack({ name, version }: DebianPackage, downloads: string, into: string): Promise<void> {
  const folder = join(downloads, name)
  await mkdir(folder, { recursive: true })
  const get = async (): Promise<unknown> => execute('apt-get', [...asRoot(), '-qq', 'download', `${name}=${version}`], { cwd: folder })
  await get()
    .catch(async (error: unknown) => {
      // Old lists name versions that the mirror has dropped.
      if (process.getuid?.() !== 0) throw error
      await execute('apt-get', ['-o', 'DPkg::Lock::Timeout=600', '-qq', 'update'])
      return get()
    })
    .catch((error: unknown) => {
      throw new OperatorError(`The Debian package ${name} could not be downloaded; \`apt-get update\` may help. ${saidBy(error)}`)
    })
  const file = (await readdir(folder)).find((entry) => entry.endsWith('.deb'))
  if (file === undefined) throw new OperatorError(`apt-get downloaded no file of the package ${name}.`)
  await execute('dpkg-deb', ['-x', join(folder, file), into])
}

/** apt would hand the download to a user that cannot enter our folder, and complain. */
const asRoot = (): string[] => (process.getuid?.() === 0 ? ['-o', 'APT::Sandbox::User=root'] : [])

async function aptCache(...args: string[]): Promise<string> {
  try {
    return (await execute('apt-cache', args, { env: { ...process.env, LC_ALL: 'C' } })).stdout
  } catch (error) {
    throw new OperatorError(`apt-cache ${args.join(' ')} failed; \`apt-get update\` may help. ${saidBy(error)}`)
  }
}

const unknown = (name: string): OperatorError =>
  new OperatorError(`apt knows no package ${name}. The tiny image is built from Debian's packages: \`apt-get update\` may help.`)

export function saidBy(error: unknown): string {
  const said = (error as { stderr?: string }).stderr?.trim() ?? ''
  return said === '' ? String((error as Error).message) : said.split('\n').slice(-3).join(' ')
}
