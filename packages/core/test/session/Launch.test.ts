import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Result } from "effect"
import { TestClock } from "effect/testing"
import { IssueId, RunId, SessionId } from "../../src/domain/Ids.ts"
import * as Issue from "../../src/domain/Issue.ts"
import { RuntimeError } from "../../src/ports/AgentRuntime.ts"
import { startWorkers, WorkerBackend } from "../../src/ports/WorkerBackend.ts"
import { completed, finished, issue, make, settle } from "./World.ts"

const down = new RuntimeError({ message: "the server does not answer", unavailable: true })
const refused = new RuntimeError({ message: "the command is not executable", unavailable: false })
const forever = () => Effect.never

describe("launch", () => {
  it.effect("is reported once the agent has its first prompt", () =>
    Effect.gen(function* () {
      const world = yield* make(forever)
      const launch = yield* world.workers.startWorker(yield* world.request())
      yield* settle
      assert.deepStrictEqual(launch, { runId: RunId("run-1"), session: null })
      assert.deepStrictEqual(
        world.updates.map((update) => update._tag),
        ["TurnStarted"]
      )
      assert.deepStrictEqual(yield* world.runtime.working, [RunId("run-1")])
    })
  )

  it.effect("names the session that it resumes", () =>
    Effect.gen(function* () {
      const world = yield* make(forever)
      const request = yield* world.request()
      yield* world.workspaces.service.writeSession(request.workspace, SessionId("s-7"))
      const launch = yield* world.workers.startWorker(request)
      assert.strictEqual(launch.session, SessionId("s-7"))
    })
  )

  it.effect("is reported although the run ends at once", () =>
    Effect.gen(function* () {
      const world = yield* make(() => Effect.succeed(completed))
      const launch = yield* world.workers.startWorker(yield* world.request())
      assert.strictEqual(launch.runId, RunId("run-1"))
      assert.strictEqual((yield* finished(world)).outcome._tag, "Succeeded")
    })
  )

  it.effect("fails with the runtime's reason", () =>
    Effect.gen(function* () {
      const world = yield* make(forever)
      yield* world.runtime.script.add({ operation: "openSession", behaviour: { _tag: "Fail", error: refused } })
      const error = yield* Effect.flip(world.workers.startWorker(yield* world.request()))
      assert.deepInclude(error, { _tag: "LaunchFailed", unavailable: false, runId: RunId("run-1") })
      assert.include(error.message, "the command is not executable")
    })
  )

  it.effect("says when the runtime is down", () =>
    Effect.gen(function* () {
      const world = yield* make(forever)
      yield* world.runtime.script.add({ operation: "openSession", behaviour: { _tag: "Fail", error: down } })
      const error = yield* Effect.flip(world.workers.startWorker(yield* world.request()))
      assert.deepInclude(error, { _tag: "LaunchFailed", unavailable: true })
    })
  )

  it.effect("fails when the prompt cannot be rendered, without opening a session", () =>
    Effect.gen(function* () {
      const world = yield* make(forever, { renderPrompt: () => Effect.fail({ message: "unknown variable `x`" }) })
      const error = yield* Effect.flip(world.workers.startWorker(yield* world.request()))
      assert.deepInclude(error, { _tag: "LaunchFailed", unavailable: false })
      assert.include(error.message, "unknown variable `x`")
      assert.strictEqual(yield* world.runtime.turns.total, 0)
    })
  )

  it.effect("tells a bug from a failure", () =>
    Effect.gen(function* () {
      const world = yield* make(forever, {
        renderPrompt: () => Effect.die(new TypeError("undefined is not a function"))
      })
      const error = yield* Effect.flip(world.workers.startWorker(yield* world.request()))
      assert.strictEqual(error._tag, "WorkerDefect")
      assert.include(error.message, "TypeError: undefined is not a function")
    })
  )

  it.effect("that fails leaves no session and no update", () =>
    Effect.gen(function* () {
      const world = yield* make(forever)
      yield* world.runtime.script.add({ operation: "openSession", behaviour: { _tag: "Fail", error: refused } })
      yield* Effect.flip(world.workers.startWorker(yield* world.request()))
      yield* settle
      assert.deepStrictEqual(yield* world.runtime.open, [])
      assert.deepStrictEqual(world.updates, [])
    })
  )

  it.effect("that failed can be tried again under the same id", () =>
    Effect.gen(function* () {
      const world = yield* make(forever)
      const rule = { operation: "openSession", behaviour: { _tag: "Fail", error: refused }, times: 1 } as const
      yield* world.runtime.script.add(rule)
      const request = yield* world.request()
      yield* Effect.flip(world.workers.startWorker(request))
      assert.strictEqual((yield* world.workers.startWorker(request)).runId, request.runId)
    })
  )

  it.effect("refuses an id that a live run has", () =>
    Effect.gen(function* () {
      const world = yield* make(forever)
      const request = yield* world.request()
      yield* world.workers.startWorker(request)
      const error = yield* Effect.flip(world.workers.startWorker(request))
      yield* settle
      assert.strictEqual(error._tag, "LaunchFailed")
      assert.strictEqual(yield* world.runtime.turns.total, 1)
    })
  )

  it.effect("ends early when the run is aborted before it is under way", () =>
    Effect.gen(function* () {
      const world = yield* make(forever)
      yield* world.runtime.script.add({ operation: "openSession", behaviour: { _tag: "Hang" } })
      const request = yield* world.request()
      const launching = yield* Effect.forkChild(Effect.flip(world.workers.startWorker(request)))
      yield* settle
      assert.strictEqual(yield* world.workers.abortWorker(request.runId, "not needed"), "confirmed")
      const error = yield* Fiber.join(launching)
      assert.strictEqual(error._tag, "EndedBeforeLaunch")
      assert.include(error.message, "not needed")
      assert.deepStrictEqual(world.updates, [])
    })
  )

  it.effect("that its caller gives up leaves nothing behind", () =>
    Effect.gen(function* () {
      const world = yield* make(forever)
      yield* world.runtime.script.add({ operation: "openSession", behaviour: { _tag: "Hang" }, times: 1 })
      const request = yield* world.request()
      const launching = yield* Effect.forkChild(Effect.timeoutOption(world.workers.startWorker(request), "60 seconds"))
      yield* TestClock.adjust("60 seconds")
      assert.isTrue(Exit.isSuccess(yield* Fiber.await(launching)))
      assert.deepStrictEqual(yield* world.runtime.open, [])
      assert.strictEqual((yield* world.workers.startWorker(request)).runId, request.runId)
    })
  )

  it.effect("that its caller gives up hands nothing to an agent that becomes ready later", () =>
    Effect.gen(function* () {
      const world = yield* make(forever, { beforeOpen: Effect.uninterruptible(Effect.sleep("80 seconds")) })
      const launch = world.workers.startWorker(yield* world.request())
      yield* Effect.forkChild(Effect.timeoutOption(launch, "60 seconds"))
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(yield* world.runtime.turns.total, 0)
      assert.deepStrictEqual(yield* world.runtime.open, [])
      assert.deepStrictEqual(world.updates, [])
    })
  )

  it.effect("that its caller gives up hands nothing to an agent that could not be stopped", () =>
    Effect.gen(function* () {
      const world = yield* make(forever, { session: SessionId("s-1") })
      yield* world.runtime.setStop("unconfirmed")
      yield* world.workspaces.script.add({ operation: "writeSession", behaviour: { _tag: "Delay", millis: 80_000 } })
      const launch = world.workers.startWorker(yield* world.request())
      yield* Effect.forkChild(Effect.timeoutOption(launch, "60 seconds"))
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(yield* world.runtime.turns.total, 0)
      assert.deepStrictEqual(world.updates, [])
    })
  )

  it.effect("comes back in the order of the requests, one failure never touching another", () =>
    Effect.gen(function* () {
      const world = yield* make(forever)
      const issues = ["1", "2", "3"].map((id) => Issue.make({ ...issue, id: IssueId(id), identifier: `ABC-${id}` }))
      const [first, second] = issues.map(({ id }) => id)
      yield* world.runtime.script.add({
        operation: "openSession",
        issueId: first!,
        behaviour: { _tag: "Delay", millis: 5_000 }
      })
      yield* world.runtime.script.add({
        operation: "openSession",
        issueId: second!,
        behaviour: { _tag: "Fail", error: refused }
      })
      const requests = yield* Effect.forEach(issues, (issue) =>
        world.request({ issue, runId: RunId(`run-${issue.id}`) })
      )
      const launching = yield* startWorkers(requests).pipe(
        Effect.provideService(WorkerBackend, world.workers),
        Effect.forkChild
      )
      yield* settle
      assert.deepStrictEqual(yield* world.runtime.working, [RunId("run-3")])
      yield* TestClock.adjust("5 seconds")
      const results = yield* Fiber.join(launching)
      assert.deepStrictEqual(
        results.map((result) => (Result.isSuccess(result) ? result.success.runId : result.failure._tag)),
        [RunId("run-1"), "LaunchFailed", RunId("run-3")]
      )
    })
  )
})
