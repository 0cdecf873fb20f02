import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TurnScript } from "../../src/testing/index.ts"
import * as Scene from "./Scene.ts"

describe("a turn", () => {
  it.live("hands the prompt over once, runs it and completes with what the agent said", () =>
    Effect.gen(function* () {
      const server = yield* Scene.fake({
        scripts: [{ steps: [TurnScript.shell("echo hi"), TurnScript.finish("all done")] }]
      })
      const runtime = yield* Scene.runtimeAt(server.url)
      const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
      const { hear, said } = Scene.listener()
      const result = yield* session.runTurn({ number: 1, prompt: "Do it." }, hear)
      assert.deepStrictEqual(result, { _tag: "Completed", summary: "all done" })
      assert.deepStrictEqual(server.conversations()[0]?.messages, ["Do it."])
      assert.deepStrictEqual(said().slice(0, 2), ["$ echo hi", "terminal: hi"])
    })
  )
})
