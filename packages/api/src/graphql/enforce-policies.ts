/**
 * Enforces `@policy` where services cannot: on fields that hide themselves and on input fields and arguments that were given. Root
 * fields are enforced by their services.
 */
import type { PolicyRuleName } from '@kilonova/contract/policy-rules'
import {
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql'
import { forbidden, type PolicyTarget } from '../policy/policy.js'
import type { RequestContext } from './context.js'
import { policiesOf } from './policy-directive.js'

/** The project and user an object belongs to; objects that belong to nobody are judged by the caller's own project. */
function targetOf(source: unknown): PolicyTarget | undefined {
  if (typeof source !== 'object' || source === null) return undefined
  const { projectId, userId } = source as { projectId?: string | null; userId?: string | null }
  return projectId === undefined ? undefined : { project_id: projectId, user_id: userId ?? null }
}

function allows(context: RequestContext, rule: PolicyRuleName, target: PolicyTarget | undefined): boolean {
  const key = `${rule} ${target?.project_id ?? ''} ${target?.user_id ?? ''}`
  const known = context.decisions.get(key)
  if (known !== undefined) return known
  const allowed = context.services.policy.allows(rule, context.caller, target)
  context.decisions.set(key, allowed)
  return allowed
}

/** Rules of the input fields present in a value. */
function rulesOfInput(type: GraphQLInputType, value: unknown): PolicyRuleName[] {
  if (value === null || value === undefined) return []
  if (isNonNullType(type)) return rulesOfInput(type.ofType, value)
  if (isListType(type))
    return Array.isArray(value) ? value.flatMap((item) => rulesOfInput(type.ofType, item)) : rulesOfInput(type.ofType, value)
  if (!isInputObjectType(type)) return []
  const given = value as Record<string, unknown>
  return Object.values(type.getFields()).flatMap((field) => {
    const present = given[field.name]
    if (present === undefined || present === null || present === false) return []
    return [...policiesOf(field.extensions).map((policy) => policy.rule), ...rulesOfInput(field.type, present)]
  })
}

const hasInputPolicies = (type: GraphQLInputType, seen = new Set<string>()): boolean => {
  const named = getNamedType(type)
  if (!isInputObjectType(named) || seen.has(named.name)) return false
  seen.add(named.name)
  return Object.values(named.getFields()).some((field) => policiesOf(field.extensions).length > 0 || hasInputPolicies(field.type, seen))
}

function guardInputs(field: GraphQLField<unknown, RequestContext>): void {
  const guarded = field.args.filter((argument) => hasInputPolicies(argument.type))
  if (guarded.length === 0) return
  const guard = (args: Record<string, unknown>, context: RequestContext): void => {
    for (const argument of guarded) {
      for (const rule of rulesOfInput(argument.type, args[argument.name])) {
        if (!allows(context, rule, undefined)) throw forbidden(rule)
      }
    }
  }
  const { resolve, subscribe } = field
  if (subscribe) {
    field.subscribe = (source, args, context, info) => {
      guard(args, context)
      return subscribe(source, args, context, info)
    }
  } else {
    field.resolve = (source, args, context, info) => {
      guard(args, context)
      return (resolve ?? defaultFieldResolver)(source, args, context, info)
    }
  }
}

function guardField(field: GraphQLField<unknown, RequestContext>): void {
  const hiding = policiesOf(field.extensions).filter((policy) => policy.onDeny === 'HIDE')
  if (hiding.length === 0) return
  const resolve = field.resolve ?? defaultFieldResolver
  // A list that is never null is hidden by being empty.
  const nothing = isNonNullType(field.type) && isListType(field.type.ofType) ? [] : null
  field.resolve = (source, args, context, info) => {
    const target = targetOf(source)
    return hiding.every(({ rule }) => allows(context, rule, target)) ? resolve(source, args, context, info) : nothing
  }
}

/** Wraps the resolvers of a schema in place. */
export function enforcePolicies(schema: GraphQLSchema): void {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue
    for (const field of Object.values(type.getFields())) {
      guardInputs(field)
      if (!roots.includes(type)) guardField(field)
    }
  }
}
