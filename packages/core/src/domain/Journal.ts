/**
 * What the scheduler writes down: history for people and logs, and projections that let a restart know what it must
 * not forget. Records are appended in order before the commands of the same step start.
 */
import * as Data from "effect/Data"
import type { Hold } from "./Hold.ts"
import type { IssueId, RunId } from "./Ids.ts"
import type { Outcome } from "./Outcome.ts"
import type { Usage } from "./Usage.ts"
import type { Workspace } from "./Workspace.ts"

export interface Counters {
  /** Consecutive failures. */
  readonly failures: number
  /** Continuation runs since the last change of the issue. */
  readonly continuations: number
  /** Continuation runs in a row that made no progress. */
  readonly idleContinuations: number
  /** Runs since an operator last released the issue. */
  readonly runs: number
  /** Usage limits in a row. */
  readonly usageLimits: number
  /** Runs that count as an attempt; the next prompt's `attempt` is null when this is 0, else this. */
  readonly attempts: number
  /** All claims ever made, for display. */
  readonly claims: number
}

export const noCounters: Counters = {
  failures: 0,
  continuations: 0,
  idleContinuations: 0,
  runs: 0,
  usageLimits: 0,
  attempts: 0,
  claims: 0
}

/** `Gate`: the run was put back by a gate; it waits for the gates only. */
export type RetryKind = "continuation" | "failure" | "gate"

/** What must outlive a crash about one issue. Instants are epoch milliseconds. */
export interface IssueProjection {
  readonly issueId: IssueId
  readonly identifier: string
  readonly counters: Counters
  readonly usage: Usage
  /** Usage when an operator last released the issue: limits count from there. */
  readonly allowanceBase: Usage
  readonly hold: Hold | null
  readonly retry: { readonly kind: RetryKind; readonly dueAtWallMs: number; readonly reason: string | null } | null
  readonly liveRun: RunId | null
  readonly workspace: Workspace | null
}

/** What must outlive a crash about the whole fleet. */
export interface FleetProjection {
  readonly paused: string | null
  /** Days since the Unix epoch (UTC) to usage; the newest few days only. */
  readonly usageByDay: ReadonlyArray<{ readonly day: number; readonly usage: Usage }>
}

export type JournalRecord = Data.TaggedEnum<{
  RunClaimed: {
    readonly issueId: IssueId
    readonly identifier: string
    readonly runId: RunId
    readonly attempt: number | null
  }
  RunLaunched: { readonly issueId: IssueId; readonly identifier: string; readonly runId: RunId }
  TurnCompleted: {
    readonly issueId: IssueId
    readonly identifier: string
    readonly runId: RunId
    readonly turn: number
    readonly summary: string | null
  }
  StopOrdered: {
    readonly issueId: IssueId
    readonly identifier: string
    readonly runId: RunId
    readonly reason: string
  }
  RunEnded: {
    readonly issueId: IssueId
    readonly identifier: string
    readonly runId: RunId
    readonly outcome: Outcome
    readonly turns: number
    readonly usage: Usage
  }
  RetryQueued: {
    readonly issueId: IssueId
    readonly identifier: string
    readonly kind: RetryKind
    readonly delayMs: number
    readonly reason: string | null
  }
  HoldPlaced: { readonly issueId: IssueId; readonly identifier: string; readonly hold: Hold }
  HoldLifted: {
    readonly issueId: IssueId
    readonly identifier: string
    readonly hold: Hold
    readonly by: string
  }
  Released: { readonly issueId: IssueId; readonly identifier: string; readonly reason: string }
  WorkspaceRemoved: { readonly issueId: IssueId; readonly identifier: string; readonly path: string }
  WorkspaceKept: {
    readonly issueId: IssueId
    readonly identifier: string
    readonly path: string
    readonly reason: string
  }
  RemovalFailed: {
    readonly issueId: IssueId
    readonly identifier: string
    readonly path: string
    readonly reason: string
  }
  /** The scheduler forgets the issue: nothing of it is left to do. Carries what a closing summary shows. */
  Forgotten: {
    readonly issueId: IssueId
    readonly identifier: string
    readonly state: string
    readonly claims: number
    readonly reason: string
  }
  GateClosed: { readonly gate: string; readonly reason: string }
  GateOpened: { readonly gate: string }
  TrackerFailed: { readonly message: string; readonly retryInMs: number | null }
  TrackerRecovered: {}
  RecordUnreadable: { readonly source: string; readonly message: string }
  IssueSaved: { readonly projection: IssueProjection }
  IssueDropped: { readonly issueId: IssueId }
  FleetSaved: { readonly projection: FleetProjection }
}>
export const JournalRecord = Data.taggedEnum<JournalRecord>()

/** What a run store gives back after a restart: the newest projections. */
export interface StoredState {
  readonly issues: ReadonlyArray<IssueProjection>
  readonly fleet: FleetProjection | null
}

export const nothingStored: StoredState = { issues: [], fleet: null }
