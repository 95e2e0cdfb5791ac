/** Flavor extra specs: the registry of the known ones, and what is refused (C-EXT-3, D-FLV-7, D-XS-1). */
import { extraSpecDefinitions } from './properties/extra-spec-definitions.js'
import { placementDefinitions } from './properties/placement-definitions.js'
import { fits, namespaceOf, type PropertyRefusal, PropertyRegistry } from './properties/property-definition.js'
import { tuningDefinitions } from './properties/tuning-definitions.js'

export const extraSpecRegistry = new PropertyRegistry([...extraSpecDefinitions, ...placementDefinitions, ...tuningDefinitions])

const keyPattern = /^[a-zA-Z0-9\-_:. ]{1,255}$/

/** Namespaces with known keys; those of request groups may carry the group's name. */
const knownNamespaces = extraSpecRegistry.definitions.flatMap(({ key }) => namespaceOf(key) ?? [])
const groupNamespace = /^(resources|trait)[a-zA-Z0-9_-]*$/
const isKnownNamespace = (namespace: string): boolean => knownNamespaces.includes(namespace) || groupNamespace.test(namespace)

/** Why an extra spec is refused, or null. Unknown namespaces and unknown bare keys pass unchecked. */
export function refuseExtraSpec(key: string, value: string): PropertyRefusal | null {
  if (!keyPattern.test(key)) {
    return { at: 'key', message: `Extra spec key '${key}' may hold 1 to 255 letters, digits, - _ : . and blanks.` }
  }
  if (value.length > 255) return { at: 'value', message: `The value of extra spec '${key}' is longer than 255 characters.` }
  const definition = extraSpecRegistry.find(key)
  if (definition === undefined) {
    const namespace = namespaceOf(key)
    return namespace !== null && isKnownNamespace(namespace)
      ? { at: 'key', message: `Validation failed; extra spec '${key}' does not appear to be a valid extra spec.` }
      : null
  }
  return fits(value, definition.value)
    ? null
    : { at: 'value', message: `Extra spec '${key}' must be ${definition.value.says}, not '${value}'.` }
}
