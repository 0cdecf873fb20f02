/**
 * What a query costs, in points, from its shape alone. Two models: the rule that Linear documents (a scalar 0.1, an object 1, a
 * connection multiplies what is below it by `first`, the sum rounded up), and what its server has been seen to charge, which spares
 * some connections the multiplication.
 */
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  getNamedType,
  type GraphQLNamedType,
  type GraphQLSchema,
  isInterfaceType,
  isLeafType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode
} from "graphql"

export interface Complexity {
  readonly documented: number
  readonly observed: number
}

export type ComplexityModel = keyof Complexity

/** The most that one query may cost. */
export const limit = 10_000

const defaultFirst = 50
const flatRoots = new Set(["issues"])
const flatFields = new Set(["Issue.labels", "Issue.children"])

/** Of an operation that is valid on the schema. */
export function complexity(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>
): Complexity {
  const root = schema.getRootType(operation.operation)
  const fragments = new Map(
    document.definitions.flatMap((one) => (one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one]] : []))
  )
  const points = (model: ComplexityModel) =>
    root == null
      ? 0
      : Math.ceil(tenths({ schema, fragments, variables, operation, model }, operation.selectionSet, root) / 10)
  return { documented: points("documented"), observed: points("observed") }
}

interface Walk {
  readonly schema: GraphQLSchema
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>
  readonly variables: Readonly<Record<string, unknown>>
  readonly operation: OperationDefinitionNode
  readonly model: ComplexityModel
}

/** Counted in tenths of a point: sums of 0.1 drift. */
function tenths(walk: Walk, selections: SelectionSetNode, parent: GraphQLNamedType): number {
  return selections.selections.reduce((sum, selection) => {
    if (selection.kind === Kind.FIELD) return sum + tenthsOfField(walk, selection, parent)
    const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? walk.fragments.get(selection.name.value) : selection
    if (fragment === undefined) return sum
    const on = fragment.typeCondition === undefined ? parent : walk.schema.getType(fragment.typeCondition.name.value)
    return sum + tenths(walk, fragment.selectionSet, on ?? parent)
  }, 0)
}

function tenthsOfField(walk: Walk, field: FieldNode, parent: GraphQLNamedType): number {
  const name = field.name.value
  const definition = isObjectType(parent) || isInterfaceType(parent) ? walk.schema.getField(parent, name) : undefined
  if (definition == null) return 1
  const type = getNamedType(definition.type)
  if (isLeafType(type) || field.selectionSet === undefined) return 1
  const below = tenths(walk, field.selectionSet, type)
  if (!type.name.endsWith("Connection")) return 10 + below
  const isRoot = parent === walk.schema.getRootType(walk.operation.operation)
  const isFlat = isRoot ? flatRoots.has(name) : flatFields.has(`${parent.name}.${name}`)
  return walk.model === "observed" && isFlat ? 10 + below : below * sizeOf(walk, field)
}

function sizeOf({ operation, variables }: Walk, field: FieldNode): number {
  const size = field.arguments?.find(({ name }) => name.value === "first" || name.value === "last")?.value
  if (size?.kind === Kind.INT) return Number(size.value)
  if (size?.kind === Kind.VARIABLE) {
    const value = variables[size.name.value]
    if (typeof value === "number") return value
    const fallback = operation.variableDefinitions?.find((it) => it.variable.name.value === size.name.value)
    if (fallback?.defaultValue?.kind === Kind.INT) return Number(fallback.defaultValue.value)
  }
  return defaultFirst
}
