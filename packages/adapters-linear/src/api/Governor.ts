/**
 * Shares the budget of one credential among all that this process asks of Linear. It learns from every answer, keeps a
 * part of each allowance for the more important purposes, and closes altogether when Linear says that it is enough.
 * It only keeps the books: who has to wait does so in {@link LinearApi}.
 */
import * as DateTime from "effect/DateTime"
import type { Allowance, Budget, Spent } from "./Budget.ts"
import { type Purpose, purposes } from "./Operation.ts"
import * as RateHeaders from "./RateHeaders.ts"

/** What of each allowance is left alone by a purpose, so that the more important ones find something. */
export const reservedShare: { readonly [P in Purpose]: number } = {
  refresh: 0,
  candidates: 0.05,
  tools: 0.15,
  cosmetics: 0.4
}

/** What Linear said is believed for so long; then one request may find out what is true now. */
const staleAfterMs = 60_000
/** When nobody says for how long. */
const firstClosureMs = 60_000
/** Whoever names an instant and then refuses again was wrong about it. */
const shortestClosureMs = 1_000
/** A clock that is corrected by more was wrong about all instants that are remembered. */
const correctionMs = 60_000

export type Admission =
  | { readonly _tag: "Go" }
  | { readonly _tag: "Wait"; readonly untilMs: number; readonly reason: string }

export interface Governor {
  /** Whether a request may be sent now. */
  readonly admit: (purpose: Purpose, nowMs: number) => Admission
  /** A request was sent; call {@link Governor.settled} or {@link Governor.lost} once for each. */
  readonly sent: (purpose: Purpose) => void
  /** Its answer came. Gives the instant until which the gate is closed because of it, null when it is not. */
  readonly settled: (purpose: Purpose, facts: RateHeaders.RateFacts, limited: boolean, nowMs: number) => number | null
  /** No answer came. */
  readonly lost: () => void
  readonly budget: (nowMs: number) => Budget
}

interface Known {
  readonly allowance: Allowance
  readonly seenAtMs: number
}

/** An instant as messages show it. */
export const shownInstant = (ms: number): string => DateTime.formatIso(DateTime.makeUnsafe(Math.round(ms)))

const go: Admission = { _tag: "Go" }

const isCurrent = ({ allowance, seenAtMs }: Known, nowMs: number): boolean =>
  nowMs < (allowance.resetAtMs ?? seenAtMs + RateHeaders.windowMs)

/** A governor that knows nothing yet. */
export const make = (): Governor => {
  let requests: Known | null = null
  let complexity: Known | null = null
  let pending = 0
  let closedUntilMs = 0
  let closures = 0
  let lastMs = 0
  const spent = Object.fromEntries(purposes.map((purpose) => [purpose, { requests: 0, complexity: 0 }])) as {
    [P in Purpose]: Spent
  }

  /** Nothing may wait for an instant that only came so far away because the clock was set back. */
  const noteTime = (nowMs: number): void => {
    if (nowMs < lastMs - correctionMs) {
      requests = null
      complexity = null
      closedUntilMs = 0
    }
    lastMs = nowMs
  }

  const shortage = (known: Known | null, what: string, purpose: Purpose, under: number, nowMs: number) => {
    if (known === null || !isCurrent(known, nowMs)) return null
    const { limit, remaining, resetAtMs } = known.allowance
    if (remaining - under > reservedShare[purpose] * limit) return null
    const staleAtMs = known.seenAtMs + staleAfterMs
    const left = `${Math.max(0, Math.floor(remaining - under))} of ${limit} ${what} an hour are left`
    return {
      untilMs: resetAtMs === null ? staleAtMs : Math.min(staleAtMs, resetAtMs),
      reason: `${left} of Linear's budget, and they are kept for what is more important than ${purpose}`
    }
  }

  const admit = (purpose: Purpose, nowMs: number): Admission => {
    noteTime(nowMs)
    if (nowMs < closedUntilMs) {
      const reason = `Linear's rate limit is reached; nothing is asked before ${shownInstant(closedUntilMs)}`
      return { _tag: "Wait", untilMs: closedUntilMs, reason }
    }
    if (reservedShare[purpose] === 0) return go
    const short =
      shortage(requests, "requests", purpose, pending, nowMs) ?? shortage(complexity, "points", purpose, 0, nowMs)
    if (short === null) return go
    if (nowMs < short.untilMs) return { _tag: "Wait", ...short }
    // One goes to see; for the others what is known is as good as new until its answer comes.
    if (requests !== null) requests = { ...requests, seenAtMs: nowMs }
    if (complexity !== null) complexity = { ...complexity, seenAtMs: nowMs }
    return go
  }

  const settled = (purpose: Purpose, facts: RateHeaders.RateFacts, limited: boolean, nowMs: number) => {
    noteTime(nowMs)
    pending = Math.max(0, pending - 1)
    if (facts.requests !== null) requests = { allowance: facts.requests, seenAtMs: nowMs }
    if (facts.complexity !== null) complexity = { allowance: facts.complexity, seenAtMs: nowMs }
    const before = spent[purpose]
    spent[purpose] = { ...before, complexity: before.complexity + (facts.points ?? 0) }
    if (!limited && nowMs >= closedUntilMs) closures = 0
    if (limited && RateHeaders.isEndpointLimit(facts)) return null
    const named = limited ? RateHeaders.retryAt(facts, nowMs) : RateHeaders.closedUntil(facts)
    if (named === null && !limited) return null
    // Answers to what was under way when the gate closed belong to the same closure.
    if (limited && nowMs >= closedUntilMs) closures += 1
    const growth = 2 ** Math.min(Math.max(0, closures - 1), 10)
    const fallback = nowMs < closedUntilMs ? closedUntilMs : nowMs + firstClosureMs * growth
    const untilMs = Math.max(named ?? fallback, nowMs + shortestClosureMs * growth)
    closedUntilMs = Math.max(closedUntilMs, Math.min(untilMs, nowMs + RateHeaders.longestClosureMs))
    return closedUntilMs
  }

  return {
    admit,
    sent: (purpose) => {
      pending += 1
      spent[purpose] = { ...spent[purpose], requests: spent[purpose].requests + 1 }
    },
    settled,
    lost: () => {
      pending = Math.max(0, pending - 1)
    },
    budget: (nowMs) => {
      noteTime(nowMs)
      return {
        requests: requests !== null && isCurrent(requests, nowMs) ? requests.allowance : null,
        complexity: complexity !== null && isCurrent(complexity, nowMs) ? complexity.allowance : null,
        spent: { ...spent },
        closedUntilMs: nowMs < closedUntilMs ? closedUntilMs : null
      }
    }
  }
}
