/**
 * Rule 11, as the agents see it: what an agent did reaches the scheduler, and what the scheduler said reaches the agent.
 * The end of every session is told, once, with the outcome that its last turn had, after as many turns as it completed,
 * and with no less than it reported to have used.
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
  /** Runs that were told to take no other turn. */
  const dismissed = new Set<RunId>()

  const checkEnd = (outcome: Outcome, used: Usage.Usage, page: RunReports, moment: Moment, report: Report): void => {
    const { completed, result, runId, usage, wasStopped } = page
    const issueId = moment.truth.bodies.get(runId)?.issueId
    const tell = (text: string): void => (issueId === undefined ? report(text) : report(text, issueId))
    const mustBe = result === null ? null : expected[result._tag]
    if (!wasStopped && mustBe !== null && outcome._tag !== mustBe) {
      tell(`${runId} ended its last turn as ${mustBe} and is told as ${outcome._tag}`)
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
      else if (command._tag === "AnswerTurn" && command.verdict._tag === "Stop") dismissed.add(command.runId)
    },
    onStep: (moment, report) => {
      const { event, time } = moment
      if (event._tag === "Started") {
        turns.clear()
        dismissed.clear()
      } else if (event._tag === "TurnStarted") {
        const issueId = moment.truth.bodies.get(event.runId)?.issueId
        if (dismissed.has(event.runId) && issueId !== undefined) {
          report(`${event.runId} takes another turn although it was told to end`, issueId)
        }
      } else if (event._tag === "TurnCompleted") turns.set(event.runId, (turns.get(event.runId) ?? 0) + 1)
      else if (event._tag === "RunFinished") {
        const page = reports.runs.get(event.runId)
        if (page === undefined) return report(`${event.runId} ends and no agent of it ever came up, or it ends twice`)
        checkEnd(event.outcome, event.usage, page, moment, report)
        reports.runs.delete(event.runId)
        turns.delete(event.runId)
      } else if (event._tag === "StopSettled" && event.result === "confirmed") {
        const page = reports.runs.get(event.runId)
        if (page?.hasBegun === true && page.leftAt !== null) report(`the stop of ${event.runId} is told before its end`)
      } else if (event._tag === "Tick") {
        for (const { leftAt, result, runId } of reports.runs.values()) {
          if (leftAt === null || time - leftAt <= slackMs) continue
          // Nobody waits for the end of a run that was stopped before its first turn came to rest.
          reports.runs.delete(runId)
          if (result === null) continue
          const issueId = moment.truth.bodies.get(runId)?.issueId
          if (issueId !== undefined) report(`the session of ${runId} is over and nobody was told`, issueId)
        }
      }
    }
  }
}
