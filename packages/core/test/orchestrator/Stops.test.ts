import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { advance, failed, id, issue, make, settle } from "./World.ts"

describe("stops", () => {
  it.effect("reach an agent whose worker floods the orchestrator", () =>
    Effect.gen(function* () {
      const world = yield* make({ issues: [issue("A"), issue("B")] })
      const noisy = yield* world.runOf("A")
      yield* Effect.forkChild(Effect.forever(Effect.andThen(world.workers.activity(noisy), Effect.yieldNow)))
      yield* settle
      yield* world.orchestrator.hold(id("B"), "")
      yield* settle
      assert.deepStrictEqual(yield* world.working, ["A"])
      const before = (yield* world.orchestrator.current).state
      for (let round = 0; round < 20; round++) yield* settle
      assert.strictEqual((yield* world.orchestrator.current).state, before)
    })
  )

  it.effect("let what the agent reported last count", () =>
    Effect.gen(function* () {
      const world = yield* make({ issues: [issue("A")] })
      const runId = yield* world.runOf("A")
      const usage = { inputTokens: 7, outputTokens: 0, cacheReadTokens: 0, costUsd: 0 }
      yield* world.workers.sessionUpdated(runId, null, usage)
      yield* world.orchestrator.hold(id("A"), "")
      yield* settle
      assert.strictEqual((yield* world.view("A")).usage.inputTokens, 7)
    })
  )

  it.effect("that nobody confirms hold the issue, until the late end of the run", () =>
    Effect.gen(function* () {
      const world = yield* make({ policy: { stallTimeoutMs: 10_000 }, issues: [issue("A")] })
      const runId = yield* world.runOf("A")
      yield* world.workers.setStop("unconfirmed")
      yield* advance("41 seconds", 1_000)
      assert.strictEqual(yield* world.phase("A"), "held")
      assert.strictEqual((yield* world.orchestrator.snapshot).slots.taken, 0)
      yield* world.workers.finish(runId, failed)
      yield* settle
      assert.strictEqual((yield* world.workspaces.contents(id("A")))?.lastOutcome?._tag, "Failed")
      assert.deepStrictEqual(yield* world.working, ["A"])
    })
  )

  it.effect("of a preparation end it, also its hook, and the slot is free", () =>
    Effect.gen(function* () {
      const world = yield* make({ policy: { maxConcurrentAgents: 1 } })
      yield* world.workspaces.script.add({ operation: "startRun", issueId: id("A"), behaviour: { _tag: "Hang" } })
      for (const name of ["A", "B"]) yield* world.tracker.put(issue(name))
      yield* world.orchestrator.refresh
      yield* settle
      assert.strictEqual(yield* world.phase("A"), "claimed")
      yield* world.orchestrator.hold(id("A"), "")
      yield* settle
      assert.strictEqual(yield* world.phase("A"), "held")
      assert.deepStrictEqual(yield* world.working, ["B"])
    })
  )

  it.effect("of a launch end it, and the slot is free", () =>
    Effect.gen(function* () {
      const world = yield* make({ policy: { maxConcurrentAgents: 1 } })
      yield* world.workers.script.add({ operation: "startWorker", issueId: id("A"), behaviour: { _tag: "Hang" } })
      for (const name of ["A", "B"]) yield* world.tracker.put(issue(name))
      yield* world.orchestrator.refresh
      yield* settle
      yield* world.orchestrator.hold(id("A"), "")
      yield* settle
      assert.strictEqual(yield* world.phase("A"), "held")
      assert.deepStrictEqual(yield* world.working, ["B"])
    })
  )
})
