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
import { newEntry, type State } from "./State.ts"
import * as Step from "./Step.ts"
import * as TrackerGate from "./TrackerGate.ts"

const slowLaneEveryPolls = 10
const slowLaneEveryMs = 300_000

/** Ids that no poll lists and nothing else looks at: they have a workspace, or nobody knows yet what became of them. */
const parked = (state: State): ReadonlyArray<IssueId> => {
  const ids: Array<IssueId> = []
  for (const { issue, listed, misses, readAt, released, run, workspace } of HashMap.values(state.issues)) {
    if (listed || run !== null) continue
    const isOpen = released === null || misses === 1 || readAt === Number.NEGATIVE_INFINITY
    if (isOpen || workspace !== null) ids.push(issue.id)
  }
  return ids
}

/** A poll may take long, be it that its tracker waits for its budget: what is live is looked at as often meanwhile. */
const refreshMeanwhile = (step: Step.Step): void => {
  const { live, poll, policy } = step.state
  if (step.at.now < poll.refreshAt || HashMap.isEmpty(live) || !TrackerGate.isOpen(step)) return
  Step.patch(step, { poll: { ...poll, refreshAt: step.at.now + policy.pollIntervalMs } })
  step.timersChanged = true
  for (const id of HashMap.values(live)) Reading.want(step, id, "refresh")
}

/** Starts the poll that is due, and beside it the refresh of what is live, queued or held, and the slow lane. */
export const start = (step: Step.Step): void => {
  const { poll, live, queued, held } = step.state
  if (poll.inFlight) return refreshMeanwhile(step)
  if (step.at.now < poll.dueAt || !TrackerGate.isOpen(step)) return
  const isSlow = poll.count >= poll.slowAfterCount || step.at.now >= poll.slowAt
  Step.patch(step, {
    poll: {
      ...poll,
      inFlight: true,
      refreshAt: step.at.now + step.state.policy.pollIntervalMs,
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
  /** The answer without repeats. Where it is equal to the last one it is the last one's copy: no second one is kept. */
  readonly issues: ReadonlyArray<Issue>
  readonly changed: ReadonlyArray<Issue>
  readonly delisted: ReadonlyArray<IssueId>
}

/** What differs between two answers. Equal issues in equal places are settled without any look-up. */
const difference = (
  before: ReadonlyArray<Issue>,
  answer: ReadonlyArray<Issue>,
  divergent: HashSet.HashSet<IssueId>
): Difference => {
  const issues: Array<Issue> = []
  const changed: Array<Issue> = []
  const isTouched = HashSet.isEmpty(divergent) ? () => false : (id: IssueId) => HashSet.has(divergent, id)
  const take = (known: Issue | undefined, issue: Issue) => {
    const isEqual = known !== undefined && isSame(known, issue)
    issues.push(isEqual ? known : issue)
    if (!isEqual || isTouched(issue.id)) changed.push(issue)
  }
  let aligned = 0
  for (const issue of answer) {
    const known = before[aligned]
    if (known?.id !== issue.id) break
    take(known, issue)
    aligned++
  }
  if (aligned === before.length && aligned === answer.length) return { issues, changed, delisted: [] }
  const places = new Map<IssueId, number>()
  for (const [place, issue] of before.entries()) places.set(issue.id, place)
  const isListed = before.map((_, place) => place < aligned)
  const added = new Set<IssueId>()
  for (const issue of answer.slice(aligned)) {
    const place = places.get(issue.id)
    if (place === undefined ? added.has(issue.id) : isListed[place]) continue
    if (place === undefined) added.add(issue.id)
    else isListed[place] = true
    take(place === undefined ? undefined : before[place], issue)
  }
  return { issues, changed, delisted: before.flatMap((issue, place) => (isListed[place] ? [] : [issue.id])) }
}

const isBeingRefreshed = (step: Step.Step, id: IssueId): boolean => {
  const { inFlight } = step.state.refresh
  return inFlight !== null && HashSet.has(inFlight, id)
}

const delist = (step: Step.Step, ids: ReadonlyArray<IssueId>, answeredAt: number): void => {
  for (const id of ids) {
    const entry = Step.entryOf(step, id)
    if (entry === undefined || !entry.listed) continue
    Step.update(step, entry, { listed: false, awaitingRead: false, readAt: Math.max(entry.readAt, answeredAt) })
    // A live run is read with every poll: a second read would make one poll count as two misses.
    const isRefreshed = entry.run !== null && (entry.misses > 0 || isBeingRefreshed(step, id))
    if (entry.unreadable === null && !isRefreshed) Reading.want(step, id, "refresh")
  }
}

/** Looks again at what was remembered only until this poll was answered. */
const forgetFading = (step: Step.Step): void => {
  const { fading } = step.state
  if (HashSet.isEmpty(fading)) return
  Step.patch(step, { fading: HashSet.empty() })
  for (const id of fading) {
    const entry = Step.entryOf(step, id)
    if (entry !== undefined) Step.put(step, entry)
  }
}

/** The answer of a poll. */
export const polled = (
  step: Step.Step,
  event: { readonly batch: IssueBatch; readonly startedAt: number; readonly startedAtWall: number }
): void => {
  const { startedAt, startedAtWall } = event
  const { poll, demand, divergent, policy } = step.state
  if (startedAt < poll.answeredAt) return Step.ignore(step)
  TrackerGate.noteSuccess(step)
  const { issues, changed, delisted } = difference(poll.issues, event.batch.issues, divergent)
  const fresh: Array<Issue> = []
  const known: Array<Issue> = []
  for (const issue of changed) (Step.entryOf(step, issue.id) === undefined ? fresh : known).push(issue)
  if (delisted.length > 0) delist(step, delisted, poll.answeredAt)
  for (const issue of fresh) Step.put(step, { ...newEntry(issue, Order.keyOf(issue), startedAt), listed: true })
  for (const issue of known) {
    const entry = Step.entryOf(step, issue.id)
    if (entry === undefined) continue
    const applied = Reading.applyFacts(step, entry, issue, startedAt, true)
    const stored = Step.entryOf(step, issue.id) ?? applied
    if (!stored.listed) Step.update(step, stored, { listed: true })
    // An answer that newer reads overtook does not settle what those reads said; the next one has to be looked at.
    const isSettled = isSame(stored.issue, issue) && stored.misses === 0 && stored.unreadable === null
    const change = isSettled ? HashSet.remove : HashSet.add
    Step.patch(step, { divergent: change(step.state.divergent, issue.id) })
  }
  Reading.rememberMalformed(step, event.batch.malformed, true)
  Reading.applyMalformed(step, event.batch.malformed, startedAt)
  if (changed.length > 0 || delisted.length > 0 || demand.inFlight !== null || !HashSet.isEmpty(demand.wanted)) {
    step.mayStart = true
  }
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
  forgetFading(step)
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
