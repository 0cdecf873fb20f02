/** Reads the lists of issues to their ends, for those that have more labels, blockers or sub-issues than came along. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { LinearApiService, Purpose } from "../LinearApi.ts"
import type { LinearError } from "../LinearError.ts"
import * as Connection from "./Connection.ts"
import * as Documents from "./Documents.ts"
import * as NestedLists from "./NestedLists.ts"

/** Complete lists, or why there are none. */
export type Completed = Result.Result<NestedLists.Lists, string>

const Answer = Schema.Struct({
  issues: Schema.Struct({
    nodes: Schema.Array(
      Schema.Struct({
        id: Schema.String,
        labels: Connection.Page,
        inverseRelations: Connection.Page,
        children: Connection.Page
      })
    )
  })
})

type Node = (typeof Answer.Type)["issues"]["nodes"][number]

interface Cursors {
  readonly labelsAfter: string | null
  readonly blockersAfter: string | null
  readonly childrenAfter: string | null
}

const start: Cursors = { labelsAfter: null, blockersAfter: null, childrenAfter: null }

const request = (
  api: LinearApiService,
  ids: ReadonlyArray<string>,
  cursors: Cursors,
  purpose: Purpose
): Effect.Effect<ReadonlyArray<Node>, LinearError> =>
  api
    .call({
      name: "IssueLists",
      document: Documents.issueListsDocument,
      variables: { ids, first: ids.length, size: Documents.listPageSize, ...cursors },
      result: Answer,
      purpose,
      repeatable: true
    })
    .pipe(Effect.map(({ issues }) => issues.nodes))

const hasMore = ({ children, inverseRelations, labels }: Node): boolean =>
  labels.pageInfo.hasNextPage || inverseRelations.pageInfo.hasNextPage || children.pageInfo.hasNextPage

/** After the last page a list is asked on from its last cursor, which gives nothing more. */
const cursorAfter = ({ pageInfo }: Connection.Page, before: string | null): string | null =>
  pageInfo.endCursor ?? before

/** The pages of one issue that follow `first`, as one list of pages each. */
const rest = Effect.fnUntraced(function* (api: LinearApiService, first: Node, purpose: Purpose) {
  let cursors = start
  let last = first
  const nodes = [first]
  const pageAfter = Effect.fnUntraced(function* (after: string | null) {
    if (after !== null) {
      const [next] = yield* request(api, [first.id], cursors, purpose)
      if (next !== undefined) nodes.push(next)
      last = next ?? last
    }
    cursors = {
      labelsAfter: cursorAfter(last.labels, cursors.labelsAfter),
      blockersAfter: cursorAfter(last.inverseRelations, cursors.blockersAfter),
      childrenAfter: cursorAfter(last.children, cursors.childrenAfter)
    }
    return { pageInfo: { hasNextPage: hasMore(last), endCursor: JSON.stringify(cursors) } }
  })
  yield* Connection.walk("labels, blockers and sub-issues", pageAfter)
  return nodes
})

const merged = (nodes: ReadonlyArray<Node>): NestedLists.Lists =>
  NestedLists.read({
    labels: nodes.flatMap(({ labels }) => labels.nodes),
    relations: nodes.flatMap(({ inverseRelations }) => inverseRelations.nodes),
    children: nodes.flatMap(({ children }) => children.nodes)
  })

const completeOne = (api: LinearApiService, node: Node, purpose: Purpose): Effect.Effect<Completed> =>
  (hasMore(node) ? rest(api, node, purpose) : Effect.succeed([node])).pipe(
    Effect.map(merged),
    Effect.mapError(({ message }) => message),
    Effect.result
  )

/** The complete lists of these issues by id. It never fails: an issue whose lists cannot be had is told why. */
export const read = Effect.fnUntraced(function* (
  api: LinearApiService,
  ids: ReadonlyArray<string>,
  purpose: Purpose
): Effect.fn.Return<ReadonlyMap<string, Completed>> {
  const found = new Map<string, Completed>()
  for (let at = 0; at < ids.length; at += Documents.listBatchSize) {
    const batch = ids.slice(at, at + Documents.listBatchSize)
    const answer = yield* Effect.result(request(api, batch, start, purpose))
    const nodes = Result.isSuccess(answer) ? answer.success : []
    for (const node of nodes) found.set(node.id, yield* completeOne(api, node, purpose))
    const why = Result.isFailure(answer) ? answer.failure.message : "Linear did not return it again"
    for (const id of batch) if (!found.has(id)) found.set(id, Result.fail(why))
  }
  return found
})
