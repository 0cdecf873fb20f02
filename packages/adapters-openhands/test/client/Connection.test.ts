import { assert, describe, it } from "@effect/vitest"
import { RuntimeHealth } from "@opensymphony/core/ports/AgentRuntime"
import { Effect, Redacted, Stream } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"
import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import * as Connection from "../../src/client/Connection.ts"
import type { Endpoint } from "../../src/server/AgentServer.ts"

const listening = (answer: RequestListener) =>
  Effect.acquireRelease(
    Effect.promise(
      () =>
        new Promise<{ url: string; close: () => void }>((resolve) => {
          const server = createServer(answer).listen(0, "127.0.0.1", () => {
            const { port } = server.address() as AddressInfo
            const close = () => {
              server.closeAllConnections()
              server.close()
            }
            resolve({ url: `http://127.0.0.1:${port}`, close })
          })
        })
    ),
    ({ close }) => Effect.sync(close)
  )

/** A connection to a server that has these keys, one after the other. */
const connect = Effect.fnUntraced(function* (url: string, keys: ReadonlyArray<string>) {
  const client = yield* HttpClient.HttpClient
  let asked = 0
  let unreachable = 0
  const endpoint = Effect.sync((): Endpoint => {
    const key = keys[Math.min(asked++, keys.length - 1)] ?? ""
    return { baseUrl: url, sessionKey: Redacted.make(key), authMode: "header", queryParamName: "key" }
  })
  const server = {
    endpoint,
    health: Stream.make(RuntimeHealth.Up()),
    reportUnreachable: Effect.sync(() => void unreachable++)
  }
  const connection = Connection.make(server, client, (text) => text.replaceAll("hunter2", "<redacted>"))
  return { connection, asked: () => asked, unreachable: () => unreachable }
}, Effect.provide(FetchHttpClient.layer))

const call: Connection.Call = { operation: "do it", method: "POST", path: "/api/x", body: { a: 1 }, timeoutMs: 300 }

describe("Connection", () => {
  it.live("asks for the key anew when it is refused, and repeats what was not carried out", () =>
    Effect.gen(function* () {
      const { url } = yield* listening((request, response) => {
        response.statusCode = request.headers["x-session-api-key"] === "new" ? 200 : 401
        response.end(`{"done":true}`)
      })
      const { connection } = yield* connect(url, ["old", "new"])
      assert.deepStrictEqual(yield* connection.request(call), { done: true })
    })
  )

  it.live("says that it is not let in when the key is the same", () =>
    Effect.gen(function* () {
      const { url } = yield* listening((_, response) => {
        response.statusCode = 401
        response.end(`{"detail":"Unauthorized"}`)
      })
      const { connection } = yield* connect(url, ["old"])
      assert.strictEqual((yield* Effect.flip(connection.request(call))).problem, "unauthorized")
    })
  )

  it.live("repeats neither the input that an error echoes nor a secret", () =>
    Effect.gen(function* () {
      const { url } = yield* listening((_, response) => {
        response.statusCode = 422
        const detail = [{ loc: ["body", "agent"], msg: "hunter2 is no model", input: { api_key: "hunter3" } }]
        response.end(JSON.stringify({ detail }))
      })
      const { connection } = yield* connect(url, ["k"])
      const { message, problem } = yield* Effect.flip(connection.request(call))
      assert.strictEqual(problem, "refused")
      assert.include(message, "body.agent: <redacted> is no model")
      assert.notInclude(message, "hunter")
    })
  )

  it.live("does not follow a redirect, which would carry the key away", () =>
    Effect.gen(function* () {
      let visits = 0
      const elsewhere = yield* listening((_, response) => {
        visits++
        response.end("{}")
      })
      const { url } = yield* listening((_, response) => {
        response.writeHead(307, { location: `${elsewhere.url}/api/x` }).end()
      })
      const { connection } = yield* connect(url, ["k"])
      assert.strictEqual((yield* Effect.flip(connection.request(call))).problem, "refused")
      assert.strictEqual(visits, 0)
    })
  )

  for (const [whose, body, problem] of [
    ["the server's", `{"detail":"Not Found"}`, "missing"],
    ["that of a proxy whose server is away", "404 page not found", "broken"]
  ] as const) {
    it.live(`takes "not found" for what it is: ${whose}`, () =>
      Effect.gen(function* () {
        const { url } = yield* listening((_, response) => {
          response.statusCode = 404
          response.end(body)
        })
        const { connection } = yield* connect(url, ["k"])
        assert.strictEqual((yield* Effect.flip(connection.request(call))).problem, problem)
      })
    )
  }

  it.live("gives up an answer that does not come", () =>
    Effect.gen(function* () {
      const { url } = yield* listening(() => undefined)
      const { connection } = yield* connect(url, ["k"])
      assert.strictEqual((yield* Effect.flip(connection.request(call))).problem, "timeout")
    })
  )

  it.live("reports a server that cannot be reached, and asks where it is the next time", () =>
    Effect.gen(function* () {
      const { asked, connection, unreachable } = yield* connect("http://127.0.0.1:9", ["k"])
      assert.strictEqual((yield* Effect.flip(connection.request(call))).problem, "unreachable")
      yield* Effect.flip(connection.request(call))
      assert.strictEqual(unreachable(), 2)
      assert.strictEqual(asked(), 2)
    })
  )
})
