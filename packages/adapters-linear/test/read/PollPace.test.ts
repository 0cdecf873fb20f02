import { assert, describe, it } from "@effect/vitest"
import type { Allowance, Budget } from "../../src/LinearApi.ts"
import * as PollPace from "../../src/read/PollPace.ts"

const now = 1_780_000_000_000
const minute = 60_000

const none = { requests: 0, complexity: 0 }

/** After polls that cost `cost` requests and points since the mark below. */
const budget = (cost: number, requests: Allowance | null, complexity: Allowance | null = null): Budget => ({
  requests,
  complexity,
  spent: { refresh: none, candidates: { requests: cost, complexity: cost }, tools: none, cosmetics: none },
  closedUntilMs: null
})

const last: PollPace.PollMark = { startedAtMs: now - minute / 2, requests: 0, points: 0 }

const left = (remaining: number, resetAtMs: number | null = now + 30 * minute): Allowance => ({
  limit: 2_500,
  remaining,
  resetAtMs
})

describe("the pace of polls", () => {
  it("is the workflow's while half of the budget is left", () => {
    assert.strictEqual(PollPace.pauseMs(budget(20, left(1_250)), last, now), 0)
  })

  it("is the workflow's for the first poll, and where nothing is known", () => {
    assert.strictEqual(PollPace.pauseMs(budget(20, left(10)), null, now), 0)
    assert.strictEqual(PollPace.pauseMs(budget(20, null), last, now), 0)
    assert.strictEqual(PollPace.pauseMs(budget(20, left(10, null)), last, now), 0)
  })

  it("shares out half of what may be spent until the reset", () => {
    // (1125 - 125) / 2 = 500 requests for 30 minutes: 25 polls of 20, one every 72 s, and 30 s have passed.
    assert.closeTo(PollPace.pauseMs(budget(20, left(1_125)), last, now), 42_000, 1)
  })

  it("does not slow down a board so small that it does not matter", () => {
    assert.strictEqual(PollPace.pauseMs(budget(2, left(1_125)), last, now), 0)
  })

  it("waits no longer than one interval for a poll that lies ahead because the clock was set back", () => {
    const ahead = { ...last, startedAtMs: now + 120 * minute }
    assert.strictEqual(PollPace.pauseMs(budget(20, null), ahead, now), 0)
    assert.closeTo(PollPace.pauseMs(budget(20, left(1_125)), ahead, now), 72_000, 1)
  })

  it("minds the points as it minds the requests", () => {
    assert.closeTo(PollPace.pauseMs(budget(20, left(2_500), left(1_125)), last, now), 42_000, 1)
  })

  it("does not hold back what is refused anyway", () => {
    assert.strictEqual(PollPace.pauseMs({ ...budget(20, left(0)), closedUntilMs: now + minute }, last, now), 0)
  })

  it("is comfortable when half is left of all that is known", () => {
    assert.isTrue(PollPace.isComfortable(budget(0, left(1_250))))
    assert.isFalse(PollPace.isComfortable(budget(0, left(2_500), left(1_249))))
    assert.isFalse(PollPace.isComfortable(budget(0, null)))
  })

  it("never holds a poll back longer than the core waits for one", () => {
    assert.strictEqual(PollPace.pauseMs(budget(20, left(130)), last, now), PollPace.longestPauseMs)
    assert.isAtMost(PollPace.pauseMs(budget(20, left(0)), last, now), PollPace.longestPauseMs)
  })
})
