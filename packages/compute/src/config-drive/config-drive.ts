/**
 * The config drive: a read-only CD with the label `config-2` that tells a guest who it is (C-CFD-3, C-CFD-6). It holds the admin
 * password and user data in the clear, so at every moment only the agent's user can read it or the folder it is made in.
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { GuestSpec } from '@kilonova/contract/rpc/guest'
import { DriverError } from '../driver.js'
import { isNoSpace, noSpace } from '../storage/qemu-img.js'
import { ec2MetaData, fullHostname, type InstanceFacts, metaData, networkData } from './instance-data.js'
import { ec2Versions, has, openstackVersions } from './versions.js'

const execute = promisify(execFile)

export interface ConfigDrive {
  guest: GuestSpec
  adminPassword: string | null
  /** The bytes the user gave, no longer in base64. */
  userData: Buffer | null
  /** Absolute path of the ISO file. */
  target: string
  /** C-MDS-6: added to the host name; empty: nothing is added. */
  dhcpDomain?: string
}

/** Writes the drive anew; a drive of that name is replaced in one step. */
export async function writeConfigDrive({ guest, adminPassword, userData, target, dhcpDomain = 'novalocal' }: ConfigDrive): Promise<void> {
  // A fixed name beside the target: what a killed agent leaves is found by the next attempt, or goes with the guest's folder.
  const workFolder = `${target}.work`
  await rm(workFolder, { recursive: true, force: true })
  try {
    await mkdir(dirname(target), { recursive: true })
    await mkdir(workFolder, { mode: 0o700 })
    const tree = join(workFolder, 'tree')
    const facts: InstanceFacts = { guest, adminPassword, fullHostname: fullHostname(guest, dhcpDomain) }
    for (const [path, content] of configDriveFiles(facts, userData)) {
      const file = join(tree, path)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, content)
    }
    const iso = join(workFolder, 'iso')
    await makeIso(tree, iso)
    await chmod(iso, 0o600)
    await rename(iso, target)
  } catch (error) {
    throw isNoSpace(error) ? noSpace(error) : error
  } finally {
    await rm(workFolder, { recursive: true, force: true })
  }
}

/** Paths and contents, as table T8 of the catalog lists them for a drive. */
export function configDriveFiles(facts: InstanceFacts, userData: Buffer | null): Map<string, string | Buffer> {
  const files = new Map<string, string | Buffer>()
  for (const version of openstackVersions) {
    const folder = `openstack/${version}`
    files.set(`${folder}/meta_data.json`, json(metaData(version, facts, () => randomBytes(512))))
    if (has(version, 'networkData')) files.set(`${folder}/network_data.json`, json(networkData(facts.guest.interfaces)))
    if (has(version, 'vendorData')) files.set(`${folder}/vendor_data.json`, json({}))
    if (has(version, 'vendorData2')) files.set(`${folder}/vendor_data2.json`, json({ static: {} }))
    if (userData !== null) files.set(`${folder}/user_data`, userData)
  }
  for (const version of ec2Versions) {
    files.set(`ec2/${version}/meta-data.json`, json(ec2MetaData(facts)))
    if (userData !== null) files.set(`ec2/${version}/user-data`, userData)
  }
  return files
}

const json = (value: unknown): string => JSON.stringify(value)

async function makeIso(tree: string, iso: string): Promise<void> {
  const names = ['-ldots', '-allow-lowercase', '-allow-multidot', '-l', '-J', '-r']
  try {
    await execute('genisoimage', ['-quiet', '-o', iso, ...names, '-publisher', 'Kilonova', '-V', 'config-2', tree])
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string }
    if (/No space left on device|Disk quota exceeded/i.test(stderr ?? '')) throw noSpace(error)
    const why = code === 'ENOENT' ? 'The host lacks genisoimage.' : 'The host could not make the config drive; its log says more.'
    throw new DriverError('HOST_REFUSED', why, { cause: error })
  }
}
