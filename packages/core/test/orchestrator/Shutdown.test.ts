import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { advance, id, issue, make, settle } from "./World.ts"

describe("a drain", () => {
  it.effect("stops what runs, closes its workspace, and returns when all has come to rest", () =>
    Effect.gen(function* () {
      const world = yield* make({ issues: [issue("A"), issue("B")] })
      const drain = yield* Effect.forkChild(world.orchestrator.drain)
      yield* settle
      assert.isDefined(drain.pollUnsafe())
      assert.deepStrictEqual(yield* world.working, [])
      const finished = (yield* world.workspaces.calls.calls).filter(({ operation }) => operation === "finishRun")
      assert.strictEqual(finished.length, 2)
      assert.strictEqual(yield* world.phase("A"), "retry_queued")
    })
  )

  it.effect("starts nothing any more", () =>
    Effect.gen(function* () {
      const world = yield* make({ policy: { maxConcurrentAgents: 1 }, issues: [issue("A"), issue("B")] })
      yield* world.orchestrator.drain
      yield* advance("120 seconds", 1_000)
      assert.deepStrictEqual((yield* world.workers.launches.calls).length, 1)
    })
  )

  it.effect("waits for hooks and for removals under way", () =>
    Effect.gen(function* () {
      const world = yield* make({ issues: [issue("A"), issue("B")] })
      const slow = { _tag: "Delay", millis: 5_000 } as const
      yield* world.workspaces.script.add({ operation: "finishRun", issueId: id("A"), behaviour: slow })
      yield* world.workspaces.script.add({ operation: "cleanupWorkspace", issueId: id("B"), behaviour: slow })
      yield* world.tracker.move(id("B"), "Done")
      yield* world.finish("B")
      const drain = yield* Effect.forkChild(world.orchestrator.drain)
      yield* advance("4900 millis")
      assert.isUndefined(drain.pollUnsafe())
      yield* advance("200 millis")
      assert.isDefined(drain.pollUnsafe())
      assert.isNull(yield* world.workspaces.contents(id("B")))
    })
  )

  it.effect("ends a preparation under way", () =>
    Effect.gen(function* () {
      const world = yield* make()
      yield* world.workspaces.script.add({ operation: "ensureWorkspace", behaviour: { _tag: "Hang" } })
      yield* world.tracker.put(issue("A"))
      yield* world.orchestrator.refresh
      yield* settle
      yield* world.orchestrator.drain
      assert.strictEqual((yield* world.orchestrator.snapshot).slots.taken, 0)
    })
  )

  it.effect("gives up after its time limit", () =>
    Effect.gen(function* () {
      const world = yield* make({ policy: { shutdownTimeoutMs: 20_000 }, issues: [issue("A")] })
      yield* world.workers.setStop("never")
      const drain = yield* Effect.forkChild(world.orchestrator.drain)
      yield* advance("19 seconds", 1_000)
      assert.isUndefined(drain.pollUnsafe())
      yield* advance("1 second")
      assert.isDefined(drain.pollUnsafe())
    })
  )
})

describe("closing the orchestrator", () => {
  it.effect("ends every preparation, and nothing is asked of the tracker any more", () =>
    Effect.gen(function* () {
      const world = yield* make({ issues: [issue("A")] })
      yield* world.close
      yield* world.tracker.requests.clear
      yield* advance("120 seconds", 1_000)
      assert.deepStrictEqual(yield* world.tracker.requests.calls, [])
    })
  )
})
