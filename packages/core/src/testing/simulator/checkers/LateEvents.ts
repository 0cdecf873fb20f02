/** Rule 11: an event of an old run changes nothing of a newer one, and no outcome is lost or counted twice. */
import * as HashMap from "effect/HashMap"
import type { RunId } from "../../../domain/Ids.ts"
import type { Checker, Moment, Report } from "../Checker.ts"
import { isSomethingDue } from "../Due.ts"

/** What a late event may still do: count its cost, and end the hold that waits for the end of its run. */
const isAwaitedEnd = ({ before, truth }: Moment, runId: RunId): boolean => {
  const issueId = truth.bodies.get(runId)?.issueId
  const found = issueId === undefined ? undefined : HashMap.get(before.issues, issueId)
  const hold = found?._tag === "Some" ? found.value.hold : null
  return hold?._tag === "StopUnconfirmed" && hold.runId === runId
}

const checkLate = (moment: Moment, runId: RunId, report: Report): void => {
  const { after, before, event, records, truth } = moment
  const issueId = truth.bodies.get(runId)?.issueId
  if (issueId === undefined || isAwaitedEnd(moment, runId)) return
  const was = HashMap.get(before.issues, issueId)
  const is = HashMap.get(after.issues, issueId)
  const isSame = was._tag === is._tag && (was._tag === "None" || (is._tag === "Some" && was.value === is.value))
  const started = records.some((record) => record._tag === "RunClaimed" && record.issueId === issueId)
  if (!isSame && !started && !isSomethingDue(moment))
    report(`${event._tag} of ${runId}, which is over, changes its issue`, issueId)
  if (after.ignoredEvents === before.ignoredEvents) report(`${event._tag} of ${runId} is not counted as late`, issueId)
}

const checkOutcome = (moment: Moment, report: Report): void => {
  const { books, event, records } = moment
  if (event._tag !== "RunFinished") return
  const page = books.runs.runs.get(event.runId)
  if (page === undefined || page.launch === "none") return
  const ended = records.find((record) => record._tag === "RunEnded" && record.runId === event.runId)
  const { outcome } = event
  const isSettled = page.outcome !== null
  if (!isSettled) return report(`the end of ${event.runId} is lost`, page.issueId)
  if (ended?._tag !== "RunEnded") return
  const mustStay = page.stopOrderedAt === null || outcome._tag === "Succeeded" || outcome._tag === "UsageLimited"
  if (mustStay && ended.outcome._tag !== outcome._tag) {
    report(`${event.runId} ended as ${outcome._tag} and is written down as ${ended.outcome._tag}`, page.issueId)
  }
}

export const make = (): Checker => ({
  rule: 11,
  name: "LateEvents",
  onRecord: ({ books }, record, report) => {
    if (record._tag !== "RunEnded") return
    const page = books.runs.runs.get(record.runId)
    if (page !== undefined && page.outcome !== null) report(`${record.runId} ends twice`, record.issueId)
  },
  onStep: (moment, report) => {
    const { before, event } = moment
    if (!("runId" in event)) return
    if (HashMap.get(before.live, event.runId)._tag === "None") checkLate(moment, event.runId, report)
    else checkOutcome(moment, report)
  },
  onRest: ({ after, books }, report) => {
    for (const page of books.runs.runs.values()) {
      if (page.outcome === null && HashMap.get(after.live, page.runId)._tag === "None") {
        report(`the outcome of ${page.runId} is lost`, page.issueId)
      }
    }
  }
})
