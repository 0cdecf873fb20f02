/**
 * A work item as the core knows it: normalised, nothing provider-specific in it. Adapters decode their tracker's
 * records into this shape; everything inside the core trusts it.
 */
import type { IssueId } from "./Ids.ts"

/** 1 is the most urgent. A tracker's "no priority" is null. */
export type Priority = 1 | 2 | 3 | 4

/** Another issue that this one names: a blocker or a sub-issue, with its state as the tracker gave it in the same read. */
export interface IssueReference {
  readonly id: IssueId
  readonly identifier: string
  /** Name of the state; null when the tracker cannot say, which counts as open. */
  readonly state: string | null
  /** What is odd about this reference ("not on the board", "part of a cycle: A -> B -> A"), for people; else null. */
  readonly note: string | null
}

export interface Issue {
  readonly id: IssueId
  /** The name people use: `ABC-12`, or the stem of a file. */
  readonly identifier: string
  readonly title: string
  readonly description: string | null
  readonly priority: Priority | null
  /** Name of the state as the tracker spells it; compare with {@link stateKey}. */
  readonly state: string
  /** The provider's own kind of state (`started`, `completed`, ...), null when it has none. For display only. */
  readonly stateType: string | null
  readonly branchName: string | null
  readonly url: string | null
  readonly assigneeId: string | null
  /** Lower case, without duplicates. */
  readonly labels: ReadonlyArray<string>
  readonly parentId: IssueId | null
  readonly blockedBy: ReadonlyArray<IssueReference>
  readonly subIssues: ReadonlyArray<IssueReference>
  /** Where the provider keeps it (a path, a number); opaque to the core. */
  readonly nativeRef: string | null
  /** Whether the adapter lets this issue run at all (assignee, delegation, ...). */
  readonly dispatchable: boolean
  /** Why `dispatchable` is false, for people; null when it is true. */
  readonly notDispatchableReason: string | null
  /** Milliseconds since the Unix epoch. */
  readonly createdAtMs: number | null
  /** Milliseconds since the Unix epoch. */
  readonly updatedAtMs: number | null
}

/** What a complete issue needs at least; {@link make} fills the rest with "unknown". */
export type IssueInput = Pick<Issue, "id" | "identifier" | "title" | "state"> & Partial<Issue>

/** An issue with every field present; labels are lower-cased and made unique. */
export const make = (input: IssueInput): Issue => ({
  description: null,
  priority: null,
  stateType: null,
  branchName: null,
  url: null,
  assigneeId: null,
  parentId: null,
  blockedBy: [],
  subIssues: [],
  nativeRef: null,
  dispatchable: true,
  notDispatchableReason: null,
  createdAtMs: null,
  updatedAtMs: null,
  ...input,
  labels: [...new Set((input.labels ?? []).map((label) => label.trim().toLowerCase()))]
})

/** States compare trimmed and lower-cased. */
export const stateKey = (state: string): string => state.trim().toLowerCase()

const sameReferences = (self: ReadonlyArray<IssueReference>, that: ReadonlyArray<IssueReference>): boolean =>
  self === that ||
  (self.length === that.length &&
    self.every((reference, index) => {
      const other = that[index]
      return other !== undefined && reference.id === other.id && reference.state === other.state
    }))

const sameStrings = (self: ReadonlyArray<string>, that: ReadonlyArray<string>): boolean =>
  self === that || (self.length === that.length && self.every((value, index) => value === that[index]))

/**
 * Whether the issue changed in the sense that resets counters and lifts holds: state, title, description, labels,
 * priority, assignee, blockers or sub-issues. `updatedAtMs` alone is no change.
 */
export const isChanged = (before: Issue, after: Issue): boolean =>
  before !== after &&
  !(
    (before.state === after.state || stateKey(before.state) === stateKey(after.state)) &&
    before.title === after.title &&
    before.description === after.description &&
    before.priority === after.priority &&
    before.assigneeId === after.assigneeId &&
    sameStrings(before.labels, after.labels) &&
    sameReferences(before.blockedBy, after.blockedBy) &&
    sameReferences(before.subIssues, after.subIssues)
  )

/** Whether two reads of one issue are the same in every field, so that nothing needs to be stored again. */
export const isSame = (self: Issue, that: Issue): boolean =>
  self === that ||
  (!isChanged(self, that) &&
    self.state === that.state &&
    self.identifier === that.identifier &&
    self.updatedAtMs === that.updatedAtMs &&
    self.dispatchable === that.dispatchable &&
    self.notDispatchableReason === that.notDispatchableReason &&
    self.createdAtMs === that.createdAtMs &&
    self.parentId === that.parentId &&
    self.stateType === that.stateType &&
    self.branchName === that.branchName &&
    self.url === that.url &&
    self.nativeRef === that.nativeRef &&
    self.blockedBy.every((reference, index) => reference.note === that.blockedBy[index]?.note) &&
    self.subIssues.every((reference, index) => reference.note === that.subIssues[index]?.note))
