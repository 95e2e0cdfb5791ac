/**
 * Flavor against image (D-XS-4, C table T6): both may ask for the same feature, and the registries say for each who wins or that they
 * must agree. What cannot be reconciled is refused before anything is made.
 */
import { CloudError } from '@kilonova/contract/errors'
import { extraSpecRegistry } from '@kilonova/contract/extra-specs'
import { imagePropertyRegistry, refuseImageProperty } from '@kilonova/contract/image-properties'
import { type PropertyDefinition, truthOf } from '@kilonova/contract/properties/property-definition'

type Values = Readonly<Record<string, string>>

/** Nova's names of conflicts that have one of their own. */
const exceptions: readonly (readonly [RegExp, string])[] = [
  [/^hw:cpu_policy$/, 'ImageCPUPinningForbidden'],
  [/^hw:cpu_thread_policy$/, 'ImageCPUThreadPolicyForbidden'],
  [/^hw:mem_page_size$/, 'MemoryPageSizeForbidden'],
  [/^hw:numa_/, 'ImageNUMATopologyForbidden'],
  [/^hw:cpu_max_/, 'ImageVCPULimitsRangeExceeded'],
  [/^hw:pci_numa_affinity_policy$/, 'ImagePCINUMAPolicyForbidden'],
  [/^hw:locked_memory$/, 'FlavorImageLockedMemoryConflict'],
  [/^hw:pmu$/, 'ImagePMUConflict'],
  [/^hw:serial_port_count$/, 'ImageSerialPortNumberExceedFlavorValue'],
  [/^hw_video:ram_max_mb$/, 'RequestedVRamTooHigh'],
]

/** A flavor without a word on these sets no limit. */
const openWithoutLimit: readonly string[] = ['hw:serial_port_count']

/** How much each policy takes from the host: an image may take less than the flavor gives, never more. */
const pinning: readonly string[] = ['shared', 'mixed', 'dedicated']

/** Whether a flavor leaves the image its choice; `given` is undefined when the flavor says nothing. */
const permits: Readonly<Record<string, (given: string | undefined, wanted: string) => boolean>> = {
  'hw:cpu_policy': (given, wanted) => given === undefined || pinning.indexOf(wanted) <= pinning.indexOf(given),
  'hw:cpu_thread_policy': (given, wanted) => given === undefined || given === 'prefer' || given === wanted,
  'hw:mem_page_size': (given) => given === 'any' || given === 'large',
}

const same = (definition: PropertyDefinition, a: string, b: string): boolean =>
  definition.value.valueType === 'BOOLEAN' ? truthOf(a) === truthOf(b) : a === b

/** The flavor's own value, under its key or an older name of it. */
const givenBy = (specs: Values, key: string, definition: PropertyDefinition): string | undefined =>
  [key, ...(definition.aliases ?? [])].map((name) => specs[name]).find((value) => value !== undefined)

function agrees(definition: PropertyDefinition, given: string | undefined, wanted: string): boolean {
  switch (definition.precedence) {
    case 'MUST_MATCH':
      return given === undefined || same(definition, given, wanted)
    case 'EXCLUSIVE':
      return given === undefined
    case 'FLAVOR_MUST_PERMIT':
      return permits[definition.key]?.(given, wanted) ?? true
    case 'FLAVOR_IS_LIMIT': {
      const limit = given ?? (openWithoutLimit.includes(definition.key) ? undefined : definition.defaultValue)
      return limit === undefined || BigInt(wanted) <= BigInt(limit)
    }
    default:
      return true
  }
}

/** Throws what a server of this flavor and image is refused with; its fields are those of createServer. */
export function requireAgreement(specs: Values, properties: Values): void {
  for (const [name, wanted] of Object.entries(properties)) {
    const refusal = refuseImageProperty(name, wanted)
    if (refusal !== null) {
      const exception = name === 'img_config_drive' ? 'InvalidImageConfigDrive' : 'InvalidRequest'
      throw CloudError.badInput('input.imageId', `Invalid image metadata: ${refusal.message}`, exception)
    }
    const property = imagePropertyRegistry.find(name)
    // An older name speaks only where the current one is silent (D-IMG-1).
    if (property?.counterpart === undefined || (name !== property.key && Object.hasOwn(properties, property.key))) continue
    const key = property.counterpart.replace('{num}', /\d+$/.exec(name)?.[0] ?? '')
    const definition = extraSpecRegistry.find(key)
    if (definition === undefined) continue
    const given = givenBy(specs, key, definition)
    if (agrees(definition, given, wanted)) continue
    throw new CloudError(
      'FLAVOR_IMAGE_CONFLICT',
      `The image asks for ${name}=${wanted}, which the flavor does not allow: it has ${given === undefined ? `no ${key}` : `${key}=${given}`}.`,
      {
        exception: exceptions.find(([pattern]) => pattern.test(key))?.[1] ?? 'FlavorImageConflict',
        fields: ['input.flavorId', 'input.imageId'],
      },
    )
  }
}
