/** What a workspace backend under test must be able to show, and the issues and runs of its cases. */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { IssueId, RunId } from "../../domain/Ids.ts"
import * as Issue from "../../domain/Issue.ts"
import type { PreparedRun } from "../../domain/Run.ts"
import type { Workspace } from "../../domain/Workspace.ts"
import type { HookName, WorkspaceBackendService } from "../../ports/WorkspaceBackend.ts"

/** A root of its own for one case, empty at first, and what happens to it. */
export interface WorkspaceScene {
  readonly workspaces: WorkspaceBackendService
  /**
   * The backend as the next orchestrator has it after this one crashed: the processes of agents live on, the process
   * that `workspaces` belongs to does not. Used once in a case.
   */
  readonly restart: Effect.Effect<WorkspaceBackendService, unknown>
  /** Does work in a workspace; every time other work. */
  readonly work: (workspace: Workspace) => Effect.Effect<void, unknown>
  /** Leaves work that nobody has anywhere else. */
  readonly leaveUnsaved: (workspace: Workspace) => Effect.Effect<void, unknown>
  /** Whether the directory is there. */
  readonly exists: (workspace: Workspace) => Effect.Effect<boolean, unknown>
  /** Starts a process group of an agent in a workspace, which ends with the case; answers with its pid. */
  readonly startProcess: (workspace: Workspace) => Effect.Effect<number, unknown>
  /** Whether that group still runs. */
  readonly runs: (pid: number) => Effect.Effect<boolean, unknown>
}

/** How to make the workspaces under test. */
export interface WorkspaceSubject<R = never> {
  /** Each of the `failing` hooks is set and ends with a failure; the others are not set. */
  readonly make: (failing: ReadonlyArray<HookName>) => Effect.Effect<WorkspaceScene, unknown, R | Scope.Scope>
}

/** The issue that a case calls by this identifier. */
export const issueOf = (identifier: string, state = "Todo"): Issue.Issue =>
  Issue.make({ id: IssueId(`id of ${identifier}`), identifier, title: `About ${identifier}`, state })

/** A run in the workspace of {@link issueOf}. */
export const runIn = (workspace: Workspace, runId = "run-1"): PreparedRun => ({
  runId: RunId(runId),
  issue: issueOf(workspace.identifier),
  attempt: null,
  workspace
})
