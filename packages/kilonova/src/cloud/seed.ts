/** What the first start makes: an administrator, flavors, a network. Safe to repeat: what is there stays as it is. */
import type { ControlPlane } from '@kilonova/api/control-plane'
import { insertFlavor, type NewFlavor } from '@kilonova/api/modules/flavors/flavor.service'
import { randomPassword } from '@kilonova/api/modules/servers/create-server'
import { Secret } from '@kilonova/runtime/secrets'

/** m1.nano, and B-FLV-9: vCPUs, root disk GB, memory MB. */
const flavors: [id: string, name: string, vcpus: number, diskGb: number, ramMb: number][] = [
  ['0', 'm1.nano', 1, 1, 128],
  ['1', 'm1.tiny', 1, 1, 512],
  ['2', 'm1.small', 1, 20, 2048],
  ['3', 'm1.medium', 2, 40, 4096],
  ['4', 'm1.large', 4, 80, 8192],
  ['5', 'm1.xlarge', 8, 160, 16384],
]

export interface SeedNetwork {
  name: string
  cidr: string
  mtu: number
  networkType: 'FLAT' | 'LOCAL'
  dnsServers: string[]
}

export interface FirstStart {
  username: string
  password: Secret
  project: string
}

/** Answers the administrator's first password when this was the first start. */
export async function seedCloud(plane: ControlPlane, network: () => Promise<SeedNetwork>): Promise<FirstStart | null> {
  const { api, services } = plane
  const first = { username: 'admin', password: new Secret(randomPassword(20)), project: 'admin' }
  const made = await services.identity.bootstrap(first.project, first.username, first.password)
  if (made === null) return null
  await api.transaction(async (trx) => {
    for (const [id, name, vcpus, diskGb, ramMb] of flavors) {
      const flavor: NewFlavor = { id, name, vcpus, ramMb, diskGb, ephemeralGb: 0, swapMb: 0, rxtxFactor: 1, isPublic: true, extraSpecs: {} }
      await insertFlavor(api, trx, flavor)
    }
  })
  await services.networks.createDefault({ ...(await network()), projectId: made.projectId })
  return first
}
