/**
 * The projections that outlive a crash. They are derived from what a step touched, at its end, so that no rule can
 * forget to write one.
 */
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import { type FleetProjection, type IssueProjection, JournalRecord } from "../domain/Journal.ts"
import * as Gates from "./Gates.ts"
import type { Entry, Instant, ReleaseReason, State } from "./State.ts"
import * as Step from "./Step.ts"

const projectionOf = (entry: Entry, at: Instant): IssueProjection => ({
  issueId: entry.issue.id,
  identifier: entry.issue.identifier,
  counters: entry.counters,
  usage: entry.usage,
  allowanceBase: entry.allowanceBase,
  hold: entry.hold,
  retry:
    entry.retry === null
      ? null
      : {
          kind: entry.retry.kind,
          dueAtWallMs: at.wallTime + (entry.retry.dueAt - at.now),
          reason: entry.retry.reason
        },
  liveRun: entry.run?.runId ?? null,
  workspace: entry.workspace
})

/** An issue that never ran, and that nobody held, has nothing to keep. */
const isWorthKeeping = (entry: Entry): boolean =>
  entry.counters.claims > 0 || entry.hold !== null || entry.workspace !== null || entry.run !== null

const isSameProjection = (before: Entry, after: Entry): boolean =>
  before.issue.identifier === after.issue.identifier &&
  before.counters === after.counters &&
  before.usage === after.usage &&
  before.allowanceBase === after.allowanceBase &&
  before.hold === after.hold &&
  before.retry === after.retry &&
  before.run?.runId === after.run?.runId &&
  before.workspace === after.workspace

const fleetOf = (state: State): FleetProjection => ({ paused: state.gates.paused, usageByDay: state.usageByDay })

/** Not read yet, or read no earlier than the last poll: others may name it, and know less of it than is known here. */
const isNews = (step: Step.Step, entry: Entry): boolean =>
  entry.readAt === Number.NEGATIVE_INFINITY || entry.readAt >= step.state.poll.answeredAt

const wordsOf: { readonly [Reason in ReleaseReason]: (state: string) => string } = {
  gone: () => "gone from the tracker",
  terminal: (state) => `in the terminal state ${state}`,
  inactive: (state) => `in the state ${state}, which is not active`
}

/** Forgets what is released and has nothing left: no workspace, hold or removal, and no place in the last poll. */
const forget = (step: Step.Step, entry: Entry): boolean => {
  const { released, run, retry, hold, workspace, removal, listed, issue, counters } = entry
  const isDone = released !== null && run === null && retry === null && hold === null
  if (!isDone || workspace !== null || removal !== null || listed) return false
  if (released !== "gone" && isNews(step, entry)) {
    Step.patch(step, { fading: HashSet.add(step.state.fading, issue.id) })
    return false
  }
  const { state } = issue
  const reason = wordsOf[released](state)
  Step.record(step, JournalRecord.Forgotten({ ...Step.named(entry), state, claims: counters.claims, reason }))
  Step.drop(step, entry)
  return true
}

/** Closes the step: forgets what is over, and writes what changed. */
export const save = (step: Step.Step): void => {
  for (const [id, before] of step.touched) {
    const entry = Step.entryOf(step, id)
    if (entry === undefined || forget(step, entry) || !isWorthKeeping(entry)) {
      if (before !== undefined && isWorthKeeping(before)) Step.record(step, JournalRecord.IssueDropped({ issueId: id }))
    } else if (before === undefined || !isSameProjection(before, entry)) {
      Step.record(step, JournalRecord.IssueSaved({ projection: projectionOf(entry, step.at) }))
    }
  }
  const { before, state } = step
  if (before.gates.paused !== state.gates.paused || before.usageByDay !== state.usageByDay) {
    Step.record(step, JournalRecord.FleetSaved({ projection: fleetOf(state) }))
  }
}

/** Writes down which gates closed and opened. */
export const noteGates = (step: Step.Step): void => {
  const known = step.state.closedGates
  const closed = Gates.closed(step.state, step.at)
  for (const { gate, reason } of closed) {
    if (!known.includes(gate)) Step.record(step, JournalRecord.GateClosed({ gate, reason }))
  }
  const names = closed.map(({ gate }) => gate)
  for (const gate of known) if (!names.includes(gate)) Step.record(step, JournalRecord.GateOpened({ gate }))
  if (names.length > 0 || known.length > 0) Step.patch(step, { closedGates: names })
}

/** All that a store would keep of this state now. */
export const projections = (state: State, at: Instant): ReadonlyArray<IssueProjection> =>
  [...HashMap.values(state.issues)].filter(isWorthKeeping).map((entry) => projectionOf(entry, at))
