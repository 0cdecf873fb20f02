/** The limits that lead to a hold, and what lifts each. */
import { Hold } from "../domain/Hold.ts"
import type { Policy } from "../domain/Policy.ts"
import * as Usage from "../domain/Usage.ts"
import type { Entry } from "./State.ts"

/** What counts against the limits of an issue since an operator last released it. */
const counted = (entry: Entry): Usage.Usage => Usage.beyond(entry.usage, entry.allowanceBase)

/** The spending limit that the issue has reached, as a hold; also judged while a run is live. */
export const spending = (entry: Entry, policy: Policy): Hold | null => {
  const used = counted(entry)
  if (policy.maxTokensPerIssue > 0 && Usage.tokens(used) >= policy.maxTokensPerIssue) {
    return Hold.Tokens({ tokens: Usage.tokens(used) })
  }
  if (policy.maxCostUsdPerIssue > 0 && used.costUsd >= policy.maxCostUsdPerIssue) {
    return Hold.Cost({ costUsd: used.costUsd })
  }
  return null
}

/** The limit that an issue without a live run has reached, if it is to run again. */
export const reached = (entry: Entry, policy: Policy, lastReason: string | null): Hold | null => {
  const { failures, idleContinuations, runs } = entry.counters
  if (policy.maxFailures > 0 && failures >= policy.maxFailures) {
    return Hold.Failures({ failures, lastReason: lastReason ?? "unknown" })
  }
  if (policy.maxIdleContinuations > 0 && idleContinuations >= policy.maxIdleContinuations) {
    return Hold.IdleContinuations({ continuations: idleContinuations })
  }
  if (policy.maxRunsPerIssue > 0 && runs >= policy.maxRunsPerIssue) return Hold.Runs({ runs })
  return spending(entry, policy)
}

/** Whether this policy allows more than what the hold was placed for: its limit was raised since. */
export const isLiftedBy = (hold: Hold, policy: Policy): boolean => {
  const allows = (limit: number, used: number) => limit <= 0 || limit > used
  switch (hold._tag) {
    case "Runs":
      return allows(policy.maxRunsPerIssue, hold.runs)
    case "Tokens":
      return allows(policy.maxTokensPerIssue, hold.tokens)
    case "Cost":
      return allows(policy.maxCostUsdPerIssue, hold.costUsd)
    default:
      return false
  }
}
