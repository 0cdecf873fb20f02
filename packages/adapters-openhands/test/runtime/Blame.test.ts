import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Faults, TurnScript } from "../../src/testing/index.ts"
import * as Scene from "./Scene.ts"

const scripts = [{ steps: [TurnScript.finish("done")] }]

/** How a run fails under these faults. */
const failure = (faults: ReadonlyArray<Faults.Fault>) =>
  Effect.gen(function* () {
    const server = yield* Scene.fake({ scripts, faults })
    const runtime = yield* Scene.runtimeAt(server.url)
    const run = Effect.gen(function* () {
      const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
      return yield* session.runTurn({ number: 1, prompt: "Do it." }, () => Effect.void)
    })
    return yield* Effect.flip(run)
  })

const status = (method: string, path: string, code: number): Faults.Fault => ({
  on: "request",
  method,
  path,
  effect: { type: "status", status: code, detail: "no" }
})

const ofOneConversation: ReadonlyArray<readonly [string, Faults.Fault]> = [
  ["the server refuses what it is to create", status("POST", "/api/conversations$", 422)],
  ["the server breaks over its first message", status("POST", "/events$", 500)],
  ["the server breaks over its run, with the status of a gateway", status("GET", "/events/search$", 503)],
  ["somebody on the way forbids its message", status("POST", "/events$", 403)]
]

describe("a failure", () => {
  for (const [name, fault] of ofOneConversation) {
    it.live(`does not make the runtime unavailable when ${name}`, () =>
      Effect.gen(function* () {
        assert.isFalse((yield* failure([fault])).unavailable)
      })
    )
  }

  it.live("makes the runtime unavailable when the server answers nobody else either", () =>
    Effect.gen(function* () {
      const error = yield* failure([status("POST", "/events$", 500), status("GET", "/count$", 500)])
      assert.isTrue(error.unavailable)
    })
  )

  it.live("makes the runtime unavailable when the server is full", () =>
    Effect.gen(function* () {
      assert.isTrue((yield* failure([status("POST", "/run$", 429)])).unavailable)
    })
  )
})
