/** How the tracker is doing: backoff after failures, and the gate that a rate limit closes. */
import { JournalRecord } from "../domain/Journal.ts"
import * as Backoff from "./Backoff.ts"
import type { TrackerProblem } from "./Event.ts"
import * as Step from "./Step.ts"

const rateLimited = "TrackerRateLimited"

/** A request failed: nothing is asked of the tracker before `retryAt`. Never a failure of any issue. */
export const noteFailure = (step: Step.Step, problem: TrackerProblem): void => {
  const { tracker, policy } = step.state
  const { now, wallTime } = step.at
  const isLimit = problem.tag === rateLimited
  // Nothing is asked while the tracker is left alone: what fails then was under way with the first that failed.
  const isRepeat = now >= tracker.retryAt
  const failures = Math.max(1, isRepeat ? tracker.failures + 1 : tracker.failures)
  const limits = isLimit ? Math.max(1, isRepeat ? tracker.limits + 1 : tracker.limits) : tracker.limits
  const pauseMs = isLimit
    ? Backoff.rateLimitMs(problem.retryAtWallMs, wallTime, limits - 1)
    : Backoff.trackerDelayMs(failures, policy)
  const retryAt = Math.max(tracker.retryAt, now + pauseMs)
  if (tracker.error?.message !== problem.message) {
    Step.record(step, JournalRecord.TrackerFailed({ message: problem.message, retryInMs: retryAt - now }))
  }
  const { tag, message, retryable } = problem
  Step.patch(step, {
    tracker: {
      failures,
      error: { tag, message, retryable },
      retryAt,
      limitedUntil: isLimit ? retryAt : tracker.limitedUntil,
      limits
    }
  })
  step.timersChanged = true
}

/** A request was answered. A rate limit that has not run out yet stays. */
export const noteSuccess = (step: Step.Step): void => {
  const { tracker } = step.state
  if (tracker.error === null) return
  if (tracker.limitedUntil !== null && step.at.now < tracker.limitedUntil) return
  Step.record(step, JournalRecord.TrackerRecovered())
  Step.patch(step, { tracker: { failures: 0, error: null, retryAt: step.at.now, limitedUntil: null, limits: 0 } })
  step.mayStart = true
  step.timersChanged = true
}

/** Whether a request may be made now. */
export const isOpen = (step: Step.Step): boolean => step.at.now >= step.state.tracker.retryAt
