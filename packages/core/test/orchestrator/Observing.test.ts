import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type ObservedStep, StepObserver } from "../../src/orchestrator/StepObserver.ts"
import * as World from "./World.ts"

const observed = (observer: (step: ObservedStep) => void) =>
  World.make({ issues: [World.issue("A")] }).pipe(Effect.provideService(StepObserver, observer))

describe("an observer of the orchestrator", () => {
  it.effect("sees every decision, each beginning with the state that the last one left", () =>
    Effect.gen(function* () {
      const steps: Array<ObservedStep> = []
      yield* observed((step) => steps.push(step))
      yield* World.advance("1 minute")
      assert.strictEqual(steps[0]?.event._tag, "Started")
      assert.includeMembers(
        steps.flatMap(({ commands }) => commands.map(({ _tag }) => _tag)),
        ["PollCandidates", "PrepareWorkspace", "LaunchRun"]
      )
      for (const [index, step] of steps.entries()) {
        if (index > 0) assert.strictEqual(step.before, steps[index - 1]?.after)
      }
    }).pipe(Effect.scoped)
  )

  it.effect("cannot disturb it", () =>
    Effect.gen(function* () {
      const world = yield* observed(() => {
        throw new Error("an observer with a bug")
      })
      yield* World.advance("1 minute")
      assert.deepStrictEqual(yield* world.working, ["A"])
    }).pipe(Effect.scoped)
  )
})
