/** The `OPENSYMPHONY_*` variables that tell a hook or a command agent what it works on. */
import type { RunId } from "../domain/Ids.ts"
import type { Issue } from "../domain/Issue.ts"

export interface RunFacts {
  readonly issue: Issue
  /** Null for hooks outside a run: `after_create`, `before_remove`. */
  readonly runId: RunId | null
  /** Null on the first run. */
  readonly attempt: number | null
  /** Absolute path. */
  readonly workspacePath: string
  /** Absolute path of the WORKFLOW.md. */
  readonly workflowPath: string
}

/** Linux takes 128 KiB for one variable, and three bytes are the most that one UTF-16 unit becomes. */
const maxLength = 32_768

/** A value that any operating system accepts: no NUL, not too long. */
const sanitized = (value: string): string => value.replaceAll("\0", "").slice(0, maxLength).toWellFormed()

/** Unknown values are empty, so that a script can rely on every name. */
export const issueVariables = (facts: RunFacts): { readonly [name: string]: string } => ({
  OPENSYMPHONY_ISSUE_ID: sanitized(facts.issue.id),
  OPENSYMPHONY_ISSUE_IDENTIFIER: sanitized(facts.issue.identifier),
  OPENSYMPHONY_ISSUE_TITLE: sanitized(facts.issue.title),
  OPENSYMPHONY_ISSUE_STATE: sanitized(facts.issue.state),
  OPENSYMPHONY_ISSUE_URL: sanitized(facts.issue.url ?? ""),
  OPENSYMPHONY_ISSUE_BRANCH: sanitized(facts.issue.branchName ?? ""),
  OPENSYMPHONY_RUN_ID: facts.runId ?? "",
  OPENSYMPHONY_ATTEMPT: facts.attempt === null ? "" : String(facts.attempt),
  OPENSYMPHONY_WORKSPACE: facts.workspacePath,
  OPENSYMPHONY_WORKFLOW: facts.workflowPath
})
