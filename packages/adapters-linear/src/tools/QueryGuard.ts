/**
 * Looks at a GraphQL document of an agent before it is sent: one query, nothing that changes anything, and not so large
 * that it empties the budget that all runs share.
 */
import * as Result from "effect/Result"
import type { DocumentNode, FieldNode, FragmentDefinitionNode, SelectionSetNode } from "graphql"
import { Kind, OperationTypeNode, parse } from "graphql"

/** Longer documents are not looked at. */
export const maxDocumentLength = 20_000
/** The parser recurses with every bracket; so many fit on any stack. */
const maxTokens = 1500
export const maxDepth = 12
/** By Linear's documented rule; Linear itself refuses above 10,000. */
export const maxPoints = 5000

const defaultPage = 50

type Variables = { readonly [name: string]: unknown }

const isConnection = ({ selectionSet }: FieldNode): boolean =>
  selectionSet?.selections.some(
    (selection) => selection.kind === Kind.FIELD && ["nodes", "edges"].includes(selection.name.value)
  ) ?? false

/** How many members a connection is asked for. */
const pageOf = (field: FieldNode, variables: Variables): number => {
  const given = field.arguments?.find(({ name }) => name.value === "first" || name.value === "last")?.value
  const value =
    given?.kind === Kind.INT
      ? Number(given.value)
      : given?.kind === Kind.VARIABLE
        ? variables[given.name.value]
        : undefined
  return typeof value === "number" && value >= 1 ? value : defaultPage
}

interface Measure {
  readonly points: number
  readonly depth: number
}

/** Fails with the reason. */
const measure = (
  document: DocumentNode,
  root: SelectionSetNode,
  variables: Variables
): Result.Result<Measure, string> => {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  }
  let problem: string | null = null
  const of = (set: SelectionSetNode, depth: number, open: ReadonlyArray<string>): Measure => {
    let points = 0
    let deepest = depth
    if (depth > maxDepth) problem ??= `it nests deeper than ${maxDepth} levels`
    if (problem !== null) return { points, depth }
    const add = (inner: Measure, factor: number) => {
      points += inner.points * factor
      deepest = Math.max(deepest, inner.depth)
      if (points > maxPoints) {
        problem ??= `it costs more than ${maxPoints} points by Linear's rule; ask for fewer fields or a smaller first`
      }
    }
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        if (selection.selectionSet === undefined) points += 0.1
        else {
          const inner = of(selection.selectionSet, depth + 1, open)
          add({ points: inner.points, depth: inner.depth }, isConnection(selection) ? pageOf(selection, variables) : 1)
          points += 1
        }
      } else if (selection.kind === Kind.INLINE_FRAGMENT) add(of(selection.selectionSet, depth, open), 1)
      else {
        const name = selection.name.value
        const fragment = fragments.get(name)
        if (fragment === undefined) problem ??= `it spreads a fragment ${name} that it does not define`
        else if (open.includes(name)) problem ??= `its fragment ${name} contains itself`
        else add(of(fragment.selectionSet, depth, [...open, name]), 1)
      }
    }
    return { points, depth: deepest }
  }
  const total = of(root, 1, [])
  return problem === null ? Result.succeed(total) : Result.fail(problem)
}

const parsed = (text: string): Result.Result<DocumentNode, string> =>
  text.length > maxDocumentLength
    ? Result.fail(`it is longer than ${maxDocumentLength} characters`)
    : Result.try({
        try: () => parse(text, { maxTokens, noLocation: true }),
        catch: (error) => (error instanceof Error ? error.message : String(error))
      })

/** The points of a document that may be sent, or why it may not. */
export const check = (text: string, variables: Variables): Result.Result<number, string> =>
  Result.flatMap(parsed(text), (document) => {
    const operations = document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
    const others = document.definitions.filter(
      ({ kind }) => kind !== Kind.OPERATION_DEFINITION && kind !== Kind.FRAGMENT_DEFINITION
    )
    const [operation] = operations
    if (operation === undefined || operations.length > 1 || others.length > 0) {
      return Result.fail("it must be exactly one operation, with its fragments and nothing else")
    }
    if (operation.operation !== OperationTypeNode.QUERY) {
      return Result.fail(`it is a ${operation.operation}; only queries are allowed, changes go through the other tools`)
    }
    return Result.map(measure(document, operation.selectionSet, variables), ({ points }) => Math.ceil(points))
  })
