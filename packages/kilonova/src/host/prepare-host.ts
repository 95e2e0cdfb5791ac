/** What `up` does to the machine before the cloud starts: the hypervisor, or simulated hosts where there is none. */
import type { Logger } from '@kilonova/runtime/logger'
import type { CloudOptions } from '../cloud/cloud.js'
import type { CloudConfig } from '../cloud/cloud-config.js'
import type { DataFolder } from '../cloud/data-folder.js'
import type { SeedImage, SeedNetwork } from '../cloud/seed.js'
import type { Steps } from '../commands/steps.js'
import type { UpFlags } from '../commands/up.js'

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

/** Simulated hosts need nothing of the machine; their network exists in the database only. */
function simulated({ flags, steps }: PrepareOptions): PreparedHost {
  steps.say(`Driver: fake, with ${flags.hosts} simulated hosts`)
  return {
    driver: { kind: 'fake', hosts: flags.hosts },
    network: async () => ({ name: 'private', cidr: '192.168.240.0/20', mtu: 1500, networkType: 'LOCAL', dnsServers: [] }),
    image: null,
  }
}

export async function prepareHost(options: PrepareOptions): Promise<PreparedHost> {
  return simulated(options)
}
