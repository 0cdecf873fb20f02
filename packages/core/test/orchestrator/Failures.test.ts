import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TrackerTransportError } from "../../src/ports/TrackerBackend.ts"
import { LaunchFailed } from "../../src/ports/WorkerBackend.ts"
import { HookFailed } from "../../src/ports/WorkspaceBackend.ts"
import { advance, failed, id, issue, make, settle } from "./World.ts"

const outage = new TrackerTransportError({ message: "unreachable" })

describe("what goes wrong with one issue", () => {
  it.effect("in its workspace is retried, and delays nobody", () =>
    Effect.gen(function* () {
      const world = yield* make()
      const error = new HookFailed({
        message: "after_create ended with 1",
        hook: "after_create",
        exitCode: 1,
        outputTail: ""
      })
      yield* world.workspaces.script.add({
        operation: "ensureWorkspace",
        issueId: id("A"),
        times: 1,
        behaviour: { _tag: "Fail", error }
      })
      for (const name of ["A", "B"]) yield* world.tracker.put(issue(name))
      yield* world.orchestrator.refresh
      yield* settle
      assert.deepStrictEqual(yield* world.working, ["B"])
      assert.include((yield* world.view("A")).reason, "after_create ended with 1")
      yield* advance("10 seconds")
      assert.deepStrictEqual(yield* world.working, ["A", "B"])
    })
  )

  it.effect("a preparation that hangs is given up after its time limit", () =>
    Effect.gen(function* () {
      const world = yield* make({ policy: { workspaceTimeoutMs: 5_000 } })
      yield* world.workspaces.script.add({
        operation: "startRun",
        issueId: id("A"),
        times: 1,
        behaviour: { _tag: "Hang" }
      })
      for (const name of ["A", "B"]) yield* world.tracker.put(issue(name))
      yield* world.orchestrator.refresh
      yield* advance("4 seconds")
      assert.strictEqual(yield* world.phase("A"), "claimed")
      assert.deepStrictEqual(yield* world.working, ["B"])
      yield* advance("1 second")
      assert.strictEqual(yield* world.phase("A"), "retry_queued")
      assert.include((yield* world.view("A")).reason, "longer than 5 s")
      assert.isNotNull((yield* world.view("A")).workspacePath)
    })
  )

  it.effect("a launch that hangs is given up after its time limit, and its agent stopped", () =>
    Effect.gen(function* () {
      const world = yield* make({ policy: { launchTimeoutMs: 5_000 } })
      yield* world.workers.script.add({
        operation: "startWorker",
        issueId: id("A"),
        times: 1,
        behaviour: { _tag: "Hang" }
      })
      for (const name of ["A", "B"]) yield* world.tracker.put(issue(name))
      yield* world.orchestrator.refresh
      yield* advance("5 seconds")
      assert.strictEqual(yield* world.phase("A"), "retry_queued")
      assert.include((yield* world.view("A")).reason, "agent.launch_timeout_ms")
      assert.strictEqual((yield* world.workers.aborts.calls).length, 1)
      assert.deepStrictEqual(yield* world.working, ["B"])
    })
  )

  it.effect("a runtime that is down closes the gate and counts nothing", () =>
    Effect.gen(function* () {
      const world = yield* make()
      const error = new LaunchFailed({ runId: "" as never, message: "no server", unavailable: true })
      yield* world.workers.script.add({ operation: "startWorker", times: 1, behaviour: { _tag: "Fail", error } })
      yield* world.tracker.put(issue("A"))
      yield* world.orchestrator.refresh
      yield* settle
      assert.deepStrictEqual(yield* world.gates, ["runtime_down"])
      yield* advance("10 seconds")
      assert.deepStrictEqual(yield* world.working, ["A"])
    })
  )

  const defect = new Error("a bug in the adapter")
  for (const operation of ["ensureWorkspace", "startRun", "fingerprint", "finishRun", "cleanupWorkspace"] as const) {
    it.effect(`a defect in ${operation} is that issue's event, and the others go on`, () =>
      Effect.gen(function* () {
        const world = yield* make()
        yield* world.workspaces.script.add({
          operation,
          issueId: id("A"),
          times: 1,
          behaviour: { _tag: "Die", defect }
        })
        for (const name of ["A", "B"]) yield* world.tracker.put(issue(name))
        yield* world.orchestrator.refresh
        yield* advance("11 seconds")
        assert.include(yield* world.working, "B")
        assert.include(yield* world.working, "A")
        yield* world.tracker.move(id("A"), "Done")
        yield* world.finish("A")
        yield* advance("31 seconds")
        assert.deepStrictEqual((yield* world.orchestrator.snapshot).slots.taken, 1)
        assert.isNull(yield* world.workspaces.contents(id("A")))
      })
    )
  }

  it.effect("a defect in the workers is that issue's event, and the others go on", () =>
    Effect.gen(function* () {
      const world = yield* make()
      yield* world.workers.script.add({
        operation: "startWorker",
        issueId: id("A"),
        times: 1,
        behaviour: { _tag: "Die", defect }
      })
      for (const name of ["A", "B"]) yield* world.tracker.put(issue(name))
      yield* world.orchestrator.refresh
      yield* settle
      assert.strictEqual(yield* world.phase("A"), "retry_queued")
      assert.include((yield* world.view("A")).reason, "a bug in the adapter")
      assert.deepStrictEqual(yield* world.working, ["B"])
    })
  )

  it.effect("an adapter that throws before it gives an effect is as harmless", () =>
    Effect.gen(function* () {
      const throwing = (): never => {
        throw defect
      }
      let broken = true
      const world = yield* make({
        issues: [issue("A")],
        backends: (backends) => ({
          ...backends,
          workers: {
            ...backends.workers,
            startWorker: (request) => (broken ? throwing() : backends.workers.startWorker(request))
          },
          workspaces: { ...backends.workspaces, finishRun: throwing }
        })
      })
      assert.strictEqual(yield* world.phase("A"), "retry_queued")
      broken = false
      yield* advance("10 seconds")
      yield* world.finish("A")
      assert.strictEqual(yield* world.phase("A"), "retry_queued")
    })
  )

  it.effect("a defect in the tracker is a failed read, and the next one counts", () =>
    Effect.gen(function* () {
      let polls = 0
      const world = yield* make({
        issues: [issue("A")],
        backends: (backends) => ({
          ...backends,
          tracker: {
            ...backends.tracker,
            candidateIssues: Effect.suspend(() => {
              polls++
              return polls === 1 ? Effect.die(defect) : backends.tracker.candidateIssues
            })
          }
        })
      })
      assert.include((yield* world.orchestrator.snapshot).tracker.error, "a bug in the adapter")
      yield* advance("1 second")
      assert.deepStrictEqual(yield* world.working, ["A"])
    })
  )

  it.effect("a tracker that never answers is given up, and asked again", () =>
    Effect.gen(function* () {
      const world = yield* make({ issues: [issue("A")] })
      yield* world.tracker.setLatency(3_600_000)
      yield* advance("331 seconds", 1_000)
      const snapshot = yield* world.orchestrator.snapshot
      assert.isFalse(snapshot.tracker.healthy)
      assert.include(snapshot.tracker.error, "took longer")
    })
  )
})

