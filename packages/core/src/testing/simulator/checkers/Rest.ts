/**
 * Rule 15: once faults end the system comes to rest: every active, eligible issue is running, queued with a due time, or
 * held with a reason; nobody waits for an answer; nothing that is over is still kept.
 */
import * as HashMap from "effect/HashMap"
import type { Entry } from "../../../scheduler/State.ts"
import * as Facts from "../books/Facts.ts"
import type { Checker, Moment, Report } from "../Checker.ts"

const patienceMs = 600_000

const checkIssue = (moment: Moment, entry: Entry, report: Report): void => {
  const { after, at, books } = moment
  const { hold, issue, retry, run } = entry
  if (!Facts.isActive(issue.state, after.policy) || books.facts.verdict(issue.id, after.policy) !== "fit") return
  if (run !== null || hold !== null) return
  if (retry !== null && retry.dueAt > at.now) return
  if (books.slots.closedUntil(at.now) === at.now || at.now - books.slots.closedUntil(at.now) < patienceMs) return
  report("is eligible and neither running, nor queued, nor held", issue.id)
}

/** What people and agents wrote some time ago is known. */
const checkKnowledge = (moment: Moment, report: Report): void => {
  const { after, at, board, books } = moment
  if (at.now - books.facts.pollAt() > 3 * after.policy.pollIntervalMs) report("the tracker is not polled any more")
  for (const issue of board.picture().values()) {
    if (!Facts.isActive(issue.state, after.policy)) continue
    const found = HashMap.get(after.issues, issue.id)
    const isSettled = at.wallTime - (issue.updatedAtMs ?? 0) > patienceMs
    if (found._tag === "None") {
      if (isSettled) report("is not known", issue.id)
    } else if (found.value.issue.updatedAtMs !== issue.updatedAtMs) {
      if (isSettled) report("is not known as it is", issue.id)
    } else {
      checkIssue(moment, found.value, report)
    }
  }
}

export const make = (): Checker => ({
  rule: 15,
  name: "Rest",
  onRest: (moment, report) => {
    const { after, books, time, truth } = moment
    checkKnowledge(moment, report)
    if (after.tracker.error !== null) report(`the tracker counts as failing: ${after.tracker.error.message}`)
    for (const [runId, issueId] of after.live) {
      const body = truth.bodies.get(runId)
      if (body !== undefined && !body.isAlive && body.owed === 0 && truth.reads.demand?.has(issueId) !== true) {
        report(`${runId} is live and nothing of it is left`, issueId)
      }
    }
    for (const body of truth.bodies.values()) {
      // What an earlier process asked, or was asked, is over with it.
      if (!books.runs.runs.has(body.runId) || body.askedAt === null) continue
      if (time - body.askedAt > patienceMs) report(`${body.runId} waits for a verdict on its next turn`, body.issueId)
    }
    for (const entry of HashMap.values(after.issues)) {
      const { hold, issue, released, removal, run, workspace } = entry
      const isOver = released === "terminal" && run === null && hold?._tag !== "StopUnconfirmed"
      if (isOver && workspace !== null && removal === null) report("its workspace is left behind", issue.id)
      const isAnswered = removal?._tag === "Removing" && !truth.removals.has(issue.id)
      if (isAnswered) report("waits for the end of a removal that is not under way", issue.id)
    }
  }
})
