/** The lists that come with an issue: its labels, its blockers, its sub-issues. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { IssueId } from "@opensymphony/core/domain/Ids"
import type { IssueReference } from "@opensymphony/core/domain/Issue"

export const Nodes = Schema.Struct({ nodes: Schema.Array(Schema.Unknown) })

/** Another issue, with what tells whether it is finished. */
export interface LinkedIssue {
  readonly reference: IssueReference
  readonly stateType: string | null
}

export interface Lists {
  readonly labels: ReadonlyArray<string>
  readonly blockers: ReadonlyArray<LinkedIssue>
  readonly children: ReadonlyArray<LinkedIssue>
  /** Why a blocker or sub-issue may be missing; null when none is. */
  readonly problem: string | null
}

const Label = Schema.Struct({ name: Schema.String })

const Linked = Schema.Struct({
  id: Schema.String,
  identifier: Schema.String,
  archivedAt: Schema.optional(Schema.NullOr(Schema.String)),
  state: Schema.Struct({ name: Schema.String, type: Schema.optional(Schema.NullOr(Schema.String)) })
})

const decodeLabel = Schema.decodeUnknownResult(Label)
const decodeType = Schema.decodeUnknownResult(Schema.Struct({ type: Schema.String }))
const decodeRelation = Schema.decodeUnknownResult(Schema.Struct({ issue: Linked }))
const decodeChild = Schema.decodeUnknownResult(Linked)

const linked = ({ archivedAt, id, identifier, state }: typeof Linked.Type): LinkedIssue => ({
  reference: { id: IssueId(id), identifier, state: state.name, note: archivedAt ? "archived" : null },
  stateType: state.type ?? null
})

/** Raw nodes of the three lists. */
export interface RawLists {
  readonly labels: ReadonlyArray<unknown>
  readonly relations: ReadonlyArray<unknown>
  readonly children: ReadonlyArray<unknown>
}

/** A label that cannot be read is none; a blocker or sub-issue that cannot be read might be an open one. */
export const read = ({ children, labels, relations }: RawLists): Lists => {
  const problems: Array<string> = []
  const blockers = relations.flatMap((node): ReadonlyArray<LinkedIssue> => {
    const kind = decodeType(node)
    if (Result.isSuccess(kind) && kind.success.type.toLowerCase() !== "blocks") return []
    const relation = decodeRelation(node)
    if (Result.isSuccess(kind) && Result.isSuccess(relation)) return [linked(relation.success.issue)]
    problems.push("a relation of it cannot be read, which may be a blocker")
    return []
  })
  const subIssues = children.flatMap((node): ReadonlyArray<LinkedIssue> => {
    const child = decodeChild(node)
    if (Result.isSuccess(child)) return [linked(child.success)]
    problems.push("a sub-issue of it cannot be read")
    return []
  })
  return {
    labels: labels.flatMap((node) => {
      const label = decodeLabel(node)
      return Result.isSuccess(label) ? [label.success.name] : []
    }),
    blockers,
    children: subIssues,
    problem: problems[0] ?? null
  }
}
