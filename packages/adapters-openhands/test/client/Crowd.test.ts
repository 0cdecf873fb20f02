import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as Crowd from "../../src/client/Crowd.ts"

/** A crowd of those who wait that long for the same thing, and how many of them are through. */
const crowd = Effect.fnUntraced(function* (waitMs: number) {
  let through = 0
  const one = Effect.map(Crowd.dispersed(Effect.sleep(waitMs)), () => void through++)
  yield* Effect.forkChild(Effect.forEach(Array.from({ length: 200 }), () => one, { concurrency: "unbounded" }))
  return () => through
})

describe("a crowd", () => {
  it.effect("that waited long comes in over a second", () =>
    Effect.gen(function* () {
      const through = yield* crowd(5_000)
      yield* TestClock.adjust(5_100)
      assert.isBelow(through(), 60)
      yield* TestClock.adjust(900)
      assert.strictEqual(through(), 200)
    })
  )

  it.effect("that did not wait is not held up", () =>
    Effect.gen(function* () {
      const through = yield* crowd(100)
      yield* TestClock.adjust(100)
      assert.strictEqual(through(), 200)
    })
  )

  it.effect("does not look again at the same moment", () =>
    Effect.gen(function* () {
      const looks = yield* Effect.forEach(Array.from({ length: 200 }), () => Crowd.around(10_000))
      assert.isAtLeast(Math.min(...looks), 7_500)
      assert.isAtMost(Math.max(...looks), 12_500)
      for (let from = 7_500; from < 12_500; from += 1_000) {
        assert.isAbove(looks.filter((ms) => ms >= from && ms < from + 1_000).length, 10)
      }
    })
  )
})
