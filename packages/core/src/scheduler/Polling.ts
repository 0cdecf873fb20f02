/**
 * The candidate poll. Its work grows with what changed: an issue that is equal to the last poll's copy, and that no
 * other read touched since, costs one comparison.
 */
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import type { IssueId } from "../domain/Ids.ts"
import { type Issue, isSame } from "../domain/Issue.ts"
import type { IssueBatch } from "../ports/TrackerBackend.ts"
import { Command } from "./Command.ts"
import type { TrackerProblem } from "./Event.ts"
import * as Order from "./Order.ts"
import * as Reading from "./Reading.ts"
import { newEntry, type OrderKey, type State } from "./State.ts"
import * as Step from "./Step.ts"
import * as TrackerGate from "./TrackerGate.ts"

const slowLaneEveryPolls = 10
const slowLaneEveryMs = 300_000

/** Ids that have a workspace and are looked at by nothing else. */
const parked = (state: State): ReadonlyArray<IssueId> => {
  const ids: Array<IssueId> = []
  for (const entry of HashMap.values(state.issues)) {
    if (entry.workspace !== null && !entry.listed && entry.run === null) ids.push(entry.issue.id)
  }
  return ids
}

/** Starts the poll that is due, and beside it the refresh of what is live, queued or held, and the slow lane. */
export const start = (step: Step.Step): void => {
  const { poll, live, queued, held } = step.state
  if (poll.inFlight || step.at.now < poll.dueAt || !TrackerGate.isOpen(step)) return
  const isSlow = poll.count >= poll.slowAfterCount || step.at.now >= poll.slowAt
  Step.patch(step, {
    poll: {
      ...poll,
      inFlight: true,
      again: false,
      count: poll.count + 1,
      slowAfterCount: isSlow ? poll.count + slowLaneEveryPolls : poll.slowAfterCount,
      slowAt: isSlow ? step.at.now + slowLaneEveryMs : poll.slowAt
    }
  })
  step.timersChanged = true
  Step.command(step, Command.PollCandidates())
  for (const id of HashMap.values(live)) Reading.want(step, id, "refresh")
  for (const id of queued) Reading.want(step, id, "refresh")
  for (const id of held) Reading.want(step, id, "refresh")
  if (isSlow) for (const id of parked(step.state)) Reading.want(step, id, "refresh")
}

interface Difference {
  readonly changed: ReadonlyArray<Issue>
  readonly delisted: ReadonlyArray<IssueId>
}

/** What differs between two answers. Equal issues in equal places are settled without any look-up. */
const difference = (
  before: ReadonlyArray<Issue>,
  after: ReadonlyArray<Issue>,
  divergent: HashSet.HashSet<IssueId>
): Difference => {
  const changed: Array<Issue> = []
  const isTouched = HashSet.isEmpty(divergent) ? () => false : (id: IssueId) => HashSet.has(divergent, id)
  let byId: Map<IssueId, Issue> | undefined
  let isAligned = before.length === after.length
  for (const [index, issue] of after.entries()) {
    let known = before[index]
    if (known?.id !== issue.id) {
      isAligned = false
      byId ??= new Map(before.map((other) => [other.id, other]))
      known = byId.get(issue.id)
    }
    if (known === undefined || !isSame(known, issue) || isTouched(issue.id)) changed.push(issue)
  }
  if (isAligned) return { changed, delisted: [] }
  const ids = new Set(after.map((issue) => issue.id))
  return { changed, delisted: before.flatMap((issue) => (ids.has(issue.id) ? [] : [issue.id])) }
}

const delist = (step: Step.Step, ids: ReadonlyArray<IssueId>, answeredAt: number): void => {
  const gone = new Set<IssueId>()
  for (const id of ids) {
    const entry = Step.entryOf(step, id)
    if (entry === undefined || !entry.listed) continue
    if (entry.retry === null) gone.add(id)
    Step.put(
      step,
      { ...entry, listed: false, awaitingRead: false, readAt: Math.max(entry.readAt, answeredAt) },
      { ordered: false }
    )
    if (entry.unreadable === null) Reading.want(step, id, "refresh")
  }
  Step.patch(step, { order: Order.rebuild(step.state.order, gone, []) })
}

/** Takes in issues that were not known: all at once, so that a first poll of a large board costs one sort. */
const admit = (step: Step.Step, issues: ReadonlyArray<Issue>, startedAt: number): void => {
  const added: Array<OrderKey> = []
  for (const issue of issues) {
    const key = Order.keyOf(issue)
    Step.put(step, { ...newEntry(issue, key, startedAt), listed: true }, { ordered: false })
    added.push(key)
  }
  Step.patch(step, { order: Order.rebuild(step.state.order, new Set(), added) })
}

const withoutRepeats = (issues: ReadonlyArray<Issue>): ReadonlyArray<Issue> => {
  const seen = new Set<IssueId>()
  for (const issue of issues) seen.add(issue.id)
  if (seen.size === issues.length) return issues
  const first = new Map<IssueId, Issue>()
  for (const issue of issues) if (!first.has(issue.id)) first.set(issue.id, issue)
  return [...first.values()]
}

/** The answer of a poll. */
export const polled = (
  step: Step.Step,
  event: { readonly batch: IssueBatch; readonly startedAt: number; readonly startedAtWall: number }
): void => {
  TrackerGate.noteSuccess(step)
  const { startedAt, startedAtWall } = event
  const { poll, divergent, policy } = step.state
  const issues = withoutRepeats(event.batch.issues)
  const { changed, delisted } = difference(poll.issues, issues, divergent)
  const fresh: Array<Issue> = []
  const known: Array<Issue> = []
  for (const issue of changed) (Step.entryOf(step, issue.id) === undefined ? fresh : known).push(issue)
  if (delisted.length > 0) delist(step, delisted, poll.answeredAt)
  if (fresh.length > 0) admit(step, fresh, startedAt)
  for (const issue of known) {
    const entry = Step.entryOf(step, issue.id)
    if (entry === undefined) continue
    const applied = Reading.applyFacts(step, entry, issue, startedAt, true)
    const stored = Step.entryOf(step, issue.id) ?? applied
    if (!stored.listed) Step.update(step, stored, { listed: true })
    if (stored.readAt <= startedAt) {
      Step.patch(step, { divergent: HashSet.remove(step.state.divergent, issue.id) })
    }
  }
  Reading.rememberMalformed(step, event.batch.malformed, true)
  Reading.applyMalformed(step, event.batch.malformed, startedAt)
  if (changed.length > 0 || delisted.length > 0) step.mayStart = true
  Step.patch(step, {
    poll: {
      ...step.state.poll,
      inFlight: false,
      dueAt: poll.again ? step.at.now : Math.max(step.at.now, startedAt + policy.pollIntervalMs),
      issues,
      answeredAt: startedAt,
      answeredAtWall: startedAtWall
    }
  })
  step.timersChanged = true
}

/** The poll failed. What runs goes on; the next try follows the tracker's backoff. */
export const pollFailed = (step: Step.Step, event: { readonly problem: TrackerProblem }): void => {
  TrackerGate.noteFailure(step, event.problem)
  const { poll, tracker } = step.state
  Step.patch(step, { poll: { ...poll, inFlight: false, again: false, dueAt: tracker.retryAt } })
  step.timersChanged = true
}

/** Somebody wants the tracker looked at now: at once, or again after the poll under way. */
export const request = (step: Step.Step): void => {
  const { poll } = step.state
  Step.patch(step, { poll: poll.inFlight ? { ...poll, again: true } : { ...poll, dueAt: step.at.now } })
  step.timersChanged = true
}
