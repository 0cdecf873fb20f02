/**
 * Rule 7: a run whose stop was ordered is not treated as gone before the runtime confirmed it or the wait for that
 * ended; and then the issue is held.
 */
import type { Checker } from "../Checker.ts"

export const make = (): Checker => ({
  rule: 7,
  name: "ConfirmedStops",
  onRecord: ({ after, at, books, records }, record, report) => {
    if (record._tag === "RunEnded") {
      const { issueId, runId } = record
      const page = books.runs.runs.get(runId)
      if (page === undefined) return report(`${runId} ends and was never claimed`, issueId)
      if (page.isKnownOver) return
      const isHeld = records.some((other) => other._tag === "HoldPlaced" && isHoldOf(other.hold, runId))
      if (page.stopOrderedAt === null) return report(`${runId} ends and nobody said so`, issueId)
      if (!isHeld) return report(`${runId} counts as ended although its stop was not confirmed`, issueId)
      const waited = at.now - page.stopOrderedAt
      // The limit as it was when the stop was ordered may differ by an edit of the workflow.
      if (waited + 0.001 < Math.min(after.policy.stopTimeoutMs, 2_000)) {
        report(`${runId} was given up after ${waited} ms`, issueId)
      }
    } else if (record._tag === "HoldPlaced" && record.hold._tag === "StopUnconfirmed") {
      const page = books.runs.runs.get(record.hold.runId)
      if (page?.isKnownOver === true)
        report(`${record.hold.runId} is held although its end was reported`, record.issueId)
    }
  },
  onStep: ({ after, books, event, truth }, report) => {
    // An issue whose run was given up stays held as long as that run may be alive.
    if (event._tag !== "Tick") return
    for (const page of books.issues.pages.values()) {
      if (page.hold !== null || page.liveRun !== null) continue
      for (const body of truth.aliveOf(page.id)) {
        if (after.started && books.runs.runs.has(body.runId)) {
          report(`${body.runId} is alive, and its issue is neither live nor held`, page.id)
        }
      }
    }
  }
})

const isHoldOf = (hold: { readonly _tag: string; readonly runId?: string }, runId: string): boolean =>
  hold._tag === "StopUnconfirmed" && hold.runId === runId
