/** From a free slot to a launched agent: claims in order, the preparation, and the last look before the launch. */
import * as HashMap from "effect/HashMap"
import type { IssueId, RunId } from "../domain/Ids.ts"
import { RunId as makeRunId } from "../domain/Ids.ts"
import { JournalRecord } from "../domain/Journal.ts"
import { Outcome, reason as reasonOf } from "../domain/Outcome.ts"
import * as Usage from "../domain/Usage.ts"
import type { Workspace } from "../domain/Workspace.ts"
import type { StopResult } from "../ports/AgentRuntime.ts"
import { Command } from "./Command.ts"
import * as Eligibility from "./Eligibility.ts"
import * as Ending from "./Ending.ts"
import * as Gates from "./Gates.ts"
import * as Limits from "./Limits.ts"
import * as Reading from "./Reading.ts"
import * as RuntimeGates from "./RuntimeGates.ts"
import * as Settling from "./Settling.ts"
import { type Entry, readAtOf } from "./State.ts"
import * as Step from "./Step.ts"
import * as Stopping from "./Stopping.ts"
import * as TrackerGate from "./TrackerGate.ts"

/** A candidate read less than this ago needs no further read before it starts. */
const freshMs = 5_000

const claim = (step: Step.Step, entry: Entry): void => {
  const sequence = step.state.sequence + 1
  Step.patch(step, { sequence })
  const runId = makeRunId(`${step.state.instance}-${sequence}`)
  const { counters } = entry
  const attempt = counters.attempts === 0 ? null : counters.attempts
  Step.record(step, JournalRecord.RunClaimed({ ...Step.named(entry), runId, attempt }))
  Step.update(step, entry, {
    counters: { ...counters, runs: counters.runs + 1, claims: counters.claims + 1 },
    retry: null,
    awaitingRead: false,
    removal: null,
    run: {
      runId,
      kind: entry.retry?.kind ?? "first",
      attempt,
      issue: entry.issue,
      stage: "preparing",
      claimedAt: step.at.now,
      claimedAtWall: step.at.wallTime,
      workspace: null,
      fingerprint: null,
      lastActivityAt: step.at.now,
      lastActivity: null,
      turn: null,
      turnsCompleted: 0,
      usage: Usage.zero,
      session: null,
      stop: null,
      handoff: null,
      outcome: null,
      closing: null
    }
  })
  RuntimeGates.takeTrial(step, runId)
  Step.command(step, Command.PrepareWorkspace({ run: { runId, issue: entry.issue, attempt } }))
}

const isFresh = (step: Step.Step, entry: Entry): boolean =>
  step.at.now - readAtOf(step.state, entry) < freshMs || step.readForStart.has(entry.issue.id)

const lastReason = ({ lastRun }: Entry): string | null => (lastRun === null ? null : reasonOf(lastRun.outcome))

/** Starts that wait for one of these reads; each has a slot in mind. What a poll has told meanwhile needs none. */
const pendingStarts = (step: Step.Step, reads: ReadonlyArray<IssueId>): number => {
  const isStart = (id: IssueId) => {
    const entry = Step.entryOf(step, id)
    return entry?.awaitingRead === true && !isFresh(step, entry)
  }
  return new Set(reads.filter(isStart)).size
}

/**
 * Fills free slots from the known candidates and due retries, in their common order. An issue that was not read
 * lately is read first; the slot it is meant for is not promised to a later one meanwhile, unless the read has to
 * wait for the tracker's backoff. No more reads are asked for than there are slots.
 */
export const fillSlots = (step: Step.Step): void => {
  const { state } = step
  const { maxConcurrentAgents } = state.policy
  if (HashMap.size(state.live) >= maxConcurrentAgents) return
  if (!state.started || Gates.closed(state, step.at).length > 0) return
  const { inFlight, wanted } = state.demand
  const isTrackerOpen = TrackerGate.isOpen(step)
  let asked = pendingStarts(step, [...wanted, ...(inFlight ?? [])])
  let promised = isTrackerOpen ? asked : pendingStarts(step, [...(inFlight ?? [])])
  const fullStates = new Set<string>()
  for (const key of state.order) {
    if (HashMap.size(step.state.live) + promised >= maxConcurrentAgents) return
    const entry = Step.entryOf(step, key.id)
    if (entry === undefined || entry.run !== null || entry.released !== null || entry.hold !== null) continue
    if (entry.retry !== null && entry.retry.dueAt > step.at.now) continue
    if (fullStates.has(entry.issue.state) || Eligibility.own(step.state, entry, step.at) !== null) continue
    if (Eligibility.capacity(step.state, entry.issue) !== null) {
      fullStates.add(entry.issue.state)
      continue
    }
    const limit = Limits.reached(entry, step.state.policy, entry.retry?.reason ?? lastReason(entry))
    if (limit !== null) {
      Settling.placeHold(step, entry, limit)
    } else if (isFresh(step, entry)) {
      claim(step, entry)
      if (step.state.gates.failing !== null) return
    } else if (!entry.awaitingRead && HashMap.size(step.state.live) + asked < maxConcurrentAgents) {
      Step.update(step, entry, { awaitingRead: true })
      Reading.want(step, entry.issue.id)
      asked++
      if (isTrackerOpen) promised++
    }
  }
}

