import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { IssueId } from "../../src/domain/Ids.ts"
import * as Script from "../../src/testing/Script.ts"

const one = IssueId("1")
const two = IssueId("2")
const make = () => Script.makeUnsafe<"read" | "write", string>()
const fail = { _tag: "Fail", error: "broken" } as const

describe("Script", () => {
  it.effect("lets everything pass without rules", () =>
    Effect.gen(function* () {
      assert.isUndefined(yield* make().play("read", one))
    })
  )

  it.effect("fails only the operation of its rule", () =>
    Effect.gen(function* () {
      const script = make()
      yield* script.add({ operation: "read", behaviour: fail })
      assert.strictEqual(yield* Effect.flip(script.play("read", one)), "broken")
      assert.isUndefined(yield* script.play("write", one))
    })
  )

  it.effect("fails only the issue of its rule", () =>
    Effect.gen(function* () {
      const script = make()
      yield* script.add({ operation: "read", behaviour: fail, issueId: one })
      assert.isUndefined(yield* script.play("read", two))
      assert.strictEqual(yield* Effect.flip(script.play("read", one)), "broken")
    })
  )

  it.effect("applies a rule as often as it says", () =>
    Effect.gen(function* () {
      const script = make()
      yield* script.add({ operation: "read", behaviour: fail, times: 2 })
      const exits = yield* Effect.forEach([1, 2, 3], () => Effect.exit(script.play("read", one)))
      assert.deepStrictEqual(exits.map(Exit.isSuccess), [false, false, true])
    })
  )

  it.effect("delays by the Clock", () =>
    Effect.gen(function* () {
      const script = make()
      yield* script.add({ operation: "read", behaviour: { _tag: "Delay", millis: 100 } })
      const playing = yield* Effect.forkChild(script.play("read", one))
      yield* TestClock.adjust("99 millis")
      assert.isUndefined(playing.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.isDefined(playing.pollUnsafe())
    })
  )

  it.effect("hangs until it is interrupted", () =>
    Effect.gen(function* () {
      const script = make()
      yield* script.add({ operation: "read", behaviour: { _tag: "Hang" } })
      const playing = yield* Effect.forkChild(script.play("read", one))
      yield* TestClock.adjust("1 hour")
      assert.isUndefined(playing.pollUnsafe())
      yield* Fiber.interrupt(playing)
    })
  )

  it.effect("lets everything pass again once cleared", () =>
    Effect.gen(function* () {
      const script = make()
      yield* script.add({ operation: "read", behaviour: fail })
      yield* script.clear
      assert.isUndefined(yield* script.play("read", one))
    })
  )
})
