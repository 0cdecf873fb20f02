/**
 * What the scheduler decided for an issue, with its reason. Decisions are derived from the state when somebody reads
 * them; nothing is stored, so they cannot be stale.
 */
import * as Data from "effect/Data"
import * as Hold from "../domain/Hold.ts"
import type { IssueReference } from "../domain/Issue.ts"
import type { RetryKind } from "../domain/Journal.ts"
import type { ClosedGate, Phase, StopReason } from "./State.ts"

export type Decision = Data.TaggedEnum<{
  /** A run is live; `detail` says what it does. */
  Dispatched: { readonly phase: Phase; readonly detail: string }
  /** Nothing is in the way: it starts with the next step. */
  Eligible: {}
  Unreadable: { readonly message: string }
  Gone: {}
  Terminal: { readonly state: string }
  Inactive: { readonly state: string }
  /** Active as last read, but absent from the last answered poll. */
  Unlisted: {}
  Undispatchable: { readonly why: string | null }
  MissingLabels: { readonly labels: ReadonlyArray<string> }
  Blocked: { readonly by: ReadonlyArray<IssueReference> }
  OpenSubIssues: { readonly open: ReadonlyArray<IssueReference> }
  Held: { readonly hold: Hold.Hold }
  RemovingWorkspace: {}
  RetryNotDue: { readonly kind: RetryKind; readonly dueInMs: number; readonly why: string | null }
  Gated: { readonly gates: ReadonlyArray<ClosedGate> }
  AwaitingRead: { readonly problem: string | null }
  StateFull: { readonly state: string; readonly limit: number }
  Full: { readonly limit: number }
}>
export const Decision = Data.taggedEnum<Decision>()

const seconds = (ms: number): string => `${Math.max(0, Math.ceil(ms / 1000))} s`

const name = (reference: IssueReference): string =>
  `${reference.identifier} (${reference.note ?? reference.state ?? "state unknown"})`

const names = (references: ReadonlyArray<IssueReference>): string =>
  references.length <= 5
    ? references.map(name).join(", ")
    : `${references.slice(0, 5).map(name).join(", ")} and ${references.length - 5} more`

const retryWords: { readonly [Kind in RetryKind]: string } = {
  continuation: "continues",
  failure: "retries",
  gate: "starts again"
}

export const renderGate = (gate: ClosedGate): string =>
  gate.opensInMs === null ? gate.reason : `${gate.reason}; opens in ${seconds(gate.opensInMs)}`

/** One line for people, without line breaks. */
export const render = (decision: Decision): string =>
  Decision.$match(decision, {
    Dispatched: ({ detail }) => detail,
    Eligible: () => "eligible; starts next",
    Unreadable: ({ message }) => `its record cannot be read: ${message}`,
    Gone: () => "gone from the tracker",
    Terminal: ({ state }) => `in the terminal state ${state}`,
    Inactive: ({ state }) => (state === "" ? "not read yet" : `in the state ${state}, which is not active`),
    Unlisted: () => "was not among the candidates of the last poll",
    Undispatchable: ({ why }) => why ?? "the tracker says that it is not for this orchestrator",
    MissingLabels: ({ labels }) => `lacks the required label${labels.length > 1 ? "s" : ""} ${labels.join(", ")}`,
    Blocked: ({ by }) => `blocked by ${names(by)}`,
    OpenSubIssues: ({ open }) => `waits for its sub-issue${open.length > 1 ? "s" : ""} ${names(open)}`,
    Held: ({ hold }) => Hold.render(hold),
    RemovingWorkspace: () => "waits until the removal of its old workspace has ended",
    RetryNotDue: ({ kind, dueInMs, why }) =>
      `${retryWords[kind]} in ${seconds(dueInMs)}${why === null ? "" : `, after: ${why}`}`,
    Gated: ({ gates }) => gates.map(renderGate).join("; "),
    AwaitingRead: ({ problem }) =>
      problem === null
        ? "being read once more before it starts"
        : `must be read once more before it starts, and the tracker does not answer: ${problem}`,
    StateFull: ({ state, limit }) =>
      `waits for a slot: ${limit} of ${limit} are taken for the state ${state} (agent.max_concurrent_agents_by_state)`,
    Full: ({ limit }) => `waits for a slot: ${limit} of ${limit} are taken (agent.max_concurrent_agents)`
  })

/** Why a run is being stopped, for people. */
export const stopWords: { readonly [Reason in StopReason]: string } = {
  terminal: "its issue reached a terminal state",
  inactive: "its issue left the active states",
  unroutable: "its issue is no longer for this orchestrator",
  gone: "its issue is gone from the tracker",
  not_eligible: "its issue was no longer eligible when its agent was to start",
  gate: "a gate closed before its agent started",
  stalled: "its agent was silent for too long",
  timed_out: "its turn took too long",
  over_limit: "its issue is over a limit",
  operator: "an operator stopped it",
  shutdown: "the orchestrator is shutting down"
}
