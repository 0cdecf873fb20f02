import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { type Faults, TurnScript } from "../../src/testing/index.ts"
import * as Scene from "./Scene.ts"

const count = 12
const said = Array.from({ length: count }, (_, index) => `step ${index}`)

/** A turn whose steps take that long each. */
const thinking = (thinkMs: number) => [
  {
    steps: [
      ...said.map((thought): TurnScript.TurnStep => ({ type: "tool", tool: "think", arguments: { thought }, thinkMs })),
      TurnScript.finish("all done")
    ]
  }
]
const scripts = thinking(15)

/** The steps that were heard of one turn under these faults, in their order. */
const heard = (faults: ReadonlyArray<Faults.Fault>) =>
  Effect.gen(function* () {
    const server = yield* Scene.fake({ scripts, faults, utcOffsetMinutes: -480, persistLagMs: 5 })
    const runtime = yield* Scene.runtimeAt(server.url)
    const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
    const listener = Scene.listener()
    const result = yield* session.runTurn({ number: 1, prompt: "Do it." }, listener.hear)
    return { result, server, steps: listener.said().filter((summary) => summary.startsWith("step ")), listener }
  })

const frame = (effect: Faults.FrameEffect, more: Partial<Faults.Fault> = {}): Faults.Fault =>
  ({ on: "frame", effect, ...more }) as Faults.Fault

const cases: ReadonlyArray<readonly [string, ReadonlyArray<Faults.Fault>, "in order" | "in any order"]> = [
  ["every frame comes twice", [frame({ type: "duplicate" })], "in order"],
  ["frames overtake each other", [frame({ type: "swap" }, { probability: 0.4 })], "in any order"],
  ["kinds come that nobody knows", [frame({ type: "unknown" })], "in order"],
  ["frames come that are no JSON", [frame({ type: "garbage" })], "in order"],
  [
    "the socket is cut after every fifth frame",
    [frame({ type: "cut" }, { probability: 0.2, times: 10 })],
    "in any order"
  ],
  ["the server sends no state", [{ on: "behaviour", behaviour: "noFullState" }], "in any order"],
  [
    "the server refuses sockets for a while",
    [{ on: "connect", effect: { type: "close", code: 1013 }, times: 3 }],
    "in any order"
  ],
  [
    "the server claims not to know the conversation",
    [{ on: "connect", effect: { type: "close", code: 4004 }, times: 2 }],
    "in any order"
  ]
]

describe("a rough socket", () => {
  for (const [name, faults, order] of cases) {
    it.live(`costs nothing when ${name}`, () =>
      Effect.gen(function* () {
        const { result, server, steps } = yield* heard(faults)
        assert.deepStrictEqual(result, { _tag: "Completed", summary: "all done" })
        assert.deepStrictEqual(order === "in order" ? steps : steps.toSorted(byNumber), said)
        assert.isAbove(server.faults()[0]?.applied ?? 0, faults[0]?.on === "behaviour" ? -1 : 0)
      })
    )
  }

  it.live("costs nothing when every state update is lost: the end is read over REST", () =>
    Effect.gen(function* () {
      const { result } = yield* heard([frame({ type: "drop" }, { on: "frame", kind: "ConversationStateUpdateEvent" })])
      assert.deepStrictEqual(result, { _tag: "Completed", summary: "all done" })
    })
  )

  it.live("brings an event of ten megabytes as one short line", () =>
    Effect.gen(function* () {
      const large = frame({ type: "large", bytes: 10_000_000 }, { on: "frame", kind: "ActionEvent", times: 2 })
      const { listener, result, steps } = yield* heard([large])
      assert.strictEqual(result._tag, "Completed")
      assert.deepStrictEqual(steps, said)
      assert.isTrue(listener.said().every((summary) => summary.length <= 300))
    })
  )

  it.live("polls the events when the socket refuses the key", () =>
    Effect.gen(function* () {
      const { result, steps } = yield* heard([{ on: "connect", effect: { type: "close", code: 4001 } }])
      assert.deepStrictEqual(result, { _tag: "Completed", summary: "all done" })
      assert.deepStrictEqual(steps, said)
    })
  )

  it.live("polls the events when the workflow wants no socket", () =>
    Effect.gen(function* () {
      const server = yield* Scene.fake({ scripts })
      const websocket = { ...Scene.settings.websocket, enabled: false }
      const runtime = yield* Scene.runtimeAt(server.url, { settings: { ...Scene.settings, websocket } })
      const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
      const listener = Scene.listener()
      const result = yield* session.runTurn({ number: 1, prompt: "Do it." }, listener.hear)
      assert.strictEqual(result._tag, "Completed")
      assert.deepStrictEqual(
        listener.said().filter((line) => line.startsWith("step ")),
        said
      )
      assert.strictEqual(server.conversations()[0]?.sockets, 0)
    })
  )

  it.live("presents the key in the query where the workflow says so", () =>
    Effect.gen(function* () {
      const server = yield* Scene.fake({ scripts })
      const runtime = yield* Scene.runtimeAt(server.url, {
        endpoint: Scene.endpointAt(server.url, { authMode: "query_param" })
      })
      yield* runtime.openSession(Scene.opening(yield* Scene.directory))
      assert.strictEqual(server.conversations()[0]?.sockets, 1)
    })
  )

  it.live("is not looked after over REST while it brings events", () =>
    Effect.gen(function* () {
      const server = yield* Scene.fake({ scripts: thinking(100) })
      const runtime = yield* Scene.runtimeAt(server.url, { timing: { silentPollMs: 250 } })
      const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
      yield* session.runTurn({ number: 1, prompt: "Do it." }, () => Effect.void)
      const all = server.requests().map(({ path }) => path)
      const during = all.slice(all.findIndex((path) => path.endsWith("/run")) + 1)
      assert.isAtMost(during.filter((path) => path.endsWith("/search")).length, 2)
    })
  )

  for (const [how, end, enabled] of [
    ["when it died", "crash", true],
    ["when it was told to end", "stop", true],
    ["when it was told to end, and there is no socket", "stop", false]
  ] as const) {
    it.live(`goes on with a run that the server lost ${how}`, () =>
      Effect.gen(function* () {
        const server = yield* Scene.fake({ scripts: thinking(200) })
        const settings = { ...Scene.settings, websocket: { ...Scene.settings.websocket, enabled } }
        const runtime = yield* Scene.runtimeAt(server.url, { settings, timing: { settleMs: 1_500 } })
        const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
        const listener = Scene.listener()
        const turn = yield* Effect.forkChild(session.runTurn({ number: 1, prompt: "Do it." }, listener.hear))
        // The server tells its age in whole seconds, so the run must be older than one.
        yield* Scene.eventually("the eighth step", () => listener.said().includes("step 7"))
        yield* Effect.promise(() => server[end]())
        yield* Effect.promise(() => server.restart())
        assert.deepStrictEqual(yield* Fiber.join(turn), { _tag: "Completed", summary: "all done" })
        assert.deepStrictEqual(server.conversations()[0]?.messages, ["Do it."])
        assert.include(listener.said(), "step 11")
      })
    )
  }
})

const byNumber = (left: string, right: string): number => Number(left.slice(5)) - Number(right.slice(5))
