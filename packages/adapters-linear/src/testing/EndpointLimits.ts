/** The limits that single endpoints have beside the budgets: one bucket of requests per user and field at the top of a query. */
import * as RateLimits from "./RateLimits.ts"

export interface EndpointLimits {
  /** The field's limit from now on; null takes it away. */
  readonly set: (field: string, budget: RateLimits.Budget | null) => void
  /**
   * Takes a request out of the bucket of the first of these fields that has a limit: the headers that tell about it, and
   * whether it was allowed.
   */
  readonly spend: (
    viewerId: string,
    fields: ReadonlyArray<string>,
    now: number
  ) => { readonly isAllowed: boolean; readonly headers: Readonly<Record<string, string>> }
}

export function make(): EndpointLimits {
  const budgets = new Map<string, RateLimits.Budget>()
  const buckets = new Map<string, RateLimits.Bucket>()
  return {
    set: (field, budget) => {
      if (budget === null) budgets.delete(field)
      else budgets.set(field, budget)
      buckets.clear()
    },
    spend: (viewerId, fields, now) => {
      const field = fields.find((one) => budgets.has(one))
      const budget = field === undefined ? undefined : budgets.get(field)
      if (field === undefined || budget === undefined) return { isAllowed: true, headers: {} }
      const key = `${viewerId} ${field}`
      const bucket = RateLimits.refilled(buckets.get(key) ?? { budget, level: budget.limit, at: now }, now)
      const spent = RateLimits.spend(bucket, 1, now)
      const left = spent ?? bucket
      buckets.set(key, left)
      return {
        isAllowed: spent !== null,
        headers: { ...RateLimits.bucketHeaders("endpoint-requests", left), "x-ratelimit-endpoint-name": field }
      }
    }
  }
}
