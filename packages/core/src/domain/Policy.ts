/**
 * The limits and states that the workflow sets, as plain data: all that the scheduler knows of a WORKFLOW.md.
 * Durations are milliseconds. "0 off" follows the workflow reference.
 */
export interface Policy {
  /** State keys (trimmed, lower case). */
  readonly activeStates: ReadonlyArray<string>
  /** State keys; a state in both lists is terminal. */
  readonly terminalStates: ReadonlyArray<string>
  /** Lower case. */
  readonly requiredLabels: ReadonlyArray<string>
  readonly pollIntervalMs: number
  readonly maxConcurrentAgents: number
  /** State key to limit. */
  readonly maxConcurrentAgentsByState: { readonly [stateKey: string]: number }
  readonly maxTurns: number
  readonly maxRetryBackoffMs: number
  /** Silence limit of a run; 0 off. */
  readonly stallTimeoutMs: number
  /** Total cap of one turn; 0 off. */
  readonly turnTimeoutMs: number
  readonly launchTimeoutMs: number
  /** What a live run keeps once its issue left the active states; 0 = stop at once. */
  readonly handoffGraceMs: number
  readonly stopTimeoutMs: number
  readonly shutdownTimeoutMs: number
  /** Bound of one operation on a workspace: two hooks and what surrounds them. */
  readonly workspaceTimeoutMs: number
  /** 0 off, as are all limits below. */
  readonly maxFailures: number
  readonly maxIdleContinuations: number
  readonly maxRunsPerIssue: number
  readonly maxTokensPerIssue: number
  readonly maxCostUsdPerIssue: number
  readonly maxTokensPerDay: number
  readonly maxCostUsdPerDay: number
}

/** The defaults of the workflow reference. */
export const defaults: Policy = {
  activeStates: ["todo", "in progress"],
  terminalStates: ["done", "closed", "cancelled", "canceled", "duplicate"],
  requiredLabels: [],
  pollIntervalMs: 30_000,
  maxConcurrentAgents: 10,
  maxConcurrentAgentsByState: {},
  maxTurns: 20,
  maxRetryBackoffMs: 300_000,
  stallTimeoutMs: 300_000,
  turnTimeoutMs: 0,
  launchTimeoutMs: 60_000,
  handoffGraceMs: 60_000,
  stopTimeoutMs: 30_000,
  shutdownTimeoutMs: 60_000,
  workspaceTimeoutMs: 180_000,
  maxFailures: 10,
  maxIdleContinuations: 5,
  maxRunsPerIssue: 30,
  maxTokensPerIssue: 0,
  maxCostUsdPerIssue: 0,
  maxTokensPerDay: 0,
  maxCostUsdPerDay: 0
}

/** When KILL follows TERM: after a third of `agent.stop_timeout_ms`, at most ten seconds. */
export const killAfterMs = (stopTimeoutMs: number): number => Math.min(stopTimeoutMs / 3, 10_000)
