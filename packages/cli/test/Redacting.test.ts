import { assert, describe, it } from "@effect/vitest"
import { RunId } from "@opensymphony/core/domain/Ids"
import { AgentEvent, AgentRuntime, TurnResult, type OpenSession } from "@opensymphony/core/ports/AgentRuntime"
import { Context, Effect, Layer, Redacted, Stream } from "effect"
import * as Redacting from "../src/Redacting.ts"

const token = "8f2999ec02be36331d85e4e8185a2aff"

/** A runtime whose agent prints the token of its tools. */
const talkative = Layer.succeed(AgentRuntime, {
  kind: "talkative",
  openSession: () =>
    Effect.succeed({
      session: Effect.succeed(null),
      remembers: Effect.succeed(false),
      stop: Effect.succeed("confirmed" as const),
      runTurn: (_turn, onEvent) =>
        Effect.as(
          onEvent(AgentEvent.Activity({ kind: "output", summary: `token=${token}` })),
          TurnResult.Failed({ reason: `token=${token}` })
        )
    }),
  health: Stream.empty
})

describe("a runtime with redacted texts", () => {
  it.effect("hides the token of the run's tools", () =>
    Effect.gen(function* () {
      const built = yield* Layer.build(
        Layer.provide(
          Redacting.runtime((text) => text),
          talkative
        )
      )
      const servers = [{ name: "linear", url: "http://127.0.0.1:1/mcp", token: Redacted.make(token), bridge: null }]
      const request = {
        tools: { servers, workpad: Effect.succeed(null) },
        run: { runId: RunId("r-1") }
      } as unknown as OpenSession
      const session = yield* Context.get(built, AgentRuntime).openSession(request)
      const heard: Array<AgentEvent> = []
      const turn = { number: 1, prompt: "" } as Parameters<typeof session.runTurn>[0]
      const result = yield* session.runTurn(turn, (event) => Effect.sync(() => void heard.push(event)))
      assert.deepStrictEqual(result, TurnResult.Failed({ reason: "token=***" }))
      assert.deepStrictEqual(heard, [AgentEvent.Activity({ kind: "output", summary: "token=***" })])
    }).pipe(Effect.scoped)
  )
})
