/**
 * What follows when an issue has no live run any more: released, held, or queued. Also the only place where counters
 * change after a run, and where holds come and go.
 */
import { Hold, isLiftedByChange } from "../domain/Hold.ts"
import { isChanged, type Issue } from "../domain/Issue.ts"
import { type Counters, JournalRecord, type RetryKind } from "../domain/Journal.ts"
import * as Outcome from "../domain/Outcome.ts"
import * as Backoff from "./Backoff.ts"
import { render, stopWords } from "./Decision.ts"
import { isTerminal, routing } from "./Eligibility.ts"
import * as Limits from "./Limits.ts"
import type { Entry, LiveRun, ReleaseReason, Stop } from "./State.ts"
import * as Step from "./Step.ts"

export const placeHold = (step: Step.Step, entry: Entry, hold: Hold): Entry => {
  Step.record(step, JournalRecord.HoldPlaced({ ...Step.named(entry), hold }))
  return Step.update(step, entry, { hold, retry: null, awaitingRead: false })
}

export const liftHold = (step: Step.Step, entry: Entry, by: string): Entry => {
  if (entry.hold === null) return entry
  Step.record(step, JournalRecord.HoldLifted({ ...Step.named(entry), hold: entry.hold, by }))
  return Step.update(step, entry, { hold: null })
}

export const queueRetry = (
  step: Step.Step,
  entry: Entry,
  retry: { readonly kind: RetryKind; readonly delayMs: number; readonly reason: string | null }
): Entry => {
  const { kind, delayMs, reason } = retry
  Step.record(step, JournalRecord.RetryQueued({ ...Step.named(entry), kind, delayMs, reason }))
  return Step.update(step, entry, { retry: { kind, dueAt: step.at.now + delayMs, reason } })
}

const release = (step: Step.Step, entry: Entry, reason: ReleaseReason, words: string): Entry => {
  if (entry.released === reason && entry.retry === null) return entry
  Step.record(step, JournalRecord.Released({ ...Step.named(entry), reason: words }))
  return Step.update(step, entry, { released: reason, retry: null, awaitingRead: false })
}

/**
 * Brings an issue without a live run in line with what the tracker says: released when it is terminal, inactive or
 * gone, and back when it is active again.
 */
export const reconcile = (step: Step.Step, entry: Entry): Entry => {
  if (entry.run !== null) return entry
  const route = routing(step.state, entry)
  switch (route?._tag) {
    case "Gone":
      return release(step, entry, "gone", render(route))
    case "Terminal":
      return release(step, entry, "terminal", render(route))
    case "Inactive":
      return release(step, entry, "inactive", render(route))
    default:
      return entry.released === null ? entry : Step.update(step, entry, { released: null })
  }
}

/**
 * Takes a later read of an issue without a live run: when it differs from the read that closed the last run, failures
 * and continuations start anew and holds that a change lifts are lifted.
 */
export const noteChange = (step: Step.Step, entry: Entry, readStartedAt: number): Entry => {
  if (entry.run !== null) return entry
  if (entry.baselineAfter !== null && readStartedAt >= entry.baselineAfter) {
    return Step.update(step, entry, { baseline: entry.issue, baselineAfter: null })
  }
  if (entry.baseline === null || !isChanged(entry.baseline, entry.issue)) return entry
  const counters: Counters = { ...entry.counters, failures: 0, continuations: 0, idleContinuations: 0, usageLimits: 0 }
  const changed = Step.update(step, entry, { baseline: entry.issue, counters })
  return changed.hold !== null && isLiftedByChange(changed.hold)
    ? liftHold(step, changed, "a change of the issue")
    : changed
}

/** What the end of a run does to the counters. */
const count = (entry: Entry, run: LiveRun, outcome: Outcome.Outcome, progress: boolean): Counters => {
  const { counters } = entry
  const attempts = counters.attempts + 1
  if (outcome._tag === "Succeeded") {
    const idleContinuations = progress ? 0 : counters.idleContinuations + (run.kind === "continuation" ? 1 : 0)
    return { ...counters, attempts, failures: 0, usageLimits: 0, idleContinuations }
  }
  if (Outcome.isExcused(outcome)) {
    const usageLimits = counters.usageLimits + 1
    return usageLimits >= excusesThatFail
      ? { ...counters, attempts, usageLimits: 0, failures: counters.failures + 1 }
      : { ...counters, usageLimits, runs: Math.max(0, counters.runs - 1) }
  }
  if (Outcome.isFailure(outcome)) return { ...counters, attempts, failures: counters.failures + 1, usageLimits: 0 }
  return run.stop?.reason === "gate" || run.stop?.reason === "not_eligible"
    ? { ...counters, runs: Math.max(0, counters.runs - 1) }
    : { ...counters, attempts }
}

