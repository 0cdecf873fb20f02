/** Rule 2: no start brings a count above its limit, global or per state, as then known. */
import * as HashMap from "effect/HashMap"
import { stateKey } from "../../../domain/Issue.ts"
import type { Checker, Moment } from "../Checker.ts"

/** Runs that take a slot: those the scheduler counts, and those that are alive although it does not. */
const taken = ({ after, books, truth }: Moment, key: string | null): number => {
  let count = 0
  const isCounted = (id: Parameters<typeof truth.aliveOf>[0]): boolean =>
    key === null || stateKey(books.facts.known.get(id)?.issue.state ?? "") === key
  for (const id of HashMap.values(after.live)) if (isCounted(id)) count++
  for (const page of books.issues.pages.values()) {
    if (!isCounted(page.id)) continue
    for (const body of truth.aliveOf(page.id)) {
      const isGivenUp = page.hold?._tag === "StopUnconfirmed" && page.hold.runId === body.runId
      if (!isGivenUp && HashMap.get(after.live, body.runId)._tag === "None") count++
    }
  }
  return count
}

export const make = (): Checker => ({
  rule: 2,
  name: "SlotLimits",
  onStep: (moment, report) => {
    const { after, books, records } = moment
    for (const record of records) {
      if (record._tag !== "RunClaimed") continue
      const { maxConcurrentAgents, maxConcurrentAgentsByState } = after.policy
      const all = taken(moment, null)
      if (all > maxConcurrentAgents) {
        report(`${record.runId} is run ${all} of at most ${maxConcurrentAgents}`, record.issueId)
      }
      const key = stateKey(books.facts.known.get(record.issueId)?.issue.state ?? "")
      const limit = maxConcurrentAgentsByState[key]
      if (limit === undefined) continue
      const same = taken(moment, key)
      if (same > limit) report(`${record.runId} is run ${same} of at most ${limit} in ${key}`, record.issueId)
    }
  }
})
