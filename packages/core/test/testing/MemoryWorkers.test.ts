import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { IssueId, RunId } from "../../src/domain/Ids.ts"
import * as Issue from "../../src/domain/Issue.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import * as Usage from "../../src/domain/Usage.ts"
import { LaunchTimedOut, TurnVerdict, type WorkerRequest, type WorkerUpdate } from "../../src/ports/WorkerBackend.ts"
import * as MemoryWorkers from "../../src/testing/MemoryWorkers.ts"

const runId = RunId("run-1")
const issue = Issue.make({ id: IssueId("1"), identifier: "ABC-1", title: "A title", state: "Todo" })
const succeeded = Outcome.Succeeded({ summary: null })

const request = (overrides: Partial<WorkerRequest> = {}): WorkerRequest => ({
  runId,
  issue,
  attempt: null,
  maxTurns: 2,
  workspace: { issueId: issue.id, identifier: issue.identifier, key: "ABC-1", path: "/workspaces/ABC-1" },
  betweenTurns: () => Effect.succeed(TurnVerdict.Continue({ issue })),
  ...overrides
})

/** Workers with one run under way, and all that they report. */
const running = Effect.fnUntraced(function* (options?: MemoryWorkers.Options) {
  const workers = yield* MemoryWorkers.make(options)
  const updates: Array<WorkerUpdate> = []
  yield* workers.service.updates.pipe(
    Stream.runForEach((update) => Effect.sync(() => updates.push(update))),
    Effect.forkScoped
  )
  yield* workers.service.startWorker(request())
  return { workers, updates }
})

const settle = Effect.gen(function* () {
  for (let step = 0; step < 50; step++) yield* Effect.yieldNow
})

describe("MemoryWorkers", () => {
  it.effect("record launches and begin the first turn", () =>
    Effect.gen(function* () {
      const { updates, workers } = yield* running()
      yield* settle
      assert.strictEqual((yield* workers.launches.calls)[0]?.runId, runId)
      assert.deepStrictEqual(updates, [{ _tag: "TurnStarted", runId, turn: 1 }])
    })
  )

  it.effect("fail launches as scripted, without an update", () =>
    Effect.gen(function* () {
      const workers = yield* MemoryWorkers.make()
      const error = new LaunchTimedOut({ runId, message: "too slow" })
      yield* workers.script.add({ operation: "startWorker", behaviour: { _tag: "Fail", error } })
      assert.strictEqual(yield* Effect.flip(workers.service.startWorker(request())), error)
      assert.deepStrictEqual(yield* workers.live, [])
    })
  )

  it.effect("refuse an id that is live", () =>
    Effect.gen(function* () {
      const { workers } = yield* running()
      const error = yield* Effect.flip(workers.service.startWorker(request()))
      assert.strictEqual(error._tag, "LaunchFailed")
    })
  )

  it.effect("finish a run with its usage, once", () =>
    Effect.gen(function* () {
      const { updates, workers } = yield* running()
      const usage = { ...Usage.zero, inputTokens: 5 }
      yield* workers.sessionUpdated(runId, null, usage)
      yield* workers.finish(runId, succeeded)
      yield* workers.finish(runId, succeeded)
      yield* settle
      assert.deepStrictEqual(
        updates.filter((update) => update._tag === "Finished"),
        [{ _tag: "Finished", runId, outcome: succeeded, usage }]
      )
    })
  )

  it.effect("ask between turns and begin the next one", () =>
    Effect.gen(function* () {
      const { updates, workers } = yield* running()
      assert.strictEqual((yield* workers.turnCompleted(runId))._tag, "Continue")
      yield* settle
      assert.deepStrictEqual(updates.at(-1), { _tag: "TurnStarted", runId, turn: 2 } as WorkerUpdate)
    })
  )

  it.effect("do not ask after the last allowed turn", () =>
    Effect.gen(function* () {
      const { workers } = yield* running()
      yield* workers.turnCompleted(runId)
      assert.deepInclude(yield* workers.turnCompleted(runId), { _tag: "Stop", reason: "the last allowed turn" })
    })
  )

  it.effect("confirm a stop with the end of the run", () =>
    Effect.gen(function* () {
      const { updates, workers } = yield* running()
      assert.strictEqual(yield* workers.service.abortWorker(runId, "closed"), "confirmed")
      yield* settle
      assert.deepInclude(updates.at(-1), { outcome: Outcome.Cancelled({ reason: "closed" }) })
    })
  )

  it.effect("leave a run alone whose stop they do not confirm, until it ends", () =>
    Effect.gen(function* () {
      const { updates, workers } = yield* running()
      yield* workers.setStop("unconfirmed")
      assert.strictEqual(yield* workers.service.abortWorker(runId, "closed"), "unconfirmed")
      assert.strictEqual((yield* workers.live).length, 1)
      yield* workers.finish(runId, Outcome.Cancelled({ reason: "closed" }))
      yield* settle
      assert.strictEqual(updates.at(-1)?._tag, "Finished")
    })
  )

  it.effect("can leave a stop without an answer until the run ends", () =>
    Effect.gen(function* () {
      const { workers } = yield* running()
      yield* workers.setStop("never")
      const abort = yield* Effect.forkChild(workers.service.abortWorker(runId, "closed"))
      yield* settle
      assert.isUndefined(abort.pollUnsafe())
      yield* workers.finish(runId, succeeded)
      assert.strictEqual(yield* Fiber.join(abort), "confirmed")
    })
  )

  it.effect("take an unknown run for stopped", () =>
    Effect.gen(function* () {
      const workers = yield* MemoryWorkers.make()
      assert.strictEqual(yield* workers.service.abortWorker(runId, "x"), "confirmed")
    })
  )

  it.effect("can finish every run by themselves", () =>
    Effect.gen(function* () {
      const { updates, workers } = yield* running({ autoFinish: () => succeeded })
      yield* settle
      assert.strictEqual(updates.at(-1)?._tag, "Finished")
      assert.deepStrictEqual(yield* workers.live, [])
    })
  )
})
