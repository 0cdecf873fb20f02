import { assert, describe, it } from "@effect/vitest"
import { Effect, Queue, type Scope, Stream } from "effect"
import * as Policy from "../../src/domain/Policy.ts"
import type { Backends } from "../../src/orchestrator/Configuration.ts"
import { RuntimeHealth } from "../../src/ports/AgentRuntime.ts"
import * as MemoryTracker from "../../src/testing/MemoryTracker.ts"
import * as MemoryWorkers from "../../src/testing/MemoryWorkers.ts"
import * as MemoryWorkspaces from "../../src/testing/MemoryWorkspaces.ts"
import { advance, failed, id, issue, make, settle } from "./World.ts"

/** A second set of adapters, and whether it is open. */
const second = Effect.fnUntraced(function* (names: ReadonlyArray<string>) {
  const tracker = yield* MemoryTracker.make(names.map((name) => issue(name)))
  const workspaces = yield* MemoryWorkspaces.make()
  const workers = yield* MemoryWorkers.make()
  const backends: Backends = {
    tracker: tracker.service,
    workspaces: workspaces.service,
    workers: workers.service,
    health: Stream.empty
  }
  const set = { tracker, workspaces, workers, opened: 0, closed: 0 }
  const open: Effect.Effect<Backends, never, Scope.Scope> = Effect.acquireRelease(
    Effect.sync(() => {
      set.opened++
      return backends
    }),
    () => Effect.sync(() => set.closed++)
  )
  return { set, open }
})

