/** What the first start makes: an administrator, flavors, a network. Safe to repeat: what is there stays as it is. */
import type { ControlPlane } from '@kilonova/api/control-plane'
import { insertFlavor, type NewFlavor } from '@kilonova/api/modules/flavors/flavor.service'
import { randomPassword } from '@kilonova/api/modules/servers/create-server.rules'
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

export const newAdmin = (): FirstStart => ({ username: 'admin', password: new Secret(randomPassword(20)), project: 'admin' })

/** Answers the ids of the first user and project when this was the first start. */
export async function seedCloud(
  plane: ControlPlane,
  first: FirstStart,
  network: () => Promise<SeedNetwork>,
): Promise<{ userId: string; projectId: string } | null> {
  const { api, services } = plane
  const made = await services.identity.bootstrap(first.project, first.username, first.password)
  if (made === null) return null
  await api.transaction(async (trx) => {
    for (const [id, name, vcpus, diskGb, ramMb] of flavors) {
      const flavor: NewFlavor = { id, name, vcpus, ramMb, diskGb, ephemeralGb: 0, swapMb: 0, rxtxFactor: 1, isPublic: true, extraSpecs: {} }
      await insertFlavor(api, trx, flavor)
    }
  })
  await services.networks.createDefault({ ...(await network()), projectId: made.projectId })
  return made
}

export interface SeedImage {
  name: string
  minRamMb: number
  minDiskGb: number
  properties: Record<string, string>
  /** Makes the qcow2 file; only asked when the cloud has no image of the name. */
  build: () => Promise<string>
}

/** Gives the cloud its first image, unless one of that name is there or was refused. */
export async function seedImage(plane: ControlPlane, image: SeedImage, step: (work: () => Promise<void>) => Promise<void>): Promise<void> {
  const { api, services } = plane
  const existing = await api.read.selectFrom('images').select('id').where('name', '=', image.name).executeTakeFirst()
  const project = await api.read.selectFrom('projects').select('id').orderBy('created_at').limit(1).executeTakeFirst()
  if (existing !== undefined || project === undefined) return
  const path = await image.build()
  await step(async () => {
    await services.images.uploads.importFile({ ...image, path, projectId: project.id, diskFormat: 'QCOW2' })
  })
}
