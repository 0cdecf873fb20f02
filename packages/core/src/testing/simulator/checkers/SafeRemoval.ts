/**
 * Rule 6: no workspace is removed while a run in it is live or its issue is not terminal, nothing outside the root is
 * removed, and a workspace that was kept, or could not be removed, is not forgotten. (What the evidence for a removal
 * is, is the workspace backend's to judge.)
 */
import * as HashMap from "effect/HashMap"
import * as Facts from "../books/Facts.ts"
import { reportAccidents } from "../Accident.ts"
import type { Checker } from "../Checker.ts"
import { workspaceRoot } from "../WorkspaceModel.ts"

export const make = (): Checker => ({
  rule: 6,
  name: "SafeRemoval",
  onRecord: ({ books }, record, report) => {
    if (record._tag === "IssueDropped" && books.issues.pages.get(record.issueId)?.hasWorkspace === true) {
      report("is forgotten although its workspace is there", record.issueId)
    }
  },
  onCommand: ({ after, books, truth }, command, report) => {
    if (command._tag === "PrepareWorkspace" && truth.removals.has(command.run.issue.id)) {
      return report("a run starts in a workspace that is being removed", command.run.issue.id)
    }
    if (command._tag !== "RemoveWorkspace") return
    const { issue, workspace } = command
    const { id } = issue
    const fact = books.facts.known.get(id)
    const isTold = fact === undefined || fact.isAmbiguous || Facts.isTerminal(fact.issue.state, after.policy)
    if (!isTold) {
      report(`the workspace of an issue in the state ${fact.issue.state} is removed`, id)
    }
    for (const body of truth.aliveOf(id)) report(`the workspace is removed while ${body.runId} is alive in it`, id)
    const page = books.issues.pages.get(id)
    if (page?.liveRun) report(`the workspace is removed while ${page.liveRun} is live`, id)
    if (page?.hold?._tag === "StopUnconfirmed") report("the workspace of a run that was given up is removed", id)
    if (truth.removals.has(id)) report("the workspace is removed twice at once", id)
    const isInside = workspace.path.startsWith(`${workspaceRoot}/`) && !workspace.path.includes("..")
    if (!isInside || workspace.issueId !== id) report(`${workspace.path} is not the workspace of this issue`, id)
  },
  onStep: ({ after, before, event, truth }, report) => {
    reportAccidents(truth, "removed", report)
    if (event._tag !== "WorkspaceKept" && event._tag !== "RemovalFailed") return
    const was = HashMap.get(before.issues, event.issueId)
    const is = HashMap.get(after.issues, event.issueId)
    const had = was._tag === "Some" && was.value.workspace !== null
    if (had && (is._tag === "None" || is.value.workspace === null)) {
      report("a workspace that is still there is forgotten", event.issueId)
    }
  }
})