describe("a changed configuration", () => {
  it.effect("with the same adapters gives a new policy and opens nothing", () =>
    Effect.gen(function* () {
      const world = yield* make({ policy: { maxConcurrentAgents: 1 }, issues: [issue("A"), issue("B")] })
      const { open, set } = yield* second([])
      yield* world.reload({ policy: { ...Policy.defaults, maxConcurrentAgents: 2 }, open })
      assert.deepStrictEqual(yield* world.working, ["A", "B"])
      assert.strictEqual(set.opened, 0)
    })
  )

  it.effect("gives new adapters to future runs, while a live run keeps its own until it is closed", () =>
    Effect.gen(function* () {
      const world = yield* make({ policy: { maxConcurrentAgents: 2 }, issues: [issue("A")] })
      const { open, set } = yield* second(["A", "B"])
      yield* world.reload({ adapters: "second", open })
      assert.deepStrictEqual(yield* world.working, ["A"])
      assert.deepStrictEqual(
        (yield* set.workers.live).map((request) => request.issue.identifier),
        ["B"]
      )
      yield* world.finish("A", failed)
      const closed = (yield* world.workspaces.calls.calls).filter(({ operation }) => operation === "finishRun")
      assert.strictEqual(closed.length, 1)
      yield* advance("10 seconds")
      assert.strictEqual((yield* set.workers.live).length, 2)
    })
  )

  it.effect("takes no answer of the old tracker for one about the new board", () =>
    Effect.gen(function* () {
      const world = yield* make({ issues: [] })
      yield* world.tracker.put(issue("Old"))
      yield* world.tracker.setLatency(2_000)
      yield* advance("30 seconds")
      const { open, set } = yield* second(["New"])
      yield* world.reload({ adapters: "second", open })
      yield* advance("10 seconds")
      assert.deepStrictEqual(yield* world.working, [])
      assert.deepStrictEqual(
        (yield* set.workers.live).map((request) => request.issue.identifier),
        ["New"]
      )
    })
  )

  it.effect("closes old adapters once no run needs them", () =>
    Effect.gen(function* () {
      const world = yield* make()
      const [first, next] = [yield* second(["A"]), yield* second(["A"])]
      yield* world.reload({ adapters: "second", open: first.open })
      yield* advance("1 second")
      const [request] = yield* first.set.workers.live
      assert.strictEqual(request?.issue.identifier, "A")
      yield* world.reload({ adapters: "third", open: next.open })
      yield* advance("1 second")
      assert.strictEqual(first.set.closed, 0)
      if (request !== undefined) yield* first.set.workers.finish(request.runId, failed)
      yield* settle
      assert.strictEqual(first.set.closed, 1)
      assert.strictEqual(next.set.closed, 0)
    })
  )

  it.effect("closes old adapters at once when no run needs them", () =>
    Effect.gen(function* () {
      const world = yield* make()
      const [first, next] = [yield* second([]), yield* second([])]
      yield* world.reload({ adapters: "second", open: first.open })
      yield* world.reload({ adapters: "third", open: next.open })
      assert.strictEqual(first.set.closed, 1)
    })
  )

  it.effect("whose adapters cannot be built starts nothing until the next good one, and stops nothing", () =>
    Effect.gen(function* () {
      const world = yield* make({ issues: [issue("A")] })
      yield* world.reload({ adapters: "second", open: world.unbuildable })
      yield* world.tracker.put(issue("B"))
      yield* world.orchestrator.refresh
      yield* settle
      assert.deepStrictEqual(yield* world.working, ["A"])
      assert.deepStrictEqual(yield* world.gates, ["configuration"])
      assert.include((yield* world.orchestrator.snapshot).configurationProblem, "no such folder")
      yield* world.breakConfiguration("WORKFLOW.md:1: no")
      assert.deepStrictEqual(yield* world.gates, ["configuration"])
      yield* world.reload({})
      assert.deepStrictEqual(yield* world.gates, [])
      assert.deepStrictEqual(yield* world.working, ["A", "B"])
      assert.isNull((yield* world.orchestrator.snapshot).configurationProblem)
    })
  )

  it.effect("that is broken is shown, and everything goes on under the last good one", () =>
    Effect.gen(function* () {
      const world = yield* make({ issues: [issue("A")] })
      yield* world.breakConfiguration("WORKFLOW.md:3:1: polling: must be a map")
      yield* world.tracker.put(issue("B"))
      yield* world.orchestrator.refresh
      yield* settle
      assert.deepStrictEqual(yield* world.working, ["A", "B"])
      assert.include((yield* world.orchestrator.snapshot).configurationProblem, "must be a map")
      yield* world.reload({})
      assert.isNull((yield* world.orchestrator.snapshot).configurationProblem)
    })
  )

  it.effect("with other adapters forgets what the old runtime said of itself", () =>
    Effect.gen(function* () {
      const world = yield* make()
      yield* Queue.offer(world.health, RuntimeHealth.Down({ reason: "no server" }))
      yield* settle
      assert.deepStrictEqual(yield* world.gates, ["runtime_down"])
      const { open, set } = yield* second(["B"])
      yield* world.reload({ adapters: "second", open })
      assert.deepStrictEqual(yield* world.gates, [])
      assert.strictEqual((yield* set.workers.live).length, 1)
    })
  )

  it.effect("with other adapters no longer listens to the old runtime, which a live run still uses", () =>
    Effect.gen(function* () {
      const world = yield* make({ issues: [issue("A")] })
      const { open } = yield* second(["B"])
      yield* world.reload({ adapters: "second", open })
      yield* Queue.offer(world.health, RuntimeHealth.Down({ reason: "no server" }))
      yield* settle
      assert.deepStrictEqual(yield* world.gates, [])
    })
  )
})

describe("the runtime's own word", () => {
  it.effect("closes the gate and opens it again", () =>
    Effect.gen(function* () {
      const world = yield* make()
      yield* Queue.offer(world.health, RuntimeHealth.Down({ reason: "no server" }))
      yield* world.tracker.put(issue("A"))
      yield* world.orchestrator.refresh
      yield* settle
      assert.include((yield* world.view("A")).reason, "no server")
      yield* Queue.offer(world.health, RuntimeHealth.Up())
      yield* settle
      assert.deepStrictEqual(yield* world.working, ["A"])
      assert.strictEqual((yield* world.view("A")).id, id("A"))
    })
  )
})
