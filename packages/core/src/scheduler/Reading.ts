/**
 * What reads of the tracker tell: newest facts win by the instant at which their read began. Reads that somebody
 * waits for are gathered, so that those which coincide cost one request.
 */
import * as HashSet from "effect/HashSet"
import type { IssueId } from "../domain/Ids.ts"
import { type Issue, isSame } from "../domain/Issue.ts"
import { JournalRecord } from "../domain/Journal.ts"
import type { IssueBatch, MalformedRecord } from "../ports/TrackerBackend.ts"
import { TurnVerdict } from "../ports/WorkerBackend.ts"
import { Command } from "./Command.ts"
import * as Decision from "./Decision.ts"
import * as Eligibility from "./Eligibility.ts"
import type { Lane, TrackerProblem } from "./Event.ts"
import * as Limits from "./Limits.ts"
import * as Order from "./Order.ts"
import * as Settling from "./Settling.ts"
import { type Entry, readAtOf } from "./State.ts"
import * as Step from "./Step.ts"
import * as Stopping from "./Stopping.ts"
import * as TrackerGate from "./TrackerGate.ts"

const malformedKept = 100

/** Asks for a fresh read of this issue; it goes out with the others at the end of the step. */
export const want = (step: Step.Step, id: IssueId, lane: Lane = "demand"): void => {
  const reads = step.state[lane]
  Step.patch(step, { [lane]: { ...reads, wanted: HashSet.add(reads.wanted, id) } })
  step.timersChanged = true
}

/** Sends what is wanted, one request per lane at a time, unless the tracker is to be left alone. */
export const flush = (step: Step.Step, lane: Lane): void => {
  const { inFlight, wanted } = step.state[lane]
  if (inFlight !== null || HashSet.isEmpty(wanted) || !TrackerGate.isOpen(step)) return
  Step.patch(step, { [lane]: { inFlight: wanted, wanted: HashSet.empty<IssueId>() } })
  Step.command(step, Command.ReadIssues({ lane, ids: [...wanted].sort() }))
}

/** Answers a worker that asked whether to take another turn. Only a read that began after the question counts. */
const answerIfAsked = (step: Step.Step, entry: Entry, startedAt: number): Entry => {
  const turn = entry.run?.turn
  if (!entry.run || !turn || turn.askedAt === null || startedAt < turn.askedAt) return entry
  const { run } = entry
  const obstacle = Eligibility.facts(step.state, entry)
  const limit = Limits.spending(entry, step.state.policy)
  const stop =
    run.stop !== null
      ? Decision.stopWords[run.stop.reason]
      : entry.misses > 0
        ? "the tracker no longer shows the issue"
        : obstacle !== null
          ? Decision.render(obstacle)
          : entry.hold !== null || limit !== null
            ? Decision.stopWords.over_limit
            : null
  const verdict = stop === null ? TurnVerdict.Continue({ issue: entry.issue }) : TurnVerdict.Stop({ reason: stop })
  Step.command(step, Command.AnswerTurn({ runId: run.runId, verdict }))
  return Step.updateRun(step, entry, run, { turn: { ...turn, askedAt: null }, lastActivityAt: step.at.now })
}

/** Answers a worker whose run is being stopped. */
export const refuseTurn = (step: Step.Step, entry: Entry): void => {
  answerIfAsked(step, entry, step.at.now)
}

/** Whether a run waits for just this read. */
const isClosingRead = (entry: Entry, startedAt: number): boolean => {
  const closing = entry.run?.closing ?? null
  return closing !== null && startedAt >= closing.at
}

/** What new facts mean for this issue: for its live run, or for where it waits. */
const followUp = (step: Step.Step, entry: Entry, startedAt: number): Entry => {
  if (entry.run === null) return Settling.reconcile(step, Settling.noteChange(step, entry, startedAt))
  if (isClosingRead(entry, startedAt)) return Settling.settleClosing(step, entry, entry.issue)
  return answerIfAsked(step, Stopping.watchRouting(step, entry), startedAt)
}

/** A read that newer facts overtook changes nothing; what waited for it goes on with those. */
const goOnWithNewer = (step: Step.Step, entry: Entry): Entry => {
  if (!entry.awaitingRead) return followUp(step, entry, readAtOf(step.state, entry))
  step.mayStart = true
  step.readForStart.add(entry.issue.id)
  return followUp(step, Step.update(step, entry, { awaitingRead: false }), readAtOf(step.state, entry))
}

const markDivergent = (step: Step.Step, entry: Entry): void => {
  if (entry.listed) Step.patch(step, { divergent: HashSet.add(step.state.divergent, entry.issue.id) })
}

/** Takes a snapshot of an issue from a read that began at `startedAt`; an older one overwrites nothing. */
export const applyFacts = (step: Step.Step, entry: Entry, issue: Issue, startedAt: number, isPoll = false): Entry => {
  if (startedAt < readAtOf(step.state, entry)) return isPoll ? entry : goOnWithNewer(step, entry)
  const kept = isSame(entry.issue, issue) ? entry.issue : issue
  const key = Order.keyOf(kept)
  const fresh: Entry = {
    ...entry,
    issue: kept,
    key: Order.isSameKey(entry.key, key) ? entry.key : key,
    readAt: startedAt,
    misses: 0,
    unreadable: null,
    awaitingRead: false,
    listed: entry.listed || isPoll
  }
  const isNews = kept !== entry.issue || entry.misses > 0 || entry.unreadable !== null || fresh.listed !== entry.listed
  if (isNews && !isPoll) markDivergent(step, fresh)
  if (isNews || entry.awaitingRead) step.mayStart = true
  if (entry.awaitingRead) step.readForStart.add(entry.issue.id)
  Step.put(step, fresh)
  return followUp(step, fresh, startedAt)
}

