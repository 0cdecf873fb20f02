/**
 * Linear's rate headers (linear.app/developers/rate-limiting), read with suspicion: any of them may be missing, and a
 * proxy or a bad clock may make nonsense of them. Resets are epoch milliseconds.
 */
import type { Allowance } from "./Budget.ts"

/** How to look a header up; the name in any case. */
export type HeaderOf = (name: string) => string | null

export interface RateFacts {
  readonly requests: Allowance | null
  readonly complexity: Allowance | null
  /** The lower limit that some endpoints have for themselves. */
  readonly endpoint: Allowance | null
  /** What this query cost. */
  readonly points: number | null
  readonly retryAfterMs: number | null
}

/** Longest time that the gate stays closed without another look: allowances fill up all the time, and a reset is when they are full. */
export const longestClosureMs = 600_000
/** The period of both allowances. */
export const windowMs = 3_600_000
/** Clocks differ; a reset a little beyond the hour is still one. */
const toleranceMs = 300_000
/** Below this a number of this century is seconds. */
const firstMillisecond = 100_000_000_000

const numberIn = (text: string | null): number | null => {
  if (text === null || text.trim() === "") return null
  const value = Number(text)
  return Number.isFinite(value) && value >= 0 ? value : null
}

/** A reset as an instant: only one that lies ahead, and no further than an hour, says anything. */
const resetIn = (text: string | null, nowMs: number): number | null => {
  const value = numberIn(text)
  if (value === null) return null
  const atMs = value < firstMillisecond ? value * 1000 : value
  return atMs <= nowMs || atMs > nowMs + windowMs + toleranceMs ? null : atMs
}

const allowance = (header: HeaderOf, prefix: string, nowMs: number): Allowance | null => {
  const limit = numberIn(header(`${prefix}-limit`))
  const remaining = numberIn(header(`${prefix}-remaining`))
  if (limit === null || limit === 0 || remaining === null) return null
  return { limit, remaining: Math.min(remaining, limit), resetAtMs: resetIn(header(`${prefix}-reset`), nowMs) }
}

/** What the headers of an answer say at `nowMs` (epoch milliseconds). */
export const read = (header: HeaderOf, nowMs: number): RateFacts => {
  const retryAfterS = numberIn(header("retry-after"))
  return {
    requests: allowance(header, "x-ratelimit-requests", nowMs),
    complexity: allowance(header, "x-ratelimit-complexity", nowMs),
    endpoint: allowance(header, "x-ratelimit-endpoint-requests", nowMs),
    points: numberIn(header("x-complexity")),
    retryAfterMs: retryAfterS === null ? null : retryAfterS * 1000
  }
}

const isEmpty = (one: Allowance | null): one is Allowance => one !== null && one.remaining < 1

/** When the last of the exhausted allowances is full again; null when none is exhausted or no reset makes sense. */
const exhaustedUntil = (allowances: ReadonlyArray<Allowance | null>): number | null => {
  const resets = allowances.filter(isEmpty).flatMap(({ resetAtMs }) => (resetAtMs === null ? [] : [resetAtMs]))
  return resets.length === 0 ? null : Math.max(...resets)
}

/** A reset counts only where nothing remains: until when the credential as a whole can ask for nothing. */
export const closedUntil = ({ complexity, requests }: RateFacts): number | null =>
  exhaustedUntil([requests, complexity])

/** Whether it is the endpoint's own limit alone that a refused request ran into. */
export const isEndpointLimit = ({ complexity, endpoint, requests }: RateFacts): boolean =>
  isEmpty(endpoint) && requests !== null && !isEmpty(requests) && !isEmpty(complexity)

/** When a refused request may be made again; null when the answer does not say. */
export const retryAt = (facts: RateFacts, nowMs: number): number | null => {
  const { complexity, endpoint, requests, retryAfterMs } = facts
  const named = exhaustedUntil([requests, complexity, endpoint])
  if (named !== null) return named
  if (retryAfterMs !== null && retryAfterMs > 0) return nowMs + retryAfterMs
  return requests?.resetAtMs ?? null
}
