/** What this cloud has on the machine outside of its data folder's databases: written by `up`, read by `down`. */
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { daemonMode } from '@kilonova/compute/drivers/libvirt/daemon/daemons'
import { z } from 'zod'
import { type DataFolder, OperatorError } from '../cloud/data-folder.js'

const record = z.object({
  /** Holds guests, image cache and the daemons' folder; the data folder itself, or a system folder where QEMU's user could not get through. */
  guestRoot: z.string(),
  /** Folder of libvirtd and virtlogd of our own; null when somebody else's daemon is used. */
  daemonFolder: z.string().nullable(),
  socketPath: z.string(),
  /** Whether the guests are root's or a user's. */
  mode: z.enum(['system', 'session']).default('system'),
  kvm: z.boolean(),
})
export type HostRecord = z.infer<typeof record>

const fileOf = (data: DataFolder): string => data.file('host.json')

/** Throws OperatorError where the guests are not this user's: nobody else can see them, and a second hypervisor would start them twice. */
export function readHostRecord(data: DataFolder): HostRecord | null {
  const file = fileOf(data)
  if (!existsSync(file)) return null
  const known = record.parse(JSON.parse(readFileSync(file, 'utf8')))
  if (known.mode === daemonMode()) return known
  const owner = known.mode === 'system' ? 'root' : `the user with id ${statSync(file).uid}`
  throw new OperatorError(
    `The guests of this cloud were started by ${owner}: run this as ${known.mode === 'system' ? 'root' : 'that user'}.`,
  )
}

export function writeHostRecord(data: DataFolder, host: HostRecord): void {
  const file = fileOf(data)
  writeFileSync(`${file}.new`, JSON.stringify(host, null, 2), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

export const removeHostRecord = (data: DataFolder): void => rmSync(fileOf(data), { force: true })

/** Folders below the guest root. */
export const guestFolders = {
  guests: (root: string): string => join(root, 'guests'),
  images: (root: string): string => join(root, 'image-cache'),
  daemons: (root: string): string => join(root, 'libvirt'),
}
