/** What a flavor may say (B-FLV-1, D-FLV-2, D-FLV-7): the shape of inputs, and extra specs against their registry. */
import { CloudError } from '@kilonova/contract/errors'
import { refuseExtraSpec } from '@kilonova/contract/extra-specs'
import { INT32_MAX, name as validName } from '@kilonova/contract/inputs'
import { z } from 'zod'

const positive = (what: string) => z.number().int().min(1, `${what} must be at least 1.`).max(INT32_MAX)
const natural = (what: string) => z.number().int().min(0, `${what} must not be negative.`).max(INT32_MAX)

/** Largest number of single precision. */
const maxFactor = 3.40282e38

export const flavorDescription = z
  .string()
  .max(65535, 'A description may have at most 65535 characters.')
  .refine((value) => !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/u.test(value), 'A description may hold printable characters only.')
  .nullish()

const keyed = { idempotencyKey: z.string().nullish() }
const versioned = { flavorId: z.string(), expectedGeneration: z.number().int().nullish(), ...keyed }
const specs = z.array(z.object({ key: z.string(), value: z.string() }))

export const createFlavor = z.object({
  name: validName,
  id: z
    .string()
    .regex(/^[a-zA-Z0-9. _-]{1,255}$/, 'A flavor id has 1 to 255 letters, digits, dots, blanks, _ and -.')
    .refine((id) => id === id.trim(), 'A flavor id must not begin or end with a blank.')
    .nullish(),
  description: flavorDescription,
  vcpus: positive('vcpus'),
  ramMb: positive('ramMb'),
  diskGb: natural('diskGb'),
  ephemeralGb: natural('ephemeralGb')
    .nullish()
    .transform((size) => size ?? 0),
  swapMb: natural('swapMb')
    .nullish()
    .transform((size) => size ?? 0),
  rxtxFactor: z
    .number()
    .positive('rxtxFactor must be above 0.')
    .max(maxFactor, `rxtxFactor may be at most ${maxFactor}.`)
    .nullish()
    .transform((factor) => factor ?? 1),
  isPublic: z
    .boolean()
    .nullish()
    .transform((isPublic) => isPublic ?? true),
  extraSpecs: specs.nullish(),
  accessProjectIds: z.array(z.string()).nullish(),
  ...keyed,
})

export const updateFlavor = z.object({ ...versioned, description: flavorDescription })
export const setExtraSpecs = z.object({ ...versioned, extraSpecs: specs })
export const deleteExtraSpecs = z.object({ ...versioned, keys: z.array(z.string()) })
export const accessInput = z.object({ flavorId: z.string(), projectId: z.string(), ...keyed })

/** As an object; the first item that breaks a rule is named with its half. */
export function checkedSpecs(items: readonly { key: string; value: string }[]): Record<string, string> {
  const checked = new Map<string, string>()
  for (const [index, { key, value }] of items.entries()) {
    const refusal = refuseExtraSpec(key, value)
    if (refusal !== null) throw CloudError.badInput(`input.extraSpecs.${index}.${refusal.at}`, refusal.message)
    if (checked.has(key)) throw CloudError.badInput(`input.extraSpecs.${index}.key`, `Extra spec '${key}' is given twice.`)
    checked.set(key, value)
  }
  return Object.fromEntries(checked)
}
