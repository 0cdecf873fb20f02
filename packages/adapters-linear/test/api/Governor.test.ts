import { assert, describe, it } from "@effect/vitest"
import type { Allowance } from "../../src/api/Budget.ts"
import * as Governor from "../../src/api/Governor.ts"
import { type Purpose, purposes } from "../../src/api/Operation.ts"
import type { RateFacts } from "../../src/api/RateHeaders.ts"

const now = 1_780_000_000_000
const hour = 3_600_000
const minute = 60_000

const allowance = (remaining: number, resetAtMs: number | null = now + hour): Allowance => ({
  limit: 1_000,
  remaining,
  resetAtMs
})

const facts = (over: Partial<RateFacts> = {}): RateFacts => ({
  requests: null,
  complexity: null,
  endpoint: null,
  points: null,
  retryAfterMs: null,
  ...over
})

/** A governor that had one answer. */
const after = (learned: RateFacts, limited = false): Governor.Governor => {
  const governor = Governor.make()
  governor.sent("candidates")
  governor.settled("candidates", learned, limited, now)
  return governor
}

const admitted = (governor: Governor.Governor, atMs = now): ReadonlyArray<Purpose> =>
  purposes.filter((purpose) => governor.admit(purpose, atMs)._tag === "Go")

describe("Governor", () => {
  it("lets everything pass while it knows nothing", () => {
    assert.deepStrictEqual(admitted(Governor.make()), purposes)
  })

  it.each<[remaining: number, who: ReadonlyArray<Purpose>]>([
    [401, ["refresh", "candidates", "tools", "cosmetics"]],
    [400, ["refresh", "candidates", "tools"]],
    [150, ["refresh", "candidates"]],
    [50, ["refresh"]],
    [1, ["refresh"]]
  ])("keeps the last %i of 1000 requests for the more important purposes", (remaining, who) => {
    assert.deepStrictEqual(admitted(after(facts({ requests: allowance(remaining) }))), who)
    assert.deepStrictEqual(admitted(after(facts({ complexity: allowance(remaining) }))), who)
  })

  it("counts what is under way against the rest", () => {
    const governor = after(facts({ requests: allowance(152) }))
    governor.sent("tools")
    assert.include(admitted(governor), "tools")
    governor.sent("tools")
    assert.notInclude(admitted(governor), "tools")
    governor.lost()
    assert.include(admitted(governor), "tools")
  })

  it("lets one pass after a minute, to see what is true now, and the next after another", () => {
    const governor = after(facts({ requests: allowance(10) }))
    assert.notInclude(admitted(governor, now + minute - 1), "tools")
    assert.strictEqual(governor.admit("tools", now + minute)._tag, "Go")
    assert.strictEqual(governor.admit("tools", now + minute)._tag, "Wait")
  })

  it("believes nothing any more after the reset", () => {
    const governor = after(facts({ requests: allowance(10, now + 1_000) }))
    assert.deepStrictEqual(admitted(governor, now + 1_000), purposes)
    assert.strictEqual(governor.budget(now + 1_000).requests, null)
  })

  it("closes for everything until the reset when nothing remains", () => {
    const governor = after(facts({ requests: allowance(0, now + 5 * minute) }))
    assert.strictEqual(governor.budget(now).closedUntilMs, now + 5 * minute)
    assert.deepStrictEqual(admitted(governor, now + 5 * minute - 1), [])
    assert.deepStrictEqual(admitted(governor, now + 5 * minute), purposes)
  })

  it("does not close for a reset while something remains", () => {
    assert.strictEqual(after(facts({ requests: allowance(900, now + minute) })).budget(now).closedUntilMs, null)
  })

  it("closes at most ten minutes before it looks again", () => {
    const governor = after(facts({ requests: allowance(0, now + hour) }), true)
    assert.strictEqual(governor.budget(now).closedUntilMs, now + 10 * minute)
  })

  it("closes for a minute after a refusal that names no instant, then twice as long each time", () => {
    const governor = Governor.make()
    let at = now
    for (const minutes of [1, 2, 4, 8, 10, 10]) {
      assert.strictEqual(governor.settled("tools", facts(), true, at), at + minutes * minute)
      at += minutes * minute
    }
    governor.settled("tools", facts(), false, at)
    assert.strictEqual(governor.settled("tools", facts(), true, at), at + minute)
  })

  it("takes refusals of what was under way together for one", () => {
    const governor = Governor.make()
    const closedUntilMs = governor.settled("tools", facts(), true, now)
    assert.strictEqual(governor.settled("tools", facts(), true, now + 10), closedUntilMs)
    assert.strictEqual(governor.settled("tools", facts(), true, now + minute), now + 3 * minute)
  })

  it("closes for longer each time that it is refused at the instant which was named", () => {
    const governor = Governor.make()
    let at = now
    for (const seconds of [1, 2, 4, 8, 16]) {
      assert.strictEqual(governor.settled("tools", facts({ retryAfterMs: 1_000 }), true, at), at + seconds * 1_000)
      at += seconds * 1_000
    }
  })

  it("forgets what it knows when the clock is set back", () => {
    const governor = after(facts({ requests: allowance(0) }), true)
    assert.deepStrictEqual(admitted(governor, now - 2 * hour), purposes)
    assert.strictEqual(governor.budget(now - 2 * hour).closedUntilMs, null)
  })

  it("stays closed when the clock is corrected by a little", () => {
    const governor = after(facts({ requests: allowance(0) }), true)
    assert.deepStrictEqual(admitted(governor, now - 1_000), [])
  })

  it("stays open for the others when one endpoint has its own limit", () => {
    const limited = facts({ requests: allowance(900), endpoint: { limit: 30, remaining: 0, resetAtMs: now + minute } })
    assert.deepStrictEqual(admitted(after(limited, true)), purposes)
  })

  it("counts requests and points by purpose", () => {
    const governor = after(facts({ points: 86 }))
    governor.sent("tools")
    governor.lost()
    const { spent } = governor.budget(now)
    assert.deepStrictEqual(spent.candidates, { requests: 1, complexity: 86 })
    assert.deepStrictEqual(spent.tools, { requests: 1, complexity: 0 })
  })
})
