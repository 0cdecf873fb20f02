/** Every request that reached the API, with what became of it. Keys and tokens are not kept. */
import type { Complexity } from "./Complexity.ts"
import type { FaultKind } from "./Faults.ts"

export interface LoggedRequest {
  /** Counts from 1. */
  readonly id: number
  /** Milliseconds since 1970, by the server's clock. */
  readonly at: number
  readonly operation: string | null
  readonly type: string | null
  readonly query: string
  readonly variables: Readonly<Record<string, unknown>>
  /** Without `authorization`. */
  readonly headers: Readonly<Record<string, string>>
  /** What the client said that the request is for, in the header `x-opensymphony-purpose`. */
  readonly purpose: string | null
  /** Null until there is an answer, and where none is given. */
  readonly status: number | null
  readonly complexity: Complexity | null
  /** `code` of each error of the answer. */
  readonly errors: ReadonlyArray<string>
  readonly fault: FaultKind | null
  /** Whether the client went away before it had the answer. */
  readonly abandoned: boolean
}

export interface Counters {
  /** Requests that took from the budget, and those that were refused before. */
  readonly requests: number
  readonly rateLimited: number
  readonly failed: number
  readonly complexity: Complexity
  readonly byOperation: Readonly<Record<string, number>>
}

export interface RequestLog {
  readonly begin: (request: Pick<LoggedRequest, "at" | "query" | "variables" | "headers">) => number
  readonly amend: (id: number, facts: Partial<Omit<LoggedRequest, "id">>) => void
  /** The latest of them, oldest first. */
  readonly requests: () => ReadonlyArray<LoggedRequest>
  /** Over all requests, also those that the log has dropped. */
  readonly counters: () => Counters
  readonly clear: () => void
}

/** Keeps the latest so many requests. */
export const capacity = 20_000

const zero: Counters = {
  requests: 0,
  rateLimited: 0,
  failed: 0,
  complexity: { documented: 0, observed: 0 },
  byOperation: {}
}

export function make(): RequestLog {
  const kept = new Map<number, LoggedRequest>()
  let made = 0
  let counters = zero
  return {
    begin: (request) => {
      const id = ++made
      kept.set(id, {
        id,
        operation: null,
        type: null,
        purpose: request.headers["x-opensymphony-purpose"] ?? null,
        status: null,
        complexity: null,
        errors: [],
        fault: null,
        abandoned: false,
        ...request
      })
      counters = { ...counters, requests: counters.requests + 1 }
      const oldest = kept.keys().next().value
      if (kept.size > capacity && oldest !== undefined) kept.delete(oldest)
      return id
    },
    amend: (id, facts) => {
      const before = kept.get(id)
      if (before === undefined) return
      kept.set(id, { ...before, ...facts })
      counters = counted(counters, facts)
    },
    requests: () => [...kept.values()],
    counters: () => counters,
    clear: () => {
      kept.clear()
      counters = zero
    }
  }
}

function counted(before: Counters, facts: Partial<LoggedRequest>): Counters {
  const { complexity, errors = [], operation, status } = facts
  const name = operation === undefined ? null : (operation ?? "(unnamed)")
  return {
    ...before,
    rateLimited: before.rateLimited + (errors.includes("RATELIMITED") ? 1 : 0),
    failed: before.failed + (status != null && (status >= 400 || errors.length > 0) ? 1 : 0),
    complexity: {
      documented: before.complexity.documented + (complexity?.documented ?? 0),
      observed: before.complexity.observed + (complexity?.observed ?? 0)
    },
    byOperation:
      name === null ? before.byOperation : { ...before.byOperation, [name]: (before.byOperation[name] ?? 0) + 1 }
  }
}
