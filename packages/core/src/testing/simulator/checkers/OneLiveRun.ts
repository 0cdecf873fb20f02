/** Rule 1: never two live runs for one issue, nor two in one workspace; and no run id is used twice. */
import { reportAccidents } from "../Accident.ts"
import type { Checker } from "../Checker.ts"

export const make = (): Checker => {
  return {
    rule: 1,
    name: "OneLiveRun",
    onRecord: ({ books }, record, report) => {
      if (record._tag === "RunClaimed" && books.runs.wasUsed(record.runId)) {
        report(`${record.runId} is claimed twice`, record.issueId)
      }
    },
    onCommand: ({ truth }, command, report) => {
      if (command._tag !== "PrepareWorkspace" && command._tag !== "LaunchRun") return
      const { issue, runId } = command.run
      for (const body of truth.aliveOf(issue.id)) {
        report(`${runId} starts while ${body.runId} of the same issue is alive`, issue.id)
      }
      if (command._tag !== "LaunchRun") return
      const { workspace } = command.run
      if (workspace.issueId !== issue.id) {
        report(`${runId} starts in the workspace of another issue, ${workspace.path}`, issue.id)
      }
      if (truth.bodies.get(runId)?.isLaunched === true) report(`${runId} is launched twice`, issue.id)
    },
    onStep: ({ truth }, report) => {
      reportAccidents(truth, "crowded", report)
    }
  }
}
