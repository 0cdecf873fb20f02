/**
 * Everything that can happen to the scheduler, as data. Each event comes with the `Instant` at which the driver took
 * it up; reads also say when they began, because only that orders what they saw.
 */
import * as Data from "effect/Data"
import type { IssueId, RunId, SessionId } from "../domain/Ids.ts"
import type { StoredState } from "../domain/Journal.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { Policy } from "../domain/Policy.ts"
import type { Usage } from "../domain/Usage.ts"
import type { RecoveredWorkspace, Workspace } from "../domain/Workspace.ts"
import type { IssueBatch } from "../ports/TrackerBackend.ts"
import type { StopResult } from "../ports/AgentRuntime.ts"

/** A tracker error as the scheduler sees it. `retryAtWallMs` is set for rate limits that name their end. */
export interface TrackerProblem {
  readonly tag: string
  readonly message: string
  readonly retryable: boolean
  readonly retryAtWallMs: number | null
}

/** `demand`: a start or a turn waits for it. `refresh`: the regular look at known issues. */
export type Lane = "demand" | "refresh"

export type Event = Data.TaggedEnum<{
  /** The driver is up: what the run store kept, and the workspaces found. Processes of earlier runs are gone. */
  Started: { readonly stored: StoredState; readonly workspaces: ReadonlyArray<RecoveredWorkspace> }
  Tick: {}

  CandidatesPolled: { readonly batch: IssueBatch; readonly startedAt: number; readonly startedAtWall: number }
  CandidatesFailed: { readonly problem: TrackerProblem }
  IssuesRead: {
    readonly lane: Lane
    readonly ids: ReadonlyArray<IssueId>
    readonly batch: IssueBatch
    readonly startedAt: number
  }
  IssuesReadFailed: { readonly lane: Lane; readonly ids: ReadonlyArray<IssueId>; readonly problem: TrackerProblem }

  WorkspacePrepared: {
    readonly runId: RunId
    readonly workspace: Workspace
    readonly fingerprint: string | null
  }
  /** Nothing of the run goes on. `workspace` when it exists. */
  PreparationFailed: {
    readonly runId: RunId
    readonly workspace: Workspace | null
    readonly reason: string
    readonly cancelled: boolean
  }
  RunLaunched: { readonly runId: RunId; readonly session: SessionId | null }
  /** The worker did not get under way. Nothing of it goes on, unless it was told to stop and did not confirm that. */
  LaunchFailed: {
    readonly runId: RunId
    readonly reason: string
    readonly unavailable: boolean
    readonly stopped: StopResult
  }

  Activity: { readonly runId: RunId; readonly summary: string }
  TurnStarted: { readonly runId: RunId; readonly turn: number }
  TurnCompleted: { readonly runId: RunId; readonly turn: number; readonly summary: string | null }
  /** The worker asks whether to take another turn. */
  TurnAsked: { readonly runId: RunId; readonly turn: number }
  SessionUpdated: { readonly runId: RunId; readonly session: SessionId | null; readonly usage: Usage }
  RunFinished: { readonly runId: RunId; readonly outcome: Outcome; readonly usage: Usage }
  StopSettled: { readonly runId: RunId; readonly result: StopResult }
  RunClosed: { readonly runId: RunId; readonly fingerprint: string | null }

  WorkspaceRemoved: { readonly issueId: IssueId }
  WorkspaceKept: { readonly issueId: IssueId; readonly reason: string }
  RemovalFailed: { readonly issueId: IssueId; readonly reason: string }

  RuntimeUp: {}
  RuntimeDown: { readonly reason: string }

  PolicyChanged: { readonly policy: Policy }
  /** What is wrong with the newest configuration; null when nothing is. `closesGate`: nothing may start under it. */
  ConfigurationJudged: { readonly problem: string | null; readonly closesGate: boolean }
  /** Somebody wants the tracker looked at now. */
  PollRequested: {}
  PauseRequested: { readonly reason: string }
  ResumeRequested: {}
  HoldRequested: { readonly issueId: IssueId; readonly note: string }
  ReleaseRequested: { readonly issueId: IssueId }
  DrainRequested: {}
}>
export const Event = Data.taggedEnum<Event>()
