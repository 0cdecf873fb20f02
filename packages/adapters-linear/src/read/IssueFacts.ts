/** From a record of Linear to the core's issue: what it says, and whether this workflow may work on it. */
import * as Result from "effect/Result"
import { IssueId } from "@opensymphony/core/domain/Ids"
import * as Issue from "@opensymphony/core/domain/Issue"
import { safeText } from "../api/SafeText.ts"
import type { Person } from "../LinearProject.ts"
import type { Completed } from "./CompleteLists.ts"
import type { IssueRecord } from "./IssueRecord.ts"
import type { LinkedIssue } from "./NestedLists.ts"
import * as StateMap from "./StateMap.ts"

/** What of the workflow decides about an issue. */
export interface IssueContext extends StateMap.StateNames {
  readonly projectId: string
  readonly projectName: string
  readonly assignee: Person | null
}

export const issueId = (id: string): IssueId => IssueId(id)

/** Why the issue must not run, whatever its state; null when it may. The most final reason comes first. */
const obstacle = (record: IssueRecord, listProblem: string | null, context: IssueContext): string | null => {
  const { assignee, isArchived, isTrashed, project } = record
  if (isTrashed) return "it was deleted: it is in Linear's trash"
  if (isArchived) return "it is archived"
  if (project?.id !== context.projectId) {
    const where =
      project === null ? "it belongs to no project now" : `it is in the project ${safeText(project.name)} now`
    return `${where}, not in ${safeText(context.projectName)}`
  }
  if (context.assignee !== null && assignee?.id !== context.assignee.id) {
    const who = assignee === null ? "it is assigned to nobody" : `it is assigned to ${assignee.name}`
    return `${who}, not to ${safeText(context.assignee.name)} (tracker.assignee)`
  }
  return listProblem
}

const references = (linked: ReadonlyArray<LinkedIssue>, context: IssueContext): ReadonlyArray<Issue.IssueReference> => {
  const found = new Map<string, Issue.IssueReference>()
  for (const { reference, stateType } of linked) {
    if (!StateMap.isFinishedByType(reference.state, stateType, context)) found.set(reference.id, reference)
  }
  return [...found.values()]
}

/** Why its labels, blockers or sub-issues may not be all there are; null when they are. */
const listProblem = (record: IssueRecord, completed: Completed | null): string | null => {
  if (completed === null) return record.lists.problem
  return Result.isSuccess(completed)
    ? completed.success.problem
    : `its labels, blockers and sub-issues could not be read to the end: ${completed.failure}`
}

/** Why nothing can be said of an issue that would be worked on otherwise; null when all is known that matters. */
export const gap = (record: IssueRecord, completed: Completed | null, context: IssueContext): string | null => {
  const key = Issue.stateKey(record.state.name)
  const names = (states: ReadonlyArray<string>) => states.some((state) => Issue.stateKey(state) === key)
  if (!names(context.activeStates) || names(context.terminalStates)) return null
  return obstacle(record, null, context) === null ? listProblem(record, completed) : null
}

/** The issue of a record; `completed` are its lists when those that came with it were cut. */
export const make = (record: IssueRecord, completed: Completed | null, context: IssueContext): Issue.Issue => {
  const lists = completed !== null && Result.isSuccess(completed) ? completed.success : record.lists
  const reason = obstacle(record, listProblem(record, completed), context)
  return Issue.make({
    id: issueId(record.id),
    identifier: record.identifier,
    title: record.title,
    description: record.description,
    priority: record.priority,
    state: record.state.name,
    stateType: record.state.type,
    branchName: record.branchName,
    url: record.url,
    assigneeId: record.assignee?.id ?? null,
    labels: lists.labels,
    parentId: record.parentId === null ? null : issueId(record.parentId),
    blockedBy: references(lists.blockers, context),
    subIssues: references(lists.children, context),
    nativeRef: record.teamKey,
    dispatchable: reason === null,
    notDispatchableReason: reason,
    createdAtMs: record.createdAtMs,
    updatedAtMs: record.updatedAtMs
  })
}
