import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Faults, TurnScript } from "../../src/testing/index.ts"
import * as Scene from "./Scene.ts"

const scripts = [{ steps: [TurnScript.shell("echo hi"), TurnScript.finish("all done")] }]
const completed = { _tag: "Completed", summary: "all done" } as const

/** One turn on a server with these faults, and what the server saw. */
const oneTurn = (faults: ReadonlyArray<Faults.Fault>) =>
  Effect.gen(function* () {
    const server = yield* Scene.fake({ scripts, faults })
    const runtime = yield* Scene.runtimeAt(server.url)
    const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
    const result = yield* session.runTurn({ number: 1, prompt: "Do it." }, () => Effect.void)
    const runs = server
      .conversations()[0]
      ?.events.filter(
        ({ kind, key, value }) => kind.endsWith("StateUpdateEvent") && key === "execution_status" && value === "running"
      )
    return { result, server, runs: runs?.length }
  })

const on = (method: string, path: string, effect: Faults.RequestEffect, times = 1): Faults.Fault => ({
  on: "request",
  method,
  path,
  effect,
  times
})

const cases: ReadonlyArray<readonly [string, Faults.Fault]> = [
  ["the creation is reset", on("POST", "/conversations$", { type: "reset" })],
  ["the creation is carried out and fails", on("POST", "/conversations$", { type: "failAfter", status: 500 })],
  ["the server is full at the creation", on("POST", "/conversations$", { type: "status", status: 429 })],
  ["the message is carried out and fails", on("POST", "/events$", { type: "failAfter", status: 500 })],
  ["the message is answered with garbage", on("POST", "/events$", { type: "garbage" })],
  ["the message fails", on("POST", "/events$", { type: "status", status: 500 })],
  ["the run is carried out and fails", on("POST", "/run$", { type: "failAfter", status: 500 })],
  ["the run is reset", on("POST", "/run$", { type: "reset" }, 2)],
  ["the server is full at the run", on("POST", "/run$", { type: "status", status: 429 }, 2)],
  ["the conversation cannot be shown for a moment", on("GET", "$", { type: "status", status: 503 }, 2)]
]

describe("a lost answer", () => {
  for (const [name, fault] of cases) {
    it.live(`leads to one message and one run when ${name}`, () =>
      Effect.gen(function* () {
        const { result, runs, server } = yield* oneTurn([fault])
        assert.deepStrictEqual(result, completed)
        assert.strictEqual(server.conversations().length, 1)
        assert.deepStrictEqual(server.conversations()[0]?.messages, ["Do it."])
        assert.strictEqual(runs, 1)
        assert.isAbove(server.faults()[0]?.applied ?? 0, 0)
      })
    )
  }

  it.live("does not lead to a second message while the first may still arrive", () =>
    Effect.gen(function* () {
      const server = yield* Scene.fake({ scripts, faults: [on("POST", "/events$", { type: "reset" })] })
      const runtime = yield* Scene.runtimeAt(server.url, { timing: { readBackMs: 300 } })
      const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
      const error = yield* Effect.flip(session.runTurn({ number: 1, prompt: "Do it." }, () => Effect.void))
      assert.include(error.message, "it is not sent again")
      assert.strictEqual(server.requests().filter(({ path }) => path.endsWith("/events")).length, 1)
    })
  )

  it.live("does not lead to a second message when a proxy gave up waiting for it", () =>
    Effect.gen(function* () {
      const impatient = on("POST", "/events$", { type: "status", status: 504 })
      const server = yield* Scene.fake({ scripts, faults: [impatient] })
      const runtime = yield* Scene.runtimeAt(server.url, { timing: { readBackMs: 300 } })
      const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
      const error = yield* Effect.flip(session.runTurn({ number: 1, prompt: "Do it." }, () => Effect.void))
      assert.include(error.message, "it is not sent again")
      assert.strictEqual(server.requests().filter(({ path }) => path.endsWith("/events")).length, 1)
    })
  )

  it.live("starts a run again that the server took and never began", () =>
    Effect.gen(function* () {
      const server = yield* Scene.fake({ scripts, faults: [{ on: "behaviour", behaviour: "lostRun", times: 1 }] })
      const runtime = yield* Scene.runtimeAt(server.url)
      const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
      const result = yield* session.runTurn({ number: 1, prompt: "Do it." }, () => Effect.void)
      assert.deepStrictEqual(result, completed)
    })
  )

  it.live("waits for a run that the server took and is slow to begin, without interrupting it", () =>
    Effect.gen(function* () {
      const slow: Faults.Fault = { on: "behaviour", behaviour: "lostRun", times: 1 }
      const busy: Faults.Fault = { ...on("POST", "/run$", { type: "status", status: 409 }, 4), after: 1 }
      const server = yield* Scene.fake({ scripts, faults: [slow, busy] })
      const runtime = yield* Scene.runtimeAt(server.url)
      const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
      const result = yield* session.runTurn({ number: 1, prompt: "Do it." }, () => Effect.void)
      assert.deepStrictEqual(result, completed)
      assert.isFalse(server.requests().some(({ path }) => path.endsWith("/interrupt")))
    })
  )

  it.live("is not given up when the server cannot show a conversation that it says runs", () =>
    Effect.gen(function* () {
      const server = yield* Scene.fake({ scripts })
      const runtime = yield* Scene.runtimeAt(server.url)
      const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
      server.fault(on("POST", "/run$", { type: "status", status: 409 }))
      const { id } = server.conversations()[0] ?? { id: "" }
      server.fault({ ...on("GET", `${id}$`, { type: "status", status: 503 }), after: 1 })
      const result = yield* session.runTurn({ number: 1, prompt: "Do it." }, () => Effect.void)
      assert.deepStrictEqual(result, completed)
    })
  )

  it.live("says so when a conversation at rest refuses every run", () =>
    Effect.gen(function* () {
      const server = yield* Scene.fake({ scripts, faults: [{ on: "behaviour", behaviour: "wedged" }] })
      const runtime = yield* Scene.runtimeAt(server.url)
      const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
      const error = yield* Effect.flip(session.runTurn({ number: 1, prompt: "Do it." }, () => Effect.void))
      assert.include(error.message, "restart the server")
    })
  )
})
