/** What operators and programs see: a plain, serialisable view, derived from the state when somebody reads it. */
import * as HashMap from "effect/HashMap"
import type { IssueId, RunId, SessionId } from "../domain/Ids.ts"
import * as CodePointOrder from "../domain/CodePointOrder.ts"
import * as Outcome from "../domain/Outcome.ts"
import type { Usage } from "../domain/Usage.ts"
import * as Decision from "./Decision.ts"
import { decide } from "./Eligibility.ts"
import * as Gates from "./Gates.ts"
import { type ClosedGate, type Entry, type Instant, type Phase, phaseOf, type State } from "./State.ts"

export interface RunView {
  readonly runId: RunId
  readonly attempt: number | null
  readonly session: SessionId | null
  readonly turn: number | null
  readonly turnsCompleted: number
  /** Milliseconds since the claim. */
  readonly ageMs: number
  /** Milliseconds since the last sign of life. */
  readonly silentMs: number
  readonly lastActivity: string | null
  readonly usage: Usage
}

export interface IssueView {
  readonly id: IssueId
  readonly identifier: string
  readonly title: string
  /** As the tracker spells it; empty when it was not read yet. */
  readonly state: string
  readonly priority: number | null
  readonly phase: Phase
  /** Why it is where it is, in one line. */
  readonly reason: string
  /** Claims so far. */
  readonly runs: number
  readonly run: RunView | null
  /** Milliseconds until a queued run is due; null when none is queued. */
  readonly retryInMs: number | null
  readonly lastOutcome: string | null
  readonly usage: Usage
  readonly workspacePath: string | null
}

export interface Snapshot {
  /** Epoch milliseconds. */
  readonly takenAtMs: number
  readonly issues: ReadonlyArray<IssueView>
  readonly counts: { readonly [P in Phase]: number }
  readonly slots: { readonly taken: number; readonly limit: number }
  readonly gates: ReadonlyArray<ClosedGate>
  readonly tracker: {
    readonly healthy: boolean
    readonly error: string | null
    /** Epoch milliseconds of the last answered poll; null before the first. */
    readonly lastPollAtMs: number | null
    readonly nextPollInMs: number | null
  }
  readonly usageToday: Usage
  /** What is wrong with the newest WORKFLOW.md, while the last good one stays in force. */
  readonly configurationProblem: string | null
  /** Records of the tracker that cannot be read. */
  readonly malformed: ReadonlyArray<{ readonly source: string; readonly message: string }>
}

const runOf = (entry: Entry, at: Instant): RunView | null => {
  const { run } = entry
  if (run === null) return null
  const { runId, attempt, session, turnsCompleted, lastActivity, usage } = run
  return {
    runId,
    attempt,
    session,
    turn: run.turn?.number ?? null,
    turnsCompleted,
    ageMs: at.now - run.claimedAt,
    silentMs: at.now - run.lastActivityAt,
    lastActivity,
    usage
  }
}

const viewOf = (state: State, entry: Entry, at: Instant, gates: ReadonlyArray<ClosedGate>): IssueView => {
  const { issue, retry, lastRun } = entry
  return {
    id: issue.id,
    identifier: issue.identifier,
    title: issue.title,
    state: issue.state,
    priority: issue.priority,
    phase: phaseOf(entry),
    reason: Decision.render(decide(state, entry, at, gates)),
    runs: entry.counters.claims,
    run: runOf(entry, at),
    retryInMs: retry === null ? null : Math.max(0, retry.dueAt - at.now),
    lastOutcome: lastRun === null ? null : Outcome.name(lastRun.outcome),
    usage: entry.usage,
    workspacePath: entry.workspace?.path ?? null
  }
}

const byIdentifier = (self: IssueView, that: IssueView): number =>
  CodePointOrder.compare(self.identifier, that.identifier)

/** A function of the state and the instant; issues by code point of their identifier. */
export const make = (state: State, at: Instant): Snapshot => {
  const gates = Gates.closed(state, at)
  const issues = [...HashMap.values(state.issues)].map((entry) => viewOf(state, entry, at, gates)).sort(byIdentifier)
  const counts = { unclaimed: 0, claimed: 0, running: 0, stopping: 0, retry_queued: 0, held: 0, released: 0 }
  for (const issue of issues) counts[issue.phase]++
  const { poll, tracker, policy, malformed } = state
  return {
    takenAtMs: at.wallTime,
    issues,
    counts,
    slots: { taken: HashMap.size(state.live), limit: policy.maxConcurrentAgents },
    gates,
    tracker: {
      healthy: tracker.error === null,
      error: tracker.error?.message ?? null,
      lastPollAtMs: poll.answeredAtWall,
      nextPollInMs: poll.inFlight ? null : Math.max(0, poll.dueAt - at.now)
    },
    usageToday: Gates.usageToday(state, at.wallTime),
    configurationProblem: state.configurationProblem,
    malformed
  }
}

/** The view of one issue; null when the scheduler does not know it. */
export const issue = (state: State, id: IssueId, at: Instant): IssueView | null => {
  const found = HashMap.get(state.issues, id)
  return found._tag === "Some" ? viewOf(state, found.value, at, Gates.closed(state, at)) : null
}