/** So often in a row it is the issue after all: a prompt that empties the window, or brings the runtime down. */
const excusesThatFail = 5

/** Whether a run was cut short for a reason that is not the issue's: it is neither continued nor retried, but run again. */
const isPutBack = ({ reason }: Stop, outcome: Outcome.Outcome): boolean =>
  reason === "gate" ||
  (outcome._tag === "Cancelled" && (reason === "shutdown" || reason === "operator" || reason === "over_limit"))

/** How an active issue goes on after a run. */
const goOn = (step: Step.Step, entry: Entry, run: LiveRun, outcome: Outcome.Outcome): Entry => {
  const reason = Outcome.reason(outcome)
  if (entry.hold !== null) return entry
  const limit = Limits.reached(entry, step.state.policy, reason)
  if (limit !== null) return placeHold(step, entry, limit)
  const sameKind: RetryKind = run.kind === "first" ? "gate" : run.kind
  if (run.stop !== null && isPutBack(run.stop, outcome)) {
    return queueRetry(step, entry, { kind: sameKind, delayMs: 0, reason: stopWords[run.stop.reason] })
  }
  if (run.stop?.reason === "not_eligible") {
    return run.kind === "first" ? entry : queueRetry(step, entry, { kind: run.kind, delayMs: 0, reason: null })
  }
  const { counters } = entry
  if (Outcome.isExcused(outcome) && counters.usageLimits > 0) {
    return queueRetry(step, entry, { kind: sameKind, delayMs: Backoff.continuationDelayMs, reason })
  }
  if (Outcome.isFailure(outcome) || Outcome.isExcused(outcome)) {
    const delayMs = Backoff.retryDelayMs(counters.failures, step.state.policy)
    return queueRetry(step, entry, { kind: "failure", delayMs, reason })
  }
  const continued = Step.update(step, entry, {
    counters: { ...counters, continuations: counters.continuations + 1 }
  })
  return queueRetry(step, continued, { kind: "continuation", delayMs: Backoff.continuationDelayMs, reason: null })
}

/**
 * Ends the live run of an issue and decides what follows. `closingRead` is the issue as the read after the end saw it,
 * the baseline for later changes; when it is null, the first read that begins after now becomes that.
 */
export const settle = (
  step: Step.Step,
  entry: Entry,
  run: LiveRun,
  outcome: Outcome.Outcome,
  closingRead: Issue | null
): Entry => {
  const fingerprint = run.closing?.fingerprint ?? null
  const worked =
    (fingerprint !== null && run.fingerprint !== null && fingerprint !== run.fingerprint) ||
    isChanged(run.issue, entry.issue)
  const ended = Step.update(step, entry, {
    run: null,
    counters: count(entry, run, outcome, worked),
    lastRun: { runId: run.runId, outcome, usage: run.usage, endedAtWall: step.at.wallTime, isClosing: false },
    baseline: closingRead,
    baselineAfter: closingRead === null ? step.at.now : null
  })
  Step.patch(step, { lastRunEndedAt: step.at.now })
  const settled = reconcile(step, ended)
  return settled.released === null ? goOn(step, settled, run, outcome) : settled
}

/** Settles a run that only waits for its closing read. `closingRead` is null when that read told nothing. */
export const settleClosing = (step: Step.Step, entry: Entry, closingRead: Issue | null): Entry => {
  const { run } = entry
  return run === null || run.closing === null || run.outcome === null
    ? entry
    : settle(step, entry, run, run.outcome, closingRead)
}

/** Whether the workspace of this issue is to go: terminal, released, and nothing of it can be alive. */
export const mayRemoveWorkspace = (step: Step.Step, entry: Entry): boolean =>
  entry.workspace !== null &&
  entry.run === null &&
  entry.released === "terminal" &&
  entry.hold?._tag !== "StopUnconfirmed" &&
  isTerminal(entry.issue.state, step.state.policy)
