/** The two budgets of a credential, as leaky buckets that refill continuously, and the headers that tell about them. */

export interface Budget {
  /** What the bucket holds when it is full, and what flows in per period. */
  readonly limit: number
  readonly periodMs: number
}

export interface Budgets {
  readonly requests: Budget
  readonly complexity: Budget
}

export type BudgetName = keyof Budgets

export const hour = 3_600_000

/** Those of a personal API key. */
export const defaults: Budgets = {
  requests: { limit: 2_500, periodMs: hour },
  complexity: { limit: 3_000_000, periodMs: hour }
}

export interface Bucket {
  readonly budget: Budget
  readonly level: number
  readonly at: number
}

export type Buckets = { readonly [Name in BudgetName]: Bucket }

export const full = (budgets: Budgets, now: number): Buckets => ({
  requests: { budget: budgets.requests, level: budgets.requests.limit, at: now },
  complexity: { budget: budgets.complexity, level: budgets.complexity.limit, at: now }
})

/** The bucket as it is now. */
export function refilled(bucket: Bucket, now: number): Bucket {
  const { limit, periodMs } = bucket.budget
  const flow = (Math.max(0, now - bucket.at) / periodMs) * limit
  return { ...bucket, level: Math.min(limit, bucket.level + flow), at: now }
}

/** Takes an amount out; null when there is not enough. */
export function spend(bucket: Bucket, amount: number, now: number): Bucket | null {
  const current = refilled(bucket, now)
  return current.level < amount ? null : { ...current, level: current.level - amount }
}

/** When the bucket will be full again, in milliseconds since 1970. */
export const resetAt = (bucket: Bucket): number => {
  const { limit, periodMs } = bucket.budget
  return Math.ceil(bucket.at + ((limit - bucket.level) / limit) * periodMs)
}

/** The headers that every answer has. */
export const headers = (buckets: Buckets, points: number | null): Record<string, string> => ({
  ...bucketHeaders("requests", buckets.requests),
  ...bucketHeaders("complexity", buckets.complexity),
  ...(points === null ? {} : { "x-complexity": String(points) })
})

/** Those about one bucket. */
export const bucketHeaders = (name: string, bucket: Bucket): Record<string, string> => ({
  [`x-ratelimit-${name}-limit`]: String(bucket.budget.limit),
  [`x-ratelimit-${name}-remaining`]: String(Math.floor(bucket.level)),
  [`x-ratelimit-${name}-reset`]: String(resetAt(bucket))
})

/** What the query `rateLimitStatus` tells about one budget. */
export interface RateLimitStatus {
  readonly type: string
  readonly allowedAmount: number
  readonly requestedAmount: number
  readonly remainingAmount: number
  readonly period: number
  readonly reset: number
}

export const status = (name: BudgetName, bucket: Bucket): RateLimitStatus => ({
  type: name,
  allowedAmount: bucket.budget.limit,
  requestedAmount: 0,
  remainingAmount: Math.floor(bucket.level),
  period: bucket.budget.periodMs,
  reset: resetAt(bucket)
})
