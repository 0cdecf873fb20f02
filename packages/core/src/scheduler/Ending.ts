/** The end of a run: its outcome, and the order to close its workspace. */
import type { RunId } from "../domain/Ids.ts"
import { JournalRecord } from "../domain/Journal.ts"
import { Outcome } from "../domain/Outcome.ts"
import type { Usage } from "../domain/Usage.ts"
import { Command } from "./Command.ts"
import { stopWords } from "./Decision.ts"
import * as Settling from "./Settling.ts"
import * as Spending from "./Spending.ts"
import type { Entry, LiveRun, Stop } from "./State.ts"
import * as Step from "./Step.ts"

const detailOf = (stop: Stop): string => (stop.detail === "" ? stopWords[stop.reason] : stop.detail)

/** What a run that was stopped, and did not end otherwise, counts as. */
export const outcomeOfStop = (stop: Stop): Outcome => {
  const reason = detailOf(stop)
  if (stop.reason === "stalled") return Outcome.Stalled({ reason })
  return stop.reason === "timed_out" ? Outcome.TimedOut({ reason }) : Outcome.Cancelled({ reason })
}

/** A stopped run counts as what it finished before the stop reached it; otherwise as what the stop was for. */
const judged = (run: LiveRun, reported: Outcome): Outcome =>
  run.stop === null || reported._tag === "Succeeded" || reported._tag === "UsageLimited"
    ? reported
    : outcomeOfStop(run.stop)

export const recordEnd = (step: Step.Step, entry: Entry, run: LiveRun, outcome: Outcome): void => {
  const { runId, turnsCompleted: turns, usage } = run
  Step.record(step, JournalRecord.RunEnded({ ...Step.named(entry), runId, outcome, turns, usage }))
}

/** The worker's part is over: closes the workspace, or settles at once when there is none. */
export const finish = (step: Step.Step, entry: Entry, run: LiveRun, outcome: Outcome): void => {
  recordEnd(step, entry, run, outcome)
  const { runId, attempt, workspace } = run
  if (workspace === null) {
    Settling.settle(step, entry, run, outcome, null)
    return
  }
  Step.updateRun(step, entry, run, { stage: "finishing", outcome })
  Step.command(step, Command.FinishRun({ run: { runId, issue: entry.issue, attempt, workspace }, outcome }))
}

/** A late report of a run that is over: what it used still counts; a hold that waited for it is lifted. */
const finishedLate = (
  step: Step.Step,
  event: { readonly runId: RunId; readonly outcome: Outcome; readonly usage: Usage }
): void => {
  Step.ignore(step)
  for (const id of step.state.held) {
    const entry = Step.entryOf(step, id)
    if (entry?.hold?._tag !== "StopUnconfirmed" || entry.hold.runId !== event.runId) continue
    const { workspace } = entry.hold
    const spent = Spending.settleLate(step, entry, event)
    const lifted = Settling.liftHold(step, spent, "the end of its run")
    if (workspace !== null) {
      const run = { runId: event.runId, issue: entry.issue, attempt: null, workspace }
      Step.command(step, Command.FinishRun({ run, outcome: event.outcome }))
    }
    Settling.reconcile(step, lifted)
    return
  }
}

/** The worker reports how its run ended. */
export const finished = (
  step: Step.Step,
  event: { readonly runId: RunId; readonly outcome: Outcome; readonly usage: Usage }
): void => {
  const live = Step.liveOf(step, event.runId)
  if (live === undefined) return finishedLate(step, event)
  if (live.run.stage === "finishing" || live.run.stage === "preparing") {
    Spending.add(step, live.entry, live.run, event.usage)
    return Step.ignore(step)
  }
  const entry = Spending.add(step, live.entry, live.run, event.usage)
  const run = entry.run ?? live.run
  finish(step, entry, run, judged(run, event.outcome))
}
