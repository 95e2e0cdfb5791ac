/**
 * What a known extra spec or image property is: enough to check a value, to render a form field, and to tell what holds when flavor and
 * image both speak. The registries beside this file are lists of these; the checks and the GraphQL catalog both read them.
 */

export type PropertyValueType = 'STRING' | 'INTEGER' | 'BOOLEAN' | 'ENUM' | 'CPU_SET' | 'PAGE_SIZE' | 'EXPRESSION' | 'LIST'

export type PropertyPrecedence =
  | 'FLAVOR_WINS'
  | 'IMAGE_WINS'
  | 'MUST_MATCH'
  | 'FLAVOR_IS_LIMIT'
  | 'FLAVOR_MUST_PERMIT'
  | 'EXCLUSIVE'
  | 'TRUE_WINS'
  | 'UNION'
  | 'NONE'

export type PropertyGroup =
  | 'CPU'
  | 'MEMORY'
  | 'NUMA'
  | 'DEVICES'
  | 'FIRMWARE'
  | 'PCI'
  | 'QUOTA'
  | 'PLACEMENT'
  | 'SCHEDULING'
  | 'GUEST'
  | 'SIGNATURE'
  | 'STORAGE'
  | 'VENDOR'

export interface PropertyEnumValue {
  readonly value: string
  readonly description: string
}

export interface PropertyParameter {
  readonly name: string
  /** Regular expression of the part; `{name}` in the key stands for it. */
  readonly pattern: string
  readonly description: string
}

/** The values a property may have. `says` completes "must be …". */
export interface PropertyValue {
  readonly valueType: PropertyValueType
  readonly enumValues?: readonly PropertyEnumValue[]
  /** Enum values in any case; stored as they came. */
  readonly foldCase?: boolean
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly says: string
}

export interface PropertyDefinition {
  readonly key: string
  readonly group: PropertyGroup
  readonly title: string
  readonly description: string
  readonly value: PropertyValue
  readonly unit?: string
  readonly defaultValue?: string
  readonly parameters?: readonly PropertyParameter[]
  readonly counterpart?: string
  readonly precedence?: PropertyPrecedence
  readonly requires?: readonly string[]
  readonly excludes?: readonly string[]
  readonly aliases?: readonly string[]
  readonly deprecationReason?: string
}

/** Which half of an item is wrong, and why, in words for the user. */
export interface PropertyRefusal {
  readonly at: 'key' | 'value'
  readonly message: string
}

export const text = (pattern?: string, says = 'text of 1 to 255 characters'): PropertyValue =>
  pattern === undefined ? { valueType: 'STRING', says } : { valueType: 'STRING', pattern, says }

export function integer(range: { min?: number; max?: number } = {}): PropertyValue {
  const { min, max } = range
  const bounds = min !== undefined && max !== undefined ? ` from ${min} to ${max}` : min !== undefined ? ` of at least ${min}` : ''
  return {
    valueType: 'INTEGER',
    ...(min === undefined ? {} : { minimum: min }),
    ...(max === undefined ? {} : { maximum: max }),
    says: `a whole number${bounds}`,
  }
}

export const flag: PropertyValue = { valueType: 'BOOLEAN', says: 'true or false' }

export function oneOf(values: Readonly<Record<string, string>>, foldCase = false): PropertyValue {
  const enumValues = Object.entries(values).map(([value, description]) => ({ value, description }))
  return { valueType: 'ENUM', enumValues, foldCase, says: `one of ${Object.keys(values).join(', ')}` }
}

/** Values that explain themselves. */
export const anyOf = (...values: string[]): PropertyValue => oneOf(Object.fromEntries(values.map((value) => [value, `${value}.`])))

export const cpuSet: PropertyValue = {
  valueType: 'CPU_SET',
  pattern: '\\^?\\d+(-\\d+)?(,\\^?\\d+(-\\d+)?)*',
  says: 'a CPU set such as 0-3,^2',
}

export const pageSize: PropertyValue = {
  valueType: 'PAGE_SIZE',
  pattern: '(large|small|any|\\d+([kKMGT]i?)?(b|bit|B)?)',
  says: 'large, small, any or a size such as 2MB',
}

export const expression: PropertyValue = { valueType: 'EXPRESSION', says: 'text of 1 to 255 characters, perhaps with an operator' }

export const list = (pattern: string, says: string): PropertyValue => ({ valueType: 'LIST', pattern, says })

const truths: readonly string[] = ['true', 'yes', 'on', '1', 't', 'y']
const untruths: readonly string[] = ['false', 'no', 'off', '0', 'f', 'n']

/** The meaning of a BOOLEAN value; null when it has none. */
export function truthOf(value: string): boolean | null {
  const folded = value.toLowerCase()
  if (truths.includes(folded)) return true
  return untruths.includes(folded) ? false : null
}

const wholeNumber = /^-?\d{1,20}$/
const compiled = new Map<string, RegExp>()

function whole(pattern: string): RegExp {
  const known = compiled.get(pattern)
  if (known !== undefined) return known
  const made = new RegExp(`^(?:${pattern})$`)
  compiled.set(pattern, made)
  return made
}

/** Whether a value is one of those the property may have. */
export function fits(value: string, { valueType, enumValues, foldCase, pattern, minimum, maximum }: PropertyValue): boolean {
  if (value.length < 1 || value.length > 255) return false
  if (pattern !== undefined && !whole(pattern).test(value)) return false
  switch (valueType) {
    case 'INTEGER':
      if (!wholeNumber.test(value)) return false
      return (minimum === undefined || BigInt(value) >= minimum) && (maximum === undefined || BigInt(value) <= maximum)
    case 'BOOLEAN':
      return truthOf(value) !== null
    case 'ENUM': {
      const given = foldCase === true ? value.toLowerCase() : value
      return enumValues?.some((candidate) => candidate.value === given) === true
    }
    default:
      return true
  }
}

/** Text before the colon; null for bare keys. */
export function namespaceOf(key: string): string | null {
  const colon = key.indexOf(':')
  return colon < 0 ? null : key.slice(0, colon)
}

/** The keys a definition speaks of, as a regular expression: `{name}` becomes the parameter's pattern. */
function keyPattern(key: string, parameters: readonly PropertyParameter[] = []): RegExp {
  const source = key
    .split(/(\{\w+\})/)
    .map((part) => {
      const parameter = parameters.find(({ name }) => part === `{${name}}`)
      return parameter === undefined ? part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&') : `(?:${parameter.pattern})`
    })
    .join('')
  return new RegExp(`^${source}$`)
}

/** Finds the definition of a key: exact names and aliases first, then those with parameters in their order. */
export class PropertyRegistry {
  readonly definitions: readonly PropertyDefinition[]
  readonly #exact = new Map<string, PropertyDefinition>()
  readonly #patterns: readonly (readonly [RegExp, PropertyDefinition])[]

  constructor(definitions: readonly PropertyDefinition[]) {
    this.definitions = definitions
    for (const definition of definitions) {
      for (const key of [definition.key, ...(definition.aliases ?? [])]) {
        if (this.#exact.has(key)) throw new Error(`${key} is defined twice`)
        if (!key.includes('{')) this.#exact.set(key, definition)
      }
    }
    this.#patterns = definitions
      .filter(({ parameters }) => parameters !== undefined)
      .map((definition) => [keyPattern(definition.key, definition.parameters), definition] as const)
  }

  find(key: string): PropertyDefinition | undefined {
    return this.#exact.get(key) ?? this.#patterns.find(([pattern]) => pattern.test(key))?.[1]
  }
}
