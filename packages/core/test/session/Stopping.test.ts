import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { IssueId, RunId } from "../../src/domain/Ids.ts"
import * as Issue from "../../src/domain/Issue.ts"
import { RuntimeError, type TurnResult } from "../../src/ports/AgentRuntime.ts"
import { TurnVerdict } from "../../src/ports/WorkerBackend.ts"
import { completed, finished, finishedOf, issue, make, settle } from "./World.ts"

const forever = () => Effect.never
const runId = RunId("run-1")

/** A world with one run under way. */
const running = Effect.fnUntraced(function* (...[agent, options]: Parameters<typeof make>) {
  const world = yield* make(agent, options)
  yield* world.workers.startWorker(yield* world.request())
  return world
})

describe("an abort", () => {
  it.effect("stops the agent and is confirmed", () =>
    Effect.gen(function* () {
      const world = yield* running(forever)
      assert.strictEqual(yield* world.workers.abortWorker(runId, "issue was closed"), "confirmed")
      assert.deepStrictEqual(yield* world.runtime.open, [])
      assert.strictEqual(yield* world.runtime.stops.total, 1)
    })
  )

  it.effect("offers the end of the run before it returns", () =>
    Effect.gen(function* () {
      const world = yield* running(forever, { listen: false })
      yield* world.workers.abortWorker(runId, "issue was closed")
      yield* world.close
      const last = (yield* Stream.runCollect(world.workers.updates)).at(-1)
      assert.deepInclude(last?._tag === "Finished" ? last.outcome : null, {
        _tag: "Cancelled",
        reason: "issue was closed"
      })
    })
  )

  it.effect("of an unknown run counts as confirmed", () =>
    Effect.gen(function* () {
      const world = yield* make(forever)
      assert.strictEqual(yield* world.workers.abortWorker(RunId("nobody"), "x"), "confirmed")
    })
  )

  it.effect("of a run that is over changes nothing", () =>
    Effect.gen(function* () {
      const world = yield* running(() => Effect.succeed(completed))
      yield* finished(world)
      assert.strictEqual(yield* world.workers.abortWorker(runId, "late"), "confirmed")
      assert.strictEqual((yield* finished(world)).outcome._tag, "Succeeded")
    })
  )

  it.effect("cancels although the stopped turn says that it failed", () =>
    Effect.gen(function* () {
      const world = yield* running(forever)
      yield* world.workers.abortWorker(runId, "operator")
      assert.deepInclude((yield* finished(world)).outcome, { _tag: "Cancelled", reason: "operator" })
    })
  )

  it.effect("between two turns ends the run", () =>
    Effect.gen(function* () {
      const world = yield* make(() => Effect.succeed(completed))
      yield* world.workers.startWorker(yield* world.request({ betweenTurns: () => Effect.never }))
      yield* settle
      assert.strictEqual(yield* world.workers.abortWorker(runId, "operator"), "confirmed")
      assert.strictEqual((yield* finished(world)).outcome._tag, "Cancelled")
    })
  )

  it.effect("shares one stop with another at the same time", () =>
    Effect.gen(function* () {
      const world = yield* running(forever)
      const results = yield* Effect.all(
        [world.workers.abortWorker(runId, "first"), world.workers.abortWorker(runId, "second")],
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(results, ["confirmed", "confirmed"])
      assert.strictEqual(yield* world.runtime.stops.total, 1)
      assert.deepInclude((yield* finished(world)).outcome, { reason: "first" })
    })
  )

  it.effect("does not touch another run", () =>
    Effect.gen(function* () {
      const world = yield* running(forever)
      const other = Issue.make({ ...issue, id: IssueId("2"), identifier: "ABC-2" })
      yield* world.workers.startWorker(yield* world.request({ issue: other, runId: RunId("run-2") }))
      yield* world.workers.abortWorker(runId, "operator")
      assert.deepStrictEqual(yield* world.runtime.working, [RunId("run-2")])
    })
  )

  it.effect("of a run whose turns are over leaves the outcome alone", () =>
    Effect.gen(function* () {
      const closing = yield* Deferred.make<void>()
      const mayClose = yield* Deferred.make<void>()
      const world = yield* make(() => Effect.succeed(completed), {
        whileClosing: Effect.andThen(Deferred.succeed(closing, undefined), Deferred.await(mayClose))
      })
      yield* world.workers.startWorker(yield* world.request())
      yield* Deferred.await(closing)
      const abort = yield* Effect.forkChild(world.workers.abortWorker(runId, "too late"))
      yield* settle
      assert.isUndefined(abort.pollUnsafe())
      yield* Deferred.succeed(mayClose, undefined)
      assert.strictEqual(yield* Fiber.join(abort), "confirmed")
      assert.strictEqual((yield* finished(world)).outcome._tag, "Succeeded")
      assert.strictEqual(yield* world.runtime.stops.total, 0)
    })
  )
})

describe("an unconfirmed stop", () => {
  /** An agent that ends when the test lets it, with what the test says. */
  const stubborn = Effect.fnUntraced(function* (options?: Parameters<typeof make>[1]) {
    const rest = yield* Deferred.make<TurnResult, RuntimeError>()
    const world = yield* running(() => Deferred.await(rest), options)
    yield* world.runtime.setStop("unconfirmed")
    return { rest, world }
  })

  it.effect("reports no end while the agent may go on", () =>
    Effect.gen(function* () {
      const { world } = yield* stubborn()
      assert.strictEqual(yield* world.workers.abortWorker(runId, "operator"), "unconfirmed")
      yield* settle
      assert.deepStrictEqual(finishedOf(world.updates), [])
      assert.deepStrictEqual(yield* world.runtime.working, [runId])
    })
  )

  it.effect("ends as cancelled when the agent comes to rest later", () =>
    Effect.gen(function* () {
      const { rest, world } = yield* stubborn()
      yield* world.workers.abortWorker(runId, "operator")
      yield* Deferred.succeed(rest, completed)
      assert.deepInclude((yield* finished(world)).outcome, { _tag: "Cancelled", reason: "operator" })
    })
  )

  it.effect("begins no further turn", () =>
    Effect.gen(function* () {
      const world = yield* make(() => Effect.succeed(completed))
      const verdict = yield* Deferred.make<TurnVerdict>()
      yield* world.workers.startWorker(yield* world.request({ betweenTurns: () => Deferred.await(verdict) }))
      yield* settle
      yield* world.runtime.setStop("unconfirmed")
      yield* world.workers.abortWorker(runId, "operator")
      yield* Deferred.succeed(verdict, TurnVerdict.Continue({ issue }))
      yield* finished(world)
      assert.strictEqual(yield* world.runtime.turns.total, 1)
    })
  )

  it.effect("is not taken for an end when only the connection breaks", () =>
    Effect.gen(function* () {
      const { rest, world } = yield* stubborn()
      yield* world.workers.abortWorker(runId, "operator")
      yield* Deferred.fail(rest, new RuntimeError({ message: "connection lost", unavailable: true }))
      yield* settle
      assert.deepStrictEqual(finishedOf(world.updates), [])
    })
  )

  it.effect("can be tried again and confirmed", () =>
    Effect.gen(function* () {
      const { world } = yield* stubborn()
      yield* world.workers.abortWorker(runId, "operator")
      yield* world.runtime.setStop("confirmed")
      assert.strictEqual(yield* world.workers.abortWorker(runId, "again"), "confirmed")
      assert.deepInclude((yield* finished(world)).outcome, { _tag: "Cancelled", reason: "operator" })
    })
  )

  it.effect("still ends the run when it is confirmed too late", () =>
    Effect.gen(function* () {
      const slow = () => Effect.onInterrupt(Effect.never, () => Effect.sleep("10 seconds"))
      const world = yield* running(slow, { stopTimeoutMs: 5_000 })
      yield* settle
      const abort = yield* Effect.forkChild(world.workers.abortWorker(runId, "operator"))
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* Fiber.join(abort), "unconfirmed")
      assert.deepStrictEqual(finishedOf(world.updates), [])
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude((yield* finished(world)).outcome, { _tag: "Cancelled", reason: "operator" })
    })
  )

  it.effect("is what a stop that dies counts as", () =>
    Effect.gen(function* () {
      const world = yield* running(forever)
      yield* world.runtime.setStop("dies")
      assert.strictEqual(yield* world.workers.abortWorker(runId, "operator"), "unconfirmed")
    })
  )

  it.effect("is what a stop without an answer counts as, after its time", () =>
    Effect.gen(function* () {
      const { rest, world } = yield* stubborn({ stopTimeoutMs: 5_000 })
      yield* world.runtime.setStop("never")
      const abort = yield* Effect.forkChild(world.workers.abortWorker(runId, "operator"))
      yield* TestClock.adjust("4999 millis")
      assert.isUndefined(abort.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(abort), "unconfirmed")
      yield* Deferred.succeed(rest, completed)
    })
  )

  it.effect("is none when the agent comes to rest while the stop has no answer", () =>
    Effect.gen(function* () {
      const { rest, world } = yield* stubborn()
      yield* world.runtime.setStop("never")
      const abort = yield* Effect.forkChild(world.workers.abortWorker(runId, "operator"))
      yield* settle
      yield* Deferred.succeed(rest, completed)
      assert.strictEqual(yield* Fiber.join(abort), "confirmed")
      assert.strictEqual((yield* finished(world)).outcome._tag, "Cancelled")
    })
  )

  it.effect("keeps the id of its run taken", () =>
    Effect.gen(function* () {
      const { world } = yield* stubborn()
      yield* world.workers.abortWorker(runId, "operator")
      const error = yield* Effect.flip(world.workers.startWorker(yield* world.request()))
      assert.strictEqual(error._tag, "LaunchFailed")
    })
  )
})

