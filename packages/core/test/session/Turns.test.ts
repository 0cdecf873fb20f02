import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { SessionId } from "../../src/domain/Ids.ts"
import { AgentEvent, RuntimeError, TurnResult } from "../../src/ports/AgentRuntime.ts"
import { TurnVerdict } from "../../src/ports/WorkerBackend.ts"
import * as ContinuationPrompt from "../../src/session/ContinuationPrompt.ts"
import type { Agent } from "../../src/testing/MemoryRuntime.ts"
import { completed, finished, issue, make, renderPrompt, type World } from "./World.ts"

const moved = { ...issue, state: "In Progress" }
const goOn = () => Effect.succeed(TurnVerdict.Continue({ issue: moved }))

const prompts = (world: World) => Effect.map(world.runtime.turns.calls, (calls) => calls.map(({ prompt }) => prompt))

/** Runs one run to its end. */
const runToEnd = (agent: Agent, overrides: Parameters<World["request"]>[0] = {}, options = {}) =>
  Effect.gen(function* () {
    const world = yield* make(agent, options)
    yield* world.workers.startWorker(yield* world.request(overrides))
    return { world, end: yield* finished(world) }
  })

const reportsSession: Agent = ({ emit }) =>
  Effect.as(emit(AgentEvent.SessionReported({ session: SessionId("s-1") })), completed)

describe("the first turn", () => {
  it.effect("gets the rendered template with the attempt", () =>
    Effect.gen(function* () {
      const { world } = yield* runToEnd(() => Effect.succeed(completed), { attempt: 2 })
      assert.deepStrictEqual(yield* prompts(world), ["prompt for ABC-1 in Todo, attempt 2"])
    })
  )

  it.effect("gets the rendered template also in a resumed session", () =>
    Effect.gen(function* () {
      const world = yield* make(() => Effect.succeed(completed))
      const request = yield* world.request()
      yield* world.workspaces.service.writeSession(request.workspace, SessionId("s-1"))
      yield* world.workers.startWorker(request)
      yield* finished(world)
      assert.deepStrictEqual(yield* prompts(world), ["prompt for ABC-1 in Todo, attempt null"])
    })
  )
})

describe("a later turn", () => {
  const continuation = { issue: moved, turn: 2, maxTurns: 2 }

  it.effect("gets only the guidance when the agent remembers", () =>
    Effect.gen(function* () {
      const { world } = yield* runToEnd(reportsSession, { maxTurns: 2, betweenTurns: goOn })
      const [, second] = yield* prompts(world)
      assert.strictEqual(second, ContinuationPrompt.guidance(continuation))
    })
  )

  it.effect("gets the fresh prompt and the guidance when there is no session", () =>
    Effect.gen(function* () {
      const { world } = yield* runToEnd(() => Effect.succeed(completed), { maxTurns: 2, betweenTurns: goOn })
      const [, second] = yield* prompts(world)
      const full = "prompt for ABC-1 in In Progress, attempt null"
      assert.strictEqual(second, ContinuationPrompt.complete(full, continuation))
    })
  )

  it.effect("gets the fresh prompt and the guidance when the session does not remember", () =>
    Effect.gen(function* () {
      const { world } = yield* runToEnd(reportsSession, { maxTurns: 2, betweenTurns: goOn }, { remembers: false })
      const [, second] = yield* prompts(world)
      assert.match(second ?? "", /^prompt for ABC-1 in In Progress/)
    })
  )

  it.effect("waits for the verdict however long that takes", () =>
    Effect.gen(function* () {
      const verdict = yield* Deferred.make<TurnVerdict>()
      const world = yield* make(() => Effect.succeed(completed))
      yield* world.workers.startWorker(
        yield* world.request({ maxTurns: 2, betweenTurns: () => Deferred.await(verdict) })
      )
      yield* Effect.yieldNow
      assert.strictEqual(yield* world.runtime.turns.total, 1)
      yield* Deferred.succeed(verdict, TurnVerdict.Continue({ issue: moved }))
      yield* finished(world)
      assert.strictEqual(yield* world.runtime.turns.total, 2)
    })
  )

  it.effect("fails the run when its prompt cannot be rendered", () =>
    Effect.gen(function* () {
      const { end } = yield* runToEnd(
        () => Effect.succeed(completed),
        { betweenTurns: goOn },
        {
          renderPrompt: (facts: Parameters<typeof renderPrompt>[0]) =>
            facts.issue.state === "Todo" ? renderPrompt(facts) : Effect.fail({ message: "no such filter" })
        }
      )
      assert.deepInclude(end.outcome, { _tag: "Failed" })
      assert.include("reason" in end.outcome ? end.outcome.reason : "", "no such filter")
    })
  )
})

