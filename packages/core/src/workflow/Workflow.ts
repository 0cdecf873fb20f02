/**
 * What a WORKFLOW.md says, typed and complete: every default filled in, every path absolute, every reference to the
 * environment resolved. How it is read is `ParseWorkflow.ts`'s matter.
 */
import type * as Redacted from "effect/Redacted"
import { stateKey } from "../domain/Issue.ts"
import type { Policy } from "../domain/Policy.ts"
import type { OpenHandsSettings } from "./OpenHandsSettings.ts"
import type { PromptTemplate } from "./PromptTemplate.ts"

/** The kinds of tracker that the workflow format knows; a build has adapters for some of them. */
export const trackerKinds = ["files", "linear"] as const
export type TrackerKind = (typeof trackerKinds)[number]

/** The kinds of runtime that the workflow format knows; a build has adapters for some of them. */
export const runtimeKinds = ["command", "openhands"] as const
export type RuntimeKind = (typeof runtimeKinds)[number]

/** What decides about a workspace whose issue is terminal: always remove, only without unsaved work, never. */
export const removalRules = ["always", "clean", "never"] as const
export type RemovalRule = (typeof removalRules)[number]

interface TrackerStates {
  /** Names as the workflow spells them. */
  readonly activeStates: ReadonlyArray<string>
  readonly terminalStates: ReadonlyArray<string>
  readonly requiredLabels: ReadonlyArray<string>
}

export interface FilesTrackerSettings extends TrackerStates {
  readonly kind: "files"
  /** Absolute path of the folder with the issue files. */
  readonly path: string
}

/** Where this process listens for a tracker that tells when something changed. */
export interface WebhookSettings {
  /** What deliveries are signed with. */
  readonly secret: Redacted.Redacted
  readonly host: string
  readonly port: number
  /** Of the address that deliveries go to; begins with `/`. */
  readonly path: string
}

export interface LinearTrackerSettings extends TrackerStates {
  readonly kind: "linear"
  readonly endpoint: string
  readonly apiKey: Redacted.Redacted
  /** The project's address, the last part of it, the id at the end of that, or its UUID. */
  readonly projectSlug: string
  /** `me`, an e-mail address, or the UUID of a user; null: whoever it is. */
  readonly assignee: string | null
  /** Null: the tracker is only polled. */
  readonly webhook: WebhookSettings | null
  /** First lines by which a comment is known as the workpad of an issue, the one for new workpads first. */
  readonly workpadMarkers: ReadonlyArray<string>
  /** Whether agents may send queries of their own, which only read. */
  readonly rawQueries: boolean
}

export type TrackerSettings = FilesTrackerSettings | LinearTrackerSettings

export interface WorkspaceSettings {
  /** Absolute path. */
  readonly root: string
  readonly remove: RemovalRule
}

/** Shell texts, null when there is none. */
export interface HookSettings {
  readonly afterCreate: string | null
  readonly beforeRun: string | null
  readonly afterRun: string | null
  readonly beforeRemove: string | null
  /** Of each hook. */
  readonly timeoutMs: number
  /** Names of environment variables that hooks get besides the usual ones. */
  readonly env: ReadonlyArray<string>
}

/** Times are milliseconds. */
export interface AgentSettings {
  readonly maxConcurrentAgents: number
  /** By state key (trimmed, lower case). */
  readonly maxConcurrentAgentsByState: { readonly [stateKey: string]: number }
  readonly maxTurns: number
  readonly maxRetryBackoffMs: number
  /** Zero and below: off. */
  readonly stallTimeoutMs: number
  /** Zero and below: off. */
  readonly turnTimeoutMs: number
  readonly launchTimeoutMs: number
  readonly handoffGraceMs: number
  readonly stopTimeoutMs: number
  readonly shutdownTimeoutMs: number
}

/** Zero: off. */
export interface LimitSettings {
  readonly maxFailures: number
  readonly maxIdleContinuations: number
  readonly maxRunsPerIssue: number
  readonly maxTokensPerIssue: number
  readonly maxCostUsdPerIssue: number
  readonly maxTokensPerDay: number
  readonly maxCostUsdPerDay: number
}

export interface CommandSettings {
  /** Shell text that runs one turn. */
  readonly run: string
  /** Names of environment variables that it gets besides the usual ones. */
  readonly env: ReadonlyArray<string>
}

export interface Workflow {
  /** Absolute path of the WORKFLOW.md. */
  readonly path: string
  /** The directory that holds it. */
  readonly directory: string
  readonly tracker: TrackerSettings
  readonly polling: { readonly intervalMs: number }
  readonly workspace: WorkspaceSettings
  readonly hooks: HookSettings
  readonly agent: AgentSettings
  readonly limits: LimitSettings
  readonly runtime: { readonly kind: RuntimeKind }
  /** Null unless the runtime is `command`. */
  readonly command: CommandSettings | null
  /** Null unless the runtime is `openhands`. */
  readonly openhands: OpenHandsSettings | null
  readonly prompt: PromptTemplate
}

/** Negative means off, as zero does. */
const offBelowZero = (value: number): number => Math.max(0, value)

/** What the scheduler needs to know of a workflow. */
export const policyOf = ({ agent, hooks, limits, polling, tracker }: Workflow): Policy => ({
  activeStates: tracker.activeStates.map(stateKey),
  terminalStates: tracker.terminalStates.map(stateKey),
  requiredLabels: tracker.requiredLabels.map((label) => label.trim().toLowerCase()),
  pollIntervalMs: polling.intervalMs,
  maxConcurrentAgents: agent.maxConcurrentAgents,
  maxConcurrentAgentsByState: agent.maxConcurrentAgentsByState,
  maxTurns: agent.maxTurns,
  maxRetryBackoffMs: agent.maxRetryBackoffMs,
  stallTimeoutMs: offBelowZero(agent.stallTimeoutMs),
  turnTimeoutMs: offBelowZero(agent.turnTimeoutMs),
  launchTimeoutMs: agent.launchTimeoutMs,
  handoffGraceMs: agent.handoffGraceMs,
  stopTimeoutMs: agent.stopTimeoutMs,
  shutdownTimeoutMs: agent.shutdownTimeoutMs,
  workspaceTimeoutMs: 2 * hooks.timeoutMs + 60_000,
  ...limits
})
