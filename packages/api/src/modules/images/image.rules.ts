/** What an image may say: the shape of inputs, and its properties against their registry (D-IMG-1). */
import { CloudError } from '@kilonova/contract/errors'
import { imageLimits, refuseImageProperty } from '@kilonova/contract/image-properties'
import { INT32_MAX, uuid, name as validName } from '@kilonova/contract/inputs'
import { z } from 'zod'

export const diskFormats = ['RAW', 'QCOW2', 'VMDK', 'VHD', 'VHDX', 'ISO'] as const
export type DiskFormatName = (typeof diskFormats)[number]
export const visibilities = ['PUBLIC', 'COMMUNITY', 'SHARED', 'PRIVATE'] as const
export type Visibility = (typeof visibilities)[number]
export const memberStatuses = ['PENDING', 'ACCEPTED', 'REJECTED'] as const
export type MemberStatus = (typeof memberStatuses)[number]

const checksum = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'A checksum has the form sha256:<64 hex digits>.')
const natural = (what: string) => z.number().int().min(0, `${what} must not be negative.`).max(INT32_MAX)
const items = z.array(z.object({ key: z.string(), value: z.string() })).nullish()
const imageTags = z
  .array(
    z
      .string()
      .min(1, 'A tag has at least one character.')
      .max(255, 'A tag may have at most 255 characters.')
      .refine((tag) => !/[\u0000-\u001f\u007f]/u.test(tag), 'A tag may hold printable characters only.'),
  )
  .nullish()
const keyed = { idempotencyKey: z.string().nullish() }
const versioned = { imageId: z.string(), expectedGeneration: z.number().int().nullish(), ...keyed }

export const createImage = z.object({
  name: validName,
  id: uuid.nullish(),
  diskFormat: z.enum(diskFormats),
  containerFormat: z.literal('BARE'),
  visibility: z.enum(visibilities),
  protected: z.boolean().nullish(),
  minRamMb: natural('minRamMb').nullish(),
  minDiskGb: natural('minDiskGb').nullish(),
  properties: items,
  tags: imageTags,
  ...keyed,
})

export const updateImage = z.object({
  ...versioned,
  name: validName.nullish(),
  visibility: z.enum(visibilities).nullish(),
  protected: z.boolean().nullish(),
  hidden: z.boolean().nullish(),
  minRamMb: natural('minRamMb').nullish(),
  minDiskGb: natural('minDiskGb').nullish(),
  tags: imageTags,
  setProperties: items,
  removeProperties: z.array(z.string()).nullish(),
})

export const setImageActive = z.object({ ...versioned, active: z.boolean() })
export const memberInput = z.object({ imageId: z.string(), projectId: z.string(), ...keyed })
export const answerInput = z.object({ imageId: z.string(), status: z.enum(memberStatuses), ...keyed })
export const createUpload = z.object({
  imageId: z.string(),
  checksum: checksum.nullish(),
  sizeBytes: z.number().int().min(1, 'An image has at least one byte.').nullish(),
  ...keyed,
})
export const finalizeUpload = z.object({ uploadId: z.string(), checksum: checksum.nullish(), ...keyed })

const tooMany = (field: string, what: string, limit: number): CloudError =>
  new CloudError('LIMIT_EXCEEDED', `An image may have at most ${limit} ${what}.`, { exception: 'ImageLimitExceeded', fields: [field] })

/** As an object; the first item that breaks a rule is named with its half. */
export function checkedProperties(
  field: string,
  list: readonly { key: string; value: string }[] | null | undefined,
): Record<string, string> {
  const checked = new Map<string, string>()
  for (const [index, { key, value }] of (list ?? []).entries()) {
    const refusal = refuseImageProperty(key, value)
    if (refusal !== null) throw CloudError.badInput(`${field}.${index}.${refusal.at}`, refusal.message, 'InvalidImageMetadata')
    if (checked.has(key)) throw CloudError.badInput(`${field}.${index}.key`, `Image property '${key}' is given twice.`)
    checked.set(key, value)
  }
  const properties = Object.fromEntries(checked)
  refuseTooManyProperties(field, properties)
  return properties
}

export function refuseTooManyProperties(field: string, properties: Readonly<Record<string, string>>): void {
  if (Object.keys(properties).length > imageLimits.properties) throw tooMany(field, 'properties', imageLimits.properties)
}

/** Each tag once. */
export function checkedTags(tags: readonly string[] | null | undefined): string[] {
  const once = [...new Set(tags ?? [])]
  if (once.length > imageLimits.tags) throw tooMany('input.tags', 'tags', imageLimits.tags)
  return once
}

export const tooManyMembers = (): CloudError => tooMany('input.projectId', 'members', imageLimits.members)
