import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import {
  downWith,
  eventually,
  healthWhere,
  isAlive,
  isUp,
  newDirectory,
  seenIn,
  start,
  startApart,
  text
} from "./LocalServerFixture.ts"

const request = async (url: string, key: string): Promise<number> =>
  (await fetch(url, { headers: { "X-Session-API-Key": key } })).status

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

describe("a local server", () => {
  it.live("is started, is told its secrets in a private file, and answers to its key", () =>
    Effect.gen(function* () {
      const directory = newDirectory()
      const server = yield* start({ directory })
      const { baseUrl, sessionKey } = yield* server.endpoint
      const key = Redacted.value(sessionKey ?? Redacted.make("none"))
      assert.match(baseUrl, /^http:\/\/127\.0\.0\.1:\d+$/)
      assert.strictEqual(yield* Effect.promise(() => request(`${baseUrl}/api/conversations/count`, key)), 200)
      assert.deepStrictEqual(
        ["", "server.json", "server-config.json", "secret-key", "server.log"].map((name) =>
          modeOf(join(directory, name))
        ),
        ["700", "600", "600", "600", "600"]
      )
    })
  )

  it.live("gets an environment without secrets of this process", () =>
    Effect.gen(function* () {
      const directory = newDirectory()
      const server = yield* start({
        directory,
        env: { PLAIN: text("p"), FAKE_TOKEN: { kind: "variable", name: "HANDED_ON" } },
        environment: {
          LINEAR_API_KEY: "lin-secret",
          LLM_API_KEY: "llm-secret",
          HANDED_ON: "handed-on-secret",
          TZ: "Asia/Tokyo"
        }
      })
      yield* server.endpoint
      const { argv, config, env } = seenIn(directory)
      const told = JSON.stringify(env)
      assert.notInclude(told, "lin-secret")
      assert.notInclude(told, "llm-secret")
      assert.notInclude(told, config.secret_key)
      assert.notInclude(told, config.session_api_keys[0] ?? "?")
      assert.deepStrictEqual([env["PLAIN"], env["FAKE_TOKEN"], env["TZ"]], ["p", "handed-on-secret", "UTC"])
      assert.strictEqual(env["HOME"], "/home/ann")
      assert.deepStrictEqual(argv.slice(0, 3), ["--host", "127.0.0.1", "--port"])
      for (const name of ["OH_CONVERSATIONS_PATH", "OH_PERSISTENCE_DIR", "OH_BASH_EVENTS_DIR"]) {
        assert.isTrue(env[name]?.startsWith(directory), name)
      }
    })
  )

  it.live("logs without drawing, and leaves the limit of runs to the orchestrator", () =>
    Effect.gen(function* () {
      const directory = newDirectory()
      yield* (yield* start({ directory })).endpoint
      const { env } = seenIn(directory)
      assert.strictEqual(env["LOG_JSON"], "1")
      assert.isAbove(Number(env["OH_MAX_CONCURRENT_RUNS"]), 1_000)
    })
  )

  it.live(
    "has its terminals' sockets in a private place of a short name, the same after a restart, gone at the end",
    () =>
      Effect.gen(function* () {
        const directory = newDirectory()
        const places = yield* Effect.forEach([1, 2], () =>
          Effect.gen(function* () {
            yield* (yield* start({ directory })).endpoint
            const place = seenIn(directory).env["TMUX_TMPDIR"] ?? ""
            assert.strictEqual(modeOf(place), "700")
            return place
          }).pipe(Effect.scoped)
        )
        assert.strictEqual(places[0], places[1])
        assert.isAtMost(Buffer.byteLength(places[0] ?? ""), 40)
        assert.isFalse(existsSync(places[0] ?? ""))
      })
  )

  it.live("interrupts what runs before it ends the server", () =>
    Effect.gen(function* () {
      const directory = newDirectory()
      const { server, stop } = yield* startApart({ directory, env: { FAKE: text("busy") } })
      yield* server.endpoint
      yield* stop
      const said = readFileSync(join(directory, "server.log"), "utf8")
      assert.match(said, /fake server ending GET search, POST (one|two)\/interrupt, POST (one|two)\/interrupt/)
    })
  )

  it.live("keeps the key of its data from one start to the next, and its session key not", () =>
    Effect.gen(function* () {
      const directory = newDirectory()
      const configs = yield* Effect.forEach([1, 2], () =>
        Effect.gen(function* () {
          yield* (yield* start({ directory })).endpoint
          return seenIn(directory).config
        }).pipe(Effect.scoped)
      )
      assert.strictEqual(configs[0]?.secret_key, configs[1]?.secret_key)
      assert.notStrictEqual(configs[0]?.session_api_keys[0], configs[1]?.session_api_keys[0])
    })
  )

  it.live("is gone with its scope, and its record too", () =>
    Effect.gen(function* () {
      const directory = newDirectory()
      const { server, stop } = yield* startApart({ directory })
      yield* server.endpoint
      const { pid } = seenIn(directory)
      yield* stop
      assert.isFalse(isAlive(pid))
      assert.isFalse(existsSync(join(directory, "server.json")))
      assert.include(readFileSync(join(directory, "server.log"), "utf8"), "fake server ending")
    })
  )

  it.live.skipIf(process.platform !== "linux")("takes along what it started in groups of their own", () =>
    Effect.gen(function* () {
      const directory = newDirectory()
      const { server, stop } = yield* startApart({ directory, env: { FAKE: text("leaves") } })
      yield* server.endpoint
      const left = Number(readFileSync(join(directory, "left.pid"), "utf8"))
      assert.isTrue(isAlive(left))
      yield* stop
      assert.isFalse(isAlive(left))
    })
  )

  it.live("is gone also when its start is interrupted", () =>
    Effect.gen(function* () {
      const directory = newDirectory()
      const starting = yield* Effect.forkChild(
        Effect.scoped(Effect.andThen(start({ directory, env: { FAKE: text("never-ready") } }), Effect.never))
      )
      yield* eventually("the server runs", () => existsSync(join(directory, "environment.json")))
      const { pid } = seenIn(directory)
      yield* Fiber.interrupt(starting)
      assert.isFalse(isAlive(pid))
    })
  )

  it.live("is started anew when it dies, at the same address and with the same key", () =>
    Effect.gen(function* () {
      const directory = newDirectory()
      const server = yield* start({ directory })
      const before = yield* server.endpoint
      const { pid } = seenIn(directory)
      const down = yield* Effect.forkChild(downWith(server, /was ended by SIGKILL; it is started anew/), {
        startImmediately: true
      })
      process.kill(-pid, "SIGKILL")
      yield* Fiber.join(down)
      yield* healthWhere(server, isUp)
      const after = yield* server.endpoint
      assert.notStrictEqual(seenIn(directory).pid, pid)
      assert.strictEqual(after.baseUrl, before.baseUrl)
      assert.strictEqual(
        Redacted.value(after.sessionKey ?? Redacted.make("")),
        Redacted.value(before.sessionKey ?? Redacted.make("none"))
      )
    })
  )

  it.live("is started anew when it answers nothing for too long", () =>
    Effect.gen(function* () {
      const directory = newDirectory()
      const deaf = join(directory, "deaf")
      const server = yield* start({
        directory,
        env: { FAKE_SWITCH: text(deaf) },
        patience: { answerMs: 300, unresponsiveMs: 1_500 }
      })
      yield* server.endpoint
      const { pid } = seenIn(directory)
      writeFileSync(deaf, "")
      yield* server.reportUnreachable
      yield* downWith(server, /does not answer: no answer within 300 ms/)
      yield* eventually("the deaf server is gone", () => !isAlive(pid))
    })
  )

  it.live("is up again without a restart when it answers in time", () =>
    Effect.gen(function* () {
      const directory = newDirectory()
      const deaf = join(directory, "deaf")
      const server = yield* start({ directory, env: { FAKE_SWITCH: text(deaf) }, patience: { answerMs: 300 } })
      yield* server.endpoint
      const { pid } = seenIn(directory)
      writeFileSync(deaf, "")
      yield* downWith(server, /does not answer/)
      rmSync(deaf)
      yield* healthWhere(server, isUp)
      assert.strictEqual(seenIn(directory).pid, pid)
    })
  )
})

