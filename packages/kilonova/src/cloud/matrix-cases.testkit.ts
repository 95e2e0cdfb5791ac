/** How the tenancy matrix asks, and what the rules of the schema say must come of it. */
import { Policy } from '@kilonova/api/policy/policy'
import { isPolicyRuleName, type PolicyRuleName } from '@kilonova/contract/policy-rules'
import { createLogger } from '@kilonova/runtime/logger'
import { type GraphQLObjectType, getNamedType, isLeafType, isObjectType, isRequiredArgument } from 'graphql'
import {
  type Field,
  guardsOf,
  type InputPath,
  inputFields,
  isListField,
  leafFields,
  makeInput,
  objectFields,
  type Way,
} from './matrix-schema.testkit.js'
import { type Actor, always, type World } from './matrix-world.testkit.js'

const policy = new Policy(null, createLogger('silent'))

export interface Answer {
  data?: Record<string, unknown> | null
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string; fields?: string[] } }[]
}

export const allows = (rule: string, actor: Actor, target?: { project_id: string | null; user_id: string | null }): boolean => {
  if (!isPolicyRuleName(rule)) throw new Error(`@policy names ${rule}, which is no rule`)
  return policy.allows(
    rule satisfies PolicyRuleName,
    {
      requestId: '',
      userName: '',
      sessionId: '',
      sessionExpiresAt: 0,
      clientAddress: '',
      userId: actor.userId,
      projectId: actor.projectId,
      roles: actor.roles,
    },
    target,
  )
}
export const given = (args: Record<string, unknown>, path: InputPath): unknown =>
  path.reduce<unknown>((value, part) => {
    const at: unknown = Array.isArray(value) ? value[0] : value
    return (at as Record<string, unknown> | undefined)?.[part]
  }, args)
export const denial = (rule: string): string => `FORBIDDEN Policy doesn't allow ${rule} to be performed.`
/** How a field may be refused to the actor: by the rules of the field and of the inputs that are given. */
export const denials = (field: Field, args: Record<string, unknown>, actor: Actor): string[] => {
  const inputs = inputsOf(field).filter(({ path }) => given(args, path) !== undefined)
  const rules = [...rulesOf(field), ...inputs.flatMap((input) => guardsOf(input.field).map((guard) => guard.rule))]
  return rules.filter((rule) => !allows(rule, actor)).map(denial)
}
/** The first rule that the actor fails in its own project. */
export const denying = (rules: readonly string[], actor: Actor): string | undefined => rules.find((rule) => !allows(rule, actor))

export const codeOf = (answer: Answer): string => answer.errors?.[0]?.extensions.code ?? 'OK'
export const told = (answer: Answer): string => `${codeOf(answer)} ${answer.errors?.[0]?.message ?? JSON.stringify(answer.data)}`

/** `field(args) { … }` with its variables, for a root field. */
export const call = (
  field: Field,
  args: Record<string, unknown>,
  selection: string,
): { document: (root: string) => string; variables: Record<string, unknown> } => {
  const given = field.args.filter((argument) => args[argument.name] !== undefined)
  const declared = given.map((argument) => `$${argument.name}: ${String(argument.type)}`).join(', ')
  const passed = given.map((argument) => `${argument.name}: $${argument.name}`).join(', ')
  const body = `${field.name}${passed === '' ? '' : `(${passed})`}${selection === '' ? '' : ` { ${selection} }`}`
  return {
    document: (root) => `${root}${declared === '' ? '' : ` (${declared})`} { ${body} }`,
    variables: Object.fromEntries(given.map((argument) => [argument.name, args[argument.name]])),
  }
}

/** Required arguments, and those on forced ways. The first part of a way is the argument. */
export const argsOf = async (field: Field, world: World, forced: readonly InputPath[] = []): Promise<Record<string, unknown>> => {
  const args: Record<string, unknown> = {}
  for (const argument of field.args) {
    const deeper = forced.filter(([head]) => head === argument.name).map((path) => path.slice(1))
    if (!isRequiredArgument(argument) && deeper.length === 0) continue
    args[argument.name] = await makeInput(argument.type, { owner: field.name, name: argument.name }, world.sample, deeper, always)
  }
  return args
}
/** Every input of a field, at any depth. */
export const inputsOf = (field: Field) =>
  field.args.flatMap((argument) => [
    { path: [argument.name], place: { owner: field.name, name: argument.name }, field: argument },
    ...inputFields(argument.type, [argument.name]),
  ])
export const rulesOf = (field: Field): string[] => guardsOf(field).map((guard) => guard.rule)

export const typename = (field: Field): string => (isLeafType(getNamedType(field.type)) ? '' : '__typename')
/** What a mutation answers, two levels deep. */
export const payloadOf = (type: GraphQLObjectType, levels: number): string => {
  const plain = (field: Field): boolean => !field.args.some(isRequiredArgument) && guardsOf(field).every((guard) => guard.hides)
  const inner = levels === 0 ? [] : objectFields(type).filter((field) => plain(field) && !isListField(field))
  const objects = inner.flatMap((field) => {
    const to = getNamedType(field.type)
    return isObjectType(to) ? [`${field.name} { ${payloadOf(to, levels - 1)} }`] : []
  })
  return [
    '__typename',
    ...leafFields(type)
      .filter(plain)
      .map((field) => field.name),
    ...objects,
  ].join(' ')
}
export const payload = (field: Field): string => {
  const type = getNamedType(field.type)
  return isObjectType(type) ? payloadOf(type, 2) : ''
}
/** Whose an object is, by what it says of itself. */
export const ownerOf = (type: GraphQLObjectType, instance: Record<string, unknown>, actor: Actor) => {
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
  const userId = type.name === 'User' ? text(instance.id) : text(instance.userId)
  const projectId = text(instance.projectId)
  if (userId === null && projectId === null) return undefined
  return { project_id: projectId ?? actor.projectId, user_id: userId ?? actor.userId }
}

/** The leaves of the type at the end of the way, and one level of what its fields lead to. */
export async function questionAlong(way: Way, world: World): Promise<{ document: string; variables: Record<string, unknown> }> {
  const variables: Record<string, unknown> = {}
  const declared: string[] = []
  const fieldText = async (field: Field, inner: string): Promise<string> => {
    const args = await argsOf(field, world)
    const passed = field.args.flatMap((argument) => {
      if (args[argument.name] === undefined && !(argument.name === 'first' && isListField(field))) return []
      const variable = `v${declared.length}`
      declared.push(`$${variable}: ${String(argument.type)}`)
      variables[variable] = args[argument.name] ?? 5
      return [`${argument.name}: $${variable}`]
    })
    return `${field.name}${passed.length === 0 ? '' : `(${passed.join(', ')})`}${inner === '' ? '' : ` { ${inner} }`}`
  }
  const leavesOf = async (type: GraphQLObjectType): Promise<string> =>
    [await Promise.all(leafFields(type).map((field) => fieldText(field, ''))), '__typename'].flat().join(' ')
  const selection: string[] = [await leavesOf(way.to)]
  for (const field of objectFields(way.to)) {
    const to = getNamedType(field.type)
    if (!isObjectType(to)) continue
    const inner = isListField(field)
      ? `totalCount nodes { ${await leavesOf(getNamedType(to.getFields().nodes?.type ?? to) as GraphQLObjectType)} }`
      : await leavesOf(to)
    selection.push(await fieldText(field, inner))
  }
  let text = selection.join(' ')
  for (const step of [...way.steps].reverse()) text = await fieldText(step.field, text)
  return { document: `query${declared.length === 0 ? '' : ` (${declared.join(', ')})`} { ${text} }`, variables }
}
