/**
 * Rule 11, as the agents see it: what an agent did reaches the scheduler. The end of every session is told, once, with
 * the outcome that its last turn had, after as many turns as it completed, and with no less than it reported to have used.
 */
import type { RunId } from "../../../domain/Ids.ts"
import type { Outcome } from "../../../domain/Outcome.ts"
import * as Usage from "../../../domain/Usage.ts"
import type { TurnResult } from "../../../ports/AgentRuntime.ts"
import type { Checker, Moment, Report } from "../Checker.ts"
import type { Reports, RunReports } from "./Reports.ts"

/** So long an end may be on its way from the session to the scheduler. */
const slackMs = 1_000

const expected: { readonly [Tag in TurnResult["_tag"]]: Outcome["_tag"] } = {
  Completed: "Succeeded",
  Failed: "Failed",
  UsageLimited: "UsageLimited"
}

export const make = (reports: Reports): Checker => {
  const turns = new Map<RunId, number>()

  const checkEnd = (outcome: Outcome, used: Usage.Usage, page: RunReports, moment: Moment, report: Report): void => {
    const { completed, result, runId, usage, wasStopped } = page
    const issueId = moment.truth.bodies.get(runId)?.issueId
    const tell = (text: string): void => (issueId === undefined ? report(text) : report(text, issueId))
    const mustBe = result === null ? null : expected[result._tag]
    if (!wasStopped && mustBe !== null && outcome._tag !== mustBe) {
      // A turn that broke off after a good one fails its run.
      const isBrokenOff = outcome._tag === "Failed" && mustBe === "Succeeded"
      if (!isBrokenOff) tell(`${runId} ended its last turn as ${mustBe} and is told as ${outcome._tag}`)
    }
    const heard = turns.get(runId) ?? 0
    if (heard !== completed) tell(`${runId} completed ${completed} turns and ${heard} of them were told`)
    if (Usage.tokens(used) < Usage.tokens(usage)) tell(`of what ${runId} has used a part is lost`)
  }

  return {
    rule: 11,
    name: "FaithfulReports",
    onCommand: (_, command) => {
      if (command._tag === "StopRun") reports.stopped(command.runId)
    },
    onStep: (moment, report) => {
      const { event, time } = moment
      if (event._tag === "Started") turns.clear()
      else if (event._tag === "TurnCompleted") turns.set(event.runId, (turns.get(event.runId) ?? 0) + 1)
      else if (event._tag === "RunFinished") {
        const page = reports.runs.get(event.runId)
        if (page === undefined) return report(`${event.runId} ends and no agent of it ever came up, or it ends twice`)
        checkEnd(event.outcome, event.usage, page, moment, report)
        reports.runs.delete(event.runId)
        turns.delete(event.runId)
      } else if (event._tag === "Tick") {
        for (const { leftAt, result, runId } of reports.runs.values()) {
          if (leftAt === null || result === null || time - leftAt <= slackMs) continue
          const issueId = moment.truth.bodies.get(runId)?.issueId
          if (issueId !== undefined) report(`the session of ${runId} is over and nobody was told`, issueId)
        }
      }
    }
  }
}
