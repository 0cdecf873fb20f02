/**
 * The port to the directories that agents work in: one per issue, kept between runs, removed only on evidence.
 *
 * The backend also keeps what must be found beside the work after a crash: the manifest of the run and the agent's
 * session. Every operation is bounded by the backend's own limits (hooks have `hooks.timeout_ms`).
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { SessionId } from "../domain/Ids.ts"
import type { Issue } from "../domain/Issue.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { PreparedRun } from "../domain/Run.ts"
import type { RecoveredWorkspace, Workspace } from "../domain/Workspace.ts"

export type HookName = "after_create" | "before_run" | "after_run" | "before_remove"

interface Fields {
  /** What happened to what, and what to do; never a secret. */
  readonly message: string
}

/** The path would leave the root, or a link stands where the workspace should be. */
export class WorkspaceContainmentError extends Data.TaggedError("WorkspaceContainmentError")<
  Fields & { readonly path: string }
> {}
/** The directory belongs to another issue, or is not a directory. */
export class WorkspaceConflict extends Data.TaggedError("WorkspaceConflict")<Fields & { readonly path: string }> {}
/** A hook ended with a status other than 0, or could not be started (`exitCode` null). */
export class HookFailed extends Data.TaggedError("HookFailed")<
  Fields & { readonly hook: HookName; readonly exitCode: number | null; readonly outputTail: string }
> {}
/** A hook was still running, or something still held its pipes, at its deadline; its whole process group was ended. */
export class HookTimedOut extends Data.TaggedError("HookTimedOut")<
  Fields & { readonly hook: HookName; readonly timeoutMs: number; readonly outputTail: string }
> {}
export class WorkspaceIoError extends Data.TaggedError("WorkspaceIoError")<Fields & { readonly path: string }> {}

export type WorkspaceError =
  | WorkspaceContainmentError
  | WorkspaceConflict
  | HookFailed
  | HookTimedOut
  | WorkspaceIoError

/** What {@link WorkspaceBackendService.recoverWorkspaces} found. */
export interface Recovery {
  readonly workspaces: ReadonlyArray<RecoveredWorkspace>
  /** Records that were unreadable and moved aside, directories that belong to nobody: one line each. */
  readonly problems: ReadonlyArray<string>
}

/** What became of a removal: `Kept` is an answer, not an error, and comes with the evidence. */
export type Cleanup = Data.TaggedEnum<{
  Removed: {}
  Kept: { readonly reason: string }
}>
export const Cleanup = Data.taggedEnum<Cleanup>()

export interface WorkspaceBackendService {
  /** Creates the workspace (running `after_create` once) or finds it again. Running it twice is harmless. */
  readonly ensureWorkspace: (issue: Issue) => Effect.Effect<Workspace, WorkspaceError>
  /**
   * What earlier orchestrators left. Processes that they left behind are ended before this returns. One bad record
   * never fails it.
   */
  readonly recoverWorkspaces: Effect.Effect<Recovery, WorkspaceError>
  /** Writes the manifest of the run and runs `before_run`, whose failure ends the run. */
  readonly startRun: (run: PreparedRun) => Effect.Effect<void, WorkspaceError>
  /** Closes the manifest and runs `after_run`, whose failure is logged and changes nothing. */
  readonly finishRun: (run: PreparedRun, outcome: Outcome) => Effect.Effect<void, WorkspaceError>
  /**
   * Removes the workspace of a terminal issue, if the evidence allows it. The caller guarantees that no run is live in it. A workspace that is already gone counts as removed.
   */
  readonly cleanupWorkspace: (workspace: Workspace, issue: Issue) => Effect.Effect<Cleanup, WorkspaceError>
  /** A digest of the work in it; equal digests mean no progress. The orchestrator's own files never count. */
  readonly fingerprint: (workspace: Workspace) => Effect.Effect<string, WorkspaceError>
  /** The session that an agent last reported for this workspace; null when there is none. */
  readonly readSession: (workspace: Workspace) => Effect.Effect<SessionId | null, WorkspaceError>
  readonly writeSession: (workspace: Workspace, session: SessionId) => Effect.Effect<void, WorkspaceError>
  /**
   * Records that the process group `pid` works in this workspace, so that it is found and ended after a crash. The
   * record is dropped by `finishRun`.
   */
  readonly recordProcess: (workspace: Workspace, pid: number) => Effect.Effect<void, WorkspaceError>
}

export class WorkspaceBackend extends Context.Service<WorkspaceBackend, WorkspaceBackendService>()(
  "@opensymphony/core/WorkspaceBackend"
) {}
