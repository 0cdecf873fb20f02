import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import type { Catalog } from "../../src/tools/Catalog.ts"
import * as IssueLocks from "../../src/tools/IssueLocks.ts"
import * as Tool from "../../src/tools/Tool.ts"
import * as ToolHost from "../../src/tools/ToolHost.ts"
import * as World from "./World.ts"

const target: Tool.ToolTarget = { issueId: "id-1", identifier: "ENG-1", seed: "run-1", directory: "/nonexistent" }

/** A host with one tool. */
const hostOf = (effect: Tool.ToolEffect, run: Effect.Effect<Tool.ToolAnswer, Tool.ToolFailure>) => {
  const tool = Tool.make({
    name: "act",
    title: "Act",
    description: "Acts.",
    effect,
    input: Schema.Struct({}),
    run: () => run
  })
  const catalog: Catalog = {
    tools: [tool],
    locks: IssueLocks.make(),
    workpads: { read: () => Effect.die("unused"), write: () => Effect.die("unused") }
  }
  return ToolHost.bound(catalog, target)
}

const textOf = (host: ToolHost.ToolHost) =>
  Effect.map(host.call("act", {}), ({ content }) => (content[0]?.type === "text" ? content[0].text : ""))

describe("a call", () => {
  it.effect("ends after 50 s, and says whether it may have been done", () =>
    Effect.gen(function* () {
      const calls = yield* Effect.forkChild(
        Effect.all([textOf(hostOf("reads", Effect.never)), textOf(hostOf("adds", Effect.never))], { concurrency: 2 })
      )
      yield* TestClock.adjust("49 seconds")
      assert.isUndefined(calls.pollUnsafe())
      yield* TestClock.adjust("1 second")
      const [read, change] = yield* Fiber.join(calls)
      assert.strictEqual(read, "act had no answer within 50 s; try again")
      assert.include(change, "whether it was done is not known; try again, that does nothing twice")
    }).pipe(Effect.provide(World.keptLog().layer))
  )

  it.effect("waits for the change before it, within its own time", () =>
    Effect.gen(function* () {
      const host = hostOf("adds", Effect.as(Effect.sleep("30 seconds"), { text: "done", data: {} }))
      const calls = yield* Effect.forkChild(Effect.all([textOf(host), textOf(host)], { concurrency: 2 }))
      yield* TestClock.adjust("60 seconds")
      const texts = yield* Fiber.join(calls)
      assert.deepStrictEqual(texts[0], "done")
      assert.include(texts[1], "had no answer within 50 s")
    }).pipe(Effect.provide(World.keptLog().layer))
  )

  it.effect("that hits a bug is answered, and the bug logged", () =>
    Effect.gen(function* () {
      const log = World.keptLog()
      const text = yield* Effect.provide(textOf(hostOf("reads", Effect.die(new Error("oops")))), log.layer)
      assert.strictEqual(text, "the tool failed; this is a bug of it")
      assert.include(log.text(), "oops")
    })
  )
})
