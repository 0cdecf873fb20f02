import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import * as Policy from "../../src/domain/Policy.ts"
import * as Configuration from "../../src/orchestrator/Configuration.ts"
import * as MemoryRunStore from "../../src/orchestrator/MemoryRunStore.ts"
import * as Orchestrator from "../../src/orchestrator/Orchestrator.ts"
import { TurnResult } from "../../src/ports/AgentRuntime.ts"
import { TrackerTransportError } from "../../src/ports/TrackerBackend.ts"
import * as SessionWorkers from "../../src/session/SessionWorkers.ts"
import * as MemoryRuntime from "../../src/testing/MemoryRuntime.ts"
import * as MemoryTracker from "../../src/testing/MemoryTracker.ts"
import * as MemoryWorkspaces from "../../src/testing/MemoryWorkspaces.ts"
import { advance, failed, id, issue, make } from "./World.ts"

const outage = new TrackerTransportError({ message: "unreachable" })

describe("a whole run", () => {
  it.effect("goes over two turns to Done, and its workspace is removed", () =>
    Effect.gen(function* () {
      const tracker = yield* MemoryTracker.make([issue("A")])
      const workspaces = yield* MemoryWorkspaces.make()
      const runtime = yield* MemoryRuntime.make(({ turn }) =>
        Effect.as(turn === 2 ? tracker.move(id("A"), "Done") : Effect.void, TurnResult.Completed({ summary: "did it" }))
      )
      const workers = SessionWorkers.layer({
        renderPrompt: (facts) => Effect.succeed(`work on ${facts.issue.identifier}`)
      }).pipe(Layer.provide(runtime.layer))
      const layer = Orchestrator.layer.pipe(
        Layer.provide(Configuration.layer(Policy.defaults)),
        Layer.provide(workers),
        Layer.provide([tracker.layer, workspaces.layer, MemoryRunStore.layer])
      )
      yield* Effect.gen(function* () {
        const orchestrator = yield* Orchestrator.Orchestrator
        const idle = yield* Effect.forkChild(orchestrator.idle)
        yield* advance("31 seconds")
        yield* Fiber.join(idle)
        assert.strictEqual((yield* runtime.turns.calls).length, 2)
        assert.deepStrictEqual(yield* workspaces.all, [])
        const operations = (yield* workspaces.calls.calls).map(({ operation }) => operation)
        assert.deepStrictEqual(
          operations.filter((operation) => operation !== "fingerprint" && operation !== "readSession"),
          ["recoverWorkspaces", "ensureWorkspace", "startRun", "finishRun", "cleanupWorkspace"]
        )
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("prompts a second run of an issue with its attempt", () =>
    Effect.gen(function* () {
      const world = yield* make({ issues: [issue("A")] })
      yield* world.finish("A", failed)
      yield* advance("10 seconds")
      assert.deepStrictEqual(
        (yield* world.workers.launches.calls).map(({ attempt }) => attempt),
        [null, 1]
      )
    })
  )
})

describe("a free slot", () => {
  it.effect("is filled at once, without waiting for the poll", () =>
    Effect.gen(function* () {
      const world = yield* make({ policy: { maxConcurrentAgents: 1 }, issues: [issue("A"), issue("B")] })
      yield* advance("1 second")
      yield* world.tracker.move(id("A"), "Done")
      yield* world.finish("A")
      assert.deepStrictEqual(yield* world.working, ["B"])
    })
  )

  it.effect("is filled after one read of that one issue when its last read is old", () =>
    Effect.gen(function* () {
      const world = yield* make({ policy: { maxConcurrentAgents: 1 }, issues: [issue("A"), issue("B"), issue("C")] })
      yield* advance("20 seconds")
      yield* world.tracker.move(id("A"), "Done")
      yield* world.tracker.requests.clear
      yield* world.finish("A")
      assert.deepStrictEqual(
        (yield* world.tracker.requests.calls).map(({ ids }) => ids),
        [[id("A")], [id("B")]]
      )
      assert.deepStrictEqual(yield* world.working, ["B"])
    })
  )
})

describe("turns", () => {
  it.effect("go on with the issue as it is now", () =>
    Effect.gen(function* () {
      const world = yield* make({ issues: [issue("A")] })
      yield* world.tracker.move(id("A"), "In Progress")
      const verdict = yield* world.workers.turnCompleted(yield* world.runOf("A"))
      assert.strictEqual(verdict._tag === "Continue" ? verdict.issue.state : null, "In Progress")
    })
  )

  it.effect("end when the issue has moved on", () =>
    Effect.gen(function* () {
      const world = yield* make({ issues: [issue("A")] })
      yield* world.tracker.move(id("A"), "Done")
      const verdict = yield* world.workers.turnCompleted(yield* world.runOf("A"))
      assert.strictEqual(verdict._tag, "Stop")
    })
  )

  it.effect("wait for a tracker that is down", () =>
    Effect.gen(function* () {
      const world = yield* make({ issues: [issue("A")] })
      yield* world.tracker.failWith(outage)
      const asking = yield* Effect.forkChild(world.workers.turnCompleted(yield* world.runOf("A")))
      yield* advance("5 seconds")
      assert.isUndefined(asking.pollUnsafe())
      yield* world.tracker.failWith(null)
      yield* advance("10 seconds")
      assert.strictEqual((yield* Fiber.join(asking))._tag, "Continue")
    })
  )
})
