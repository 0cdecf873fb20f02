import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { type Faults, TurnScript } from "../../src/testing/index.ts"
import * as Scene from "./Scene.ts"

/** A turn whose agent is in the middle of a long command. */
const underWay = (faults: ReadonlyArray<Faults.Fault> = [], options: Scene.RuntimeOptions = {}) =>
  Effect.gen(function* () {
    const server = yield* Scene.fake({ scripts: [{ steps: [TurnScript.longCommand(60_000)] }], faults })
    const runtime = yield* Scene.runtimeAt(server.url, options)
    const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
    const { hear, said } = Scene.listener()
    const turn = yield* Effect.forkChild(session.runTurn({ number: 1, prompt: "Do it." }, hear))
    yield* Scene.eventually("the command", () => said().length > 0)
    return { server, session, turn, status: () => server.conversations()[0]?.status }
  })

const requests = (server: { requests: () => ReadonlyArray<{ method: string; path: string }> }) =>
  server.requests().map(({ method, path }) => `${method} ${path.split("/").at(-1)}`)

describe("a stop", () => {
  it.live("is confirmed when the conversation rests, in the middle of a command", () =>
    Effect.gen(function* () {
      const { session, status, turn } = yield* underWay()
      assert.strictEqual(yield* session.stop, "confirmed")
      assert.strictEqual(status(), "paused")
      assert.deepStrictEqual(yield* Fiber.join(turn), { _tag: "Failed", reason: "the turn was stopped" })
    })
  )

  it.live("is given again when the answer to the first order was lost", () =>
    Effect.gen(function* () {
      const { session, status } = yield* underWay([
        { on: "request", path: "/interrupt$", effect: { type: "reset" }, times: 1 }
      ])
      assert.strictEqual(yield* session.stop, "confirmed")
      assert.strictEqual(status(), "paused")
    })
  )

  it.live("pauses where the server has no interrupt", () =>
    Effect.gen(function* () {
      const step: TurnScript.TurnStep = { type: "tool", tool: "think", arguments: { thought: "hm" }, thinkMs: 50 }
      const server = yield* Scene.fake({
        scripts: [{ steps: [step], repeatLast: true }],
        faults: [{ on: "request", path: "/interrupt$", effect: { type: "status", status: 404 } }]
      })
      const runtime = yield* Scene.runtimeAt(server.url)
      const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
      const { hear, said } = Scene.listener()
      yield* Effect.forkChild(session.runTurn({ number: 1, prompt: "Do it." }, hear))
      yield* Scene.eventually("a thought", () => said().length > 0)
      assert.strictEqual(yield* session.stop, "confirmed")
      assert.include(requests(server), "POST pause")
    })
  )

  it.live("is not confirmed while the server cannot be reached", () =>
    Effect.gen(function* () {
      const { server, session } = yield* underWay([], { stopTimeoutMs: 300 })
      yield* Effect.promise(() => server.crash())
      assert.strictEqual(yield* session.stop, "unconfirmed")
    })
  )

  it.live("takes the usage along that nobody was told of yet", () =>
    Effect.gen(function* () {
      const usage = { prompt: 100, completion: 10, cached: 0 }
      const command: TurnScript.TurnStep = { type: "tool", tool: "think", arguments: { thought: "hm" }, usage }
      const server = yield* Scene.fake({ scripts: [{ steps: [command, { type: "hang" }] }] })
      const { websocket } = Scene.settings
      const runtime = yield* Scene.runtimeAt(server.url, {
        settings: { ...Scene.settings, websocket: { ...websocket, enabled: false } },
        timing: { pollMs: 60_000 }
      })
      const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
      const { events, hear } = Scene.listener()
      yield* Effect.forkChild(session.runTurn({ number: 1, prompt: "Do it." }, hear))
      const hasThought = () =>
        server.conversations()[0]?.events.some(({ kind }) => kind === "ObservationEvent") === true
      yield* Scene.eventually("the thought", hasThought)
      assert.strictEqual(yield* session.stop, "confirmed")
      const told = events.flatMap((event) => (event._tag === "UsageReported" ? [event.usage.inputTokens] : []))
      assert.deepStrictEqual(told, [100])
    })
  )

  it.live("never deletes a conversation", () =>
    Effect.gen(function* () {
      const { server, session } = yield* underWay()
      yield* session.stop
      assert.isFalse(requests(server).some((request) => request.startsWith("DELETE")))
    })
  )

  it.live("keeps a run from starting that was about to", () =>
    Effect.gen(function* () {
      const server = yield* Scene.fake({
        scripts: [{ steps: [TurnScript.longCommand(60_000)] }],
        faults: [{ on: "request", method: "POST", path: "/events$", effect: { type: "delay", ms: 200 } }]
      })
      const runtime = yield* Scene.runtimeAt(server.url)
      const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
      const turn = yield* Effect.forkChild(session.runTurn({ number: 1, prompt: "Do it." }, () => Effect.void))
      yield* Scene.eventually("the conversation", () => requests(server).includes("GET search"))
      assert.strictEqual(yield* session.stop, "confirmed")
      assert.strictEqual((yield* Fiber.join(turn))._tag, "Failed")
      assert.isFalse(requests(server).includes("POST run"))
    })
  )
})

describe("a server of another kind", () => {
  for (const [version, problem] of [
    ["1.39.2", "versions 1.40.0 to 1.57"],
    ["2.0.0", "versions 1.40.0 to 1.57"]
  ] as const) {
    it.live(`is refused with the range that is supported: ${version}`, () =>
      Effect.gen(function* () {
        const server = yield* Scene.fake({ version })
        const runtime = yield* Scene.runtimeAt(server.url)
        const error = yield* Effect.flip(runtime.openSession(Scene.opening(yield* Scene.directory)))
        assert.include(error.message, problem)
        assert.isTrue(error.unavailable)
      })
    )
  }

  for (const version of ["1.40.0", "1.57.0", "1.58.1"]) {
    it.live(`runs a turn: ${version}`, () =>
      Effect.gen(function* () {
        const server = yield* Scene.fake({ version, scripts: [{ steps: [TurnScript.finish("done")] }] })
        const runtime = yield* Scene.runtimeAt(server.url)
        const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
        const result = yield* session.runTurn({ number: 1, prompt: "Do it." }, () => Effect.void)
        assert.strictEqual(result._tag, "Completed")
      })
    )
  }

  it.live("says that the key is wrong, and which setting names it", () =>
    Effect.gen(function* () {
      const server = yield* Scene.fake({ apiKeys: ["another key"] })
      const runtime = yield* Scene.runtimeAt(server.url)
      const error = yield* Effect.flip(runtime.openSession(Scene.opening(yield* Scene.directory)))
      assert.include(error.message, "openhands.transport.session_api_key_env")
      assert.notInclude(error.message, Scene.sessionKey)
    })
  )
})
