/** The directory that belongs to one issue and is kept between its runs. */
import type { IssueId, RunId } from "./Ids.ts"

export interface Workspace {
  readonly issueId: IssueId
  readonly identifier: string
  /** Name of the directory inside the root; unique per issue. */
  readonly key: string
  /** Absolute path. */
  readonly path: string
}

/** A workspace found on start-up. */
export interface RecoveredWorkspace {
  readonly workspace: Workspace
  /** The run that had not finished when the last orchestrator ended; its processes are already gone. */
  readonly interruptedRun: RunId | null
}