/** A read that should have returned the issue did not. */
export const applyMiss = (step: Step.Step, entry: Entry, startedAt: number): Entry => {
  const missed = Step.update(step, entry, { misses: entry.misses + 1, awaitingRead: false })
  markDivergent(step, missed)
  step.mayStart = true
  if (missed.run === null) return Settling.reconcile(step, missed)
  if (isClosingRead(missed, startedAt)) return Settling.settleClosing(step, missed, null)
  return answerIfAsked(step, Stopping.watchRouting(step, missed), startedAt)
}

/** Keeps what could not be read in sight, and marks the issue it belongs to. */
export const applyMalformed = (step: Step.Step, records: ReadonlyArray<MalformedRecord>, startedAt: number): void => {
  for (const { id, message } of records) {
    const entry = id === null ? undefined : Step.entryOf(step, id)
    if (entry === undefined) continue
    if (startedAt < readAtOf(step.state, entry)) {
      goOnWithNewer(step, entry)
      continue
    }
    if (entry.awaitingRead) step.mayStart = true
    const marked = Step.update(step, entry, { unreadable: message, misses: 0, awaitingRead: false })
    markDivergent(step, marked)
    if (isClosingRead(marked, startedAt)) Settling.settleClosing(step, marked, null)
    else answerIfAsked(step, marked, startedAt)
  }
}

/** The list of unreadable records: replaced by a poll, extended by other reads. New ones are written down. */
export const rememberMalformed = (step: Step.Step, records: ReadonlyArray<MalformedRecord>, isPoll: boolean): void => {
  const before = step.state.malformed
  if (records.length === 0 && (!isPoll || before.length === 0)) return
  for (const { source, message } of records) {
    if (before.some((known) => known.source === source && known.message === message)) continue
    Step.record(step, JournalRecord.RecordUnreadable({ source, message }))
  }
  const read = records.map(({ source, message }) => ({ source, message }))
  const others = isPoll ? [] : before.filter((known) => !read.some((record) => record.source === known.source))
  Step.patch(step, { malformed: [...read, ...others].slice(0, malformedKept) })
}

/** Whether a start, a turn or the end of a run waits for a read of this issue. */
const isAwaited = ({ awaitingRead, run }: Entry): boolean =>
  awaitingRead || (run !== null && (run.closing !== null || (run.turn !== null && run.turn.askedAt !== null)))

/** Ends the request under way in this lane; false when these ids are not what it asked for. */
const endFlight = (step: Step.Step, lane: Lane, ids: ReadonlyArray<IssueId>): boolean => {
  const { inFlight } = step.state[lane]
  if (inFlight === null || HashSet.size(inFlight) !== ids.length || !ids.every((id) => HashSet.has(inFlight, id))) {
    Step.ignore(step)
    return false
  }
  Step.patch(step, { [lane]: { ...step.state[lane], inFlight: null } })
  step.timersChanged = true
  return true
}

/** The answer of a read by ids. */
export const read = (
  step: Step.Step,
  event: {
    readonly lane: Lane
    readonly ids: ReadonlyArray<IssueId>
    readonly batch: IssueBatch
    readonly startedAt: number
  }
): void => {
  if (!endFlight(step, event.lane, event.ids)) return
  TrackerGate.noteSuccess(step)
  const { batch, startedAt } = event
  rememberMalformed(step, batch.malformed, false)
  applyMalformed(step, batch.malformed, startedAt)
  const seen = new Set<IssueId>(batch.malformed.flatMap(({ id }) => (id === null ? [] : [id])))
  for (const issue of batch.issues) {
    const entry = Step.entryOf(step, issue.id)
    if (entry === undefined || seen.has(issue.id)) continue
    seen.add(issue.id)
    applyFacts(step, entry, issue, startedAt)
  }
  for (const id of event.ids) {
    const entry = seen.has(id) ? undefined : Step.entryOf(step, id)
    if (entry === undefined) continue
    if (startedAt < readAtOf(step.state, entry)) goOnWithNewer(step, entry)
    else applyMiss(step, entry, startedAt)
  }
  if (event.lane === "refresh") return
  step.mayStart = true
  for (const id of event.ids) {
    const entry = Step.entryOf(step, id)
    if (entry !== undefined && isAwaited(entry)) want(step, id)
  }
}

/**
 * A read by ids failed: what a start or a turn waits for is asked again after the tracker's backoff, and so is an issue
 * that no poll lists. What is live, queued or held is read beside the next poll anyway.
 */
export const readFailed = (
  step: Step.Step,
  event: { readonly lane: Lane; readonly ids: ReadonlyArray<IssueId>; readonly problem: TrackerProblem }
): void => {
  if (!endFlight(step, event.lane, event.ids)) return
  TrackerGate.noteFailure(step, event.problem)
  step.mayStart = true
  for (const id of event.ids) {
    const entry = Step.entryOf(step, id)
    if (entry === undefined) continue
    if (event.lane === "refresh") {
      if (!entry.listed && entry.run === null) want(step, id, "refresh")
    } else if (entry.run?.closing) Settling.settleClosing(step, entry, null)
    else if (isAwaited(entry)) want(step, id)
  }
}

/** While the tracker is to be left alone, no run keeps its slot for a closing read. */
export const giveUpClosing = (step: Step.Step): void => {
  if (TrackerGate.isOpen(step)) return
  for (const id of step.state.demand.wanted) {
    const entry = Step.entryOf(step, id)
    if (entry !== undefined) Settling.settleClosing(step, entry, null)
  }
}
