/**
 * Whether there is nothing left to do without somebody's help: what keeps the scheduler busy, in words. Blocked, held
 * and inactive issues do not; neither does an operator's pause.
 */
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import * as Decision from "./Decision.ts"
import { decide } from "./Eligibility.ts"
import * as Gates from "./Gates.ts"
import { type ClosedGate, type Entry, type Instant, phaseOf, type State } from "./State.ts"

/** A workspace that could not be removed this often no longer keeps anybody waiting; it is still tried again. */
const removalTries = 3

const isBeingRemoved = (entry: Entry): boolean =>
  entry.removal?._tag === "Removing" || (entry.removal?._tag === "Waiting" && entry.removal.attempts < removalTries)

const busy = (state: State, entry: Entry, at: Instant, gates: ReadonlyArray<ClosedGate>): string | null => {
  if (entry.run !== null) return phaseOf(entry)
  if (isBeingRemoved(entry)) return "its workspace is being removed"
  const decision = decide(state, entry, at, gates)
  switch (decision._tag) {
    case "Eligible":
    case "AwaitingRead":
    case "Full":
    case "StateFull":
    case "RetryNotDue":
    case "RemovingWorkspace":
      return Decision.render(decision)
    case "Gated":
      return decision.gates.every((gate) => gate.opensByItself) ? Decision.render(decision) : null
    default:
      return null
  }
}

const isBeforeFirstPoll = (state: State): boolean =>
  !state.started || state.poll.answeredAt === Number.NEGATIVE_INFINITY

function* busyIssues(state: State, at: Instant): Generator<string> {
  const gates = Gates.closed(state, at)
  for (const entry of HashMap.values(state.issues)) {
    const reason = busy(state, entry, at, gates)
    if (reason !== null) yield `${entry.issue.identifier}: ${reason}`
  }
}

/** What the tracker is waited for when no issue is. */
const reads = (state: State, at: Instant): ReadonlyArray<string> => {
  if (state.poll.answeredAt < state.lastRunEndedAt) return ["a poll that began after the last run ended"]
  if (state.poll.inFlight || state.poll.dueAt <= at.now) return ["the poll under way"]
  const { inFlight, wanted } = state.refresh
  return inFlight === null && HashSet.isEmpty(wanted) ? [] : ["the reading of known issues"]
}

/** One line per thing that is still waited for; empty when idle. */
export const waitingFor = (state: State, at: Instant): ReadonlyArray<string> => {
  if (isBeforeFirstPoll(state)) return ["the first answer of the tracker"]
  const issues = [...busyIssues(state, at)]
  return issues.length > 0 ? issues.sort() : reads(state, at)
}

/** Whether {@link waitingFor} is empty. Asked after every step, it stops at the first thing that is waited for. */
export const isIdle = (state: State, at: Instant): boolean =>
  HashMap.isEmpty(state.live) &&
  !isBeforeFirstPoll(state) &&
  reads(state, at).length === 0 &&
  busyIssues(state, at).next().done === true

/**
 * Whether only a poll that began after the last run ended is missing, and none is coming before its interval is over:
 * who waits for the end may ask for it now.
 */
export const needsPoll = (state: State, at: Instant): boolean =>
  HashMap.isEmpty(state.live) &&
  !isBeforeFirstPoll(state) &&
  state.poll.answeredAt < state.lastRunEndedAt &&
  !state.poll.inFlight &&
  state.poll.dueAt > at.now &&
  state.tracker.retryAt <= at.now &&
  busyIssues(state, at).next().done === true
