/** What `up` does to the machine before the cloud starts: the hypervisor, or simulated hosts where there is none. */
import { mkdirSync } from 'node:fs'
import { allocationOf } from '@kilonova/compute/config'
import { libvirtSession } from '@kilonova/compute/drivers/libvirt/connect'
import { DaemonError, daemonMode, startDaemons } from '@kilonova/compute/drivers/libvirt/daemon/daemons'
import { qemuIdentity } from '@kilonova/compute/drivers/libvirt/daemon/qemu-user'
import { proveVirtType, type VirtTypeAnswer } from '@kilonova/compute/drivers/libvirt/daemon/virt-type'
import { LibvirtDriver } from '@kilonova/compute/drivers/libvirt/libvirt.driver'
import { ImageCache } from '@kilonova/compute/image-cache/image-cache'
import { HostNetwork } from '@kilonova/compute/network/host-network'
import { chooseSubnet, takenNetworks } from '@kilonova/compute/network/subnet-choice'
import { systemClock } from '@kilonova/runtime/clock'
import type { Logger } from '@kilonova/runtime/logger'
import { SecretBox } from '@kilonova/runtime/secrets'
import type { CloudOptions } from '../cloud/cloud.js'
import type { CloudConfig } from '../cloud/cloud-config.js'
import { type DataFolder, OperatorError } from '../cloud/data-folder.js'
import type { SeedImage, SeedNetwork } from '../cloud/seed.js'
import type { Steps } from '../commands/steps.js'
import type { UpFlags } from '../commands/up.js'
import { buildTinyImage } from '../tiny-image/tiny-image.js'
import { installCommand, installPackages, missingPackages } from './debian-packages.js'
import { chooseGuestRoot } from './guest-root.js'
import { guestFolders, type HostRecord, readHostRecord, writeHostRecord } from './host-record.js'
import { daemonAt } from './libvirt-uri.js'
import { reachLibvirt } from './reach-libvirt.js'

export interface PreparedHost {
  driver: CloudOptions['driver']
  /** The default network of a first start. */
  network: () => Promise<SeedNetwork>
  /** The first image; null where no guest could boot it. */
  image: SeedImage | null
}

export interface PrepareOptions {
  flags: UpFlags
  data: DataFolder
  config: CloudConfig
  steps: Steps
  log: Logger
}

/** Written by the tiny image on its serial line as soon as its kernel runs programs. */
const tinyImageMarker = 'Kilonova'

const userNetworkSays =
  'Network: QEMU’s user networking, because bridges need root: guests reach neither this machine nor the outside nor each other, and are reached by their consoles only.'

export async function prepareHost(options: PrepareOptions): Promise<PreparedHost> {
  const { flags } = options
  if (flags.driver === 'fake') return simulated(options, null)
  const obstacle = await obstacleToGuests(options)
  if (obstacle === null) return realGuests(options)
  if (flags.driver === 'libvirt') throw new OperatorError(`Real guests cannot run here: ${obstacle}.`)
  return simulated(options, obstacle)
}

/** For a process without hosts of its own: what a first start needs to know of the guests' network. */
export function networkOnly({ driver }: Pick<UpFlags, 'driver'>): PreparedHost {
  const network = async (): Promise<SeedNetwork> =>
    driver === 'fake'
      ? simulatedNetwork
      : { name: 'private', cidr: chooseSubnet(await takenNetworks()), mtu: 1500, networkType: 'FLAT', dnsServers: [] }
  return { driver: { kind: 'fake', hosts: 0 }, network, image: null }
}

const simulatedNetwork: SeedNetwork = { name: 'private', cidr: '192.168.240.0/20', mtu: 1500, networkType: 'LOCAL', dnsServers: [] }

/** Simulated hosts need nothing of the machine; their network exists in the database only. */
function simulated({ flags, steps }: PrepareOptions, because: string | null): PreparedHost {
  const hosts = `${flags.hosts} simulated ${flags.hosts === 1 ? 'host' : 'hosts'}`
  steps.say(because === null ? `Driver: fake, with ${hosts}` : `Driver: fake, with ${hosts}, because ${because}`)
  return {
    driver: { kind: 'fake', hosts: flags.hosts },
    network: async () => simulatedNetwork,
    image: null,
  }
}

/** Why real guests cannot run, or null; installs what is missing if it may. */
async function obstacleToGuests({ flags, steps }: PrepareOptions): Promise<string | null> {
  const root = daemonMode() === 'system'
  const missing = missingPackages(root ? 'bridge' : 'user')
  if (missing.length === 0) return null
  if (!root) return `packages are missing, which only root can install: ${installCommand(missing)}`
  if (!flags.install) return `packages are missing; install them with: ${installCommand(missing)}`
  try {
    await steps.run(`Installing ${missing.length} Debian packages`, () => installPackages(missing))
    return null
  } catch (error) {
    if (error instanceof OperatorError && flags.driver === 'auto') return error.message
    throw error
  }
}

