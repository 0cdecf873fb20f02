/** One worker lifetime for one issue: what everybody who takes part in it needs to know. */
import type { RunId } from "./Ids.ts"
import type { Issue } from "./Issue.ts"
import type { Workspace } from "./Workspace.ts"

export interface Run {
  readonly runId: RunId
  /** The issue as it was when the run was claimed. */
  readonly issue: Issue
  /** Null on the first run of an issue, then 1, 2, 3, ... */
  readonly attempt: number | null
}

export interface PreparedRun extends Run {
  readonly workspace: Workspace
}
