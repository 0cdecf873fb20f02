import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Stream } from "effect"
import { Outcome } from "../../src/domain/Outcome.ts"
import * as Policy from "../../src/domain/Policy.ts"
import * as Configuration from "../../src/orchestrator/Configuration.ts"
import * as MemoryRunStore from "../../src/orchestrator/MemoryRunStore.ts"
import * as Orchestrator from "../../src/orchestrator/Orchestrator.ts"
import { TurnResult } from "../../src/ports/AgentRuntime.ts"
import { TrackerTransportError } from "../../src/ports/TrackerBackend.ts"
import { LaunchFailed } from "../../src/ports/WorkerBackend.ts"
import { HookFailed } from "../../src/ports/WorkspaceBackend.ts"
import * as SessionWorkers from "../../src/session/SessionWorkers.ts"
import * as MemoryRuntime from "../../src/testing/MemoryRuntime.ts"
import * as MemoryTracker from "../../src/testing/MemoryTracker.ts"
import * as MemoryWorkspaces from "../../src/testing/MemoryWorkspaces.ts"
import { advance, failed, id, issue, make, settle, succeeded } from "./World.ts"

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
      yield* advance("1 second")
      assert.strictEqual(yield* world.phase("A"), "held")
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

describe("those who watch", () => {
  it.effect("get the present first, and then every change up to the last", () =>
    Effect.gen(function* () {
      const world = yield* make({ issues: [issue("A")] })
      const seen: Array<string> = []
      yield* world.orchestrator.changes.pipe(
        Stream.runForEach((snapshot) => Effect.sync(() => seen.push(snapshot.issues[0]?.phase ?? "none"))),
        Effect.forkChild
      )
      yield* settle
      assert.deepStrictEqual(seen, ["running"])
      yield* world.finish("A", failed)
      yield* advance("1 second")
      assert.strictEqual(seen.at(-1), "retry_queued")
    })
  )

  it.effect("read what is written down, in order", () =>
    Effect.gen(function* () {
      const world = yield* make()
      const seen: Array<string> = []
      yield* world.orchestrator.journal.pipe(
        Stream.runForEach(({ record }) => Effect.sync(() => seen.push(record._tag))),
        Effect.forkChild
      )
      yield* settle
      yield* world.tracker.put(issue("A"))
      yield* world.orchestrator.refresh
      yield* settle
      yield* world.finish("A", Outcome.Succeeded({ summary: "done" }))
      assert.deepStrictEqual(
        seen.filter((tag) => tag !== "IssueSaved"),
        ["RunClaimed", "RunLaunched", "RunEnded", "RetryQueued"]
      )
    })
  )

  it.effect("see a pause, a resume, and the runtime's own word", () =>
    Effect.gen(function* () {
      const world = yield* make()
      yield* world.orchestrator.pause("lunch")
      yield* settle
      assert.deepStrictEqual(yield* world.gates, ["paused"])
      yield* world.orchestrator.resume
      yield* settle
      assert.deepStrictEqual(yield* world.gates, [])
    })
  )
})

describe("idle", () => {
  it.effect("comes after a poll that began after the last run ended", () =>
    Effect.gen(function* () {
      const world = yield* make({ issues: [issue("A")] })
      const idle = yield* Effect.forkChild(world.orchestrator.idle)
      yield* advance("1 second")
      yield* world.tracker.move(id("A"), "Backlog")
      yield* world.tracker.setLatency(500)
      yield* world.finish("A", succeeded)
      yield* advance("600 millis")
      assert.isUndefined(idle.pollUnsafe())
      yield* advance("30 seconds")
      assert.isDefined(idle.pollUnsafe())
      const requests = yield* world.tracker.requests.calls
      assert.strictEqual(
        requests.findLast(({ operation }) => operation === "candidateIssues")?.operation,
        "candidateIssues"
      )
    })
  )

  it.effect("does not wait for held and blocked issues", () =>
    Effect.gen(function* () {
      const blockedBy = [{ id: id("X"), identifier: "X", state: "Todo", note: null }]
      const world = yield* make({ issues: [issue("A", { blockedBy })] })
      const idle = yield* Effect.forkChild(world.orchestrator.idle)
      yield* advance("1 second")
      assert.isDefined(idle.pollUnsafe())
    })
  )
})
