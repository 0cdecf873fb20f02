/** Rule 10: no limit is passed without a hold, and no hold is lifted by itself. */
import { Hold, isLiftedByChange } from "../../../domain/Hold.ts"
import type { Policy } from "../../../domain/Policy.ts"
import * as Usage from "../../../domain/Usage.ts"
import type { IssuePage } from "../books/IssueBook.ts"
import type { Checker, Moment } from "../Checker.ts"

/** The limits that an issue has reached, by name. */
const reached = (page: IssuePage, policy: Policy): ReadonlyArray<string> => {
  const { failures, idleContinuations, runs } = page.counters
  const spent = Usage.beyond(page.usage, page.allowanceBase)
  const isReached = (limit: number, amount: number): boolean => limit > 0 && amount >= limit
  const all: ReadonlyArray<readonly [string, boolean]> = [
    ["max_failures", isReached(policy.maxFailures, failures)],
    ["max_idle_continuations", isReached(policy.maxIdleContinuations, idleContinuations)],
    ["max_runs_per_issue", isReached(policy.maxRunsPerIssue, runs)],
    ["max_tokens_per_issue", isReached(policy.maxTokensPerIssue, Usage.tokens(spent))],
    ["max_cost_usd_per_issue", isReached(policy.maxCostUsdPerIssue, spent.costUsd)]
  ]
  return all.flatMap(([name, is]) => (is ? [name] : []))
}

const limitBehind = (hold: Hold, policy: Policy): number =>
  Hold.$match(hold, {
    Failures: () => 0,
    IdleContinuations: () => 0,
    Runs: () => policy.maxRunsPerIssue,
    Tokens: () => policy.maxTokensPerIssue,
    Cost: () => policy.maxCostUsdPerIssue,
    Operator: () => 0,
    StopUnconfirmed: () => 0
  })

/** Whether the amount that a hold was placed for is below this limit. */
const isBelow = (hold: Hold, limit: number): boolean => {
  const amounts = { Runs: "runs", Tokens: "tokens", Cost: "costUsd" } as const
  if (hold._tag !== "Runs" && hold._tag !== "Tokens" && hold._tag !== "Cost") return false
  const amount = (hold as { readonly [name: string]: unknown })[amounts[hold._tag]]
  return limit <= 0 || (typeof amount === "number" && amount < limit)
}

/** Whether what just happened is something that lifts this hold. */
const isLifted = ({ after, before, books, event }: Moment, page: IssuePage, hold: Hold): boolean => {
  if (event._tag === "ReleaseRequested") return event.issueId === page.id
  if (event._tag === "PolicyChanged") return limitBehind(hold, before.policy) !== limitBehind(hold, after.policy)
  // A limit that was raised while no process ran.
  if (event._tag === "Started") return isBelow(hold, limitBehind(hold, after.policy))
  if ("runId" in event) {
    const isOver = books.runs.runs.get(event.runId)?.isKnownOver ?? true
    return hold._tag === "StopUnconfirmed" && hold.runId === event.runId && isOver
  }
  return (event._tag === "CandidatesPolled" || event._tag === "IssuesRead") && isLiftedByChange(hold)
}

export const make = (): Checker => ({
  rule: 10,
  name: "LimitsHold",
  onRecord: (moment, record, report) => {
    const { after, books, event, records } = moment
    if (record._tag === "RunClaimed") {
      // Counters as the step leaves them, without this claim: what ended in the same step counts already.
      const page = books.issues.pages.get(record.issueId)
      const saved = records.find((other) => other._tag === "IssueSaved" && other.projection.issueId === record.issueId)
      if (page === undefined || saved?._tag !== "IssueSaved") return
      const { projection } = saved
      const { counters } = projection
      const now = { ...page, ...projection, counters: { ...counters, runs: counters.runs - 1 } }
      const limits = reached(
        { ...page, counters: now.counters, usage: now.usage, allowanceBase: now.allowanceBase },
        after.policy
      )
      if (limits.length > 0) report(`${record.runId} starts although ${limits.join(", ")} is reached`, record.issueId)
    } else if (record._tag === "HoldLifted") {
      const page = books.issues.pages.get(record.issueId)
      if (page?.hold === null || page === undefined)
        return report("a hold is lifted that was not there", record.issueId)
      if (!isLifted(moment, page, record.hold)) {
        report(`the hold ${record.hold._tag} is lifted by ${event._tag}`, record.issueId)
      }
    } else if (record._tag === "IssueSaved") {
      const { hold, issueId } = record.projection
      const before = books.issues.pages.get(issueId)?.hold ?? null
      const isTold = records.some(
        (other) => (other._tag === "HoldPlaced" || other._tag === "HoldLifted") && other.issueId === issueId
      )
      if (before !== hold && !isTold && event._tag !== "Started") report("a hold came or went untold", issueId)
    }
  },
  onStep: ({ after, books, event, records }, report) => {
    if (event._tag !== "SessionUpdated") return
    const run = books.runs.runs.get(event.runId)
    const page = run === undefined ? undefined : books.issues.pages.get(run.issueId)
    if (run === undefined || page?.liveRun !== event.runId || run.outcome !== null || run.stopOrderedAt !== null) return
    const limits = reached(page, after.policy).filter((name) => name.includes("tokens") || name.includes("cost"))
    const isStopped = records.some((record) => record._tag === "StopOrdered" && record.runId === event.runId)
    if (limits.length > 0 && !isStopped && run.launch !== "none") {
      report(`${event.runId} goes on although ${limits.join(", ")} is reached`, run.issueId)
    }
  }
})
