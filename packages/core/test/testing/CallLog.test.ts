import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as CallLog from "../../src/testing/CallLog.ts"

describe("CallLog", () => {
  it.effect("keeps calls in order with their time", () =>
    Effect.gen(function* () {
      const log = CallLog.makeUnsafe<{ readonly n: number }>()
      yield* log.record({ n: 1 })
      yield* TestClock.adjust("3 seconds")
      yield* log.record({ n: 2 })
      assert.deepStrictEqual(yield* log.calls, [
        { n: 1, atMs: 0 },
        { n: 2, atMs: 3_000 }
      ])
    })
  )

  it.effect("keeps the newest calls up to its capacity and counts all", () =>
    Effect.gen(function* () {
      const log = CallLog.makeUnsafe<{ readonly n: number }>(3)
      for (let n = 1; n <= 20; n++) yield* log.record({ n })
      assert.deepStrictEqual(
        (yield* log.calls).map(({ n }) => n),
        [18, 19, 20]
      )
      assert.strictEqual(yield* log.total, 20)
    })
  )
})
