/**
 * When a live run must end before it ends by itself: the handoff grace of a run whose issue moved on, the order to
 * stop, and what happens when nobody confirms it.
 */
import { Hold } from "../domain/Hold.ts"
import type { RunId } from "../domain/Ids.ts"
import { JournalRecord } from "../domain/Journal.ts"
import type { StopResult } from "../ports/AgentRuntime.ts"
import { TurnVerdict } from "../ports/WorkerBackend.ts"
import { Command } from "./Command.ts"
import { type Decision, render, stopWords } from "./Decision.ts"
import { routing } from "./Eligibility.ts"
import * as Ending from "./Ending.ts"
import * as Settling from "./Settling.ts"
import type { Entry, Handoff, LiveRun, Stop, StopReason } from "./State.ts"
import * as Step from "./Step.ts"

export const stopOf = (step: Step.Step, reason: StopReason, detail: string): Stop => ({
  reason,
  detail,
  orderedAt: step.at.now,
  deadline: step.at.now + step.state.policy.stopTimeoutMs
})

const describe = (stop: Stop): string =>
  stop.detail === "" ? stopWords[stop.reason] : `${stopWords[stop.reason]}: ${stop.detail}`

/** Orders the stop of a live run. A run that is being closed already, or was told before, is left alone. */
export const order = (step: Step.Step, entry: Entry, reason: StopReason, detail: string): Entry => {
  const { run } = entry
  if (run === null || run.stop !== null || run.stage === "finishing") return entry
  const stop = stopOf(step, reason, detail)
  const words = describe(stop)
  Step.record(step, JournalRecord.StopOrdered({ ...Step.named(entry), runId: run.runId, reason: words }))
  const turn = run.turn === null ? null : { ...run.turn, askedAt: null }
  if (run.turn !== null && run.turn.askedAt !== null) {
    Step.command(step, Command.AnswerTurn({ runId: run.runId, verdict: TurnVerdict.Stop({ reason: words }) }))
  }
  const stopped = Step.updateRun(step, entry, run, { stop, handoff: null, turn })
  Step.command(
    step,
    run.stage === "preparing"
      ? Command.CancelPreparation({ runId: run.runId })
      : Command.StopRun({ runId: run.runId, reason: words, timeoutMs: step.state.policy.stopTimeoutMs })
  )
  return stopped
}

const handoffReason = (route: Decision): Handoff["reason"] =>
  route._tag === "Gone"
    ? "gone"
    : route._tag === "Terminal"
      ? "terminal"
      : route._tag === "Inactive"
        ? "inactive"
        : "unroutable"

/**
 * Looks at a live run after its issue was read. An issue that moved on leaves its run the handoff grace; one that is
 * active again takes the grace back. Before the agent runs there is nothing to hand off.
 */
export const watchRouting = (step: Step.Step, entry: Entry): Entry => {
  const { run } = entry
  if (run === null || run.stop !== null || run.stage === "finishing") return entry
  const route = routing(step.state, entry)
  if (route === null) return run.handoff === null ? entry : Step.updateRun(step, entry, run, { handoff: null })
  const reason = handoffReason(route)
  const detail = render(route)
  const graceMs = step.state.policy.handoffGraceMs
  if (run.stage === "preparing" || graceMs === 0) return order(step, entry, reason, detail)
  if (run.handoff?.reason === reason) return entry
  const deadline = run.handoff?.deadline ?? step.at.now + graceMs
  return Step.updateRun(step, entry, run, { handoff: { reason, detail, deadline } })
}

/** The runtime said whether the run has stopped. Unconfirmed, it may still report its end until the deadline. */
export const settled = (step: Step.Step, event: { readonly runId: RunId; readonly result: StopResult }): void => {
  const live = Step.liveOf(step, event.runId)
  if (live === undefined && event.result === "confirmed") return Ending.endedLate(step, event.runId, null)
  if (live === undefined || live.run.stop === null || live.run.stage === "finishing") return Step.ignore(step)
  if (event.result === "confirmed") Ending.finish(step, live.entry, live.run, Ending.outcomeOfStop(live.run.stop))
}

/**
 * Nobody confirmed the stop in time: the slot is freed and the issue held, its workspace untouched, until the runtime
 * reports the end of that run or an operator releases it.
 */
export const giveUp = (step: Step.Step, entry: Entry, run: LiveRun, stop: Stop): void => {
  const outcome = Ending.outcomeOfStop(stop)
  Ending.recordEnd(step, entry, run, outcome)
  const { runId, workspace } = run
  const held = Settling.placeHold(step, entry, Hold.StopUnconfirmed({ runId, workspace, why: describe(stop) }))
  Settling.settle(step, held, run, outcome, null)
}
