/**
 * Rule 8: a queued run starts not earlier than its backoff allows, and not later than its due time plus some slack
 * while it was eligible and a slot was free.
 */
import * as HashMap from "effect/HashMap"
import type { JournalRecord } from "../../../domain/Journal.ts"
import type { Policy } from "../../../domain/Policy.ts"
import type { Checker, Moment, Report } from "../Checker.ts"
import { couldStartSince } from "../Waiting.ts"

const slackMs = 1_000
const continuationMs = 1_000
const firstRetryMs = 10_000
/** Clocks count in fractions whose sums are not exact. */
const precisionMs = 0.001

const retryMs = (failures: number, policy: Policy): number =>
  Math.min(firstRetryMs * 2 ** Math.min(Math.max(0, failures - 1), 30), policy.maxRetryBackoffMs)

const checkDelay = ({ after, event, records }: Moment, queued: JournalRecord, report: Report): void => {
  // A restart takes up due times that were set before.
  if (queued._tag !== "RetryQueued" || event._tag === "Started") return
  const { delayMs, issueId, kind } = queued
  if (kind === "continuation" && delayMs !== continuationMs && delayMs !== 0) {
    report(`a continuation is queued for ${delayMs} ms`, issueId)
  }
  if (kind !== "failure" || delayMs === 0 || delayMs === continuationMs) return
  for (const record of records) {
    if (record._tag !== "IssueSaved" || record.projection.issueId !== issueId) continue
    const expected = retryMs(record.projection.counters.failures, after.policy)
    if (record.projection.retry !== null && delayMs !== expected) {
      report(`failure ${record.projection.counters.failures} is retried after ${delayMs} ms, not ${expected}`, issueId)
    }
  }
}

/** When the step was taken that led to a start: a read that was asked for it, at the latest when one was asked, or itself. */
const askedAt = ({ at, event, truth }: Moment): number => {
  const { demand, demandAt } = truth.reads
  const answeredAt = event._tag === "IssuesRead" || event._tag === "CandidatesPolled" ? event.startedAt : at.now
  return demand === null ? answeredAt : Math.min(answeredAt, demandAt)
}

export const make = (): Checker => ({
  rule: 8,
  name: "RetryTiming",
  onRecord: (moment, record, report) => {
    checkDelay(moment, record, report)
    if (record._tag !== "RunClaimed") return
    const { at, books } = moment
    const { issueId } = record
    const retry = books.issues.pages.get(issueId)?.retry ?? null
    if (retry === null) return
    if (at.now < retry.dueAt - precisionMs) {
      report(`${record.runId} starts ${retry.dueAt - at.now} ms before it is due`, issueId)
    }
    // A hold that was lifted or facts that changed in this very step begin a new wait.
    const since = couldStartSince(moment, issueId)
    if (since === null) return
    const lateMs = askedAt(moment) - Math.max(since, books.slots.askableSince())
    if (lateMs > slackMs) report(`${record.runId} starts ${lateMs} ms later than it could`, issueId)
  },
  onStep: ({ after, at, event }, report) => {
    if (event._tag !== "Tick") return
    // Whoever waits for a due time has to be woken by then.
    for (const id of after.queued) {
      const found = HashMap.get(after.issues, id)
      const dueAt = found._tag === "Some" ? found.value.retry?.dueAt : undefined
      if (dueAt === undefined || dueAt <= at.now) continue
      if (after.wakeAt === null || after.wakeAt > dueAt) report("no wake-up is asked for its due time", id)
    }
  }
})
