/** The schema: built from the resolver classes, printed with its directives, hashed. */
import 'reflect-metadata'
import { createHash } from 'node:crypto'
import {
  DirectiveLocation,
  GraphQLDirective,
  GraphQLEnumType,
  GraphQLNonNull,
  type GraphQLSchema,
  GraphQLString,
  Kind,
  parse,
  print,
  printSchema,
  specifiedDirectives,
  visit,
} from 'graphql'
import { buildSchemaSync, type NonEmptyArray } from 'type-graphql'
import { AuditResolver } from '../modules/audit/audit.resolver.js'
import { auditMutations } from '../modules/audit/audit-mutations.js'
import { ConsoleResolver } from '../modules/consoles/console.resolver.js'
import { EventResolver, ServerChangeResolver } from '../modules/events/event.resolver.js'
import { FlavorAccessResolver, FlavorResolver } from '../modules/flavors/flavor.resolver.js'
import { PropertyResolver } from '../modules/flavors/property.resolver.js'
import { ComputeServiceResolver, HostUsageResolver, HypervisorResolver } from '../modules/hypervisors/hypervisor.resolver.js'
import { ApplicationCredentialResolver } from '../modules/identity/application-credential.resolver.js'
import {
  IdentityResolver,
  ProjectResolver,
  RoleAssignmentResolver,
  RoleResolver,
  SessionResolver,
  UserResolver,
  ViewerResolver,
} from '../modules/identity/identity.resolver.js'
import { PolicyRuleResolver } from '../modules/identity/policy-rule.resolver.js'
import { ImageMemberResolver, ImageResolver } from '../modules/images/image.resolver.js'
import { KeypairResolver } from '../modules/keypairs/keypair.resolver.js'
import { NetworkResolver, SubnetResolver } from '../modules/networks/network.resolver.js'
import { OperationResolver } from '../modules/operations/operation.resolver.js'
import { ProjectQuotaResolver, QuotaResolver, QuotaSetResolver } from '../modules/quotas/quota.resolver.js'
import { UsageResolver } from '../modules/quotas/usage.resolver.js'
import { UsageAuditResolver } from '../modules/quotas/usage-audit.resolver.js'
import { ServerFaultResolver, ServerFlavorResolver, ServerResolver } from '../modules/servers/server.resolver.js'
import { ServerActionResolver } from '../modules/servers/server-action.resolver.js'
import { ServerLabelResolver } from '../modules/servers/server-label.resolver.js'
import { SystemResolver } from '../modules/system/system.resolver.js'
import { enforcePolicies } from './enforce-policies.js'
import { policiesOf } from './policy-directive.js'

const policyEffect = new GraphQLEnumType({
  name: 'PolicyEffect',
  description: 'Consequence of failing a @policy rule.',
  values: {
    ERROR: { description: 'The request fails with FORBIDDEN (or NOT_FOUND where existence itself is secret).' },
    HIDE: { description: 'The field is null and no error is raised.' },
  },
})

const policyDirective = new GraphQLDirective({
  name: 'policy',
  description:
    'Authorization rule of a field, mutation or input field, by its Nova policy name (or a name of the same form for the embedded services). On an input field it is checked only when the field is given. Repeated: all must pass.',
  isRepeatable: true,
  locations: [DirectiveLocation.FIELD_DEFINITION, DirectiveLocation.INPUT_FIELD_DEFINITION, DirectiveLocation.ARGUMENT_DEFINITION],
  args: {
    rule: { type: new GraphQLNonNull(GraphQLString), description: 'Rule name, for example os_compute_api:servers:start.' },
    onDeny: { type: new GraphQLNonNull(policyEffect), defaultValue: 'ERROR', description: 'What a caller gets who fails the rule.' },
  },
})

const resolvers: NonEmptyArray<new () => object> = [
  SystemResolver,
  IdentityResolver,
  ViewerResolver,
  SessionResolver,
  UserResolver,
  ProjectResolver,
  RoleResolver,
  RoleAssignmentResolver,
  ApplicationCredentialResolver,
  PolicyRuleResolver,
  AuditResolver,
  FlavorResolver,
  FlavorAccessResolver,
  PropertyResolver,
  KeypairResolver,
  ImageResolver,
  ImageMemberResolver,
  NetworkResolver,
  SubnetResolver,
  HostUsageResolver,
  HypervisorResolver,
  ComputeServiceResolver,
  ServerResolver,
  ServerActionResolver,
  ServerLabelResolver,
  ServerFlavorResolver,
  ServerFaultResolver,
  ServerChangeResolver,
  OperationResolver,
  ConsoleResolver,
  EventResolver,
  QuotaResolver,
  QuotaSetResolver,
  ProjectQuotaResolver,
  UsageResolver,
  UsageAuditResolver,
]

/** Subscriptions bring their own iterators (`subscribe`); type-graphql only asks that something is here. */
const noPubSub = {
  publish: (): void => {
    throw new Error('events come from the event log')
  },
  subscribe: (): AsyncIterable<unknown> => {
    throw new Error('events come from the event log')
  },
}

export function buildCloudSchema(): GraphQLSchema {
  const schema = buildSchemaSync({
    resolvers,
    validate: false,
    pubSub: noPubSub,
    // Naming any directive replaces the standard ones: @include and @skip must be named too.
    directives: [...specifiedDirectives, policyDirective],
  })
  enforcePolicies(schema)
  auditMutations(schema)
  return schema
}

/** SDL with the applied `@policy` directives, which graphql-js leaves out. */
export function printCloudSchema(schema: GraphQLSchema): string {
  const document = parse(printSchema(schema))
  let typeName = ''
  const directivesOf = (fieldName: string) => {
    const type = schema.getType(typeName)
    const field = type !== undefined && 'getFields' in type ? type.getFields()[fieldName] : undefined
    return policiesOf(field?.extensions).map((policy) => ({
      kind: Kind.DIRECTIVE as const,
      name: { kind: Kind.NAME as const, value: 'policy' },
      arguments: [
        {
          kind: Kind.ARGUMENT as const,
          name: { kind: Kind.NAME as const, value: 'rule' },
          value: { kind: Kind.STRING as const, value: policy.rule },
        },
        ...(policy.onDeny === 'HIDE'
          ? [
              {
                kind: Kind.ARGUMENT as const,
                name: { kind: Kind.NAME as const, value: 'onDeny' },
                value: { kind: Kind.ENUM as const, value: 'HIDE' },
              },
            ]
          : []),
      ],
    }))
  }
  const withDirectives = visit(document, {
    enter(node) {
      if (node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION) typeName = node.name.value
      if (node.kind === Kind.FIELD_DEFINITION)
        return { ...node, directives: [...(node.directives ?? []), ...directivesOf(node.name.value)] }
      if (node.kind === Kind.INPUT_VALUE_DEFINITION) {
        const type = schema.getType(typeName)
        const isInputField = type !== undefined && 'getFields' in type && type.astNode?.kind !== Kind.OBJECT_TYPE_DEFINITION
        if (isInputField && typeName.match(/(Input|Filter|Order)$/)) {
          return { ...node, directives: [...(node.directives ?? []), ...directivesOf(node.name.value)] }
        }
      }
      return undefined
    },
  })
  return `${print(withDirectives)}\n`
}

export const schemaHashOf = (sdl: string): string => createHash('sha256').update(sdl).digest('hex')
