import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { SessionId } from "../../src/domain/Ids.ts"
import * as Usage from "../../src/domain/Usage.ts"
import { AgentEvent, RuntimeError } from "../../src/ports/AgentRuntime.ts"
import { TurnVerdict, type WorkerUpdate } from "../../src/ports/WorkerBackend.ts"
import { WorkspaceIoError } from "../../src/ports/WorkspaceBackend.ts"
import type { Agent } from "../../src/testing/MemoryRuntime.ts"
import { completed, finished, issue, make, type World } from "./World.ts"

const diskFull = new WorkspaceIoError({ path: "/workspaces/ABC-1", message: "no space left" })
const goOn = () => Effect.succeed(TurnVerdict.Continue({ issue }))

const tokens = (inputTokens: number): Usage.Usage => ({ ...Usage.zero, inputTokens })

const reports =
  (session: string): Agent =>
  ({ emit }) =>
    Effect.as(emit(AgentEvent.SessionReported({ session: SessionId(session) })), completed)

const only = <Tag extends WorkerUpdate["_tag"]>(world: World, tag: Tag) =>
  world.updates.filter((update): update is Extract<WorkerUpdate, { _tag: Tag }> => update._tag === tag)

const run = Effect.fnUntraced(function* (world: World, overrides: Parameters<World["request"]>[0] = {}) {
  yield* world.workers.startWorker(yield* world.request(overrides))
  return yield* finished(world)
})

describe("the session", () => {
  it.effect("is reported and stored when the agent names it", () =>
    Effect.gen(function* () {
      const world = yield* make(reports("s-1"))
      yield* run(world)
      assert.strictEqual(only(world, "SessionUpdated").at(-1)?.session, SessionId("s-1"))
      assert.strictEqual((yield* world.workspaces.contents(issue.id))?.session, SessionId("s-1"))
    })
  )

  it.effect("is stored once however often it is named", () =>
    Effect.gen(function* () {
      const world = yield* make(({ emit }) =>
        Effect.as(
          Effect.repeat(emit(AgentEvent.SessionReported({ session: SessionId("s-1") })), { times: 9 }),
          completed
        )
      )
      yield* run(world)
      const calls = yield* world.workspaces.calls.calls
      assert.strictEqual(calls.filter(({ operation }) => operation === "writeSession").length, 1)
    })
  )

  it.effect("is stored when it is known from the start", () =>
    Effect.gen(function* () {
      const world = yield* make(() => Effect.succeed(completed), { session: SessionId("s-1") })
      yield* run(world)
      assert.strictEqual((yield* world.workspaces.contents(issue.id))?.session, SessionId("s-1"))
    })
  )

  it.effect("of an earlier run is resumed", () =>
    Effect.gen(function* () {
      const world = yield* make(reports("s-1"))
      const request = yield* world.request()
      yield* world.workspaces.service.writeSession(request.workspace, SessionId("s-0"))
      yield* world.workers.startWorker(request)
      yield* finished(world)
      assert.strictEqual((yield* world.runtime.turns.calls)[0]?.session, SessionId("s-0"))
    })
  )

  it.effect("begins anew when the stored one cannot be read", () =>
    Effect.gen(function* () {
      const world = yield* make(() => Effect.succeed(completed))
      yield* world.workspaces.script.add({ operation: "readSession", behaviour: { _tag: "Fail", error: diskFull } })
      assert.strictEqual((yield* run(world)).outcome._tag, "Succeeded")
      assert.isNull((yield* world.runtime.turns.calls)[0]?.session)
    })
  )

  it.effect("that cannot be stored does not hurt the run", () =>
    Effect.gen(function* () {
      const world = yield* make(reports("s-1"))
      yield* world.workspaces.script.add({ operation: "writeSession", behaviour: { _tag: "Fail", error: diskFull } })
      assert.strictEqual((yield* run(world)).outcome._tag, "Succeeded")
      assert.strictEqual(only(world, "SessionUpdated").at(-1)?.session, SessionId("s-1"))
    })
  )
})

describe("usage", () => {
  it.effect("adds up the turns and is final in the end", () =>
    Effect.gen(function* () {
      const world = yield* make(({ emit, turn }) =>
        Effect.gen(function* () {
          yield* emit(AgentEvent.UsageReported({ source: `turn ${turn}`, usage: tokens(1) }))
          yield* emit(AgentEvent.UsageReported({ source: `turn ${turn}`, usage: tokens(10 * turn) }))
          return completed
        })
      )
      const end = yield* run(world, { maxTurns: 3, betweenTurns: goOn })
      assert.deepStrictEqual(end.usage, tokens(60))
      assert.deepStrictEqual(only(world, "SessionUpdated").at(-1)?.usage, tokens(60))
    })
  )

  it.effect("is in the end of a run that failed", () =>
    Effect.gen(function* () {
      const world = yield* make(({ emit }) =>
        Effect.andThen(
          emit(AgentEvent.UsageReported({ source: "turn 1", usage: tokens(7) })),
          Effect.fail(new RuntimeError({ message: "connection lost", unavailable: true }))
        )
      )
      assert.deepStrictEqual((yield* run(world)).usage, tokens(7))
    })
  )
})

describe("processes", () => {
  it.effect("are recorded in the workspace", () =>
    Effect.gen(function* () {
      const world = yield* make(({ process }) => Effect.as(process(4711), completed))
      yield* run(world)
      assert.deepStrictEqual((yield* world.workspaces.contents(issue.id))?.processes, [4711])
    })
  )

  it.effect("that cannot be recorded do not hurt the run", () =>
    Effect.gen(function* () {
      const world = yield* make(({ process }) => Effect.as(process(4711), completed))
      yield* world.workspaces.script.add({ operation: "recordProcess", behaviour: { _tag: "Fail", error: diskFull } })
      assert.strictEqual((yield* run(world)).outcome._tag, "Succeeded")
    })
  )
})

describe("a flooding agent", () => {
  const lines = 1_000_000
  const flood: Agent = ({ activity }) =>
    Effect.gen(function* () {
      for (let line = 1; line <= lines; line++) yield* activity(`line ${line}`)
      return completed
    })

  it.live("does not stall the event loop, and its last line arrives", () =>
    Effect.gen(function* () {
      let beats = 0
      let longest = 0
      const heart = yield* Effect.gen(function* () {
        for (let last = performance.now(); ; beats++) {
          yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 5)))
          const now = performance.now()
          longest = Math.max(longest, now - last)
          last = now
        }
      }).pipe(Effect.forkScoped)
      const world = yield* make(flood)
      yield* world.workers.startWorker(yield* world.request())
      while (world.updates.at(-1)?._tag !== "Finished") yield* Effect.sleep("5 millis")
      yield* Fiber.interrupt(heart)
      assert.strictEqual(only(world, "Activity").at(-1)?.summary, `line ${lines}`)
      assert.isAbove(beats, 20)
      assert.isBelow(longest, 500)
    })
  )

  it.effect("fills nothing when nobody takes its updates", () =>
    Effect.gen(function* () {
      const world = yield* make(
        ({ activity }) =>
          Effect.gen(function* () {
            for (let line = 1; line <= 10_000; line++) yield* activity(`line ${line}`)
            return completed
          }),
        { listen: false }
      )
      yield* world.workers.startWorker(yield* world.request())
      yield* world.workers.abortWorker((yield* world.request()).runId, "no more")
      yield* world.close
      const left = yield* Stream.runCollect(world.workers.updates)
      assert.deepStrictEqual(
        left.map((update) => update._tag),
        ["TurnStarted", "Activity", "Finished"]
      )
    })
  )
})
