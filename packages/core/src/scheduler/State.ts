/**
 * All that the scheduler knows, as immutable data. Instants in it are monotonic milliseconds unless their name says
 * `Wall`. Phases are derived ({@link phaseOf}), so that no field can contradict another.
 */
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import type { Hold } from "../domain/Hold.ts"
import type { IssueId, RunId, SessionId } from "../domain/Ids.ts"
import type { Issue } from "../domain/Issue.ts"
import { type Counters, noCounters, type RetryKind } from "../domain/Journal.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { Policy } from "../domain/Policy.ts"
import * as Usage from "../domain/Usage.ts"
import type { Workspace } from "../domain/Workspace.ts"

/** One moment on both clocks: `now` for arithmetic, `wallTime` (epoch milliseconds) for people and other systems. */
export interface Instant {
  readonly now: number
  readonly wallTime: number
}

/** A closed gate. `opensInMs` is null when it does not open by itself. */
export interface ClosedGate {
  readonly gate:
    | "paused"
    | "draining"
    | "configuration"
    | "tracker"
    | "runtime_down"
    | "runtime_failing"
    | "usage_limit"
    | "daily_budget"
  readonly reason: string
  readonly opensInMs: number | null
  /** Whether it opens without anybody doing something. */
  readonly opensByItself: boolean
}

export type Phase = "unclaimed" | "claimed" | "running" | "stopping" | "retry_queued" | "held" | "released"

/** Why a run was told to stop; it decides what follows the stop. */
export type StopReason =
  | "terminal"
  | "inactive"
  | "unroutable"
  | "gone"
  | "not_eligible"
  | "gate"
  | "stalled"
  | "timed_out"
  | "over_limit"
  | "operator"
  | "shutdown"

export interface Stop {
  readonly reason: StopReason
  readonly detail: string
  readonly orderedAt: number
  readonly deadline: number
}

/** A run whose issue left the active states, and how long it may take to come to rest by itself. */
export interface Handoff {
  readonly reason: Extract<StopReason, "terminal" | "inactive" | "unroutable" | "gone">
  readonly detail: string
  readonly deadline: number
}

export interface LiveTurn {
  readonly number: number
  readonly startedAt: number
  /** Set while the worker waits for an answer whether to take another turn. */
  readonly askedAt: number | null
}

export interface LiveRun {
  readonly runId: RunId
  readonly kind: "first" | RetryKind
  readonly attempt: number | null
  /** The issue as claimed. */
  readonly issue: Issue
  /** `finishing`: the worker's part is over (`outcome` is set), the workspace is being closed. */
  readonly stage: "preparing" | "launching" | "running" | "finishing"
  readonly claimedAt: number
  readonly claimedAtWall: number
  readonly workspace: Workspace | null
  /** Fingerprint of the workspace before the agent started; null when unknown. */
  readonly fingerprint: string | null
  readonly lastActivityAt: number
  readonly lastActivity: string | null
  readonly turn: LiveTurn | null
  readonly turnsCompleted: number
  readonly usage: Usage.Usage
  readonly session: SessionId | null
  readonly stop: Stop | null
  readonly handoff: Handoff | null
  readonly outcome: Outcome | null
  /** Set once the workspace is closed: what is still awaited is a read of the issue that began after `at`. */
  readonly closing: { readonly at: number; readonly fingerprint: string | null } | null
}

export interface Retry {
  readonly kind: RetryKind
  readonly dueAt: number
  readonly reason: string | null
}

export interface EndedRun {
  readonly runId: RunId
  readonly outcome: Outcome
  readonly usage: Usage.Usage
  readonly endedAtWall: number
  /** It was given up, ended late, and its workspace is being closed. */
  readonly isClosing: boolean
}

export type ReleaseReason = "terminal" | "inactive" | "gone"

/** The removal of a released terminal issue's workspace. */
export type Removal =
  | { readonly _tag: "Removing"; readonly attempts: number }
  | { readonly _tag: "Waiting"; readonly attempts: number; readonly dueAt: number; readonly reason: string }
  | { readonly _tag: "Kept"; readonly dueAt: number; readonly reason: string }

