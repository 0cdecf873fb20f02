import { assert, describe, it } from "@effect/vitest"
import { RuntimeHealth } from "@opensymphony/core/ports/AgentRuntime"
import { Effect, Fiber, Stream } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"
import { randomUUID } from "node:crypto"
import * as AgentServerApi from "../../src/client/AgentServerApi.ts"
import * as Connection from "../../src/client/Connection.ts"
import * as EventStream from "../../src/stream/EventStream.ts"
import * as Scene from "../runtime/Scene.ts"

const thoughts = ["one", "two", "three", "four"]

describe("events that come while the log is read", () => {
  it.live("are handed on once, in the order of the log", () =>
    Effect.gen(function* () {
      const server = yield* Scene.fake()
      const client = yield* HttpClient.HttpClient
      const place = {
        endpoint: Effect.succeed(Scene.endpointAt(server.url)),
        health: Stream.make(RuntimeHealth.Up()),
        reportUnreachable: Effect.void
      }
      const connection = Connection.make(place, client, (text) => text)
      const api = AgentServerApi.make(connection)
      const conversation = randomUUID()
      yield* api.create({
        conversation_id: conversation,
        workspace: { kind: "LocalWorkspace", working_dir: yield* Scene.directory },
        agent: { kind: "Agent", llm: { model: "openai/scripted", usage_id: "agent" }, tools: [] }
      })
      const heard: Array<string> = []
      const stream = yield* EventStream.start({
        api,
        connection,
        conversation,
        socket: true,
        readyTimeoutMs: 2_000,
        reconnectInitialMs: 20,
        reconnectMaxMs: 100,
        pollMs: 40,
        onEvent: ({ body, summary }) => Effect.sync(() => void (body._tag === "Worked" && heard.push(summary)))
      })
      server.fault({
        on: "request",
        method: "GET",
        path: "/events/search",
        times: 1,
        effect: { type: "delay", ms: 300 }
      })
      const reading = yield* Effect.forkChild(stream.reconcile)
      yield* Scene.eventually("the request", () => server.faults().some(({ applied }) => applied === 1))
      for (const thought of thoughts) {
        server.emit(conversation, { kind: "ActionEvent", source: "agent", tool_name: "think", action: { thought } })
      }
      yield* Fiber.join(reading)
      yield* Scene.eventually("all events", () => heard.length >= thoughts.length)
      assert.deepStrictEqual(heard, thoughts)
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )
})
