import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Policy from "../../src/domain/Policy.ts"
import * as Backoff from "../../src/scheduler/Backoff.ts"

const counts = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5_000 }))
const limits = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100_000_000 }))
const instants = Schema.Int.check(Schema.isBetween({ minimum: -10_000_000_000, maximum: 10_000_000_000 }))

const policy = (fields: Partial<Policy.Policy>): Policy.Policy => ({ ...Policy.defaults, ...fields })
const minute = 60_000
const hour = 60 * minute

describe("the delay of a retry", () => {
  it.each([
    [1, 10_000],
    [2, 20_000],
    [3, 40_000],
    [5, 160_000],
    [6, 300_000],
    [1_000_000, 300_000]
  ])("after %i failures in a row is %i ms", (failures, delayMs) => {
    assert.strictEqual(Backoff.retryDelayMs(failures, Policy.defaults), delayMs)
  })

  it.prop(
    "never shrinks with the failures, and never exceeds its limit",
    { failures: counts, maxRetryBackoffMs: limits },
    ({ failures, maxRetryBackoffMs }) => {
      const some = policy({ maxRetryBackoffMs })
      const delayMs = Backoff.retryDelayMs(failures, some)
      assert.isAtLeast(Backoff.retryDelayMs(failures + 1, some), delayMs)
      assert.isAtMost(delayMs, maxRetryBackoffMs)
      assert.isAtLeast(delayMs, Math.min(10_000, maxRetryBackoffMs))
    }
  )

  it.prop(
    "doubles until it reaches its limit",
    { failures: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 35 })), maxRetryBackoffMs: limits },
    ({ failures, maxRetryBackoffMs }) => {
      const some = policy({ maxRetryBackoffMs })
      const next = Math.min(2 * Backoff.retryDelayMs(failures, some), maxRetryBackoffMs)
      assert.strictEqual(Backoff.retryDelayMs(failures + 1, some), next)
    }
  )
})

describe("the pause after a failure of the tracker", () => {
  it.each([
    [0, 1_000],
    [1, 1_000],
    [2, 2_000],
    [5, 16_000],
    [6, 30_000]
  ])("number %i in a row is %i ms", (failures, delayMs) => {
    assert.strictEqual(Backoff.trackerDelayMs(failures, Policy.defaults), delayMs)
  })

  it.prop(
    "never shrinks with the failures, and is never longer than a poll",
    { failures: counts, pollIntervalMs: limits },
    ({ failures, pollIntervalMs }) => {
      const some = policy({ pollIntervalMs })
      const delayMs = Backoff.trackerDelayMs(failures, some)
      assert.isAtLeast(Backoff.trackerDelayMs(failures + 1, some), delayMs)
      assert.isAtMost(delayMs, pollIntervalMs)
      assert.isAbove(delayMs, 0)
    }
  )
})

describe("a usage limit", () => {
  it.each([
    [0, minute],
    [1, 2 * minute],
    [5, 32 * minute],
    [6, hour],
    [5_000, hour]
  ])("without an instant lasts, after %i repeats, %i ms", (repeats, lastsMs) => {
    assert.strictEqual(Backoff.usageLimitMs(null, 0, repeats), lastsMs)
  })

  it("lasts until the instant it names, and a past one counts for nothing", () => {
    assert.strictEqual(Backoff.usageLimitMs(1_001, 1_000, 3), 1)
    assert.strictEqual(Backoff.usageLimitMs(1_000, 1_000, 3), 8 * minute)
    assert.strictEqual(Backoff.usageLimitMs(999, 1_000, 0), minute)
    assert.strictEqual(Backoff.usageLimitMs(null, -1_000, 0), minute)
  })

  it.prop(
    "lasts some time and at most a week; the tracker's at most an hour",
    { until: instants, wallTime: instants, repeats: counts },
    ({ repeats, until, wallTime }) => {
      for (const named of [until, null]) {
        const usageMs = Backoff.usageLimitMs(named, wallTime, repeats)
        assert.isAbove(usageMs, 0)
        assert.isAtMost(usageMs, 7 * 24 * hour)
        assert.strictEqual(Backoff.rateLimitMs(named, wallTime, repeats), Math.min(usageMs, hour))
      }
    }
  )
})

describe("the pause before a workspace is removed again", () => {
  it.each([
    [0, 10_000],
    [1, 10_000],
    [2, 20_000],
    [6, 320_000],
    [7, 600_000],
    [5_000, 600_000]
  ])("after %i attempts is %i ms", (attempts, delayMs) => {
    assert.strictEqual(Backoff.removalDelayMs(attempts), delayMs)
  })
})
