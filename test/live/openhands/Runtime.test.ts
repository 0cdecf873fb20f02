import type { SessionId } from "@opensymphony/core/domain/Ids"
import * as Usage from "@opensymphony/core/domain/Usage"
import type { AgentEvent, AgentRuntimeService, OpenSession, TurnResult } from "@opensymphony/core/ports/AgentRuntime"
import { ModelScript, ScriptedModel } from "@opensymphony/adapters-openhands/testing"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as Client from "../../../packages/adapters-openhands/test/contract/Client.ts"
import * as RealSubject from "../../../packages/adapters-openhands/test/contract/RealSubject.ts"
import type { Subject } from "../../../packages/adapters-openhands/test/contract/Subject.ts"
import * as Scene from "../../../packages/adapters-openhands/test/runtime/Scene.ts"
import * as CutProxy from "./CutProxy.ts"
import { patienceMs, python, startMs } from "./Stage.ts"

const { finish, shell } = ModelScript

const inputCost = 1e-6
const outputCost = 2e-6

let subject: Subject
beforeAll(async () => {
  subject = await RealSubject.start(python)
}, startMs)
afterAll(() => subject.close())

/** The adapter with this model and key, by this way to the server. */
const runtimeWith = (model: ScriptedModel.ScriptedModel, key: string, url = subject.url()) => {
  const llm = {
    ...Scene.settings.conversation.agent.llm,
    options: {
      base_url: model.baseUrl,
      num_retries: 0,
      timeout: 30,
      input_cost_per_token: inputCost,
      output_cost_per_token: outputCost
    }
  }
  return Scene.runtimeAt(url, {
    settings: Scene.withAgent({ llm }),
    environment: { ...Scene.environment, LLM_API_KEY: key },
    endpoint: Scene.endpointAt(url, { sessionKey: Redacted.make(subject.key) }),
    stopTimeoutMs: 30_000,
    timing: { lostRunMs: 30_000, outageMs: 120_000, readBackMs: 60_000, wedgeMs: 30_000 }
  })
}

interface Turned {
  readonly result: TurnResult
  readonly events: ReadonlyArray<AgentEvent>
  readonly session: SessionId | null
  readonly usage: Usage.Usage
}

/** One turn in a session of its own; what it used, what it told. */
const turn = (
  runtime: AgentRuntimeService,
  request: OpenSession,
  hear: (event: AgentEvent) => void = () => undefined
) =>
  Effect.gen(function* () {
    const session = yield* runtime.openSession(request)
    const events: Array<AgentEvent> = []
    const listen = (event: AgentEvent) =>
      Effect.sync(() => {
        events.push(event)
        hear(event)
      })
    const result = yield* session.runTurn({ number: 1, prompt: marker }, listen)
    const last = events.findLast((event) => event._tag === "UsageReported")
    return { result, events, session: yield* session.session, usage: last?.usage ?? Usage.zero }
  }).pipe(Effect.scoped)

/** What a model says it reported since `before`, as the adapter should count it. */
const usageOf = (reported: ReturnType<ScriptedModel.ScriptedModel["reported"]>): Usage.Usage => ({
  inputTokens: reported.prompt - reported.cached,
  outputTokens: reported.completion,
  cacheReadTokens: reported.cached,
  costUsd: reported.prompt * inputCost + reported.completion * outputCost
})

const steps = [
  shell("echo one", { prompt: 1_000, completion: 11, cached: 100 }),
  shell("echo two", { prompt: 1_200, completion: 13, cached: 900 }),
  finish("done", { prompt: 1_400, completion: 17, cached: 1_200 })
]
const marker = "Do what is to be done."
const scripts = [{ marker, steps }]

const assertSame = (actual: Usage.Usage, expected: Usage.Usage, what: string) => {
  const rounded = (usage: Usage.Usage) => ({ ...usage, costUsd: Number(usage.costUsd.toFixed(9)) })
  assert.deepStrictEqual(rounded(actual), rounded(expected), what)
}

describe("the adapter on the real agent-server", () => {
  it.live(
    "counts what the model reported, also after a restart of the server with another model address and key",
    () =>
      Effect.gen(function* () {
        const first = yield* ScriptedModel.make({ scripts, apiKeys: ["first-key"] })
        const second = yield* ScriptedModel.make({ scripts, apiKeys: ["second-key"] })
        const request = Scene.opening(yield* Scene.directory)
        const runs = [
          { what: "at first", model: first, key: "first-key", restart: false },
          { what: "in the same conversation", model: first, key: "first-key", restart: false },
          { what: "after a restart, with another model and key", model: second, key: "second-key", restart: true },
          { what: "back again, without a restart", model: first, key: "first-key", restart: false },
          { what: "after another restart", model: first, key: "first-key", restart: true }
        ]
        let resume: SessionId | null = null
        for (const { key, model, restart, what } of runs) {
          if (restart) yield* Effect.promise(() => subject.restart("SIGKILL"))
          const before = usageOf(model.reported())
          const runtime = yield* runtimeWith(model, key)
          const ended: Turned = yield* turn(runtime, { ...request, resume })
          assert.strictEqual(ended.result._tag, "Completed", `${what}: ${JSON.stringify(ended.result)}`)
          if (resume !== null) assert.strictEqual(ended.session, resume, what)
          resume = ended.session
          assertSame(ended.usage, Usage.beyond(usageOf(model.reported()), before), what)
        }
      }),
    startMs + 5 * patienceMs
  )

  it.live(
    "loses nothing and tells nothing twice when its socket is cut ten times",
    () =>
      Effect.gen(function* () {
        const cuts = 10
        const commands = Array.from({ length: 14 }, (_, index) => shell(`echo part-${index}; sleep 0.4`))
        const model = yield* ScriptedModel.make({
          scripts: [{ marker, steps: [...commands, finish("done")] }]
        })
        const proxy = yield* Effect.acquireRelease(
          Effect.promise(() => CutProxy.start(subject.url())),
          (it) => Effect.promise(() => it.close())
        )
        const runtime = yield* runtimeWith(model, "any-key", proxy.url)
        let cut = 0
        const { events, result, session, usage } = yield* turn(
          runtime,
          Scene.opening(yield* Scene.directory),
          (event) => {
            if (event._tag === "Activity" && event.kind === "ActionEvent" && cut < cuts) cut += proxy.cut()
          }
        )
        assert.strictEqual(cut, cuts)
        assert.strictEqual(result._tag, "Completed", JSON.stringify(result))
        const log = yield* Effect.promise(() => Client.make(subject).events(session ?? ""))
        for (const kind of ["ActionEvent", "ObservationEvent"]) {
          const told = events.filter((event) => event._tag === "Activity" && event.kind === kind)
          assert.strictEqual(told.length, log.filter((event) => event.kind === kind).length, kind)
        }
        assertSame(usage, usageOf(model.reported()), "usage")
      }),
    2 * patienceMs
  )
})