/** The workspace is ready and `before_run` went well: the facts are judged once more, then the agent is launched. */
export const prepared = (
  step: Step.Step,
  event: { readonly runId: RunId; readonly workspace: Workspace; readonly fingerprint: string | null }
): void => {
  const live = Step.liveOf(step, event.runId)
  if (live === undefined || live.run.stage !== "preparing") return Step.ignore(step)
  const { workspace, fingerprint } = event
  const entry = Step.update(step, live.entry, { workspace, run: { ...live.run, workspace, fingerprint } })
  const run = entry.run ?? live.run
  if (run.stop !== null) return Ending.finish(step, entry, run, Ending.outcomeOfStop(run.stop))
  const isHeldBack = Gates.holdsBack(step.state, run.runId, step.at)
  if (isHeldBack || Eligibility.facts(step.state, entry) !== null || entry.hold !== null) {
    const stop = Stopping.stopOf(step, isHeldBack ? "gate" : "not_eligible", "")
    const stopped = { ...run, stop }
    return Ending.finish(step, Step.update(step, entry, { run: stopped }), stopped, Ending.outcomeOfStop(stop))
  }
  Step.updateRun(step, entry, run, { stage: "launching", lastActivityAt: step.at.now })
  const { maxTurns, launchTimeoutMs } = step.state.policy
  Step.command(
    step,
    Command.LaunchRun({
      run: { runId: run.runId, issue: entry.issue, attempt: run.attempt, workspace },
      maxTurns,
      timeoutMs: launchTimeoutMs
    })
  )
}

/** The workspace could not be made ready, or its preparation was cancelled. Nothing of the run goes on. */
export const preparationFailed = (
  step: Step.Step,
  event: {
    readonly runId: RunId
    readonly workspace: Workspace | null
    readonly reason: string
    readonly cancelled: boolean
  }
): void => {
  const live = Step.liveOf(step, event.runId)
  if (live === undefined) return Ending.endedLate(step, event.runId, null)
  if (live.run.stage !== "preparing") return Step.ignore(step)
  const entry = event.workspace === null ? live.entry : Step.update(step, live.entry, { workspace: event.workspace })
  const outcome =
    live.run.stop !== null ? Ending.outcomeOfStop(live.run.stop) : Outcome.Failed({ reason: event.reason })
  Ending.recordEnd(step, entry, live.run, outcome)
  Settling.settle(step, entry, live.run, outcome, null)
}

/**
 * The worker did not get under way. A runtime that is down is no failure of the issue; a worker that may still be
 * there after its launch timed out is stopped like any other.
 */
export const launchFailed = (
  step: Step.Step,
  event: {
    readonly runId: RunId
    readonly reason: string
    readonly unavailable: boolean
    readonly stopped: StopResult
  }
): void => {
  const live = Step.liveOf(step, event.runId)
  if (live === undefined || live.run.stage !== "launching") return Step.ignore(step)
  const { entry, run } = live
  if (event.stopped === "unconfirmed") {
    Stopping.order(step, entry, "timed_out", event.reason)
    return
  }
  if (run.stop !== null) return Ending.finish(step, entry, run, Ending.outcomeOfStop(run.stop))
  if (!event.unavailable) return Ending.finish(step, entry, run, Outcome.Failed({ reason: event.reason }))
  RuntimeGates.noteUnavailable(step, event.reason)
  const stopped = { ...run, stop: Stopping.stopOf(step, "gate", event.reason) }
  const { reason } = event
  Ending.finish(step, Step.update(step, entry, { run: stopped }), stopped, Outcome.Cancelled({ reason }))
}
