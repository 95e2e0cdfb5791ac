/** Known extra specs and image properties as clients see them: enough to render and check a form field. */
import type {
  PropertyGroup as Group,
  PropertyPrecedence as Precedence,
  PropertyValueType as ValueType,
} from '@kilonova/contract/properties/property-definition'
import { Field, ObjectType, registerEnumType } from 'type-graphql'
import { BigInteger } from '../../graphql/scalars.js'

const valuesOf = <T extends string>(descriptions: Readonly<Record<T, string>>) => ({
  values: Object.fromEntries(Object.keys(descriptions).map((value) => [value, value])) as { [V in T]: V },
  valuesConfig: Object.fromEntries(Object.entries<string>(descriptions).map(([value, description]) => [value, { description }])) as {
    [V in T]: { description: string }
  },
})

const valueTypes = valuesOf<ValueType>({
  STRING: 'Any text, perhaps with a pattern.',
  INTEGER: 'Whole number.',
  BOOLEAN: 'true/false, yes/no, on/off, 1/0.',
  ENUM: 'One of enumValues.',
  CPU_SET: 'CPU list such as 0-3,^1.',
  PAGE_SIZE: 'Page size: small, large, any, or number with unit.',
  EXPRESSION: 'Comparison such as >= 4, s== x, <in> a, <or> a <or> b.',
  LIST: 'Comma-separated list.',
})
export const PropertyValueType = valueTypes.values
registerEnumType(PropertyValueType, {
  name: 'PropertyValueType',
  description: 'Type of an extra spec or image property value; always sent as text.',
  valuesConfig: valueTypes.valuesConfig,
})

const precedences = valuesOf<Precedence>({
  FLAVOR_WINS: 'The flavor’s value.',
  IMAGE_WINS: 'The image’s value.',
  MUST_MATCH: 'Different values are refused with FLAVOR_IMAGE_CONFLICT.',
  FLAVOR_IS_LIMIT: 'The image may only lower the flavor’s value.',
  FLAVOR_MUST_PERMIT: 'The flavor must leave the choice open, else FLAVOR_IMAGE_CONFLICT.',
  EXCLUSIVE: 'Both together are refused.',
  TRUE_WINS: 'True in one is true.',
  UNION: 'Both are required.',
  NONE: 'There is no counterpart.',
})
export const PropertyPrecedence = precedences.values
registerEnumType(PropertyPrecedence, {
  name: 'PropertyPrecedence',
  description: 'What holds when flavor and image both speak.',
  valuesConfig: precedences.valuesConfig,
})

const groups = valuesOf<Group>({
  CPU: 'Pinning, topology, realtime.',
  MEMORY: 'Pages, locking, encryption, persistent memory.',
  NUMA: 'Guest NUMA nodes.',
  DEVICES: 'NIC, disk, video, serial, watchdog, RNG, PMU.',
  FIRMWARE: 'UEFI, secure boot, TPM, machine type.',
  PCI: 'PCI, vGPU, accelerators, IOMMU.',
  QUOTA: 'CPU, disk and network limits.',
  PLACEMENT: 'Resource classes, traits, groups.',
  SCHEDULING: 'Aggregate and host matching.',
  GUEST: 'Architecture, hypervisor, OS.',
  SIGNATURE: 'Signatures and certificates.',
  STORAGE: 'Volumes and block devices of an image.',
  VENDOR: 'Other drivers.',
})
export const PropertyGroup = groups.values
export type PropertyGroup = Group
registerEnumType(PropertyGroup, { name: 'PropertyGroup', description: 'Section of a form.', valuesConfig: groups.valuesConfig })

@ObjectType({ description: 'An allowed value.', simpleResolvers: true })
export class PropertyEnumValue {
  @Field(() => String)
  value!: string
  @Field(() => String)
  description!: string
}

@ObjectType({ description: 'A variable part of a key.', simpleResolvers: true })
export class PropertyParameter {
  @Field(() => String)
  name!: string
  @Field(() => String)
  pattern!: string
  @Field(() => String)
  description!: string
}

@ObjectType({ description: 'A known extra spec or image property, enough to render and check a form field.', simpleResolvers: true })
export class PropertyDefinition {
  @Field(() => String, { description: 'Key; parameters in braces, for example hw:numa_cpus.{num}.' })
  key!: string
  @Field(() => String, { nullable: true, description: 'Text before the colon; null for bare keys.' })
  namespace!: string | null
  @Field(() => PropertyGroup)
  group!: Group
  @Field(() => String, { description: 'Short label.' })
  title!: string
  @Field(() => String)
  description!: string
  @Field(() => PropertyValueType)
  valueType!: ValueType
  @Field(() => [PropertyEnumValue], { nullable: true })
  enumValues!: readonly PropertyEnumValue[] | null
  @Field(() => String, { nullable: true, description: 'Regular expression the whole value must match.' })
  pattern!: string | null
  @Field(() => BigInteger, { nullable: true })
  minimum!: number | null
  @Field(() => BigInteger, { nullable: true })
  maximum!: number | null
  @Field(() => String, { nullable: true, description: 'For example MB, KiB, ms, bytes/s.' })
  unit!: string | null
  @Field(() => String, { nullable: true, description: 'In force when absent.' })
  defaultValue!: string | null
  @Field(() => [PropertyParameter])
  parameters!: readonly PropertyParameter[]
  @Field(() => String, { nullable: true, description: 'Image property matching an extra spec, or the reverse.' })
  counterpart!: string | null
  @Field(() => PropertyPrecedence)
  precedence!: Precedence
  @Field(() => [String], { description: 'Keys that must also be set.' })
  requires!: readonly string[]
  @Field(() => [String], { description: 'Keys that must not be set beside it.' })
  excludes!: readonly string[]
  @Field(() => [String], { description: 'Older names accepted.' })
  aliases!: readonly string[]
  @Field(() => String, { nullable: true })
  deprecationReason!: string | null
}
