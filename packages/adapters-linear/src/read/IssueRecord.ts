/**
 * One issue as Linear sends it, decoded: exact where the core depends on it, liberal where a value can be done without.
 * What was let through with a correction is named, so that people can find it.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Priority } from "@opensymphony/core/domain/Issue"
import { safeText } from "../api/SafeText.ts"
import { nestedSize } from "./Documents.ts"
import * as NestedLists from "./NestedLists.ts"

/** Longer descriptions are cut: no agent's context takes half a megabyte, and a thousand of them would not fit here. */
export const longestDescription = 100_000

const Named = Schema.String.check(Schema.isPattern(/\S/, { expected: "a text that is not blank" }))
const Text = Schema.optional(Schema.NullOr(Schema.String))

const Node = Schema.Struct({
  id: Named,
  identifier: Schema.String.check(Schema.isPattern(/^[^\s\p{Cc}]+$/u, { expected: "an identifier such as ENG-12" })),
  title: Named,
  description: Text,
  priority: Schema.optional(Schema.Unknown),
  url: Text,
  branchName: Text,
  createdAt: Schema.optional(Schema.Unknown),
  updatedAt: Schema.optional(Schema.Unknown),
  archivedAt: Text,
  trashed: Schema.optional(Schema.NullOr(Schema.Boolean)),
  state: Schema.Struct({ name: Named, type: Text }),
  team: Schema.Struct({ key: Schema.String }),
  project: Schema.optional(Schema.NullOr(Schema.Struct({ id: Schema.String, name: Schema.String }))),
  assignee: Schema.optional(Schema.NullOr(Schema.Struct({ id: Schema.String, displayName: Text }))),
  parent: Schema.optional(Schema.NullOr(Schema.Struct({ id: Schema.String }))),
  labels: NestedLists.Nodes,
  inverseRelations: NestedLists.Nodes,
  children: NestedLists.Nodes
})

export interface IssueRecord {
  readonly id: string
  readonly identifier: string
  readonly title: string
  readonly description: string | null
  readonly priority: Priority | null
  readonly url: string | null
  readonly branchName: string | null
  readonly createdAtMs: number | null
  readonly updatedAtMs: number | null
  readonly isArchived: boolean
  readonly isTrashed: boolean
  readonly state: { readonly name: string; readonly type: string | null }
  readonly teamKey: string
  readonly project: { readonly id: string; readonly name: string } | null
  readonly assignee: { readonly id: string; readonly name: string } | null
  readonly parentId: string | null
  readonly lists: NestedLists.Lists
  /** Whether a list may be longer than what came with the issue. */
  readonly isTruncated: boolean
  /** What was odd about the record and how it was read instead. */
  readonly oddities: ReadonlyArray<string>
}

/** A record that cannot be an issue. */
export interface BadRecord {
  readonly id: string | null
  readonly identifier: string | null
  readonly message: string
}

const isPriority = (value: unknown): value is Priority => value === 1 || value === 2 || value === 3 || value === 4

const priorityOf = (value: unknown, oddities: Array<string>): Priority | null => {
  if (isPriority(value)) return value
  if (value !== 0 && value !== null && value !== undefined) {
    oddities.push(`its priority ${safeText(JSON.stringify(value))} is none of 0 to 4; it is read as none`)
  }
  return null
}

const instantOf = (field: string, value: unknown, oddities: Array<string>): number | null => {
  if (value === null || value === undefined) return null
  const instant = typeof value === "string" ? DateTime.make(value) : Option.none()
  if (Option.isSome(instant)) return DateTime.toEpochMillis(instant.value)
  oddities.push(`its ${field} ${safeText(JSON.stringify(value))} is no date; it is read as unknown`)
  return null
}

const descriptionOf = (text: string | null | undefined, oddities: Array<string>): string | null => {
  if (text === null || text === undefined || text.length <= longestDescription) return text ?? null
  oddities.push(`its description has ${text.length} characters; it is cut at ${longestDescription}`)
  const kept = text.slice(0, longestDescription).toWellFormed()
  return `${kept}\n\n[cut here: ${longestDescription} of ${text.length} characters; the rest is in Linear]`
}

const titleOf = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim()

const textAt = (node: unknown, key: string): string | null => {
  const value = typeof node === "object" && node !== null ? (node as Record<string, unknown>)[key] : null
  return typeof value === "string" && value.trim() !== "" ? safeText(value) : null
}

const decodeNode = Schema.decodeUnknownResult(Node)

/** Decodes a node of a list of issues. */
export const decode = (node: unknown): Result.Result<IssueRecord, BadRecord> => {
  const decoded = decodeNode(node)
  if (Result.isFailure(decoded)) {
    const message = `this issue cannot be read: ${safeText(decoded.failure.message)}; edit it in Linear`
    return Result.fail({ id: textAt(node, "id"), identifier: textAt(node, "identifier"), message })
  }
  const { assignee, children, inverseRelations, labels, parent, project, state, team, ...own } = decoded.success
  const oddities: Array<string> = []
  const title = titleOf(own.title)
  if (title !== own.title.trim()) oddities.push("its title contains control characters; they are read as blanks")
  return Result.succeed({
    id: own.id,
    identifier: own.identifier,
    title,
    description: descriptionOf(own.description, oddities),
    priority: priorityOf(own.priority, oddities),
    url: own.url ?? null,
    branchName: own.branchName ?? null,
    createdAtMs: instantOf("createdAt", own.createdAt, oddities),
    updatedAtMs: instantOf("updatedAt", own.updatedAt, oddities),
    isArchived: (own.archivedAt ?? null) !== null,
    isTrashed: own.trashed === true,
    state: { name: state.name, type: state.type ?? null },
    teamKey: team.key,
    project: project ?? null,
    assignee: assignee ? { id: assignee.id, name: safeText(assignee.displayName ?? assignee.id) } : null,
    parentId: parent?.id ?? null,
    lists: NestedLists.read({ labels: labels.nodes, relations: inverseRelations.nodes, children: children.nodes }),
    isTruncated: [labels, inverseRelations, children].some(({ nodes }) => nodes.length >= nestedSize),
    oddities
  })
}
