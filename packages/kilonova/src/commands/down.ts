/** `kilonova down`: stops the cloud, its guests and its hypervisor; with `--purge` removes every trace. */
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { startDaemons, stopDaemons } from '@kilonova/compute/drivers/libvirt/daemon/daemons'
import { endGuests } from '@kilonova/compute/drivers/libvirt/end-guests'
import { HostNetwork } from '@kilonova/compute/network/host-network'
import { systemClock } from '@kilonova/runtime/clock'
import { createLogger } from '@kilonova/runtime/logger'
import { DataFolder, OperatorError } from '../cloud/data-folder.js'
import { guestFolders, type HostRecord, readHostRecord, removeHostRecord } from '../host/host-record.js'
import { reachLibvirt } from '../host/reach-libvirt.js'
import { Steps } from './steps.js'

export interface DownFlags {
  data: string
  purge: boolean
}

const stopMs = 20_000
/** What `up` makes in the data folder; nothing else there is touched. */
const ownEntries = [
  'admin.json',
  'cache',
  'cloud.json',
  'db',
  'hosts',
  'images',
  'kilonova.log',
  'kilonova.pid',
  'secret.key',
  'virt-type.json',
]

export async function down(flags: DownFlags): Promise<void> {
  const steps = new Steps((line) => process.stdout.write(`${line}\n`))
  if (!existsSync(flags.data)) throw new OperatorError(`There is no cloud at ${flags.data}.`)
  const data = DataFolder.open(flags.data)
  const host = readHostRecord(data)
  const holders = data.holders()
  if (holders.length > 0) await steps.run('Stopping the cloud', () => Promise.all(holders.map((holder) => endProcess(data, holder))))
  if (host !== null) await stopHost(data, host, flags.purge, steps)
  if (flags.purge) {
    for (const entry of ownEntries) rmSync(data.file(entry), { recursive: true, force: true })
    for (const name of readdirSync(data.path))
      if (/^(api|scheduler|conductor|compute|console-proxy)[+\w.-]*\.(log|pid)$/.test(name)) rmSync(data.file(name))
    removeIfEmpty(data.path)
  }
  steps.say(
    flags.purge ? `Nothing of the cloud at ${data.path} is left.` : `The cloud at ${data.path} is down; ./kilonova up brings it back.`,
  )
}

async function endProcess(data: DataFolder, { unit, pid }: { unit: string; pid: number }): Promise<void> {
  process.kill(pid, 'SIGTERM')
  const deadline = systemClock.monotonic() + stopMs
  while (data.holder(unit) === pid) {
    if (systemClock.monotonic() > deadline) process.kill(pid, 'SIGKILL')
    await systemClock.sleep(50)
  }
}

async function stopHost(data: DataFolder, host: HostRecord, purge: boolean, steps: Steps): Promise<void> {
  const log = createLogger('silent')
  const { daemonFolder, guestRoot, mode, socketPath } = host
  await steps.run(purge ? 'Removing the guests' : 'Stopping the guests', async () => {
    // Guests may outlive a daemon that was killed: it is needed to end them.
    if (daemonFolder !== null) await startDaemons({ folder: daemonFolder, mode, hostUuid: data.cloudId, kvm: host.kvm, clock: systemClock })
    const session = await reachLibvirt({ socketPath, mode }, log)
    await endGuests({ session, cloudId: data.cloudId, remove: purge, graceSeconds: purge ? 0 : 10, clock: systemClock })
    await session.close()
  })
  if (daemonFolder !== null) await steps.run('Stopping libvirt', () => stopDaemons(daemonFolder, systemClock))
  if (!purge) return
  const network = new HostNetwork({ cloudId: data.shortId, folder: guestRoot, log })
  if (network.kind === 'bridge') await steps.run('Removing bridges and rules', () => network.remove())
  for (const folder of Object.values(guestFolders)) rmSync(folder(guestRoot), { recursive: true, force: true })
  removeHostRecord(data)
  if (guestRoot !== data.path) removeIfEmpty(guestRoot)
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOTEMPTY' && code !== 'ENOENT') throw error
  }
}
