/**
 * Rule 5: one issue's failure delays or harms no other: what goes wrong with one run ends, stops, queues or releases
 * no other issue, and one bad record costs nothing but itself. (That nobody waits for it beside a free slot is rule 4.)
 */
import * as HashMap from "effect/HashMap"
import { isSame } from "../../../domain/Issue.ts"
import type { Checker, Moment, Report } from "../Checker.ts"
import { isSomethingDue } from "../Due.ts"

const harms = new Set(["StopOrdered", "RunEnded", "RetryQueued", "Released", "RemovalFailed"])

/** Every readable issue of an answer is taken in, whatever else was in it. */
const checkBatch = ({ after, books, event }: Moment, report: Report): void => {
  if (event._tag !== "CandidatesPolled" || event.batch.malformed.length === 0) return
  for (const issue of event.batch.issues) {
    const fact = books.facts.known.get(issue.id)
    if (fact === undefined || fact.isAmbiguous || fact.readAt !== event.startedAt || fact.issue !== issue) continue
    const found = HashMap.get(after.issues, issue.id)
    const isTaken = found._tag === "Some" && isSame(found.value.issue, issue)
    if (!isTaken && books.facts.verdict(issue.id, after.policy) === "fit") {
      report("was not taken in beside a record that cannot be read", issue.id)
    }
  }
}

export const make = (): Checker => ({
  rule: 5,
  name: "Isolation",
  onStep: (moment, report) => {
    const { event, records, truth } = moment
    checkBatch(moment, report)
    const own =
      "runId" in event ? truth.bodies.get(event.runId)?.issueId : "issueId" in event ? event.issueId : undefined
    if (own === undefined || isSomethingDue(moment)) return
    for (const record of records) {
      if (harms.has(record._tag) && "issueId" in record && record.issueId !== own) {
        report(`${event._tag} of ${own} leads to ${record._tag} of another issue`, own, record.issueId)
      }
    }
  }
})
