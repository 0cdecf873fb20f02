import { assert, describe, it } from "@effect/vitest"
import type { SessionId } from "@opensymphony/core/domain/Ids"
import type { TurnResult } from "@opensymphony/core/ports/AgentRuntime"
import { Effect } from "effect"
import { TurnScript } from "../../src/testing/index.ts"
import * as Scene from "./Scene.ts"

const scripts = [{ steps: [TurnScript.shell("echo hi"), TurnScript.finish("all done")] }]

/** A run under one configuration, and the next under another. */
const runs = (before: Scene.RuntimeOptions, after: Scene.RuntimeOptions, fakeOptions = {}) =>
  Effect.gen(function* () {
    const server = yield* Scene.fake({ scripts, ...fakeOptions })
    const request = Scene.opening(yield* Scene.directory)
    const sessions: Array<{ readonly id: SessionId | null; readonly result: TurnResult }> = []
    for (const options of [before, after]) {
      const runtime = yield* Scene.runtimeAt(server.url, options)
      const session = yield* runtime.openSession({ ...request, resume: sessions.at(-1)?.id ?? null })
      const result = yield* session.runTurn({ number: 1, prompt: "Do it." }, () => Effect.void)
      sessions.push({ id: yield* session.session, result })
    }
    return { server, request, sessions, isSame: sessions[0]?.id === sessions[1]?.id }
  })

const requestsTo = (server: { requests: () => ReadonlyArray<{ path: string }> }, end: string) =>
  server.requests().filter(({ path }) => path.endsWith(end)).length

describe("the profile of a conversation", () => {
  it.live("is left alone while nothing changed", () =>
    Effect.gen(function* () {
      const { isSame, server } = yield* runs({}, {})
      assert.isTrue(isSame)
      assert.strictEqual(requestsTo(server, "/switch_llm"), 0)
    })
  )

  it.live("gets a new key by a switch", () =>
    Effect.gen(function* () {
      const environment = { ...Scene.environment, LLM_API_KEY: "another-key" }
      const { isSame, server, sessions } = yield* runs({}, { environment }, { llmKeys: [Scene.apiKey, "another-key"] })
      assert.isTrue(isSame)
      assert.strictEqual(requestsTo(server, "/switch_llm"), 1)
      assert.strictEqual(sessions[1]?.result._tag, "Completed")
    })
  )

  it.live("gets a new model by a switch, once", () =>
    Effect.gen(function* () {
      const { llm } = Scene.settings.conversation.agent
      const settings = Scene.withAgent({ llm: { ...llm, model: "openai/other" } })
      const { isSame, request, server, sessions } = yield* runs({}, { settings })
      assert.isTrue(isSame)
      const again = yield* Scene.runtimeAt(server.url, { settings })
      const session = yield* again.openSession({ ...request, resume: sessions[1]?.id ?? null })
      yield* session.runTurn({ number: 1, prompt: "Do it." }, () => Effect.void)
      assert.strictEqual(requestsTo(server, "/switch_llm"), 1)
    })
  )

  it.live("is switched when a message has built the agent, under a usage id of its own, so that its usage counts", () =>
    Effect.gen(function* () {
      const environment = { ...Scene.environment, LLM_API_KEY: "another-key" }
      const { server, sessions } = yield* runs({}, { environment })
      const posts = server
        .requests()
        .filter(({ method, path }) => method === "POST" && path.includes(`${sessions[0]?.id}/`))
      assert.deepStrictEqual(
        posts.map(({ path }) => path.split("/").at(-1)),
        ["events", "run", "events", "switch_llm", "run"]
      )
      const { agent } = server.conversation(sessions[0]?.id ?? "") ?? {}
      assert.match(JSON.stringify(agent?.["llm"]), /"usage_id":"agent-[\da-f]{12}"/)
    })
  )

  it.live("leads to a new conversation with the prompt when the server refuses the model", () =>
    Effect.gen(function* () {
      const environment = { ...Scene.environment, LLM_API_KEY: "another-key" }
      const fault = { on: "request", path: "/switch_llm$", effect: { type: "status", status: 422 } }
      const { isSame, server, sessions } = yield* runs({}, { environment }, { faults: [fault] })
      assert.isFalse(isSame)
      assert.strictEqual(sessions[1]?.result._tag, "Completed")
      const [prompt] = server.conversation(sessions[1]?.id ?? "")?.messages ?? []
      assert.isTrue(prompt?.startsWith("Do it.\n"))
      assert.include(prompt, "the model was changed")
    })
  )

  for (const [name, change] of [
    ["tool list", { tools: [{ name: "terminal", params: {} }] }],
    ["condenser", { condenser: { maxSize: 100, keepFirst: 2, maxTokens: null } }]
  ] as const) {
    it.live(`leads to a new conversation, told what was known, when the ${name} changed`, () =>
      Effect.gen(function* () {
        const { isSame, server, sessions } = yield* runs({}, { settings: Scene.withAgent(change) })
        assert.isFalse(isSame)
        const [prompt] = server.conversation(sessions[1]?.id ?? "")?.messages ?? []
        assert.include(prompt, "the agent's settings were changed")
        assert.include(prompt, "- $ echo hi")
      })
    )
  }

  it.live("is known by tags that hold neither key nor anything made from it alone", () =>
    Effect.gen(function* () {
      const { server, sessions } = yield* runs(
        {},
        { settings: Scene.withConversation({ reusePolicy: "fresh_each_run" }) }
      )
      const tags = server.conversation(sessions[1]?.id ?? "")?.tags ?? {}
      assert.deepStrictEqual(Object.keys(tags).toSorted(), ["agent", "issue", "llm"])
      assert.match(tags["llm"] ?? "", /^[\da-f]{32}$/)
      assert.notInclude(JSON.stringify(tags), Scene.apiKey)
    })
  )

  it.live("has another fingerprint in every conversation, so that equal keys cannot be told", () =>
    Effect.gen(function* () {
      const server = yield* Scene.fake({ scripts })
      const runtime = yield* Scene.runtimeAt(server.url)
      yield* runtime.openSession(Scene.opening(yield* Scene.directory))
      yield* runtime.openSession(Scene.opening(yield* Scene.directory))
      const [first, second] = server.conversations()
      assert.notStrictEqual(first?.tags["llm"], second?.tags["llm"])
    })
  )

  it.live("names every variable that is not set", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Scene.runtimeAt("http://127.0.0.1:9", { environment: {} }))
      assert.include(error.message, "LLM_API_KEY")
    })
  )
})
