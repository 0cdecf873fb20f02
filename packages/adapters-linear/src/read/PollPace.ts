/**
 * How far polls are apart when the budget sinks. With more than half of both allowances left they come as the workflow
 * asks; below that they share out half of what is left until the reset, so that agents' tools find the other half.
 */
import type { Allowance, Budget } from "../LinearApi.ts"
import { reservedShare } from "../api/Governor.ts"

/** The core gives up a poll after five minutes; what is left of them is for reading. */
export const longestPauseMs = 240_000

const comfortableShare = 0.5
const shareOfPolls = 0.5

/** When a poll began, and what the purposes of polling had cost by then. */
export interface PollMark {
  readonly startedAtMs: number
  readonly requests: number
  readonly points: number
}

export const mark = ({ spent }: Budget, nowMs: number): PollMark => ({
  startedAtMs: nowMs,
  requests: spent.candidates.requests + spent.refresh.requests,
  points: spent.candidates.complexity + spent.refresh.complexity
})

/** Milliseconds between polls that `allowance` lasts for, when one costs `cost`. */
const intervalMs = (allowance: Allowance | null, cost: number, nowMs: number): number => {
  if (allowance === null || allowance.resetAtMs === null || cost <= 0) return 0
  const { limit, remaining, resetAtMs } = allowance
  if (remaining >= comfortableShare * limit) return 0
  const forPolls = shareOfPolls * (remaining - reservedShare.candidates * limit)
  return forPolls <= 0 ? longestPauseMs : (cost * Math.max(0, resetAtMs - nowMs)) / forPolls
}

/**
 * How long a poll that is due at `nowMs` has to wait, at most four minutes; `last` is the one before. Behind a closed gate
 * it does not: it is refused at once, with the time to come again.
 */
export const pauseMs = (budget: Budget, last: PollMark | null, nowMs: number): number => {
  if (last === null || budget.closedUntilMs !== null) return 0
  const now = mark(budget, nowMs)
  const interval = Math.max(
    intervalMs(budget.requests, now.requests - last.requests, nowMs),
    intervalMs(budget.complexity, now.points - last.points, nowMs)
  )
  // Behind a clock that was set back the last poll lies ahead.
  return Math.min(longestPauseMs, interval, Math.max(0, last.startedAtMs + interval - nowMs))
}

/** Whether there is so much left of all that is known that polls come as the workflow asks; false while nothing is known. */
export const isComfortable = ({ complexity, requests }: Budget): boolean => {
  const known = [requests, complexity].filter((allowance) => allowance !== null)
  return known.length > 0 && known.every(({ limit, remaining }) => remaining >= comfortableShare * limit)
}

/** What is left, for a message. */
export const describe = ({ complexity, requests }: Budget): string => {
  const parts = [
    requests === null ? null : `${requests.remaining} of ${requests.limit} requests`,
    complexity === null ? null : `${complexity.remaining} of ${complexity.limit} points`
  ]
  return parts.filter((part) => part !== null).join(" and ")
}
