/**
 * Whether an issue may start, and if not, why. One function judges for starts, for running issues, for explanations
 * and for checks, so that they cannot disagree.
 */
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import { type Issue, type IssueReference, stateKey } from "../domain/Issue.ts"
import * as Outcome from "../domain/Outcome.ts"
import type { Policy } from "../domain/Policy.ts"
import { Decision, stopWords } from "./Decision.ts"
import * as Gates from "./Gates.ts"
import { type ClosedGate, type Entry, type Instant, type LiveRun, phaseOf, readAtOf, type State } from "./State.ts"

export const isTerminal = (state: string, policy: Policy): boolean => policy.terminalStates.includes(stateKey(state))

/** Active and not terminal: terminal wins. */
export const isActive = (state: string, policy: Policy): boolean =>
  policy.activeStates.includes(stateKey(state)) && !isTerminal(state, policy)

/** The newest known state of an issue that another names. The copy counts when it was read later. */
const withNewestState = (state: State, reference: IssueReference, copyReadAt: number): IssueReference => {
  const found = HashMap.get(state.issues, reference.id)
  if (found._tag === "None") return reference
  const entry = found.value
  const known = entry.misses < 2 && entry.unreadable === null && readAtOf(state, entry) >= copyReadAt
  return known ? { ...reference, state: entry.issue.state } : reference
}

const open = (state: State, references: ReadonlyArray<IssueReference>, copyReadAt: number) => {
  const found: Array<IssueReference> = []
  for (const copy of references) {
    const reference = withNewestState(state, copy, copyReadAt)
    if (reference.state === null || !isTerminal(reference.state, state.policy)) found.push(reference)
  }
  return found
}

const missingLabels = (issue: Issue, policy: Policy): ReadonlyArray<string> =>
  policy.requiredLabels.filter((label) => !issue.labels.includes(label))

/** What ends a run by itself: terminal, inactive, unroutable or gone. Null while the issue is fine. */
export const routing = (state: State, entry: Entry): Decision | null => {
  if (entry.misses >= 2) return Decision.Gone()
  const { issue } = entry
  const key = stateKey(issue.state)
  if (state.policy.terminalStates.includes(key)) return Decision.Terminal({ state: issue.state })
  if (!state.policy.activeStates.includes(key)) return Decision.Inactive({ state: issue.state })
  if (!issue.dispatchable) return Decision.Undispatchable({ why: issue.notDispatchableReason })
  const labels = missingLabels(issue, state.policy)
  return labels.length > 0 ? Decision.MissingLabels({ labels }) : null
}

/** What an otherwise fine issue waits for in the tracker: a readable record, its blockers, its sub-issues. */
const waiting = (state: State, entry: Entry): Decision | null => {
  if (entry.unreadable !== null) return Decision.Unreadable({ message: entry.unreadable })
  const { issue } = entry
  if (issue.blockedBy.length > 0) {
    const by = open(state, issue.blockedBy, readAtOf(state, entry))
    if (by.length > 0) return Decision.Blocked({ by })
  }
  if (issue.subIssues.length > 0) {
    const subIssues = open(state, issue.subIssues, readAtOf(state, entry))
    if (subIssues.length > 0) return Decision.OpenSubIssues({ open: subIssues })
  }
  return null
}

/** All that the tracker's facts have against a start. */
export const facts = (state: State, entry: Entry): Decision | null => routing(state, entry) ?? waiting(state, entry)

const describeRun = (run: LiveRun): string => {
  if (run.stage === "finishing") {
    return `${run.runId} ${run.outcome === null ? "ended" : Outcome.name(run.outcome)}; its workspace is being closed`
  }
  if (run.stop !== null) return `${run.runId} is being stopped: ${stopWords[run.stop.reason]}`
  if (run.stage === "preparing") return `${run.runId} prepares its workspace`
  if (run.stage === "launching") return `${run.runId} launches its agent`
  const turn = run.turn === null ? "" : `, turn ${run.turn.number}`
  return `${run.runId} runs${turn}${run.handoff === null ? "" : `, to be stopped soon: ${run.handoff.detail}`}`
}

/** Live runs whose issue is in this state now. */
export const liveInState = (state: State, key: string): number => {
  let count = 0
  for (const id of HashMap.values(state.live)) {
    const found = HashMap.get(state.issues, id)
    if (found._tag === "Some" && stateKey(found.value.issue.state) === key) count++
  }
  return count
}

/** What stands in the way apart from gates, reads and slots. Null: only those are left to ask. */
export const own = (state: State, entry: Entry, at: Instant): Decision | null => {
  if (entry.run !== null) return Decision.Dispatched({ phase: phaseOf(entry), detail: describeRun(entry.run) })
  if (entry.hold?._tag === "StopUnconfirmed") return Decision.Held({ hold: entry.hold })
  const route = routing(state, entry)
  if (route !== null) return route
  if (entry.hold !== null) return Decision.Held({ hold: entry.hold })
  const obstacle = waiting(state, entry)
  if (obstacle !== null) return obstacle
  if (!entry.listed && entry.retry === null) return Decision.Unlisted()
  if (entry.removal?._tag === "Removing") return Decision.RemovingWorkspace()
  if (entry.retry !== null && entry.retry.dueAt > at.now) {
    const { kind, dueAt, reason } = entry.retry
    return Decision.RetryNotDue({ kind, dueInMs: dueAt - at.now, why: reason })
  }
  return null
}

/** Whether the limits leave room for one more run of an issue in this state. */
export const capacity = (state: State, issue: Issue): Decision | null => {
  const { maxConcurrentAgents, maxConcurrentAgentsByState } = state.policy
  if (HashMap.size(state.live) >= maxConcurrentAgents) return Decision.Full({ limit: maxConcurrentAgents })
  const key = stateKey(issue.state)
  const limit = maxConcurrentAgentsByState[key]
  return limit !== undefined && liveInState(state, key) >= limit
    ? Decision.StateFull({ state: issue.state, limit })
    : null
}

const readProblem = (state: State, entry: Entry): string | null =>
  entry.awaitingRead && state.demand.inFlight === null && state.tracker.error !== null
    ? state.tracker.error.message
    : null

/** The whole judgement, for people and checks. `gates` may be passed when many issues are judged at one instant. */
export const decide = (
  state: State,
  entry: Entry,
  at: Instant,
  gates: ReadonlyArray<ClosedGate> = Gates.closed(state, at)
): Decision => {
  const obstacle = own(state, entry, at)
  if (obstacle !== null) return obstacle
  if (gates.length > 0) return Decision.Gated({ gates })
  const full = capacity(state, entry.issue)
  if (full !== null) return full
  const awaited =
    entry.awaitingRead || (state.demand.inFlight !== null && HashSet.has(state.demand.wanted, entry.issue.id))
  return awaited ? Decision.AwaitingRead({ problem: readProblem(state, entry) }) : Decision.Eligible()
}
