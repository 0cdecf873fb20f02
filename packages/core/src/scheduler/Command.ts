/** What the scheduler asks its driver to do, as data. Each but `WakeAt` is answered by an event. */
import * as Data from "effect/Data"
import type { IssueId, RunId } from "../domain/Ids.ts"
import type { Issue } from "../domain/Issue.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { PreparedRun, Run } from "../domain/Run.ts"
import type { Workspace } from "../domain/Workspace.ts"
import type { TurnVerdict } from "../ports/WorkerBackend.ts"
import type { Lane } from "./Event.ts"

export type Command = Data.TaggedEnum<{
  /** Answered by `CandidatesPolled` or `CandidatesFailed`. */
  PollCandidates: {}
  /** Answered by `IssuesRead` or `IssuesReadFailed`. One per lane at a time. */
  ReadIssues: { readonly lane: Lane; readonly ids: ReadonlyArray<IssueId> }
  /** Ensure the workspace, write the manifest, run `before_run`, take the fingerprint. */
  PrepareWorkspace: { readonly run: Run }
  /** End a preparation under way; `PreparationFailed` follows. */
  CancelPreparation: { readonly runId: RunId }
  LaunchRun: { readonly run: PreparedRun; readonly maxTurns: number; readonly timeoutMs: number }
  AnswerTurn: { readonly runId: RunId; readonly verdict: TurnVerdict }
  /** Answered by `StopSettled`; a launch under way is stopped too. */
  StopRun: { readonly runId: RunId; readonly reason: string; readonly timeoutMs: number }
  /** Take the fingerprint, close the manifest, run `after_run`. Answered by `RunClosed`. */
  FinishRun: { readonly run: PreparedRun; readonly outcome: Outcome }
  RemoveWorkspace: { readonly workspace: Workspace; readonly issue: Issue }
  /** Send a `Tick` at this monotonic instant; replaces the one asked for before. Null: none. */
  WakeAt: { readonly at: number | null }
}>
export const Command = Data.taggedEnum<Command>()
