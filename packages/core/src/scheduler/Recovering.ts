/** The first event: what earlier orchestrators left, before anything new starts. */
import type { IssueId } from "../domain/Ids.ts"
import { make as makeIssue } from "../domain/Issue.ts"
import type { IssueProjection, StoredState } from "../domain/Journal.ts"
import type { RecoveredWorkspace } from "../domain/Workspace.ts"
import * as Limits from "./Limits.ts"
import * as Order from "./Order.ts"
import * as Reading from "./Reading.ts"
import * as Settling from "./Settling.ts"
import { type Entry, newEntry } from "./State.ts"
import * as Step from "./Step.ts"

/** An issue of which only the name is known until the tracker is read: its state is empty, hence not active. */
const placeholder = (id: IssueId, identifier: string): Entry => {
  const issue = makeIssue({ id, identifier, title: identifier, state: "" })
  return { ...newEntry(issue, Order.keyOf(issue), Number.NEGATIVE_INFINITY), released: "inactive" }
}

const longestDelayMs = 7 * 86_400_000

/** A due time kept on the wall clock, which may have jumped meanwhile: never more than a week ahead. */
const delayUntil = (step: Step.Step, wallMs: number): number =>
  Math.min(Math.max(0, wallMs - step.at.wallTime), longestDelayMs)

const restore = (step: Step.Step, stored: IssueProjection): void => {
  const { counters, usage, allowanceBase, hold, workspace } = stored
  const entry: Entry = {
    ...placeholder(stored.issueId, stored.identifier),
    counters,
    usage,
    allowanceBase,
    hold,
    workspace,
    baselineAfter: step.at.now
  }
  Step.put(step, entry)
  Reading.want(step, stored.issueId, "refresh")
  if (hold !== null) {
    if (Limits.isLiftedBy(hold, step.state.policy)) Settling.liftHold(step, entry, "a raised limit")
    return
  }
  const { retry } = stored
  if (retry !== null) {
    const delayMs = delayUntil(step, retry.dueAtWallMs)
    Settling.queueRetry(step, entry, { kind: retry.kind, delayMs, reason: retry.reason })
  } else if (stored.liveRun !== null) {
    const reason = `${stored.liveRun} was interrupted by the end of the orchestrator`
    Settling.queueRetry(step, entry, { kind: "gate", delayMs: 0, reason })
  }
}

export const started = (
  step: Step.Step,
  event: { readonly stored: StoredState; readonly workspaces: ReadonlyArray<RecoveredWorkspace> }
): void => {
  if (step.state.started) return Step.ignore(step)
  for (const projection of event.stored.issues) restore(step, projection)
  const { fleet } = event.stored
  if (fleet !== null) {
    Step.patch(step, { usageByDay: fleet.usageByDay })
    Step.patchGates(step, { paused: fleet.paused })
  }
  for (const { workspace } of event.workspaces) {
    const entry = Step.entryOf(step, workspace.issueId) ?? placeholder(workspace.issueId, workspace.identifier)
    Step.put(step, { ...entry, workspace })
    Reading.want(step, workspace.issueId, "refresh")
  }
  Step.patch(step, {
    started: true,
    poll: { ...step.state.poll, dueAt: step.at.now, slowAfterCount: 10, slowAt: step.at.now + 300_000 }
  })
  step.mayStart = true
  step.timersChanged = true
}
