import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { endGroup } from "../../src/process/ProcessProbe.ts"

/** A group that ends the given time after a signal; a signal that it does not name never ends it. */
const group = (endsAfterMs: { readonly SIGTERM?: number; readonly SIGKILL?: number }) => {
  const signals: Array<readonly [number, string]> = []
  let goneAt = Number.POSITIVE_INFINITY
  return {
    signals,
    groupAlive: () => Effect.map(Clock.currentTimeMillis, (now) => now < goneAt),
    signalGroup: (_: number, signal: "SIGTERM" | "SIGKILL") =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        signals.push([now, signal])
        goneAt = Math.min(goneAt, now + (endsAfterMs[signal] ?? Number.POSITIVE_INFINITY))
      })
  }
}

const end = (probe: ReturnType<typeof group>, killAfterMs: number, timeoutMs: number) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(endGroup(probe)(42, { killAfterMs, timeoutMs }))
    yield* TestClock.adjust(timeoutMs)
    return yield* Fiber.join(fiber)
  })

describe("ending a group", () => {
  it.effect("sends TERM only, when that suffices", () =>
    Effect.gen(function* () {
      const probe = group({ SIGTERM: 900 })
      assert.isTrue(yield* end(probe, 1_000, 3_000))
      assert.deepStrictEqual(probe.signals, [[0, "SIGTERM"]])
    })
  )

  it.effect("sends KILL when TERM was ignored for the given time", () =>
    Effect.gen(function* () {
      const probe = group({ SIGKILL: 100 })
      assert.isTrue(yield* end(probe, 1_000, 3_000))
      assert.deepStrictEqual(probe.signals, [
        [0, "SIGTERM"],
        [1_000, "SIGKILL"]
      ])
    })
  )

  it.effect("gives up at the time limit", () =>
    Effect.gen(function* () {
      assert.isFalse(yield* end(group({}), 1_000, 3_000))
    })
  )

  it.effect("sends KILL within the time limit, however late it is due", () =>
    Effect.gen(function* () {
      const probe = group({ SIGKILL: 0 })
      assert.isTrue(yield* end(probe, 9_000, 3_000))
      assert.deepStrictEqual(probe.signals.at(-1), [3_000, "SIGKILL"])
    })
  )

  it.effect("signals nobody when the group is gone already", () =>
    Effect.gen(function* () {
      const probe = { ...group({}), groupAlive: () => Effect.succeed(false) }
      assert.isTrue(yield* end(probe, 1_000, 3_000))
      assert.deepStrictEqual(probe.signals, [])
    })
  )
})
