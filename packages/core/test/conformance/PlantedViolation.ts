/** Shows that a case can fail: plays it against a subject that breaks its rule. */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import type { ConformanceCase } from "../../src/testing/conformance/ConformanceCase.ts"
import * as VirtualTime from "../../src/testing/VirtualTime.ts"

/** By the name of a rule, how a scene that keeps it becomes one that does not. */
export type Violations<Scene> = { readonly [rule: string]: (scene: Scene) => Scene }

/** Registers a test per rule of the suite, and one that no rule is without its violation. */
export const plantAll = <Scene>(
  violations: Violations<Scene>,
  suiteOf: (plant: (scene: Scene) => Scene) => ReadonlyArray<ConformanceCase>
): void => {
  const names = suiteOf((scene) => scene).map(({ name }) => name)

  it("has a violation for every rule", () => {
    assert.deepStrictEqual(Object.keys(violations).sort(), [...names].sort())
  })

  for (const [rule, plant] of Object.entries(violations)) {
    it.effect(`notices who does not: ${rule}`, () =>
      Effect.gen(function* () {
        const cases = suiteOf(plant).filter(({ name }) => name === rule)
        assert.strictEqual(cases.length, 1)
        // A subject that keeps a case waiting shows when time is up.
        const playing = yield* Effect.forkChild(Effect.flip(Effect.all(cases.map(({ effect }) => effect))))
        yield* VirtualTime.settle
        if (playing.pollUnsafe() === undefined) yield* VirtualTime.advance("30 seconds", 500)
        const error = yield* Fiber.join(playing)
        assert.strictEqual(error.rule, rule)
        assert.isTrue(error.message.startsWith(`${rule}: expected ${error.expected}; got `))
      })
    )
  }
}
