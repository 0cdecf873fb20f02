/** The end of a run: its outcome, and the order to close its workspace. */
import type { RunId } from "../domain/Ids.ts"
import { JournalRecord } from "../domain/Journal.ts"
import { Outcome } from "../domain/Outcome.ts"
import type { Usage } from "../domain/Usage.ts"
import { TurnVerdict } from "../ports/WorkerBackend.ts"
import { Command } from "./Command.ts"
import { stopWords } from "./Decision.ts"
import * as RuntimeGates from "./RuntimeGates.ts"
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

/** Writes the end down. What it says of the runtime counts at once, not when the workspace is closed. */
export const recordEnd = (step: Step.Step, entry: Entry, run: LiveRun, outcome: Outcome): void => {
  const { runId, turnsCompleted: turns, usage } = run
  Step.record(step, JournalRecord.RunEnded({ ...Step.named(entry), runId, outcome, turns, usage }))
  RuntimeGates.noteEnd(step, entry.issue.id, run, outcome)
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

/** The issue that is held because nobody confirmed the stop of this run. */
const givenUp = (step: Step.Step, runId: RunId) => {
  for (const id of step.state.held) {
    const entry = Step.entryOf(step, id)
    if (entry?.hold?._tag === "StopUnconfirmed" && entry.hold.runId === runId) return { entry, hold: entry.hold }
  }
  return undefined
}

const liftGivenUp = (step: Step.Step, entry: Entry): void => {
  Settling.reconcile(step, Settling.liftHold(step, entry, "the end of its run"))
}

/**
 * A run that was given up has ended after all: what it used still counts, and once its workspace is closed its issue is
 * held no longer. `report` is null when only the end is known.
 */
export const endedLate = (
  step: Step.Step,
  runId: RunId,
  report: { readonly outcome: Outcome; readonly usage: Usage } | null
): void => {
  Step.ignore(step)
  const held = givenUp(step, runId)
  if (held === undefined) return
  const { workspace } = held.hold
  const entry = report === null ? held.entry : Spending.settleLate(step, held.entry, { runId, usage: report.usage })
  const { lastRun } = entry
  if (workspace === null || lastRun?.runId !== runId) return liftGivenUp(step, entry)
  if (lastRun.isClosing) return
  Step.update(step, entry, { lastRun: { ...lastRun, isClosing: true } })
  const run = { runId, issue: entry.issue, attempt: null, workspace }
  Step.command(step, Command.FinishRun({ run, outcome: report?.outcome ?? lastRun.outcome }))
}

/** The workspace of a run that was given up is closed. */
export const closedLate = (step: Step.Step, runId: RunId): void => {
  const held = givenUp(step, runId)
  if (held?.entry.lastRun?.isClosing === true) liftGivenUp(step, held.entry)
  else Step.ignore(step)
}

/** What a run that was given up still uses counts, although nothing else of it does. */
export const usedLate = (step: Step.Step, runId: RunId, usage: Usage): void => {
  Step.ignore(step)
  const held = givenUp(step, runId)
  if (held !== undefined) Spending.settleLate(step, held.entry, { runId, usage })
}

/** A run that was given up and asks for another turn is told to end: an answer may be all that it waits for. */
export const refuseTurnLate = (step: Step.Step, runId: RunId): void => {
  const held = givenUp(step, runId)
  if (held === undefined) return
  Step.command(step, Command.AnswerTurn({ runId, verdict: TurnVerdict.Stop({ reason: held.hold.why }) }))
}

/** The worker reports how its run ended. */
export const finished = (
  step: Step.Step,
  event: { readonly runId: RunId; readonly outcome: Outcome; readonly usage: Usage }
): void => {
  const live = Step.liveOf(step, event.runId)
  if (live === undefined) return endedLate(step, event.runId, event)
  if (live.run.stage === "finishing" || live.run.stage === "preparing") {
    Spending.add(step, live.entry, live.run, event.usage)
    return Step.ignore(step)
  }
  const entry = Spending.add(step, live.entry, live.run, event.usage)
  const run = entry.run ?? live.run
  finish(step, entry, run, judged(run, event.outcome))
}
