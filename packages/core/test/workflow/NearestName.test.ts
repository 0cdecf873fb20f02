import { assert, describe, it } from "@effect/vitest"
import { nearestName } from "../../src/workflow/NearestName.ts"

const known = ["tracker", "agent", "kind", "max_turns", "interval_ms"]

describe("the nearest name", () => {
  const cases: ReadonlyArray<readonly [string, string | null]> = [
    ["agnet", "agent"],
    ["Agent", "agent"],
    ["agents", "agent"],
    ["knid", "kind"],
    ["maxTurns", "max_turns"],
    ["interval", "interval_ms"],
    ["trakcer", "tracker"],
    ["colour", null],
    ["", null],
    ["x".repeat(1_000_000), null]
  ]
  for (const [name, expected] of cases) {
    it(`of ${JSON.stringify(name.slice(0, 20))} is ${expected}`, () =>
      assert.strictEqual(nearestName(name, known), expected))
  }
})
