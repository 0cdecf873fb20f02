import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, Redacted } from "effect"
import { createServer } from "node:http"
import * as RemoteServer from "../../src/server/RemoteServer.ts"
import { downWith, healthWhere, isUp, settingsOf } from "./LocalServerFixture.ts"

interface Answering {
  status: number
  headers: { [name: string]: string }
  readonly keys: Array<string | undefined>
  readonly baseUrl: string
}

/** A server whose answers a test changes. */
const serve = (status: number) =>
  Effect.gen(function* () {
    const answering = { status, headers: {}, keys: new Array<string | undefined>() }
    const server = createServer((request, response) => {
      answering.keys.push(request.headers["x-session-api-key"]?.toString())
      response.writeHead(answering.status, answering.headers).end("0")
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    )
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    return Object.assign(answering, { baseUrl: `http://127.0.0.1:${port}` }) satisfies Answering
  })

const watch = (
  baseUrl: string,
  patience: Partial<RemoteServer.RemotePatience> = {},
  sessionKeyEnv: string | null = "KEY"
) => {
  const settings = settingsOf({})
  return RemoteServer.make({
    settings: {
      ...settings,
      transport: { baseUrl, port: null, sessionKeyEnv },
      localServer: { ...settings.localServer, managed: false }
    },
    environment: { KEY: "the-key" },
    patience: { probeIntervalMs: 100, firstProbeAgainMs: 20, longestProbeAgainMs: 100, answerMs: 2_000, ...patience }
  }).pipe(Effect.provide(Logger.layer([])))
}

describe("a remote server", () => {
  it.live("is up when it answers to its key", () =>
    Effect.gen(function* () {
      const remote = yield* serve(200)
      const server = yield* watch(remote.baseUrl)
      yield* healthWhere(server, isUp)
      const { authMode, baseUrl, sessionKey } = yield* server.endpoint
      assert.deepStrictEqual([baseUrl, authMode], [remote.baseUrl, "header"])
      assert.strictEqual(Redacted.value(sessionKey ?? Redacted.make("")), "the-key")
      assert.strictEqual(remote.keys[0], "the-key")
    })
  )

  it.live("is down while it refuses the key, and says where the key comes from", () =>
    Effect.gen(function* () {
      const remote = yield* serve(401)
      const server = yield* watch(remote.baseUrl)
      const reason = yield* downWith(server, /refuses the session key/)
      assert.include(reason, "check the key in KEY")
      assert.notInclude(reason, "the-key")
    })
  )

  it.live("is down while nobody listens, and up once somebody does", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Effect.scoped(serve(200))
      const server = yield* watch(baseUrl)
      yield* downWith(server, /nobody listens there; check that it runs/)
      yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const late = createServer((_, response) => response.end("0"))
          late.listen(Number(new URL(baseUrl).port), "127.0.0.1", () => resume(Effect.succeed(late)))
        }),
        (late) =>
          Effect.sync(() => {
            late.closeAllConnections()
            late.close()
          })
      )
      yield* healthWhere(server, isUp)
    })
  )

  it.live("is looked at when somebody could not reach it", () =>
    Effect.gen(function* () {
      const remote = yield* serve(200)
      const server = yield* watch(remote.baseUrl, { probeIntervalMs: 600_000 })
      yield* healthWhere(server, isUp)
      remote.status = 503
      yield* server.reportUnreachable
      yield* downWith(server, /answers with status 503/)
    })
  )

  it.live("gets no chance to send the key elsewhere", () =>
    Effect.gen(function* () {
      const other = yield* serve(200)
      const remote = yield* serve(307)
      remote.headers = { location: `${other.baseUrl}/api/conversations/count` }
      const server = yield* watch(remote.baseUrl)
      yield* downWith(server, /status 307/)
      assert.deepStrictEqual(other.keys, [])
    })
  )

  it.live("fails who needs it, as no fault of theirs, after a while", () =>
    Effect.gen(function* () {
      const remote = yield* serve(500)
      const server = yield* watch(remote.baseUrl, { waitMs: 100 })
      const error = yield* Effect.flip(server.endpoint)
      assert.isTrue(error.unavailable)
    })
  )

  it.live("cannot be watched without its key", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(watch("https://agents.test", {}, "MISSING"))
      assert.match(error.message, /session_api_key_env names MISSING, which is not set/)
    })
  )
})
