/** Image properties: the registry of those with a meaning, and what is refused (D-IMG-1…59). */
import { imagePropertyDefinitions } from './properties/image-property-definitions.js'
import { fits, type PropertyRefusal, PropertyRegistry } from './properties/property-definition.js'

export const imagePropertyRegistry = new PropertyRegistry(imagePropertyDefinitions)

/** How many properties, tags and members one image may have. */
export const imageLimits = { properties: 128, tags: 128, members: 128 } as const

const keyPattern = /^[a-zA-Z0-9\-_:. ]{1,255}$/

/** Names of an image's own fields: a property of such a name would say something else than the field. */
const fieldNames: ReadonlySet<string> = new Set([
  ...['id', 'name', 'status', 'visibility', 'protected', 'owner', 'tags', 'members', 'size', 'virtual_size', 'checksum', 'locations'],
  ...['min_ram', 'min_disk', 'disk_format', 'container_format', 'os_hidden', 'os_hash_algo', 'os_hash_value', 'created_at', 'updated_at'],
  ...['deleted', 'deleted_at', 'is_public', 'properties', 'schema', 'self', 'file', 'direct_url', 'stores'],
])

/** Why an image property is refused, or null. Names without a meaning pass with any value. */
export function refuseImageProperty(key: string, value: string): PropertyRefusal | null {
  if (!keyPattern.test(key)) {
    return { at: 'key', message: `Image property name '${key}' may hold 1 to 255 letters, digits, - _ : . and blanks.` }
  }
  if (fieldNames.has(key)) return { at: 'key', message: `'${key}' is a field of images and cannot be a property.` }
  if (key.startsWith('os_glance')) return { at: 'key', message: `Image properties that begin with os_glance belong to the image service.` }
  if (value.length > 255) return { at: 'value', message: `The value of image property '${key}' is longer than 255 characters.` }
  const definition = imagePropertyRegistry.find(key)
  if (definition === undefined || fits(value, definition.value)) return null
  return { at: 'value', message: `Image property '${key}' must be ${definition.value.says}, not '${value}'.` }
}
