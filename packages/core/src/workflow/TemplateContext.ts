/**
 * What a prompt template can name: the issue, field by field in the public spelling, and the attempt. One table makes
 * both the values and their shapes, so that what is checked at start-up is what is there when a prompt is rendered.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import type { Issue, IssueReference } from "../domain/Issue.ts"
import * as TemplateShape from "./TemplateShape.ts"

export interface PromptFacts {
  readonly issue: Issue
  /** Null on the first run, then 1, 2, 3, ... */
  readonly attempt: number | null
}

interface FieldOf<A> {
  readonly shape: TemplateShape.TemplateShape
  readonly value: (from: A) => unknown
}

interface FieldsOf<A> {
  readonly [name: string]: FieldOf<A>
}

const single = <A>(value: (from: A) => string | number | boolean | null): FieldOf<A> => ({
  shape: TemplateShape.single,
  value
})

const shapeOf = <A>(fields: FieldsOf<A>): TemplateShape.TemplateShape =>
  TemplateShape.record(Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.shape])))

const valuesOf = <A>(fields: FieldsOf<A>, from: A): { readonly [name: string]: unknown } =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.value(from)]))

/** RFC 3339, or null for an instant that is unknown or that no calendar has. */
const instant = (epochMs: number | null): string | null =>
  epochMs === null ? null : DateTime.make(epochMs).pipe(Option.map(DateTime.formatIso), Option.getOrNull)

const referenceFields: FieldsOf<IssueReference> = {
  id: single((reference) => reference.id),
  identifier: single((reference) => reference.identifier),
  state: single((reference) => reference.state)
}

const references = (of: (issue: Issue) => ReadonlyArray<IssueReference>): FieldOf<Issue> => ({
  shape: TemplateShape.list(shapeOf(referenceFields)),
  value: (issue) => of(issue).map((reference) => valuesOf(referenceFields, reference))
})

const issueFields: FieldsOf<Issue> = {
  id: single((issue) => issue.id),
  identifier: single((issue) => issue.identifier),
  title: single((issue) => issue.title),
  description: single((issue) => issue.description),
  priority: single((issue) => issue.priority),
  state: single((issue) => issue.state),
  state_type: single((issue) => issue.stateType),
  branch_name: single((issue) => issue.branchName),
  url: single((issue) => issue.url),
  assignee_id: single((issue) => issue.assigneeId),
  labels: { shape: TemplateShape.list(TemplateShape.single), value: (issue) => [...issue.labels] },
  parent_id: single((issue) => issue.parentId),
  blocked_by: references((issue) => issue.blockedBy),
  sub_issues: references((issue) => issue.subIssues),
  native_ref: single((issue) => issue.nativeRef),
  dispatchable: single((issue) => issue.dispatchable),
  created_at: single((issue) => instant(issue.createdAtMs)),
  updated_at: single((issue) => instant(issue.updatedAtMs))
}

const fields: FieldsOf<PromptFacts> = {
  issue: { shape: shapeOf(issueFields), value: ({ issue }) => valuesOf(issueFields, issue) },
  attempt: single(({ attempt }) => attempt)
}

/** The names that a template starts with. */
export const shapes: ReadonlyMap<string, TemplateShape.TemplateShape> = new Map(
  Object.entries(fields).map(([name, field]) => [name, field.shape])
)

/** The values of those names: every field present, null or empty when unknown. A fresh object at each call. */
export const make = (facts: PromptFacts): { readonly [name: string]: unknown } => valuesOf(fields, facts)
