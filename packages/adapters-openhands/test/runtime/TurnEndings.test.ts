import { assert, describe, it } from "@effect/vitest"
import type { AgentEvent, TurnResult } from "@opensymphony/core/ports/AgentRuntime"
import * as Usage from "@opensymphony/core/domain/Usage"
import * as UsageLedger from "@opensymphony/core/session/UsageLedger"
import { Clock, Effect, Fiber } from "effect"
import { TurnScript } from "../../src/testing/index.ts"
import * as Scene from "./Scene.ts"

/** One turn with these steps, and what was used. */
const oneTurn = (steps: ReadonlyArray<TurnScript.TurnStep>, options: Scene.RuntimeOptions = {}) =>
  Effect.gen(function* () {
    const server = yield* Scene.fake({ scripts: [{ steps }] })
    const runtime = yield* Scene.runtimeAt(server.url, options)
    const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
    const { events, hear } = Scene.listener()
    const result = yield* session.runTurn({ number: 1, prompt: "Do it." }, hear)
    return { result, server, session, events }
  })

const used = (events: ReadonlyArray<AgentEvent>): Usage.Usage =>
  events.reduce(
    (ledger, event) =>
      event._tag === "UsageReported" ? UsageLedger.report(ledger, event.source, event.usage) : ledger,
    UsageLedger.empty
  ).total

const reason = (result: TurnResult): string => (result._tag === "Completed" ? "" : result.reason)

