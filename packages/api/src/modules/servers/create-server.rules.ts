/** What createServer takes, and the rules that need nothing but the input, the flavor and the image. */
import { randomBytes } from 'node:crypto'
import { CloudError } from '@kilonova/contract/errors'
import { description, hostname, tag, name as validName } from '@kilonova/contract/inputs'
import { z } from 'zod'
import type { FlavorRow } from '../flavors/flavor.service.js'
import type { ImageRow } from '../images/image.service.js'
import { metadataItems } from './server-labels.js'

const maxServersAtOnce = 1000
export const createServerInput = z.object({
  name: validName,
  description: description.nullish(),
  hostname: hostname.nullish(),
  flavorId: z.string(),
  imageId: z.string().nullish(),
  networks: z.object({
    mode: z.enum(['AUTO', 'NONE', 'LIST']),
    list: z.array(z.object({ networkId: z.string().nullish(), fixedIp: z.string().nullish(), tag: tag.nullish() })).nullish(),
  }),
  keyNames: z.array(z.string()).max(100).nullish(),
  userData: z.string().max(65535, 'User data may have at most 65535 characters, encoded.').nullish(),
  configDrive: z.boolean().nullish(),
  metadata: metadataItems.nullish(),
  tags: z.array(tag).max(50, 'A server may have at most 50 tags.').nullish(),
  adminPassword: z.string().min(1).max(255).nullish(),
  accessIpV4: z.ipv4('That is not an IPv4 address.').nullish(),
  accessIpV6: z.ipv6('That is not an IPv6 address.').nullish(),
  diskConfig: z.enum(['AUTO', 'MANUAL']).nullish(),
  availabilityZone: validName.nullish(),
  host: z.string().nullish(),
  hypervisorHostname: z.string().nullish(),
  minCount: z.number().int().min(1, 'minCount must be at least 1.').nullish(),
  maxCount: z.number().int().min(1, 'maxCount must be at least 1.').nullish(),
  idempotencyKey: z.string().nullish(),
})
export type CreateServerValues = z.infer<typeof createServerInput>

export function countsOf(input: CreateServerValues): { minCount: number; maxCount: number } {
  const minCount = input.minCount ?? 1
  const maxCount = input.maxCount ?? minCount
  if (minCount > maxCount) throw CloudError.badInput('input.minCount', 'minCount must not be above maxCount.')
  if (maxCount > maxServersAtOnce) throw CloudError.badInput('input.maxCount', `At most ${maxServersAtOnce} servers can be made at once.`)
  if (input.hostname != null && maxCount > 1) throw CloudError.badInput('input.hostname', 'A host name is only allowed with one server.')
  return { minCount, maxCount }
}

/** A-LAUNCH-15. */
export function checkSizes(flavor: FlavorRow, image: ImageRow): void {
  if (flavor.ram_mb < image.min_ram_mb) {
    throw new CloudError(
      'FLAVOR_IMAGE_CONFLICT',
      `Flavor's memory is too small for requested image: ${flavor.ram_mb} MB, the image needs ${image.min_ram_mb} MB.`,
      {
        exception: 'FlavorMemoryTooSmall',
        fields: ['input.flavorId'],
      },
    )
  }
  if (flavor.disk_gb === 0) return
  const needed = Math.max(image.min_disk_gb, Math.ceil((image.virtual_size_bytes ?? 0) / 2 ** 30))
  if (flavor.disk_gb < needed) {
    throw new CloudError(
      'FLAVOR_IMAGE_CONFLICT',
      `Flavor's disk is too small for requested image: ${flavor.disk_gb} GB, the image needs ${needed} GB.`,
      {
        exception: 'FlavorDiskSmallerThanImage',
        fields: ['input.flavorId'],
      },
    )
  }
}

const passwordAlphabet = '23456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ'

/** Without characters that are easily confused; each drawn without bias. */
export function randomPassword(length: number): string {
  const characters: string[] = []
  while (characters.length < length) {
    for (const byte of randomBytes(length)) {
      const limit = 256 - (256 % passwordAlphabet.length)
      if (byte < limit && characters.length < length) characters.push(passwordAlphabet[byte % passwordAlphabet.length] ?? '')
    }
  }
  return characters.join('')
}
