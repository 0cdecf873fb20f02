/** What a live run reports while its agent works, and the limits that are judged from it. */
import type { RunId, SessionId } from "../domain/Ids.ts"
import { JournalRecord } from "../domain/Journal.ts"
import type { Usage } from "../domain/Usage.ts"
import { Command } from "./Command.ts"
import * as Ending from "./Ending.ts"
import * as Limits from "./Limits.ts"
import * as Reading from "./Reading.ts"
import * as RuntimeGates from "./RuntimeGates.ts"
import * as Spending from "./Spending.ts"
import type { Entry, LiveRun } from "./State.ts"
import * as Step from "./Step.ts"
import * as Stopping from "./Stopping.ts"

/** The live run that an agent's report belongs to: its worker has been launched and has not ended. */
const working = (step: Step.Step, runId: RunId) => {
  const live = Step.liveOf(step, runId)
  if (live !== undefined && (live.run.stage === "launching" || live.run.stage === "running")) return live
  Step.ignore(step)
  return undefined
}

export const launched = (
  step: Step.Step,
  event: { readonly runId: RunId; readonly session: SessionId | null }
): void => {
  const live = Step.liveOf(step, event.runId)
  if (live === undefined || live.run.stage !== "launching") return Step.ignore(step)
  const { entry, run } = live
  Step.record(step, JournalRecord.RunLaunched({ ...Step.named(entry), runId: run.runId }))
  const session = event.session ?? run.session
  const running = Step.updateRun(step, entry, run, { stage: "running", session, lastActivityAt: step.at.now })
  if (run.stop !== null) {
    const { stopTimeoutMs } = step.state.policy
    Step.command(step, Command.StopRun({ runId: run.runId, reason: run.stop.detail, timeoutMs: stopTimeoutMs }))
    return
  }
  Stopping.watchRouting(step, running)
}

export const activity = (step: Step.Step, event: { readonly runId: RunId; readonly summary: string }): void => {
  const live = working(step, event.runId)
  if (live === undefined) return
  Step.touchRun(step, live.entry, live.run, { lastActivityAt: step.at.now, lastActivity: event.summary })
}

export const turnStarted = (step: Step.Step, event: { readonly runId: RunId; readonly turn: number }): void => {
  const live = working(step, event.runId)
  if (live === undefined) return
  // Overtaken by what its turn, or a later one, reported: a question must not be forgotten over it.
  if (event.turn <= (live.run.turn?.number ?? 0)) return Step.ignore(step)
  const turn = { number: event.turn, startedAt: step.at.now, askedAt: null }
  Step.updateRun(step, live.entry, live.run, { turn, lastActivityAt: step.at.now })
}

export const turnCompleted = (
  step: Step.Step,
  event: { readonly runId: RunId; readonly turn: number; readonly summary: string | null }
): void => {
  const live = working(step, event.runId)
  if (live === undefined) return
  const { runId, turn, summary } = event
  Step.record(step, JournalRecord.TurnCompleted({ ...Step.named(live.entry), runId, turn, summary }))
  RuntimeGates.noteTurnCompleted(step)
  const turnsCompleted = Math.max(live.run.turnsCompleted, turn)
  Step.updateRun(step, live.entry, live.run, { turnsCompleted, lastActivityAt: step.at.now })
}

/** The worker asks for another turn: a fresh read decides. A stopped run needs none, also when its stop was given up. */
export const turnAsked = (step: Step.Step, event: { readonly runId: RunId; readonly turn: number }): void => {
  const live = working(step, event.runId)
  if (live === undefined) return Ending.refuseTurnLate(step, event.runId)
  const { entry, run } = live
  if (event.turn < (run.turn?.number ?? 0)) return Step.ignore(step)
  const turn = { number: event.turn, startedAt: run.turn?.startedAt ?? step.at.now, askedAt: step.at.now }
  const asking = Step.updateRun(step, entry, run, { turn, lastActivityAt: step.at.now })
  if (run.stop !== null) return Reading.refuseTurn(step, asking)
  Reading.want(step, entry.issue.id)
}

export const sessionUpdated = (
  step: Step.Step,
  event: { readonly runId: RunId; readonly session: SessionId | null; readonly usage: Usage }
): void => {
  const live = Step.liveOf(step, event.runId)
  if (live === undefined) return Ending.usedLate(step, event.runId, event.usage)
  if (live.run.stage === "preparing" || live.run.stage === "finishing") {
    Spending.add(step, live.entry, live.run, event.usage)
    return Step.ignore(step)
  }
  const spent = Spending.add(step, live.entry, live.run, event.usage)
  const run = spent.run ?? live.run
  const session = event.session ?? run.session
  Step.touchRun(step, spent, run, { session, lastActivityAt: step.at.now })
  const limit = Limits.spending(spent, step.state.policy)
  const current = Step.entryOf(step, spent.issue.id)
  if (limit !== null && current !== undefined) Stopping.order(step, current, "over_limit", "")
}

/** The instant at which something about this run is due: silence, a turn's cap, the handoff grace, an unconfirmed stop. */
export const deadlineOf = (step: Step.Step, run: LiveRun): number => {
  if (run.stage === "finishing") return Number.POSITIVE_INFINITY
  if (run.stop !== null) return run.stop.deadline
  const { stallTimeoutMs, turnTimeoutMs } = step.state.policy
  const { handoff, turn } = run
  const isWaiting = run.stage !== "running" || (turn !== null && turn.askedAt !== null)
  return Math.min(
    handoff?.deadline ?? Number.POSITIVE_INFINITY,
    !isWaiting && stallTimeoutMs > 0 ? run.lastActivityAt + stallTimeoutMs : Number.POSITIVE_INFINITY,
    !isWaiting && turnTimeoutMs > 0 && turn !== null ? turn.startedAt + turnTimeoutMs : Number.POSITIVE_INFINITY
  )
}

const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`

/** Does what is due for this run. */
export const checkDeadlines = (step: Step.Step, entry: Entry, run: LiveRun): void => {
  const { now } = step.at
  if (now < deadlineOf(step, run)) return
  if (run.stop !== null) return Stopping.giveUp(step, entry, run, run.stop)
  const { stallTimeoutMs, turnTimeoutMs } = step.state.policy
  const { handoff, turn } = run
  if (handoff !== null && now >= handoff.deadline) {
    Stopping.order(step, entry, handoff.reason, handoff.detail)
  } else if (turnTimeoutMs > 0 && turn !== null && now >= turn.startedAt + turnTimeoutMs) {
    Stopping.order(
      step,
      entry,
      "timed_out",
      `turn ${turn.number} took longer than ${seconds(turnTimeoutMs)} (agent.turn_timeout_ms)`
    )
  } else {
    Stopping.order(
      step,
      entry,
      "stalled",
      `the agent was silent for ${seconds(stallTimeoutMs)} (agent.stall_timeout_ms)`
    )
  }
}