describe("the end of a turn", () => {
  it.live("is completed by a text without a tool call", () =>
    Effect.gen(function* () {
      const { result } = yield* oneTurn([TurnScript.say("nothing to do")])
      assert.deepStrictEqual(result, { _tag: "Completed", summary: "nothing to do" })
    })
  )

  it.live("is not the end while a stop hook turns it back", () =>
    Effect.gen(function* () {
      const update = (value: string): TurnScript.TurnStep => ({
        type: "emit",
        event: { kind: "ConversationStateUpdateEvent", source: "environment", key: "execution_status", value }
      })
      const { result } = yield* oneTurn([
        TurnScript.shell("echo one"),
        update("finished"),
        update("running"),
        { type: "tool", tool: "think", arguments: { thought: "once more" }, thinkMs: 60 },
        TurnScript.finish("really done")
      ])
      assert.deepStrictEqual(result, { _tag: "Completed", summary: "really done" })
    })
  )

  it.live("names the variable when the provider refuses the key", () =>
    Effect.gen(function* () {
      const { result } = yield* oneTurn([
        TurnScript.fail("LLMAuthenticationError", `invalid key ${Scene.apiKey}`, {
          kind: "auth",
          retryable: false,
          user_action: "settings"
        })
      ])
      assert.strictEqual(result._tag, "Failed")
      assert.include(reason(result), "LLM_API_KEY")
      assert.notInclude(reason(result), Scene.apiKey)
    })
  )

  it.live("names the setting when the agent took too many steps", () =>
    Effect.gen(function* () {
      const { result } = yield* oneTurn([TurnScript.fail("MaxIterationsReached", "maximum iterations limit (50)")])
      assert.include(reason(result), "openhands.conversation.max_iterations")
    })
  )

  it.live("is usage limited, until when the provider's text says", () =>
    Effect.gen(function* () {
      const beforeMs = yield* Clock.currentTimeMillis
      const { result } = yield* oneTurn([
        TurnScript.fail("LLMRateLimitError", "Rate limit reached. Please try again in 1m30s.", {
          kind: "rate_limit",
          retryable: true,
          user_action: "retry"
        })
      ])
      assert.strictEqual(result._tag, "UsageLimited")
      const untilMs = result._tag === "UsageLimited" ? (result.untilMs ?? 0) : 0
      assert.closeTo(untilMs - beforeMs, 90_000, 15_000)
    })
  )

  it.live("makes room once by condensing, and completes", () =>
    Effect.gen(function* () {
      const server = yield* Scene.fake({
        scripts: [
          { times: 1, steps: [TurnScript.fail("LLMContextWindowExceedError", "too long"), TurnScript.finish("fitted")] }
        ]
      })
      const runtime = yield* Scene.runtimeAt(server.url)
      const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
      yield* session.runTurn({ number: 1, prompt: "Do it." }, () => Effect.void)
      assert.isTrue(server.requests().some(({ path }) => path.endsWith("/condense")))
      assert.strictEqual(server.conversations().length, 1)
    })
  )

  it.live("moves on to a new conversation with a summary when nothing can be condensed", () =>
    Effect.gen(function* () {
      const overflow = TurnScript.fail("LLMContextWindowExceedError", "maximum context length")
      const server = yield* Scene.fake({
        scripts: [
          { times: 1, steps: [TurnScript.shell("echo precious"), overflow] },
          { steps: [TurnScript.finish("fitted")] }
        ]
      })
      const runtime = yield* Scene.runtimeAt(server.url, { settings: Scene.withAgent({ condenser: null }) })
      const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
      const first = yield* session.session
      const result = yield* session.runTurn({ number: 1, prompt: "Do it." }, () => Effect.void)
      assert.deepStrictEqual(result, { _tag: "Completed", summary: "fitted" })
      const id = yield* session.session
      assert.notStrictEqual(id, first)
      const [prompt] = server.conversation(id ?? "")?.messages ?? []
      assert.isTrue(prompt?.startsWith("Do it."))
      assert.include(prompt, "$ echo precious")
    })
  )

  it.live("is an honest failure when the new conversation is too long as well", () =>
    Effect.gen(function* () {
      const { result, server } = yield* oneTurn(
        [TurnScript.fail("LLMContextWindowExceedError", "maximum context length")],
        { settings: Scene.withAgent({ condenser: null }) }
      )
      assert.include(reason(result), "openhands.conversation.agent.condenser")
      assert.strictEqual(server.conversations().length, 2)
    })
  )

  it.live("counts what every usage id used, cached tokens apart", () =>
    Effect.gen(function* () {
      const { events } = yield* oneTurn([
        {
          type: "tool",
          tool: "think",
          arguments: { thought: "hm" },
          usage: { prompt: 100, completion: 10, cached: 40, cost: 0.25 }
        },
        {
          type: "finish",
          message: "done",
          usage: { prompt: 30, completion: 5, cached: 0, cost: 0.5, usageId: "condenser" }
        }
      ])
      assert.deepStrictEqual(used(events), { inputTokens: 90, outputTokens: 15, cacheReadTokens: 40, costUsd: 0.75 })
    })
  )

  it.live("counts what was used although the socket never said so", () =>
    Effect.gen(function* () {
      const server = yield* Scene.fake({
        scripts: [
          { steps: [{ type: "finish", message: "done", usage: { prompt: 10, completion: 1, cached: 0, cost: 0.5 } }] }
        ],
        faults: [{ on: "frame", kind: "ConversationStateUpdateEvent", effect: { type: "drop" } }]
      })
      const runtime = yield* Scene.runtimeAt(server.url)
      const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
      const { events, hear } = Scene.listener()
      yield* session.runTurn({ number: 1, prompt: "Do it." }, hear)
      assert.deepStrictEqual(used(events), { inputTokens: 10, outputTokens: 1, cacheReadTokens: 0, costUsd: 0.5 })
    })
  )

  it.live("counts the step in which the server died, which the server itself forgot", () =>
    Effect.gen(function* () {
      const usage = { prompt: 10, completion: 1, cached: 0, cost: 1 }
      const step: TurnScript.TurnStep = {
        type: "tool",
        tool: "terminal",
        arguments: { command: "make" },
        durationMs: 150,
        usage
      }
      const server = yield* Scene.fake({
        scripts: [{ steps: [step, step, step, step, { type: "finish", message: "done", usage }] }]
      })
      const runtime = yield* Scene.runtimeAt(server.url)
      const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
      const { events, hear, said } = Scene.listener()
      const turn = yield* Effect.forkChild(session.runTurn({ number: 1, prompt: "Do it." }, hear))
      yield* Scene.eventually("the second command", () => said().filter((line) => line === "$ make").length === 2)
      yield* Effect.promise(() => server.crash())
      yield* Effect.promise(() => server.restart())
      assert.strictEqual((yield* Fiber.join(turn))._tag, "Completed")
      const answers = server.conversations()[0]?.events.filter(({ key }) => key === "stats").length
      assert.strictEqual(used(events).costUsd, answers)
    })
  )
})
