import { assert, describe, it } from "@effect/vitest"
import type { SessionId } from "@opensymphony/core/domain/Ids"
import type { AgentRuntimeService, OpenSession } from "@opensymphony/core/ports/AgentRuntime"
import { noTools } from "@opensymphony/core/ports/AgentTools"
import { Effect, Fiber } from "effect"
import { type FakeAgentServer, TurnScript } from "../../src/testing/index.ts"
import * as Scene from "./Scene.ts"

const scripts = [{ steps: [TurnScript.shell("echo hi"), TurnScript.finish("all done")] }]

/** One run of one turn, and the conversation that it left. */
const oneRun = (runtime: AgentRuntimeService, request: OpenSession, prompt = "Do it.") =>
  Effect.scoped(
    Effect.gen(function* () {
      const session = yield* runtime.openSession(request)
      const result = yield* session.runTurn({ number: 1, prompt }, () => Effect.void)
      return { result, session: yield* session.session }
    })
  )

const rest = (server: FakeAgentServer.FakeAgentServer, method: string, path: string, body: string | null = null) =>
  Effect.promise(() =>
    fetch(`${server.url}/api/conversations/${path}`, {
      method,
      headers: { "x-session-api-key": Scene.sessionKey },
      body
    })
  )

const messagesOf = (server: FakeAgentServer.FakeAgentServer, session: SessionId | null) =>
  server.conversation(session ?? "")?.messages ?? []

/** A first run on a fresh server, and what a second one needs. */
const afterOneRun = Effect.gen(function* () {
  const server = yield* Scene.fake({ scripts })
  const runtime = yield* Scene.runtimeAt(server.url)
  const request = Scene.opening(yield* Scene.directory)
  const { session } = yield* oneRun(runtime, request)
  return { server, runtime, request: { ...request, resume: session }, session }
})