describe("a tracker outage", () => {
  it.effect("stops neither running agents nor stall checks", () =>
    Effect.gen(function* () {
      const world = yield* make({ policy: { stallTimeoutMs: 60_000 }, issues: [issue("A"), issue("B")] })
      yield* world.tracker.failWith(outage)
      const alive = yield* world.runOf("B")
      for (let passed = 0; passed < 60; passed += 20) {
        yield* advance("20 seconds", 1_000)
        yield* world.workers.activity(alive)
      }
      yield* settle
      assert.deepStrictEqual(yield* world.working, ["B"])
      assert.deepStrictEqual((yield* world.workers.aborts.calls).length, 1)
      assert.strictEqual(yield* world.phase("A"), "retry_queued")
    })
  )

  it.effect("delays a retry until the tracker answers again, and no longer", () =>
    Effect.gen(function* () {
      const world = yield* make({ issues: [issue("A")] })
      yield* world.finish("A", failed)
      yield* world.tracker.failWith(outage)
      yield* advance("15 seconds", 1_000)
      assert.include((yield* world.view("A")).reason, "unreachable")
      yield* world.tracker.failWith(null)
      yield* advance("16 seconds", 1_000)
      assert.deepStrictEqual(yield* world.working, ["A"])
    })
  )

  it.effect("keeps nobody from stopping a run", () =>
    Effect.gen(function* () {
      const world = yield* make({ issues: [issue("A")] })
      yield* world.tracker.failWith(outage)
      yield* world.orchestrator.hold(id("A"), "stop it")
      yield* settle
      assert.deepStrictEqual(yield* world.working, [])
      assert.strictEqual(yield* world.phase("A"), "held")
    })
  )
})
