/** CDs and DVDs: ISO 9660 and UDF. Nothing in them refers to other files; they are used as they are. */
import type { ImageBytes } from './image-bytes.js'

const descriptorsOffset = 32_768
const descriptorBytes = 2048
const identifiers = new Set(['CD001', 'BEA01'])

export async function isIso(image: ImageBytes): Promise<boolean> {
  const descriptor = await image.readUpTo(descriptorsOffset, descriptorBytes)
  return descriptor.length === descriptorBytes && identifiers.has(descriptor.toString('latin1', 1, 6))
}
