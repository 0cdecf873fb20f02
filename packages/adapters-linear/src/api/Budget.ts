/** What is known about the budget of a credential: what Linear said last, and what this process spent. */
import type { Purpose } from "./Operation.ts"

/** One of Linear's two hourly allowances, as the headers of the last answer gave it. */
export interface Allowance {
  readonly limit: number
  readonly remaining: number
  /** When it is full again (epoch milliseconds); null when the header was missing or made no sense. */
  readonly resetAtMs: number | null
}

/** What this process spent on one purpose since it started. */
export interface Spent {
  readonly requests: number
  /** Points that Linear reported; answers that report none count nothing. */
  readonly complexity: number
}

export interface Budget {
  readonly requests: Allowance | null
  readonly complexity: Allowance | null
  readonly spent: { readonly [P in Purpose]: Spent }
  /** Until when nothing is sent at all (epoch milliseconds); null while requests are sent. */
  readonly closedUntilMs: number | null
}
