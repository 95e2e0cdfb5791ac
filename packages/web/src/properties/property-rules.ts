/**
 * What the catalog of extra specs and image properties says of one that somebody types. The cloud judges; here only that is refused
 * which it certainly refuses, so that the message stands at the field before anything is sent.
 */
import type { PropertyFieldsFragment } from '../generated/graphql.js'
import { text } from '../text/text.js'

export type Definition = PropertyFieldsFragment

const words = text.properties
const booleans = /^(true|yes|on|1|t|y|false|no|off|0|f|n)$/i

/** A pattern of the catalog, over the whole text; null where this browser cannot read it. */
function whole(pattern: string): RegExp | null {
  try {
    return new RegExp(`^(?:${pattern})$`)
  } catch {
    return null
  }
}

function speaksOf({ key, parameters }: Definition, wanted: string): boolean {
  const source = key
    .split(/(\{\w+\})/)
    .map((part) => {
      const parameter = parameters.find(({ name }) => part === `{${name}}`)
      return parameter === undefined ? part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&') : `(?:${parameter.pattern})`
    })
    .join('')
  return whole(source)?.test(wanted) === true
}

/** The definition of a key: by its name or an older one first, then by those with variable parts. */
export function definitionOf(definitions: readonly Definition[], key: string): Definition | undefined {
  return (
    definitions.find((one) => one.key === key || one.aliases.includes(key)) ??
    definitions.find((one) => one.parameters.length > 0 && speaksOf(one, key))
  )
}

/** Why a key is refused; null: it is not. */
export function refusalOfKey(definition: Definition | undefined, key: string): string | null {
  if (key === '') return words.keyMissing
  const open = definition?.parameters.find(({ name }) => key.includes(`{${name}}`))
  return open === undefined ? null : words.fillIn(open.name, open.description)
}

/** Why a value is refused; null: it is not, as far as one can tell here. */
export function refusalOfValue({ valueType, enumValues, minimum, maximum, pattern }: Definition, value: string): string | null {
  const { must } = words
  if (value === '') return words.valueMissing
  if (value.length > 255) return must.beShort
  switch (valueType) {
    case 'ENUM': {
      const allowed = (enumValues ?? []).map((one) => one.value)
      return allowed.some((one) => one.toLowerCase() === value.toLowerCase()) ? null : must.beOneOf(allowed)
    }
    case 'BOOLEAN':
      return booleans.test(value) ? null : must.beABoolean
    case 'INTEGER':
      if (!/^-?\d{1,20}$/.test(value)) return must.beAWholeNumber
      if (minimum !== null && BigInt(value) < BigInt(minimum)) return must.beAtLeast(minimum)
      if (maximum !== null && BigInt(value) > BigInt(maximum)) return must.beAtMost(maximum)
      return null
    default:
      if (pattern === null || whole(pattern)?.test(value) !== false) return null
      return valueType === 'CPU_SET' ? must.beACpuSet : valueType === 'PAGE_SIZE' ? must.beAPageSize : must.haveTheForm
  }
}

/** What the key means, in a sentence or three. */
export function meaningOf(definition: Definition): string {
  const { description, unit, defaultValue, requires, excludes, deprecationReason } = definition
  return [
    description,
    unit === null ? null : words.unit(unit),
    defaultValue === null ? null : words.byDefault(defaultValue),
    requires.length === 0 ? null : words.needs(requires),
    excludes.length === 0 ? null : words.excludes(excludes),
    deprecationReason === null ? null : words.deprecated(deprecationReason),
  ]
    .filter((part) => part !== null)
    .join(' ')
}

/** Values to choose from. */
export function offeredValues({ valueType, enumValues }: Definition): { value: string; description: string }[] {
  if (valueType === 'BOOLEAN') return ['true', 'false'].map((value) => ({ value, description: '' }))
  return (enumValues ?? []).map(({ value, description }) => ({ value, description }))
}
