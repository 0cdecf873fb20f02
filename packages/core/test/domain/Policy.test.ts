import { assert, describe, it } from "@effect/vitest"
import { killAfterMs } from "../../src/domain/Policy.ts"

describe("killAfterMs", () => {
  it.each([
    [30_000, 10_000],
    [600_000, 10_000],
    [3_000, 1_000]
  ])("with a stop timeout of %d ms is %d ms", (stopTimeoutMs, expected) => {
    assert.strictEqual(killAfterMs(stopTimeoutMs), expected)
  })
})
