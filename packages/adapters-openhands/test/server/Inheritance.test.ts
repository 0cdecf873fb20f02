import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
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

interface Written {
  pid: number
  owner: { pid: number; startTime: string }
}

/** Makes a running server look as if the orchestrator that started it had died. */
const orphan = (directory: string): void => {
  const target = join(directory, "server.json")
  const record: Written = JSON.parse(readFileSync(target, "utf8"))
  writeFileSync(target, JSON.stringify({ ...record, owner: { pid: 2 ** 30, startTime: "long ago" } }))
}

/** A server, by now an orphan, of a supervisor that would start another one long after the test. */
const startOrphan = Effect.fnUntraced(function* (directory: string) {
  const { server, stop } = yield* startApart({ directory, patience: { firstRestartMs: 600_000 } })
  const endpoint = yield* server.endpoint
  orphan(directory)
  return { endpoint, pid: seenIn(directory).pid, stop }
})

const occupy = (port: number) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly port: number }>((resume) => {
      const server = createServer((_, response) => response.end("hello"))
      server.listen(port, "127.0.0.1", () => {
        const address = server.address()
        const taken = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed({ port: taken, close: () => server.close() }))
      })
    }),
    (held) => Effect.sync(() => "close" in held && typeof held.close === "function" && held.close())
  )

describe("a server that is there already", () => {
  it.live("is taken over from an orchestrator that died, and ended with the new one", () =>
    Effect.gen(function* () {
      const directory = newDirectory()
      const first = yield* startOrphan(directory)
      const second = yield* startApart({ directory })
      const endpoint = yield* second.server.endpoint
      assert.strictEqual(endpoint.baseUrl, first.endpoint.baseUrl)
      assert.strictEqual(seenIn(directory).pid, first.pid)
      yield* second.stop
      assert.isFalse(isAlive(first.pid))
      assert.isFalse(existsSync(join(directory, "server.json")))
    })
  )

  it.live("is ended when the workflow wants another one by now", () =>
    Effect.gen(function* () {
      const directory = newDirectory()
      const first = yield* startOrphan(directory)
      const second = yield* startApart({ directory, env: { NEW: text("1") } })
      yield* second.server.endpoint
      assert.isFalse(isAlive(first.pid))
      assert.strictEqual(seenIn(directory).env["NEW"], "1")
    })
  )

  it.live("is started anew by the one that took it over", () =>
    Effect.gen(function* () {
      const directory = newDirectory()
      const first = yield* startOrphan(directory)
      const second = yield* startApart({ directory })
      const before = yield* second.server.endpoint
      process.kill(-first.pid, "SIGKILL")
      yield* downWith(second.server, /ended; it is started anew/)
      yield* healthWhere(second.server, isUp)
      const after = yield* second.server.endpoint
      assert.notStrictEqual(seenIn(directory).pid, first.pid)
      assert.strictEqual(after.baseUrl, before.baseUrl)
    })
  )

  it.live("is used together with a living supervisor, which alone ends it", () =>
    Effect.gen(function* () {
      const directory = newDirectory()
      const first = yield* startApart({ directory })
      const { baseUrl } = yield* first.server.endpoint
      const { pid } = seenIn(directory)
      const second = yield* startApart({ directory })
      assert.strictEqual((yield* second.server.endpoint).baseUrl, baseUrl)
      yield* second.stop
      assert.isTrue(isAlive(pid))
      yield* first.stop
      assert.isFalse(isAlive(pid))
    })
  )

  it.live("is waited for when its supervisor lives and its settings are others", () =>
    Effect.gen(function* () {
      const directory = newDirectory()
      const first = yield* startApart({ directory })
      yield* first.server.endpoint
      const { pid } = seenIn(directory)
      const second = yield* startApart({ directory, env: { NEW: text("1") } })
      const reason = yield* downWith(second.server, /is still in use here/)
      assert.include(reason, `process ${pid}`)
      yield* first.stop
      yield* second.server.endpoint
      assert.strictEqual(seenIn(directory).env["NEW"], "1")
    })
  )

  it.live("is no obstacle when its record cannot be read", () =>
    Effect.gen(function* () {
      const directory = newDirectory()
      writeFileSync(join(directory, "server.json"), "{ half a rec")
      const server = yield* start({ directory })
      assert.isNotNull((yield* server.endpoint).sessionKey)
    })
  )

  it.live("is left alone when its pid belongs to somebody else by now", () =>
    Effect.gen(function* () {
      const directory = newDirectory()
      const first = yield* startOrphan(directory)
      const target = join(directory, "server.json")
      const record: Written = JSON.parse(readFileSync(target, "utf8"))
      yield* first.stop
      writeFileSync(target, JSON.stringify({ ...record, pid: process.pid }))
      yield* (yield* start({ directory })).endpoint
      assert.isTrue(isAlive(process.pid))
    })
  )
})

describe("a port that the workflow names", () => {
  it.live("is refused while somebody else listens on it, with a name where the system tells", () =>
    Effect.gen(function* () {
      const { port } = yield* occupy(0)
      const error = yield* Effect.flip(start({ port }))
      assert.match(
        error.message,
        new RegExp(`^port ${port} of 127\\.0\\.0\\.1, which openhands\\.transport\\.base_url names`)
      )
      assert.include(error.message, "which opensymphony did not start")
      if (process.platform === "linux") assert.include(error.message, `process ${process.pid} (`)
    })
  )

  it.live("is refused by the version when an agent-server of somebody else listens on it", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* (yield* start({})).endpoint
      const error = yield* Effect.flip(start({ port: Number(new URL(baseUrl).port) }))
      assert.include(error.message, "an OpenHands agent-server 1.57.0")
      assert.include(error.message, "openhands.local_server.enabled to false")
    })
  )

  it.live("is used", () =>
    Effect.gen(function* () {
      const { port } = yield* Effect.scoped(occupy(0))
      const { baseUrl } = yield* (yield* start({ port })).endpoint
      assert.strictEqual(baseUrl, `http://127.0.0.1:${port}`)
    })
  )
})

describe("the files of a server", () => {
  it.live("hold a bounded log", () =>
    Effect.gen(function* () {
      const directory = newDirectory()
      const server = yield* start({ directory })
      yield* server.endpoint
      const log = join(directory, "server.log")
      truncateSync(log, 9 * 1024 * 1024)
      yield* eventually("the log is cut", () => readFileSync(log).length < 1024 * 1024)
      assert.isTrue(existsSync(`${log}.1`))
    })
  )

  it.live("are not used when the key of the data is damaged", () =>
    Effect.gen(function* () {
      const directory = newDirectory()
      writeFileSync(join(directory, "secret-key"), "oops")
      const error = yield* Effect.flip(start({ directory }))
      assert.match(error.message, /secret-key does not hold the key that it should/)
    })
  )

  it.live("do not show the session key in the endpoint's text", () =>
    Effect.gen(function* () {
      const endpoint = yield* (yield* start({})).endpoint
      assert.notInclude(JSON.stringify(endpoint), Redacted.value(endpoint.sessionKey ?? Redacted.make("?")))
    })
  )
})
