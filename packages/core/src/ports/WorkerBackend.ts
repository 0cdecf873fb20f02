/**
 * The port to what executes runs. `session/` implements it over an {@link AgentRuntime}; a program that has its own
 * idea of a worker implements it directly.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import type * as Stream from "effect/Stream"
import type { RunId, SessionId } from "../domain/Ids.ts"
import type { Issue } from "../domain/Issue.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { PreparedRun } from "../domain/Run.ts"
import type { Usage } from "../domain/Usage.ts"
import type { StopResult } from "./AgentRuntime.ts"

/** What the orchestrator says when a worker asks, after a turn, whether to go on. */
export type TurnVerdict = Data.TaggedEnum<{
  /** Go on, with the issue as it is now. */
  Continue: { readonly issue: Issue }
  /** End the run now; its outcome counts. */
  Stop: { readonly reason: string }
}>
export const TurnVerdict = Data.taggedEnum<TurnVerdict>()

export interface WorkerRequest extends PreparedRun {
  readonly maxTurns: number
  /**
   * To be asked after every completed turn but the last allowed one. It waits for a fresh read of the tracker, however
   * long that takes.
   */
  readonly betweenTurns: (turn: number) => Effect.Effect<TurnVerdict>
}

/** The run is under way. */
export interface WorkerLaunch {
  readonly runId: RunId
  /** The session it resumed or began, when already known. */
  readonly session: SessionId | null
}

export type WorkerUpdate = Data.TaggedEnum<{
  /** The agent gave a sign of life. Any other update is one too. */
  Activity: { readonly runId: RunId; readonly kind: string; readonly summary: string }
  TurnStarted: { readonly runId: RunId; readonly turn: number }
  TurnCompleted: { readonly runId: RunId; readonly turn: number; readonly summary: string | null }
  /** What is known of the session; `usage` is the run's total so far. */
  SessionUpdated: { readonly runId: RunId; readonly session: SessionId | null; readonly usage: Usage }
  /** The run ended. Exactly one per launched run, and its last update. */
  Finished: { readonly runId: RunId; readonly outcome: Outcome; readonly usage: Usage }
}>
export const WorkerUpdate = Data.taggedEnum<WorkerUpdate>()

interface Fields {
  readonly runId: RunId
  /** What happened to what, and what to do; never a secret. */
  readonly message: string
}
/** The worker did not report its launch in time. */
export class LaunchTimedOut extends Data.TaggedError("LaunchTimedOut")<Fields> {}
/** The worker could not start. `unavailable`: the runtime is down, which is no failure of the issue. */
export class LaunchFailed extends Data.TaggedError("LaunchFailed")<Fields & { readonly unavailable: boolean }> {}
/** The worker ended before it reported a launch. */
export class EndedBeforeLaunch extends Data.TaggedError("EndedBeforeLaunch")<Fields> {}
/** A bug in the worker; the message carries what it died of. */
export class WorkerDefect extends Data.TaggedError("WorkerDefect")<Fields> {}

export type LaunchError = LaunchTimedOut | LaunchFailed | EndedBeforeLaunch | WorkerDefect

export interface WorkerBackendService {
  /** Starts a run and returns once it is under way. A launch that fails never shows up in `updates`. */
  readonly startWorker: (request: WorkerRequest) => Effect.Effect<WorkerLaunch, LaunchError>
  /** What launched runs report, in order per run. One consumer. */
  readonly updates: Stream.Stream<WorkerUpdate>
  /**
   * Stops a run and says whether that is certain. The `Finished` of a stopped run is offered to `updates` before this
   * returns. An unknown run counts as stopped.
   */
  readonly abortWorker: (runId: RunId, reason: string) => Effect.Effect<StopResult>
}

export class WorkerBackend extends Context.Service<WorkerBackend, WorkerBackendService>()(
  "@opensymphony/core/WorkerBackend"
) {}

/** Launches all runs concurrently. Results come in the order of the requests; one failure never touches another. */
export const startWorkers = (
  requests: ReadonlyArray<WorkerRequest>
): Effect.Effect<ReadonlyArray<Result.Result<WorkerLaunch, LaunchError>>, never, WorkerBackend> =>
  Effect.flatMap(WorkerBackend, (workers) =>
    Effect.all(requests.map(workers.startWorker), { concurrency: "unbounded", mode: "result" })
  )