async function realGuests(options: PrepareOptions): Promise<PreparedHost> {
  const { data, config, steps, log } = options
  const mode = daemonMode()
  // Refuses guests of somebody else.
  readHostRecord(data)
  const { path: root, because } = chooseGuestRoot(data, mode)
  if (because !== null) steps.say(`Guests live in ${root}, because ${because}.`)
  // QEMU's user passes through these folders; where QEMU runs as who starts it, nobody else does.
  for (const folder of [root, guestFolders.guests(root)]) mkdirSync(folder, { recursive: true, mode: mode === 'system' ? 0o711 : 0o700 })
  const tinyImage = (): Promise<string> =>
    steps.run('Building the tiny image', async () => (await buildTinyImage({ workFolder: data.file('cache'), log })).path)
  const { virtType, reason, detail } = await decideVirtType(options, tinyImage)
  log.info({ virtType, reason, detail }, 'hypervisor chosen')
  steps.say(`Driver: libvirt, ${virtType === 'kvm' ? 'with KVM' : 'without KVM (TCG)'}: ${reason}`)
  const host = await hypervisorOf(options, root, virtType === 'kvm')
  writeHostRecord(data, host)
  const network = new HostNetwork({ cloudId: data.shortId, folder: root, log })
  if (network.kind === 'bridge') await steps.run('Preparing the guests’ network', () => network.start())
  else steps.say(userNetworkSays)
  const images = new ImageCache({ folder: guestFolders.images(root), log })
  const box = new SecretBox(data.key)
  return {
    driver: {
      kind: 'libvirt',
      make: ({ host: name, nodeId }) =>
        new LibvirtDriver({
          host: name,
          nodeId,
          cloudId: data.cloudId,
          guestFolder: guestFolders.guests(root),
          qemuIdentity: mode === 'system' ? qemuIdentity() : null,
          session: libvirtSession({ socketPath: host.socketPath, mode, clock: systemClock, log }),
          virtType,
          images: {
            get: (image, signal) => images.get({ ...image, url: box.unseal(image.url).reveal() }, signal),
            clean: (used, minimumAgeSeconds, nowMs) => images.clean(used, minimumAgeSeconds, nowMs),
          },
          network,
          unseal: (sealed) => box.unseal(sealed),
          allocation: allocationOf(config.compute),
          clock: systemClock,
          log,
        }),
    },
    network: async () => ({
      name: 'private',
      cidr: chooseSubnet(await takenNetworks()),
      mtu: 1500,
      networkType: network.kind === 'bridge' ? 'FLAT' : 'LOCAL',
      dnsServers: [],
    }),
    image: {
      name: 'Kilonova tiny Linux',
      minRamMb: 128,
      minDiskGb: 0,
      properties: { os_distro: 'debian', img_config_drive: 'mandatory' },
      build: tinyImage,
    },
  }
}

/** Starts the cloud's own daemons, or uses the one that was named. */
async function hypervisorOf({ flags, data, config, steps, log }: PrepareOptions, root: string, kvm: boolean): Promise<HostRecord> {
  const mode = daemonMode()
  const uri = flags.libvirtUri ?? config.libvirt.connection_uri
  if (uri !== null) {
    const socketPath = daemonAt(uri, mode)
    await steps.run(`Reaching ${uri}`, async () => (await reachLibvirt({ socketPath, mode }, log)).close())
    return { guestRoot: root, daemonFolder: null, socketPath, mode, kvm }
  }
  const folder = guestFolders.daemons(root)
  try {
    const socketPath = await steps.run('Starting libvirt', () =>
      startDaemons({ folder, mode, hostUuid: data.cloudId, kvm, clock: systemClock }),
    )
    return { guestRoot: root, daemonFolder: folder, socketPath, mode, kvm }
  } catch (error) {
    if (error instanceof DaemonError) throw new OperatorError(error.message)
    throw error
  }
}

async function decideVirtType({ config, data, steps }: PrepareOptions, tinyImage: () => Promise<string>): Promise<VirtTypeAnswer> {
  const wanted = config.libvirt.virt_type
  if (wanted !== 'auto') return { virtType: wanted, reason: 'libvirt.virt_type says so' }
  return steps.run('Looking for KVM', () =>
    proveVirtType({ cacheFile: data.file('virt-type.json'), guest: async () => ({ disk: await tinyImage(), marker: tinyImageMarker }) }),
  )
}
