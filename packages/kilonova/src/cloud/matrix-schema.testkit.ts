/** Walks the emitted schema for the tenancy matrix: what guards a field, ways to every type, and inputs made from their types. */
import {
  buildSchema,
  type ConstDirectiveNode,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredInputField,
  Kind,
} from 'graphql'

export type Field = GraphQLField<unknown, unknown>
export type InputValue = GraphQLArgument | GraphQLInputField

export interface Guard {
  rule: string
  hides: boolean
}

export const schemaFrom = (sdl: string): GraphQLSchema => buildSchema(sdl)

/** The `@policy` directives of a field, an argument or an input field. */
export function guardsOf(element: {
  astNode?: { readonly directives?: readonly ConstDirectiveNode[] | undefined } | null | undefined
}): Guard[] {
  return (element.astNode?.directives ?? [])
    .filter((directive) => directive.name.value === 'policy')
    .map((directive) => {
      const value = (name: string): string | null => {
        const found = directive.arguments?.find((argument) => argument.name.value === name)?.value
        return found?.kind === Kind.STRING || found?.kind === Kind.ENUM ? found.value : null
      }
      return { rule: value('rule') ?? '', hides: value('onDeny') === 'HIDE' }
    })
}

export const rootFields = (schema: GraphQLSchema, root: 'query' | 'mutation' | 'subscription'): Field[] => {
  const type = { query: schema.getQueryType(), mutation: schema.getMutationType(), subscription: schema.getSubscriptionType() }[root]
  return Object.values(type?.getFields() ?? {})
}

/** Where a value goes: `CreateServerInput.imageId`, or `server.id` for an argument of a root field. */
export interface Place {
  owner: string
  name: string
}
export const placeText = (place: Place): string => `${place.owner}.${place.name}`

/** Gives values for leaves; throws where no sample is known. */
export type Sampler = (type: GraphQLInputType, place: Place) => Promise<unknown>

/** One way down the input: names of fields, from the argument on. Lists are entered at their first item. */
export type InputPath = readonly string[]

/** A value with all that is required, and with what lies on the forced ways. */
export async function makeInput(
  type: GraphQLInputType,
  place: Place,
  sample: Sampler,
  forced: readonly InputPath[],
  always: (place: Place) => boolean,
): Promise<unknown> {
  if (isNonNullType(type)) return makeInput(type.ofType, place, sample, forced, always)
  if (isListType(type)) return [await makeInput(type.ofType, place, sample, forced, always)]
  if (!isInputObjectType(type)) return sample(type, place)
  const made: Record<string, unknown> = {}
  for (const field of Object.values(type.getFields())) {
    const inner: Place = { owner: type.name, name: field.name }
    const deeper = forced.filter(([head]) => head === field.name).map((path) => path.slice(1))
    if (deeper.length > 0 || isRequiredInputField(field) || always(inner))
      made[field.name] = await makeInput(field.type, inner, sample, deeper, always)
  }
  return made
}

export interface InputLeaf {
  path: InputPath
  place: Place
  field: InputValue
}

/** Every field of an input, at any depth; an input type is entered once on a way. */
export function inputFields(type: GraphQLInputType, path: InputPath = [], seen: readonly string[] = []): InputLeaf[] {
  const named = getNamedType(type)
  if (!isInputObjectType(named) || seen.includes(named.name)) return []
  return Object.values(named.getFields()).flatMap((field) => [
    { path: [...path, field.name], place: { owner: named.name, name: field.name }, field },
    ...inputFields(field.type, [...path, field.name], [...seen, named.name]),
  ])
}

export const isIdType = (type: GraphQLInputType): boolean => getNamedType(type).name === 'ID'
export const isEnum = (type: GraphQLInputType): boolean => isEnumType(getNamedType(type))

/** Sets the leaf at a way in a value made by `makeInput`. */
export function withValue(value: unknown, path: InputPath, leaf: unknown): unknown {
  if (Array.isArray(value)) return [withValue(value[0], path, leaf)]
  const [head, ...rest] = path
  if (head === undefined) return leaf
  const object = value as Record<string, unknown>
  const current = object[head]
  const next = rest.length === 0 ? (Array.isArray(current) ? [leaf] : leaf) : withValue(current, rest, leaf)
  return { ...object, [head]: next }
}

/** A step from a type to another: a field, with its type's name where it is that of one of several possible types. */
export interface Step {
  field: Field
  to: GraphQLObjectType
}
export interface Way {
  steps: readonly Step[]
  to: GraphQLObjectType
}

const waysKept = 4
const longestWay = 7
/** Wrappers of lists: gone through, not tested by themselves. */
const isWrapper = (type: GraphQLObjectType): boolean => /(Connection|Edge)$/.test(type.name) || type.name === 'PageInfo'

/** The shortest ways from the root fields of Query to every object type. */
export function waysToTypes(schema: GraphQLSchema): Map<string, Way[]> {
  const found = new Map<string, Way[]>()
  let front: Way[] = rootFields(schema, 'query').flatMap((field) => stepsOf(field).map((step) => ({ steps: [step], to: step.to })))
  for (let length = 1; length <= longestWay && front.length > 0; length++) {
    const next: Way[] = []
    for (const way of front) {
      const known = found.get(way.to.name) ?? []
      if (known.length >= waysKept) continue
      found.set(way.to.name, [...known, way])
      for (const field of Object.values(way.to.getFields())) {
        if (isWrapper(way.to) && field.name !== 'nodes') continue
        for (const step of stepsOf(field)) next.push({ steps: [...way.steps, step], to: step.to })
      }
    }
    front = next
  }
  for (const name of [...found.keys()]) {
    const type = schema.getType(name)
    if (isObjectType(type) && isWrapper(type)) found.delete(name)
  }
  return found
}

function stepsOf(field: Field): Step[] {
  const named = getNamedType(field.type)
  return isObjectType(named) ? [{ field, to: named }] : []
}

export const leafFields = (type: GraphQLObjectType): Field[] =>
  Object.values(type.getFields()).filter((field) => isLeafType(getNamedType(field.type)))
export const objectFields = (type: GraphQLObjectType): Field[] =>
  Object.values(type.getFields()).filter((field) => !isLeafType(getNamedType(field.type)))
export const isListField = (field: Field): boolean => getNamedType(field.type).name.endsWith('Connection')

/** All the instances that a way has led to. */
export function instancesAt(data: unknown, steps: readonly Step[]): Record<string, unknown>[] {
  const [step, ...rest] = steps
  if (data === null || data === undefined) return []
  if (Array.isArray(data)) return data.flatMap((item) => instancesAt(item, steps))
  if (step === undefined) return [data as Record<string, unknown>]
  return instancesAt((data as Record<string, unknown>)[step.field.name], rest)
}
