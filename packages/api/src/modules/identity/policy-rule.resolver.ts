/** Shows the rules in force and what they guard, so that clients can tell why something is forbidden. */
import { policyRules as defaults, isPolicyRuleName, type PolicyRuleName } from '@kilonova/contract/policy-rules'
import type { GraphQLResolveInfo, GraphQLSchema } from 'graphql'
import { isInputObjectType, isObjectType } from 'graphql'
import { Arg, Ctx, Field, ID, Info, ObjectType, Query, Resolver } from 'type-graphql'
import { instanceNotFound } from '../../cells/instance.store.js'
import type { RequestContext } from '../../graphql/context.js'
import { policiesOf } from '../../graphql/policy-directive.js'

@ObjectType({ description: 'A policy rule in force.', simpleResolvers: true })
export class PolicyRule {
  @Field(() => String, { description: 'Name as used in @policy.' })
  name!: string
  @Field(() => String, { description: 'Expression in force.' })
  checkString!: string
  @Field(() => String, { description: 'Expression without the operator’s policy file.' })
  defaultCheckString!: string
  @Field(() => String)
  description!: string
  @Field(() => [String], { description: 'Root fields and Type.field coordinates guarded by it.' })
  coordinates!: string[]
  @Field(() => Boolean, { description: 'Whether the caller passes in the current project.' })
  allowedForViewer!: boolean
}

const known = new WeakMap<GraphQLSchema, ReadonlyMap<string, string[]>>()

/** Coordinates of a schema by the rule that guards them. */
function coordinatesOf(schema: GraphQLSchema): ReadonlyMap<string, string[]> {
  const made = known.get(schema)
  if (made !== undefined) return made
  const byRule = new Map<string, string[]>()
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__') || !(isObjectType(type) || isInputObjectType(type))) continue
    for (const field of Object.values(type.getFields())) {
      for (const { rule } of policiesOf(field.extensions)) {
        byRule.set(rule, [...(byRule.get(rule) ?? []), `${type.name}.${field.name}`])
      }
    }
  }
  known.set(schema, byRule)
  return byRule
}

@Resolver()
export class PolicyRuleResolver {
  @Query(() => [PolicyRule], { description: 'Policy rules in force; helps to tell why something is forbidden.' })
  async policyRules(
    @Arg('nameContains', () => String, { nullable: true, description: 'Only names containing this text.' }) nameContains: string | null,
    @Arg('serverId', () => ID, {
      nullable: true,
      description: 'Test allowedForViewer against this server instead of the current project.',
    })
    serverId: string | null,
    @Ctx() context: RequestContext,
    @Info() { schema }: GraphQLResolveInfo,
  ): Promise<PolicyRule[]> {
    const { caller, services } = context
    const server = serverId == null ? null : await context.servers.load(serverId)
    if (serverId != null && server === null) throw instanceNotFound(serverId)
    const target = server === null ? undefined : { project_id: server.row.project_id, user_id: server.row.user_id }
    const coordinates = coordinatesOf(schema)
    const wanted = (nameContains ?? '').toLowerCase()
    const names: PolicyRuleName[] = Object.keys(defaults).filter(isPolicyRuleName)
    return names
      .filter((name) => name.toLowerCase().includes(wanted))
      .sort()
      .map((name) => ({
        name,
        checkString: services.policy.expressionOf(name),
        defaultCheckString: defaults[name].check,
        description: defaults[name].description,
        coordinates: coordinates.get(name) ?? [],
        allowedForViewer: services.policy.allows(name, caller, target),
      }))
  }
}
