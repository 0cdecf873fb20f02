/**
 * How a run ended. A usage limit is neither success nor failure: the provider's window is closed, nothing is wrong
 * with the issue.
 */
import * as Data from "effect/Data"

export type Outcome = Data.TaggedEnum<{
  /** Every turn completed and the run ended by itself. */
  Succeeded: { readonly summary: string | null }
  /** The workspace, the launch or a turn failed. `unavailable`: because the runtime went down, which is not the fault. */
  Failed: { readonly reason: string; readonly unavailable?: boolean }
  /** A turn took longer than `agent.turn_timeout_ms`. */
  TimedOut: { readonly reason: string }
  /** The agent was silent for longer than `agent.stall_timeout_ms`. */
  Stalled: { readonly reason: string }
  /** Stopped because the tracker, an operator or a shutdown wanted it. */
  Cancelled: { readonly reason: string }
  /** The provider refuses work until `untilMs` (epoch milliseconds; null when it did not say). */
  UsageLimited: { readonly untilMs: number | null; readonly reason: string }
}>

export const Outcome = Data.taggedEnum<Outcome>()

const names = {
  Succeeded: "succeeded",
  Failed: "failed",
  TimedOut: "timed_out",
  Stalled: "stalled",
  Cancelled: "cancelled",
  UsageLimited: "usage_limited"
} as const

/** The word for logs, manifests and screens. */
export const name = (outcome: Outcome): (typeof names)[Outcome["_tag"]] => names[outcome._tag]

/** Why it ended that way; null for a success without a summary. */
export const reason = (outcome: Outcome): string | null =>
  outcome._tag === "Succeeded" ? outcome.summary : outcome.reason

/** Whether this outcome counts as a failure of the issue. */
export const isFailure = (outcome: Outcome): boolean =>
  (outcome._tag === "Failed" && outcome.unavailable !== true) ||
  outcome._tag === "TimedOut" ||
  outcome._tag === "Stalled"

/** Whether the run ended early for something that its issue cannot help: a provider's window, a runtime that went down. */
export const isExcused = (outcome: Outcome): boolean =>
  outcome._tag === "UsageLimited" || (outcome._tag === "Failed" && outcome.unavailable === true)
