/**
 * The removal of workspaces of released terminal issues: a background task per issue that is tried again and never
 * stands in anybody's way.
 */
import type { IssueId } from "../domain/Ids.ts"
import { JournalRecord } from "../domain/Journal.ts"
import * as Backoff from "./Backoff.ts"
import { Command } from "./Command.ts"
import * as Settling from "./Settling.ts"
import type { Entry } from "./State.ts"
import * as Step from "./Step.ts"

/** Starts the removal if it is due, and forgets a removal whose issue is active again. */
export const consider = (step: Step.Step, entry: Entry): void => {
  const { removal, workspace } = entry
  if (removal?._tag === "Removing" || workspace === null) return
  if (!Settling.mayRemoveWorkspace(step, entry)) {
    if (removal !== null) Step.update(step, entry, { removal: null })
    return
  }
  if (step.state.gates.draining !== null || (removal !== null && step.at.now < removal.dueAt)) return
  const attempts = removal?._tag === "Waiting" ? removal.attempts : 0
  Step.update(step, entry, { removal: { _tag: "Removing", attempts } })
  Step.command(step, Command.RemoveWorkspace({ workspace, issue: entry.issue }))
}

const removing = (step: Step.Step, id: IssueId): Entry | undefined => {
  const entry = Step.entryOf(step, id)
  if (entry?.removal?._tag === "Removing") return entry
  Step.ignore(step)
  return undefined
}

export const removed = (step: Step.Step, event: { readonly issueId: IssueId }): void => {
  const entry = removing(step, event.issueId)
  if (entry === undefined) return
  const path = entry.workspace?.path ?? ""
  Step.record(step, JournalRecord.WorkspaceRemoved({ ...Step.named(entry), path }))
  Step.update(step, entry, { workspace: null, removal: null })
  step.mayStart = true
}

export const kept = (step: Step.Step, event: { readonly issueId: IssueId; readonly reason: string }): void => {
  const entry = removing(step, event.issueId)
  if (entry === undefined) return
  const { reason } = event
  Step.record(step, JournalRecord.WorkspaceKept({ ...Step.named(entry), path: entry.workspace?.path ?? "", reason }))
  Step.update(step, entry, { removal: { _tag: "Kept", dueAt: step.at.now + Backoff.keptRecheckMs, reason } })
  step.mayStart = true
}

export const failed = (step: Step.Step, event: { readonly issueId: IssueId; readonly reason: string }): void => {
  const entry = removing(step, event.issueId)
  if (entry === undefined || entry.removal?._tag !== "Removing") return
  const { reason } = event
  const attempts = entry.removal.attempts + 1
  Step.record(step, JournalRecord.RemovalFailed({ ...Step.named(entry), path: entry.workspace?.path ?? "", reason }))
  const dueAt = step.at.now + Backoff.removalDelayMs(attempts)
  Step.update(step, entry, { removal: { _tag: "Waiting", attempts, dueAt, reason } })
  step.mayStart = true
}