describe("a local server that does not start", () => {
  it.live("says so with its last lines, without secrets", () =>
    Effect.gen(function* () {
      const server = yield* start({
        env: { FAKE: text("dies"), FAKE_TOKEN: { kind: "variable", name: "HANDED_ON" } },
        environment: { HANDED_ON: "handed-on-secret" }
      })
      const reason = yield* downWith(server, /ended with status 3 before it was ready/)
      assert.include(reason, "it said: fake server starting | cannot start: the token *** and the key *** are no good")
      assert.include(reason, "| giving up ValueError: no good (")
      assert.match(reason, /server\.log/)
    })
  )

  it.live("is waited for no longer than the workflow says, and ended", () =>
    Effect.gen(function* () {
      const directory = newDirectory()
      const server = yield* start({ directory, env: { FAKE: text("never-ready") }, startupTimeoutMs: 1_000 })
      yield* downWith(server, /was not ready within 1000 ms; raise openhands\.local_server\.startup_timeout_ms/)
      const { pid } = seenIn(directory)
      yield* eventually("it is gone", () => !isAlive(pid) || seenIn(directory).pid !== pid)
    })
  )

  it.live("fails who needs it with the reason, as no fault of theirs", () =>
    Effect.gen(function* () {
      const server = yield* start({
        command: ["/nowhere/agent-server"],
        startupTimeoutMs: 1_000,
        patience: { graceMs: 0 }
      })
      yield* downWith(server, /before it was ready/)
      const error = yield* Effect.flip(server.endpoint)
      assert.isTrue(error.unavailable)
      assert.match(error.message, /nowhere\/agent-server/)
    })
  )

  it.live("says what to run when none is installed", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(start({ command: null, environment: { HOME: newDirectory() } }))
      assert.match(error.message, /1\.57\.0 is not installed; run `opensymphony install openhands`/)
    })
  )
})
