/** What the workflow says about workspaces, resolved: absolute paths, an environment that is already filtered. */
import type { GitContext } from "./Git.ts"

export type RemovalPolicy = "always" | "clean" | "never"

export interface HookScripts {
  readonly afterCreate: string | null
  readonly beforeRun: string | null
  readonly afterRun: string | null
  readonly beforeRemove: string | null
  /** One deadline for a hook and whoever holds its pipes. */
  readonly timeoutMs: number
}

export interface WorkspaceOptions {
  /** Absolute path; made when it is not there. */
  readonly root: string
  readonly remove: RemovalPolicy
  readonly hooks: HookScripts
  /** What hooks get besides the variables of their issue: only what the workflow allows. */
  readonly hookEnvironment: { readonly [name: string]: string }
  /** Absolute path of WORKFLOW.md. */
  readonly workflowPath: string
  /** `agent.stop_timeout_ms`, which says when KILL follows TERM; 30 s unless told. */
  readonly stopTimeoutMs?: number
  /** Takes secrets out of what hooks printed, before it gets into a message or a manifest. */
  readonly redact?: (text: string) => string
}

/** What the operations on a workspace work with. */
export interface Setup {
  readonly options: WorkspaceOptions
  readonly git: GitContext
}
