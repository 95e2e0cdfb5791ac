/** Refuses documents that are too deep, too wide or too expensive before anything runs (QUERY_TOO_COMPLEX). */
import { CloudError } from '@kilonova/contract/errors'
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql'

export interface DocumentLimits {
  maxDepth: number
  maxAliases: number
  maxDirectives: number
  maxCost: number
}

/** Lists that are not connections are bounded by their object; they count as this many. */
const plainListSize = 3

const refuse = (what: string, limit: number): CloudError =>
  new CloudError('QUERY_TOO_COMPLEX', `The document is too complex: ${what} above ${limit}.`, { extra: { limit } })

/**
 * Cost: one per field, two per object; below a connection times `first`. 1000 servers with 20 fields each cost about 21,000.
 */
export function limitDocument(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
  limits: DocumentLimits,
): number {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  }
  let aliases = 0
  let directives = 0
  let total = 0

  const spend = (cost: number): void => {
    total += cost
    if (total > limits.maxCost) throw refuse('cost', limits.maxCost)
  }

  /** The value of a variable, or else its default in the document. */
  const variableValue = (name: string): unknown => {
    if (variables[name] !== undefined) return variables[name]
    const byDefault = operation.variableDefinitions?.find((definition) => definition.variable.name.value === name)?.defaultValue
    return byDefault?.kind === Kind.INT ? Number(byDefault.value) : undefined
  }

  const sizeOf = (field: FieldNode, type: GraphQLOutputType): number => {
    const named = getNamedType(type)
    if (named.name.endsWith('Connection')) {
      const first = field.arguments?.find((argument) => argument.name.value === 'first')?.value
      const value = first?.kind === Kind.VARIABLE ? variableValue(first.name.value) : first?.kind === Kind.INT ? Number(first.value) : null
      return typeof value === 'number' && value >= 0 ? Math.min(value, 1000) : 50
    }
    return 1
  }

  const visit = (selections: SelectionSetNode, typeName: string, depth: number, times: number): void => {
    if (depth > limits.maxDepth) throw refuse('depth', limits.maxDepth)
    for (const selection of selections.selections) {
      directives += selection.directives?.length ?? 0
      if (directives > limits.maxDirectives) throw refuse('directives', limits.maxDirectives)
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        visit(selection.selectionSet, selection.typeCondition?.name.value ?? typeName, depth, times)
        continue
      }
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = fragments.get(selection.name.value)
        if (fragment !== undefined) visit(fragment.selectionSet, fragment.typeCondition.name.value, depth, times)
        continue
      }
      if (selection.alias !== undefined && ++aliases > limits.maxAliases) throw refuse('aliases', limits.maxAliases)
      const parent = schema.getType(typeName)
      const field =
        isObjectType(parent) || isAbstractType(parent)
          ? 'getFields' in parent
            ? parent.getFields()[selection.name.value]
            : undefined
          : undefined
      if (field === undefined) {
        spend(times)
        continue
      }
      const isList = isListType(isNonNullType(field.type) ? field.type.ofType : field.type)
      const parentIsConnection = typeName.endsWith('Connection')
      const inner = times * (isList && !parentIsConnection ? plainListSize : 1)
      spend(times)
      if (selection.selectionSet !== undefined) {
        visit(selection.selectionSet, getNamedType(field.type).name, depth + 1, inner * sizeOf(selection, field.type))
      }
    }
  }
  const root = schema.getRootType(operation.operation)
  if (root) visit(operation.selectionSet, root.name, 1, 1)
  return total
}