/** Where the issue stands in the order of starts; see `Order`. */
export interface OrderKey {
  readonly id: IssueId
  readonly rank: number
  readonly subIssues: number
  readonly createdAtMs: number
  readonly identifier: string
}

export interface Entry {
  readonly issue: Issue
  readonly key: OrderKey
  /** When the newest read that was applied began; minus infinity before the first. */
  readonly readAt: number
  /** In the last answered poll. */
  readonly listed: boolean
  /** Reads in a row that did not return it. Two mean that it is gone. */
  readonly misses: number
  /** Why its record cannot be read at present; null when it can. */
  readonly unreadable: string | null
  /** The read that closed the last run, to compare later reads with. */
  readonly baseline: Issue | null
  /** Set when the closing read failed: the first read that began after this instant becomes the baseline. */
  readonly baselineAfter: number | null
  readonly counters: Counters
  readonly usage: Usage.Usage
  readonly allowanceBase: Usage.Usage
  readonly run: LiveRun | null
  readonly retry: Retry | null
  readonly hold: Hold | null
  readonly released: ReleaseReason | null
  readonly workspace: Workspace | null
  readonly removal: Removal | null
  /** A read was asked for because a start depends on it. */
  readonly awaitingRead: boolean
  readonly lastRun: EndedRun | null
}

export interface TrackerHealth {
  readonly failures: number
  readonly error: { readonly tag: string; readonly message: string; readonly retryable: boolean } | null
  /** No request before this instant. */
  readonly retryAt: number
  readonly limitedUntil: number | null
  readonly limits: number
}

/** The candidate poll. `issues` is the last answer, in the tracker's order: an equal answer needs no work. */
export interface Poll {
  readonly dueAt: number
  readonly inFlight: boolean
  /** When live runs are looked at again while the poll under way takes its time. */
  readonly refreshAt: number
  readonly again: boolean
  readonly issues: ReadonlyArray<Issue>
  /** When the last answered poll began; minus infinity before the first. */
  readonly answeredAt: number
  readonly answeredAtWall: number | null
  readonly count: number
  readonly slowAfterCount: number
  readonly slowAt: number
}

/** One read by ids under way, and what to ask next. */
export interface ReadLane {
  readonly inFlight: HashSet.HashSet<IssueId> | null
  readonly wanted: HashSet.HashSet<IssueId>
}

export interface Gates {
  readonly paused: string | null
  readonly draining: number | null
  readonly configuration: string | null
  readonly runtimeDown: { readonly reason: string; readonly retryAt: number | null; readonly failures: number } | null
  readonly usageLimited: { readonly until: number; readonly reason: string; readonly repeats: number } | null
  /** Repeats of the usage limit so far, kept after the gate opened until a turn completes. */
  readonly usageRepeats: number
  readonly failing: {
    readonly trialAt: number
    readonly step: number
    readonly trial: RunId | null
    readonly reason: string
  } | null
  /** Issues whose last runs failed in a row before any turn completed. */
  readonly failingStreak: ReadonlyArray<IssueId>
}

