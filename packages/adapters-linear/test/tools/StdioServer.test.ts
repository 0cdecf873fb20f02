import { assert, describe, it } from "@effect/vitest"
import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js"
import { Effect, Sink, Stdio, Stream } from "effect"
import type { ToolHost } from "../../src/tools/ToolHost.ts"
import * as StdioServer from "../../src/tools/StdioServer.ts"
import * as World from "./World.ts"

const said = (text: string): CallToolResult => ({ content: [{ type: "text", text }] })

const host: ToolHost = {
  list: Effect.succeed([]),
  call: (name) => Effect.delay(Effect.succeed(said(name)), name === "slow" ? "50 millis" : "0 millis")
}

/** What is written for an input that arrives in these pieces and then ends. */
const answersTo = (pieces: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    let output = ""
    const log = World.keptLog()
    const stdio = Stdio.layerTest({
      stdin: Stream.encodeText(Stream.fromArray(pieces)),
      stdout: () => Sink.forEach((chunk: string | Uint8Array) => Effect.sync(() => (output += String(chunk))))
    })
    yield* StdioServer.serve(host).pipe(Effect.provide([stdio, log.layer]))
    const lines = output.split("\n").filter((line) => line !== "")
    return { messages: lines.map((line): unknown => JSON.parse(line)), logged: log.text() }
  })

const request = (id: number, name: string) =>
  JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params: { name } })
const answer = (id: number, name: string) => ({ jsonrpc: "2.0", id, result: said(name) })

describe("the server on standard input and output", () => {
  it.live("answers what was asked before the input ended", () =>
    Effect.gen(function* () {
      const { messages } = yield* answersTo([`${request(1, "slow")}\n${request(2, "fast")}\n`])
      assert.deepStrictEqual(messages, [answer(2, "fast"), answer(1, "slow")])
    })
  )

  it.live("puts lines together that arrive in pieces", () =>
    Effect.gen(function* () {
      const text = `${request(1, "grün")}\r\n\n${request(2, "b")}\n`
      const { messages } = yield* answersTo([...text])
      assert.deepStrictEqual(messages, [answer(1, "grün"), answer(2, "b")])
    })
  )

  it.live("answers a last line that the input ends without a line break", () =>
    Effect.gen(function* () {
      const { messages } = yield* answersTo([`${request(1, "a")}\n`, request(2, "b")])
      assert.deepStrictEqual(messages, [answer(1, "a"), answer(2, "b")])
    })
  )

  it.live("passes over what is no message, and says so", () =>
    Effect.gen(function* () {
      const { logged, messages } = yield* answersTo([`hello\n{"a": 1}\n[]\n${request(1, "a")}\n`])
      assert.deepStrictEqual(messages, [answer(1, "a")])
      assert.include(logged, "it is not JSON")
      assert.include(logged, "it is not a message of JSON-RPC 2.0")
    })
  )

  it.live("passes over a line without end, and goes on after it", () =>
    Effect.gen(function* () {
      const piece = "x".repeat(1024 * 1024)
      const { messages } = yield* answersTo([...Array.from({ length: 12 }, () => piece), `\n${request(1, "a")}\n`])
      assert.deepStrictEqual(messages, [answer(1, "a")])
    })
  )

  it.live("ends with an input that never says anything", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* answersTo([])).messages, [])
    })
  )
})
