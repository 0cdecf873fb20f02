/**
 * The gates that runs close: the provider's usage window, a runtime that is down, and a runtime under which the runs
 * of many issues fail before any of them completes a turn.
 */
import type { IssueId, RunId } from "../domain/Ids.ts"
import * as Outcome from "../domain/Outcome.ts"
import * as Backoff from "./Backoff.ts"
import type { LiveRun } from "./State.ts"
import * as Step from "./Step.ts"

const issuesThatClose = 5

const noteUsageLimit = (step: Step.Step, outcome: Extract<Outcome.Outcome, { _tag: "UsageLimited" }>): void => {
  const { usageLimited, usageRepeats } = step.state.gates
  const isClosed = usageLimited !== null && step.at.now < usageLimited.until
  const repeats = isClosed ? usageLimited.repeats : usageRepeats
  const until = step.at.now + Backoff.usageLimitMs(outcome.untilMs, step.at.wallTime, repeats)
  Step.patchGates(step, {
    usageLimited: {
      until: isClosed ? Math.max(usageLimited.until, until) : until,
      reason: outcome.reason,
      repeats
    },
    usageRepeats: isClosed ? usageRepeats : repeats + 1
  })
}

const noteEarlyFailure = (step: Step.Step, id: IssueId, runId: RunId, reason: string): void => {
  const { failing, failingStreak } = step.state.gates
  if (failing !== null) {
    if (failing.trial !== runId) return
    const trialAt = step.at.now + Backoff.retryDelayMs(failing.step + 1, step.state.policy)
    Step.patchGates(step, { failing: { trialAt, step: failing.step + 1, trial: null, reason } })
    return
  }
  const streak = [...failingStreak.filter((other) => other !== id), id]
  if (streak.length < issuesThatClose) {
    Step.patchGates(step, { failingStreak: streak })
    return
  }
  const trialAt = step.at.now + Backoff.retryDelayMs(1, step.state.policy)
  Step.patchGates(step, { failing: { trialAt, step: 1, trial: null, reason }, failingStreak: [] })
}

/** A completed turn shows that the runtime works. */
export const noteTurnCompleted = (step: Step.Step): void => {
  const { failing, failingStreak, usageRepeats, runtimeDown } = step.state.gates
  const down = runtimeDown?.retryAt === null ? runtimeDown : null
  if (failing === null && failingStreak.length === 0 && usageRepeats === 0 && runtimeDown === down) return
  Step.patchGates(step, { failing: null, failingStreak: [], usageRepeats: 0, runtimeDown: down })
}

/** A launch or a turn found the runtime down: closed for a backoff, since nobody may tell when it is up again. */
export const noteUnavailable = (step: Step.Step, reason: string): void => {
  const down = step.state.gates.runtimeDown
  // While the gate is closed nothing begins: what fails now was under way with the one that closed it.
  if (down !== null && (down.retryAt === null || step.at.now < down.retryAt)) return
  const failures = (down?.failures ?? 0) + 1
  const retryAt = step.at.now + Backoff.retryDelayMs(failures, step.state.policy)
  Step.patchGates(step, { runtimeDown: { reason, retryAt, failures } })
}

/** The end of a run, as the runtime's gates see it. Failures of the workspace say nothing about the runtime. */
export const noteEnd = (step: Step.Step, id: IssueId, run: LiveRun, outcome: Outcome.Outcome): void => {
  if (outcome._tag === "UsageLimited") noteUsageLimit(step, outcome)
  if (outcome._tag === "Failed" && outcome.unavailable === true) noteUnavailable(step, outcome.reason)
  const reachedRuntime = run.stage !== "preparing"
  if (Outcome.isFailure(outcome) && reachedRuntime && run.turnsCompleted === 0) {
    noteEarlyFailure(step, id, run.runId, Outcome.reason(outcome) ?? "unknown")
    return
  }
  const { failing } = step.state.gates
  if (failing?.trial === run.runId) Step.patchGates(step, { failing: { ...failing, trial: null } })
}

/** Gives the trial of a failing runtime to this run, if one is due. */
export const takeTrial = (step: Step.Step, runId: RunId): void => {
  const { failing } = step.state.gates
  if (failing !== null && failing.trial === null) Step.patchGates(step, { failing: { ...failing, trial: runId } })
}
