/** The catalogs of known extra specs and image properties. */
import { extraSpecRegistry } from '@kilonova/contract/extra-specs'
import { imagePropertyRegistry } from '@kilonova/contract/image-properties'
import { type PropertyDefinition as Definition, namespaceOf } from '@kilonova/contract/properties/property-definition'
import { Arg, Ctx, Query, Resolver } from 'type-graphql'
import type { RequestContext } from '../../graphql/context.js'
import { PropertyDefinition, PropertyGroup } from './property.types.js'

const toProperty = (definition: Definition): PropertyDefinition => ({
  key: definition.key,
  namespace: namespaceOf(definition.key),
  group: definition.group,
  title: definition.title,
  description: definition.description,
  valueType: definition.value.valueType,
  enumValues: definition.value.enumValues ?? null,
  pattern: definition.value.pattern ?? null,
  minimum: definition.value.minimum ?? null,
  maximum: definition.value.maximum ?? null,
  unit: definition.unit ?? null,
  defaultValue: definition.defaultValue ?? null,
  parameters: definition.parameters ?? [],
  counterpart: definition.counterpart ?? null,
  precedence: definition.precedence ?? 'NONE',
  requires: definition.requires ?? [],
  excludes: definition.excludes ?? [],
  aliases: definition.aliases ?? [],
  deprecationReason: definition.deprecationReason ?? null,
})

const extraSpecs = extraSpecRegistry.definitions.map(toProperty)
const imageProperties = imagePropertyRegistry.definitions.map(toProperty)
/** `resources` for `resources{group}`. */
const plainNamespace = (namespace: string | null): string | null => namespace?.replace(/\{\w+\}$/, '') ?? null

@Resolver()
export class PropertyResolver {
  @Query(() => [PropertyDefinition], {
    description: 'Every known extra spec. Unknown keys in a namespace listed here are refused, other namespaces pass unchecked.',
  })
  extraSpecSchema(
    @Arg('namespace', () => String, { nullable: true, description: 'Only this namespace, for example hw.' }) namespace: string | null,
    @Ctx() { caller: _signedIn }: RequestContext,
  ): PropertyDefinition[] {
    return namespace == null ? extraSpecs : extraSpecs.filter((property) => plainNamespace(property.namespace) === namespace)
  }

  @Query(() => [PropertyDefinition], { description: 'Every image property with a meaning to the compute service.' })
  imagePropertySchema(
    @Arg('group', () => PropertyGroup, { nullable: true, description: 'Only this group.' }) group: PropertyGroup | null,
    @Ctx() { caller: _signedIn }: RequestContext,
  ): PropertyDefinition[] {
    return group == null ? imageProperties : imageProperties.filter((property) => property.group === group)
  }
}