describe("closing the layer", () => {
  const many = Effect.fnUntraced(function* (...[agent, options]: Parameters<typeof make>) {
    const world = yield* make(agent, options)
    for (const n of [1, 2, 3]) {
      const subject = Issue.make({ ...issue, id: IssueId(`${n}`), identifier: `ABC-${n}` })
      yield* world.workers.startWorker(yield* world.request({ issue: subject, runId: RunId(`run-${n}`) }))
    }
    return world
  })

  it.effect("stops runs that would never end, and reports their ends", () =>
    Effect.gen(function* () {
      const world = yield* many(forever)
      yield* world.close
      yield* settle
      assert.deepStrictEqual(yield* world.runtime.open, [])
      assert.deepStrictEqual(
        finishedOf(world.updates).map(({ outcome }) => outcome._tag),
        ["Cancelled", "Cancelled", "Cancelled"]
      )
    })
  )

  it.effect("stops all runs at the same time", () =>
    Effect.gen(function* () {
      const world = yield* many(() => Effect.onInterrupt(Effect.never, () => Effect.sleep("1 second")))
      const closing = yield* Effect.forkChild(world.close)
      yield* TestClock.adjust("1 second")
      assert.isDefined(closing.pollUnsafe())
    })
  )

  it.effect("does not wait for a stop without an answer longer than its time", () =>
    Effect.gen(function* () {
      const world = yield* many(forever, { stopTimeoutMs: 5_000 })
      yield* world.runtime.setStop("never")
      const closing = yield* Effect.forkChild(world.close)
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(closing)
      assert.deepStrictEqual(yield* world.runtime.working, [])
    })
  )

  it.effect("starts nothing afterwards", () =>
    Effect.gen(function* () {
      const world = yield* make(forever)
      yield* world.close
      const error = yield* Effect.flip(world.workers.startWorker(yield* world.request()))
      assert.deepInclude(error, { _tag: "LaunchFailed", unavailable: true })
    })
  )
})
