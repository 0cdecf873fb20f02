/**
 * A per-issue reason not to start it. Each kind names what lifts it; nothing else does, and never time.
 */
import * as Data from "effect/Data"
import type { RunId } from "./Ids.ts"
import type { Workspace } from "./Workspace.ts"

export type Hold = Data.TaggedEnum<{
  /** `limits.max_failures` consecutive failures. Lifted by an operator or a change of the issue. */
  Failures: { readonly failures: number; readonly lastReason: string }
  /** `limits.max_idle_continuations` continuations without progress. Lifted by an operator or a change of the issue. */
  IdleContinuations: { readonly continuations: number }
  /** `limits.max_runs_per_issue`. Lifted by an operator or a raised limit. */
  Runs: { readonly runs: number }
  /** `limits.max_tokens_per_issue`. Lifted by an operator or a raised limit. */
  Tokens: { readonly tokens: number }
  /** `limits.max_cost_usd_per_issue`. Lifted by an operator or a raised limit. */
  Cost: { readonly costUsd: number }
  /** Set by an operator, and lifted by one. */
  Operator: { readonly note: string }
  /** A stop that was never confirmed. Lifted when the runtime reports the end of that run, or by an operator. */
  StopUnconfirmed: { readonly runId: RunId; readonly workspace: Workspace | null; readonly why: string }
}>
export const Hold = Data.taggedEnum<Hold>()

/** Whether a change of the issue in the tracker lifts it. */
export const isLiftedByChange = (hold: Hold): boolean => hold._tag === "Failures" || hold._tag === "IdleContinuations"

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`

/** Why the issue is held and what lifts it, in one line for people. */
export const render = (hold: Hold): string =>
  Hold.$match(hold, {
    Failures: ({ failures, lastReason }) =>
      `held after ${counted(failures, "failure")} in a row, the last: ${lastReason}; edit the issue or release it to try again`,
    IdleContinuations: ({ continuations }) =>
      `held after ${counted(continuations, "continuation")} without progress: the agent ends its turns, but neither the issue nor the workspace changes; edit the issue or release it to try again`,
    Runs: ({ runs }) =>
      `held after ${counted(runs, "run")} (limits.max_runs_per_issue); release it or raise the limit to allow more`,
    Tokens: ({ tokens }) =>
      `held after ${tokens} tokens (limits.max_tokens_per_issue); release it or raise the limit to allow more`,
    Cost: ({ costUsd }) =>
      `held after ${costUsd.toFixed(2)} USD (limits.max_cost_usd_per_issue); release it or raise the limit to allow more`,
    Operator: ({ note }) => (note === "" ? "held by an operator" : `held by an operator: ${note}`),
    StopUnconfirmed: ({ runId, why }) =>
      `held because the stop of ${runId} (${why}) was not confirmed: its agent may still be working; make sure that it has ended, then release the issue`
  })
