// What is true of an issue on the board, as people would say it: why nobody should begin on it, and why whoever works on it
// should stop. Told independently of the adapter and the scheduler, which are judged by it.
import type { FakeLinear } from "@opensymphony/adapters-linear/testing"

export type IssueView = ReturnType<FakeLinear.FakeLinear["issue"]>

export const activeStates: ReadonlyArray<string> = ["Todo", "In Progress"]
export const requiredLabel = "agent"

const closedTypes: ReadonlyArray<string> = ["completed", "canceled", "duplicate"]

export const isClosed = ({ stateType }: IssueView): boolean => closedTypes.includes(stateType)

/** Null while it may be worked on. `project` is the slug id of the workflow's project. */
export function reasonToStop(issue: IssueView | undefined, project: string): string | null {
  if (issue === undefined) return "it is deleted"
  if (issue.trashed) return "it is in the trash"
  if (issue.archived) return "it is archived"
  if (issue.project !== project) return "it is in another project"
  if (!issue.labels.includes(requiredLabel)) return "its label is gone"
  return activeStates.includes(issue.state) ? null : `it is in ${issue.state}`
}

/** Null while somebody may begin on it. */
export function reasonNotToStart(
  issue: IssueView | undefined,
  board: ReadonlyArray<IssueView>,
  project: string
): string | null {
  const reason = reasonToStop(issue, project)
  if (reason !== null || issue === undefined) return reason
  const { blockedBy, identifier } = issue
  const blocker = board.find((one) => blockedBy.includes(one.identifier) && !isClosed(one))
  if (blocker !== undefined) return `${blocker.identifier} blocks it`
  const child = board.find(
    ({ parent, ...one }) => parent === identifier && !one.archived && !closedTypes.includes(one.stateType)
  )
  return child === undefined ? null : `its sub-issue ${child.identifier} is open`
}
