import { assert, describe, it } from "@effect/vitest"
import * as UsageLimit from "../../src/session/UsageLimit.ts"

const nowMs = 1_800_000_000_000

describe("UsageLimit", () => {
  const cases: ReadonlyArray<readonly [string, number | null]> = [
    ["Rate limit reached. Please try again in 20s.", nowMs + 20_000],
    ["Please try again in 6m0s.", nowMs + 360_000],
    ["Please try again in 1h2m3.5s", nowMs + 3_723_500],
    ["try again in 430ms", nowMs + 430],
    ["Your limit resets in 2 hours and 5 minutes", nowMs + 7_500_000],
    ["Please wait 30 seconds before retrying", nowMs + 30_000],
    ["retry after 12 seconds", nowMs + 12_000],
    [`{"retry-after": "90"}`, nowMs + 90_000],
    ["usage limit reached, resets at 2031-01-01T00:00:00.000Z", 1_924_992_000_000],
    ["limit until 2031-01-01 00:00:00 UTC", 1_924_992_000_000],
    ["limit until 2031-01-01T02:00:00+02:00", 1_924_992_000_000],
    [`{"type":"usage_limit_reached","resets_at":1924992000}`, 1_924_992_000_000],
    ["You exceeded your current quota, please check your plan and billing details.", null],
    ["", null]
  ]
  for (const [text, expected] of cases) {
    it(`reads "${text}"`, () => {
      assert.strictEqual(UsageLimit.until(text, nowMs), expected)
    })
  }

  it("does not take long over a long text", () => {
    const long = `again in ${"1 s, ".repeat(100_000)}!`
    assert.isNotNull(UsageLimit.until(long, nowMs))
  })
})