describe("sessions over time", () => {
  it.live("goes on with the conversation of the run before", () =>
    Effect.gen(function* () {
      const { request, runtime, server, session } = yield* afterOneRun
      const second = yield* oneRun(runtime, request, "More.")
      assert.strictEqual(second.session, session)
      assert.deepStrictEqual(messagesOf(server, session), ["Do it.", "More."])
    })
  )

  it.live("counts what the conversation used while no run followed it", () =>
    Effect.gen(function* () {
      const { request, runtime, server, session } = yield* afterOneRun
      const content = [{ type: "text", text: "Somebody else's." }]
      const body = JSON.stringify({ role: "user", content, run: true })
      yield* rest(server, "POST", `${session}/events`, body)
      yield* Scene.eventually("the end", () => server.conversation(session ?? "")?.status === "finished")
      const inputTokens = yield* Effect.scoped(
        Effect.gen(function* () {
          const { events, hear } = Scene.listener()
          const opened = yield* runtime.openSession(request)
          yield* opened.runTurn({ number: 1, prompt: "More." }, hear)
          return events.flatMap((event) => (event._tag === "UsageReported" ? [event.usage.inputTokens] : [])).at(-1)
        })
      )
      // Two answers of the model for somebody else, two for this run.
      assert.strictEqual(inputTokens, 4 * 60)
    })
  )

  it.live("goes on with it after the server was started anew", () =>
    Effect.gen(function* () {
      const { request, runtime, server, session } = yield* afterOneRun
      yield* Effect.promise(() => server.crash())
      yield* Effect.promise(() => server.restart())
      const second = yield* oneRun(runtime, request, "More.")
      assert.strictEqual(second.session, session)
      assert.strictEqual(second.result._tag, "Completed")
    })
  )

  it.live("begins a new one, told what was known, when it is gone", () =>
    Effect.gen(function* () {
      const { request, runtime, server, session } = yield* afterOneRun
      yield* rest(server, "DELETE", session ?? "")
      const tools = { ...noTools, workpad: Effect.succeed("The parser is half done.") }
      const second = yield* oneRun(runtime, { ...request, tools }, "Do it again.")
      assert.notStrictEqual(second.session, session)
      const [prompt] = messagesOf(server, second.session)
      assert.isTrue(prompt?.startsWith("Do it again.\n"))
      assert.include(prompt, "it is gone from the server")
      assert.include(prompt, "The parser is half done.")
    })
  )

  it.live("tells a new one what was known also when its first prompt had to wait for another run", () =>
    Effect.gen(function* () {
      const { request, runtime, server, session } = yield* afterOneRun
      yield* rest(server, "DELETE", session ?? "")
      const tools = { ...noTools, workpad: Effect.succeed("The parser is half done.") }
      const resumed = { ...request, tools }
      server.fault({
        on: "request",
        method: "POST",
        path: "/events$",
        effect: { type: "status", status: 503 },
        times: 2
      })
      const next = yield* Effect.scoped(
        Effect.gen(function* () {
          const opened = yield* runtime.openSession(resumed)
          yield* Effect.flip(opened.runTurn({ number: 1, prompt: "Do it." }, () => Effect.void))
          return yield* opened.session
        })
      )
      const third = yield* oneRun(runtime, { ...resumed, resume: next }, "Do it again.")
      assert.strictEqual(third.session, next)
      const [prompt] = messagesOf(server, next)
      assert.isTrue(prompt?.startsWith("Do it again.\n"))
      assert.include(prompt, "The parser is half done.")
    })
  )

  it.live("begins a new one when the workspace is another directory than its agent works in", () =>
    Effect.gen(function* () {
      const { request, runtime, server, session } = yield* afterOneRun
      const { run } = Scene.opening(yield* Scene.directory)
      const second = yield* oneRun(runtime, { ...request, run })
      assert.notStrictEqual(second.session, session)
      assert.include(messagesOf(server, second.session)[0], "- $ echo hi")
    })
  )

  it.live("begins a new one in the middle of a run when it is gone", () =>
    Effect.gen(function* () {
      const server = yield* Scene.fake({ scripts })
      const runtime = yield* Scene.runtimeAt(server.url)
      const session = yield* runtime.openSession(Scene.opening(yield* Scene.directory))
      yield* session.runTurn({ number: 1, prompt: "The task." }, () => Effect.void)
      const first = yield* session.session
      yield* rest(server, "DELETE", first ?? "")
      const result = yield* session.runTurn({ number: 2, prompt: "Continue." }, () => Effect.void)
      assert.strictEqual(result._tag, "Completed")
      const [prompt] = messagesOf(server, yield* session.session)
      assert.isTrue(prompt?.startsWith("The task.") === true && prompt.endsWith("Continue."))
    })
  )

  it.live("does not give it up for a failure that passes", () =>
    Effect.gen(function* () {
      const { request, runtime, server, session } = yield* afterOneRun
      server.fault({
        on: "request",
        method: "GET",
        path: `${session}$`,
        effect: { type: "status", status: 503 },
        times: 4
      })
      yield* Effect.flip(oneRun(runtime, request))
      const third = yield* oneRun(runtime, request, "More.")
      assert.strictEqual(third.session, session)
      assert.strictEqual(server.conversations().length, 1)
    })
  )

  it.live("does not take the name of another runtime's session for a conversation", () =>
    Effect.gen(function* () {
      const { request, runtime, server } = yield* afterOneRun
      const second = yield* oneRun(runtime, { ...request, resume: "my-session/../1" as SessionId })
      assert.deepStrictEqual(messagesOf(server, second.session), ["Do it."])
    })
  )

  it.live("stops what an orchestrator that died left running, before it says anything", () =>
    Effect.gen(function* () {
      const server = yield* Scene.fake({ scripts: [{ match: "Hang", steps: [{ type: "hang" }] }, ...scripts] })
      const request = Scene.opening(yield* Scene.directory)
      const old = yield* Scene.runtimeAt(server.url)
      const left = yield* old.openSession(request)
      const turn = yield* Effect.forkDetach(left.runTurn({ number: 1, prompt: "Hang." }, () => Effect.void))
      const isRunning = () => server.conversations()[0]?.status === "running"
      yield* Scene.eventually("the run", isRunning)
      const runtime = yield* Scene.runtimeAt(server.url)
      const resume = yield* left.session
      const second = yield* oneRun(runtime, { ...request, resume }, "Do it.")
      assert.strictEqual(second.session, resume)
      assert.strictEqual(second.result._tag, "Completed")
      yield* Fiber.interrupt(turn)
    })
  )

  it.live("does not work beside what cannot be stopped", () =>
    Effect.gen(function* () {
      const server = yield* Scene.fake({ scripts: [{ steps: [{ type: "hang" }] }] })
      const request = Scene.opening(yield* Scene.directory)
      const old = yield* Scene.runtimeAt(server.url, { stopTimeoutMs: 200 })
      const left = yield* old.openSession(request)
      yield* Effect.forkDetach(left.runTurn({ number: 1, prompt: "Hang." }, () => Effect.void))
      yield* Scene.eventually("the run", () => server.conversations()[0]?.status === "running")
      server.fault({ on: "behaviour", behaviour: "lostStop" })
      const error = yield* Effect.flip(oneRun(old, { ...request, resume: yield* left.session }))
      assert.include(error.message, "two agents may not work in one workspace")
      assert.isFalse(error.unavailable)
    })
  )

  it.live("refuses the action that an earlier run wanted to have confirmed, and goes on", () =>
    Effect.gen(function* () {
      const confirmed: TurnScript.TurnStep = {
        type: "tool",
        tool: "terminal",
        confirm: true,
        arguments: { command: "rm -rf /" }
      }
      const server = yield* Scene.fake({
        scripts: [{ match: "Dare", steps: [confirmed, TurnScript.finish("dared")] }, ...scripts]
      })
      const runtime = yield* Scene.runtimeAt(server.url)
      const request = Scene.opening(yield* Scene.directory)
      const first = yield* oneRun(runtime, request, "Dare.")
      assert.include(first.result._tag === "Failed" ? first.result.reason : "", "confirm")
      const second = yield* oneRun(runtime, { ...request, resume: first.session })
      assert.deepStrictEqual(second.result, { _tag: "Completed", summary: "all done" })
      const events = server.conversation(first.session ?? "")?.events ?? []
      assert.isTrue(events.some(({ kind }) => kind === "UserRejectObservation"))
    })
  )

  for (const status of ["paused", "stuck", "error"] as const) {
    it.live(`goes on with a conversation that is ${status}`, () =>
      Effect.gen(function* () {
        const end: TurnScript.TurnStep =
          status === "stuck"
            ? { type: "stuck" }
            : status === "error"
              ? TurnScript.fail("ValueError", "broken")
              : { type: "hang" }
        const server = yield* Scene.fake({ scripts: [{ match: "First", steps: [end] }, ...scripts] })
        const runtime = yield* Scene.runtimeAt(server.url)
        const request = Scene.opening(yield* Scene.directory)
        const session = yield* Effect.scoped(
          Effect.gen(function* () {
            const session = yield* runtime.openSession(request)
            const turn = yield* Effect.forkChild(session.runTurn({ number: 1, prompt: "First." }, () => Effect.void))
            const id = (yield* session.session) ?? ""
            if (status === "paused") {
              yield* Scene.eventually("the run", () => server.conversation(id)?.status === "running")
              yield* rest(server, "POST", `${id}/interrupt`)
            }
            assert.strictEqual((yield* Fiber.join(turn))._tag, "Failed")
            return yield* session.session
          })
        )
        assert.strictEqual(server.conversation(session ?? "")?.status, status)
        const second = yield* oneRun(runtime, { ...request, resume: session })
        assert.strictEqual(second.session, session)
        assert.deepStrictEqual(second.result, { _tag: "Completed", summary: "all done" })
      })
    )
  }

  it.live("has a conversation for each run where the workflow wants that, and deletes the one before", () =>
    Effect.gen(function* () {
      const server = yield* Scene.fake({ scripts })
      const settings = Scene.withConversation({ reusePolicy: "fresh_each_run" })
      const runtime = yield* Scene.runtimeAt(server.url, { settings })
      const request = Scene.opening(yield* Scene.directory)
      const first = yield* oneRun(runtime, request)
      const second = yield* oneRun(runtime, { ...request, resume: first.session }, "More.")
      assert.notStrictEqual(second.session, first.session)
      assert.deepStrictEqual(messagesOf(server, second.session), ["More."])
      assert.deepStrictEqual(
        server.conversations().map(({ id }) => id),
        [String(second.session)]
      )
    })
  )
})