export interface State {
  /** Makes run ids unique over restarts. */
  readonly instance: string
  readonly policy: Policy
  readonly started: boolean
  readonly sequence: number
  readonly issues: HashMap.HashMap<IssueId, Entry>
  /** Indexes over `issues`, kept by `Step.put`. */
  readonly live: HashMap.HashMap<RunId, IssueId>
  readonly queued: HashSet.HashSet<IssueId>
  readonly held: HashSet.HashSet<IssueId>
  readonly removing: HashSet.HashSet<IssueId>
  /** Released issues with nothing left, remembered until a poll told others the same; see `Saving`. */
  readonly fading: HashSet.HashSet<IssueId>
  /** Issues whose entry differs from the last poll's copy. */
  readonly divergent: HashSet.HashSet<IssueId>
  /** Listed and queued issues that are neither released nor held, in the order of starts. */
  readonly order: ReadonlyArray<OrderKey>
  readonly poll: Poll
  readonly tracker: TrackerHealth
  readonly demand: ReadLane
  readonly refresh: ReadLane
  readonly gates: Gates
  readonly usageByDay: ReadonlyArray<{ readonly day: number; readonly usage: Usage.Usage }>
  readonly malformed: ReadonlyArray<{ readonly source: string; readonly message: string }>
  readonly lastRunEndedAt: number
  /** Gates that were closed at the end of the last step, to notice when one opens. */
  readonly closedGates: ReadonlyArray<ClosedGate["gate"]>
  readonly wakeAt: number | null
  /** No run, retry or removal is due before this instant; a lower bound, so that most steps look at no other issue. */
  readonly issuesDueAt: number
  /** What is wrong with the newest WORKFLOW.md while the last good one stays in force; else null. */
  readonly configurationProblem: string | null
  /** Late or foreign events that changed nothing. */
  readonly ignoredEvents: number
}

const noLane: ReadLane = { inFlight: null, wanted: HashSet.empty() }

/** A scheduler that knows nothing yet; it waits for a `Started` event. */
export const initial = (options: { readonly instance: string; readonly policy: Policy }): State => ({
  instance: options.instance,
  policy: options.policy,
  started: false,
  sequence: 0,
  issues: HashMap.empty(),
  live: HashMap.empty(),
  queued: HashSet.empty(),
  held: HashSet.empty(),
  removing: HashSet.empty(),
  fading: HashSet.empty(),
  divergent: HashSet.empty(),
  order: [],
  poll: {
    dueAt: 0,
    inFlight: false,
    refreshAt: 0,
    again: false,
    issues: [],
    answeredAt: Number.NEGATIVE_INFINITY,
    answeredAtWall: null,
    count: 0,
    slowAfterCount: 0,
    slowAt: 0
  },
  tracker: { failures: 0, error: null, retryAt: 0, limitedUntil: null, limits: 0 },
  demand: noLane,
  refresh: noLane,
  gates: {
    paused: null,
    draining: null,
    configuration: null,
    runtimeDown: null,
    usageLimited: null,
    usageRepeats: 0,
    failing: null,
    failingStreak: []
  },
  usageByDay: [],
  malformed: [],
  lastRunEndedAt: Number.NEGATIVE_INFINITY,
  closedGates: [],
  wakeAt: null,
  issuesDueAt: Number.POSITIVE_INFINITY,
  configurationProblem: null,
  ignoredEvents: 0
})

/** A newly met issue. */
export const newEntry = (issue: Issue, key: OrderKey, readAt: number): Entry => ({
  issue,
  key,
  readAt,
  listed: false,
  misses: 0,
  unreadable: null,
  baseline: null,
  baselineAfter: null,
  counters: noCounters,
  usage: Usage.zero,
  allowanceBase: Usage.zero,
  run: null,
  retry: null,
  hold: null,
  released: null,
  workspace: null,
  removal: null,
  awaitingRead: false,
  lastRun: null
})

/** A released issue that carries a hold stays released; the hold shows again once it is active. */
export const phaseOf = (entry: Entry): Phase => {
  if (entry.run !== null) {
    if (entry.run.stop !== null) return "stopping"
    return entry.run.stage === "preparing" || entry.run.stage === "launching" ? "claimed" : "running"
  }
  if (entry.hold?._tag === "StopUnconfirmed") return "held"
  if (entry.released !== null) return "released"
  if (entry.hold !== null) return "held"
  return entry.retry !== null ? "retry_queued" : "unclaimed"
}

/** When the newest read that speaks of this issue began: its own, or the last poll that listed it unchanged. */
export const readAtOf = (state: State, entry: Entry): number =>
  entry.listed ? Math.max(entry.readAt, state.poll.answeredAt) : entry.readAt