describe("the turns of a run", () => {
  it.effect("are reported in order", () =>
    Effect.gen(function* () {
      const { world } = yield* runToEnd(() => Effect.succeed(completed), { maxTurns: 2, betweenTurns: goOn })
      assert.deepStrictEqual(
        world.updates.map((update) => ("turn" in update ? `${update._tag} ${update.turn}` : update._tag)),
        ["TurnStarted 1", "TurnCompleted 1", "TurnStarted 2", "TurnCompleted 2", "Finished"]
      )
    })
  )

  it.effect("end at the limit, without asking after the last one", () =>
    Effect.gen(function* () {
      const asked: Array<number> = []
      const { end, world } = yield* runToEnd(() => Effect.succeed(completed), {
        maxTurns: 3,
        betweenTurns: (turn) =>
          Effect.andThen(
            Effect.sync(() => asked.push(turn)),
            goOn()
          )
      })
      assert.deepStrictEqual(asked, [1, 2])
      assert.strictEqual(yield* world.runtime.turns.total, 3)
      assert.deepInclude(end.outcome, { _tag: "Succeeded", summary: "done" })
    })
  )

  it.effect("end in success when the verdict is stop", () =>
    Effect.gen(function* () {
      const { end, world } = yield* runToEnd(() => Effect.succeed(completed))
      assert.strictEqual(yield* world.runtime.turns.total, 1)
      assert.strictEqual(end.outcome._tag, "Succeeded")
    })
  )

  it.effect("end in failure when one fails", () =>
    Effect.gen(function* () {
      const { end } = yield* runToEnd(() => Effect.succeed(TurnResult.Failed({ reason: "exit status 3" })))
      assert.deepInclude(end.outcome, { _tag: "Failed", reason: "exit status 3" })
    })
  )

  it.effect("end with the provider's window", () =>
    Effect.gen(function* () {
      const limited = TurnResult.UsageLimited({ untilMs: 1_000, reason: "5-hour window" })
      const { end } = yield* runToEnd(() => Effect.succeed(limited))
      assert.deepInclude(end.outcome, { _tag: "UsageLimited", untilMs: 1_000, reason: "5-hour window" })
    })
  )

  it.effect("end in failure when the agent breaks", () =>
    Effect.gen(function* () {
      const { end } = yield* runToEnd(() =>
        Effect.fail(new RuntimeError({ message: "no such model", unavailable: false }))
      )
      assert.deepInclude(end.outcome, { _tag: "Failed", reason: "no such model" })
      assert.notProperty(end.outcome, "unavailable")
    })
  )

  it.effect("end without blame for the issue when the runtime goes down", () =>
    Effect.gen(function* () {
      const { end } = yield* runToEnd(() =>
        Effect.fail(new RuntimeError({ message: "connection lost", unavailable: true }))
      )
      assert.deepInclude(end.outcome, { _tag: "Failed", reason: "connection lost", unavailable: true })
    })
  )

  it.effect("end in failure when the worker dies", () =>
    Effect.gen(function* () {
      const { end } = yield* runToEnd(() => Effect.die(new RangeError("bad index")))
      assert.deepInclude(end.outcome, { _tag: "Failed", reason: "worker died: RangeError: bad index" })
    })
  )

  it.effect("end in failure when the question after a turn dies", () =>
    Effect.gen(function* () {
      const { end } = yield* runToEnd(() => Effect.succeed(completed), { betweenTurns: () => Effect.die("no driver") })
      assert.deepInclude(end.outcome, { _tag: "Failed", reason: "worker died: no driver" })
    })
  )

  it.effect("close the session before the end is reported", () =>
    Effect.gen(function* () {
      const { world } = yield* runToEnd(() => Effect.succeed(completed))
      assert.deepStrictEqual(yield* world.runtime.open, [])
    })
  )
})
