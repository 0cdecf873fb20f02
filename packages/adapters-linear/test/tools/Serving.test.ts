import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { request } from "node:http"
import * as World from "./World.ts"

interface Reply {
  readonly status: number
  readonly body: string
}

/** A request as no MCP client sends it. */
const send = (
  url: string,
  options: { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: string }
): Effect.Effect<Reply> =>
  Effect.callback((resume) => {
    const { body = "", headers = {}, method = "POST" } = options
    const outgoing = request(url, { method, headers, agent: false }, (response) => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", (piece: string) => (text += piece))
      response.once("close", () => resume(Effect.succeed({ status: response.statusCode ?? 0, body: text })))
    })
    outgoing.once("error", (error) => resume(Effect.succeed({ status: 0, body: error.message })))
    outgoing.end(body)
  })

const listTools = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list", params: {} })
const mcp = (token: string) => ({
  authorization: `Bearer ${token}`,
  accept: "application/json, text/event-stream",
  "content-type": "application/json"
})

const setUp = Effect.gen(function* () {
  const world = yield* World.make()
  return { world, run: yield* World.openRun(world) }
})

describe("a run's token", () => {
  it.live("opens the tools without a handshake", () =>
    Effect.gen(function* () {
      const { token, url } = (yield* setUp).run
      const { body, status } = yield* send(url, { headers: mcp(token), body: listTools })
      assert.deepStrictEqual([status, JSON.parse(body).result.tools.length], [200, 10])
    })
  )

  it.live("is 256 bits, and another one for every run", () =>
    Effect.gen(function* () {
      const { run, world } = yield* setUp
      const other = yield* World.openRun(world, "ENG-2", "run-2")
      assert.match(run.token, /^[0-9a-f]{64}$/)
      assert.notStrictEqual(other.token, run.token)
      assert.strictEqual(other.url, run.url)
    })
  )

  it.live("is needed, whole and as it is", () =>
    Effect.gen(function* () {
      const { linear } = (yield* setUp).world
      const { token, url } = (yield* setUp).run
      const wrong = ["", token.slice(1), `${token}0`, token.toUpperCase(), linear.apiKey, "Bearer", "\u{1F600}"]
      for (const bad of wrong) {
        const { authorization: _, ...rest } = mcp("")
        const headers = bad === "" ? rest : { ...rest, authorization: `Bearer ${encodeURI(bad)}` }
        const { body, status } = yield* send(url, { headers, body: listTools })
        assert.strictEqual(status, 401)
        assert.include(body, "no live run has this token")
        assert.notInclude(body, token)
      }
    })
  )

  it.live("in the address opens nothing", () =>
    Effect.gen(function* () {
      const { token, url } = (yield* setUp).run
      const { authorization: _, ...headers } = mcp("")
      assert.strictEqual((yield* send(`${url}?token=${token}`, { headers, body: listTools })).status, 401)
    })
  )

  it.live("reaches its own run's issue only", () =>
    Effect.gen(function* () {
      const { run, world } = yield* setUp
      const other = yield* World.openRun(world, "ENG-2", "run-2")
      yield* World.does(run.client, "move_issue", { state: "Done" })
      yield* World.does(other.client, "add_comment", { body: "Here." })
      assert.deepStrictEqual(
        ["ENG-1", "ENG-2"].map((identifier) => world.linear.issue(identifier).state),
        ["Done", "In Progress"]
      )
      assert.deepStrictEqual(World.commentsOn(world, "ENG-1"), [])
      assert.include(yield* World.refuses(run.client, "add_comment", { body: "x", issue: "ENG-2" }), "issue")
    })
  )
})

describe("a run that is over", () => {
  it.live("leaves its token without effect, and other runs alone", () =>
    Effect.gen(function* () {
      const { run, world } = yield* setUp
      const scope = yield* Scope.make()
      const ended = yield* World.openRun(world, "ENG-2", "run-2").pipe(Scope.provide(scope))
      yield* Scope.close(scope, Exit.void)
      const { body, status } = yield* send(ended.url, { headers: mcp(ended.token), body: listTools })
      assert.strictEqual(status, 401)
      assert.include(body, "the run is over")
      yield* World.does(run.client, "get_issue")
    })
  )

  it.live("lets the call that is at work finish", () =>
    Effect.gen(function* () {
      const { world } = yield* setUp
      const scope = yield* Scope.make()
      const { token, url } = yield* World.openRun(world, "ENG-2", "run-2").pipe(Scope.provide(scope))
      world.linear.addFault({ fault: { kind: "slow", ms: 300 }, operation: "ToolMove" })
      const fiber = yield* Effect.forkChild(callOver(url, token, "move_issue", { state: "Done" }))
      yield* until(() => world.linear.requests().some(({ operation }) => operation === "ToolMove"))
      yield* Scope.close(scope, Exit.void)
      assert.include((yield* Fiber.join(fiber)).body, "Moved ENG-2")
    })
  )

  it.live("answers a call that does not finish, within seconds", () =>
    Effect.gen(function* () {
      const { world } = yield* setUp
      const scope = yield* Scope.make()
      const { token, url } = yield* World.openRun(world, "ENG-2", "run-2").pipe(Scope.provide(scope))
      world.linear.addFault({ fault: { kind: "hangBeforeHeaders" }, operation: "ToolStates" })
      const fiber = yield* Effect.forkChild(callOver(url, token, "list_states", {}))
      yield* until(() => world.linear.requests().some(({ operation }) => operation === "ToolStates"))
      yield* Scope.close(scope, Exit.void).pipe(Effect.timeout("10 seconds"))
      const { body, status } = yield* Effect.timeout(Fiber.join(fiber), "2 seconds")
      assert.strictEqual(status, 200)
      assert.include(body, "the run that these tools belong to is over")
    })
  )
})

describe("a client that goes away", () => {
  it.live("ends its call", () =>
    Effect.gen(function* () {
      const { run, world } = yield* setUp
      world.linear.addFault({ fault: { kind: "hangBeforeHeaders" }, operation: "ToolStates" })
      const fiber = yield* Effect.forkChild(
        Effect.tryPromise((signal) => run.client.callTool({ name: "list_states" }, undefined, { signal }))
      )
      const sent = () => world.linear.requests().filter(({ operation }) => operation === "ToolStates")
      yield* until(() => sent().length === 1)
      yield* Fiber.interrupt(fiber)
      yield* Effect.promise(() => run.client.close())
      yield* until(() => sent().every(({ abandoned }) => abandoned))
    })
  )
})

describe("the endpoint", () => {
  const foreign: ReadonlyArray<readonly [string, Record<string, string>, number]> = [
    ["a name that points here", { host: "evil.example.com" }, 403],
    ["a name that begins like ours", { host: "127.0.0.1.evil.example.com" }, 403],
    ["a web page", { origin: "https://evil.example.com" }, 403],
    ["a web page on this machine", { origin: "http://localhost:3000" }, 403],
    ["a page of a sandboxed frame", { origin: "null" }, 403]
  ]
  it.live.each(foreign)("refuses %s", ([, headers, expected]) =>
    Effect.gen(function* () {
      const { token, url } = (yield* setUp).run
      const { status } = yield* send(url, { headers: { ...mcp(token), ...headers }, body: listTools })
      assert.strictEqual(status, expected)
    })
  )

  it.live("answers POST on its path only", () =>
    Effect.gen(function* () {
      const { token, url } = (yield* setUp).run
      const status = (address: string, method: string) =>
        Effect.map(send(address, { method, headers: mcp(token) }), (reply) => reply.status)
      assert.deepStrictEqual(
        [yield* status(url, "GET"), yield* status(url, "DELETE"), yield* status(url.replace("/mcp", "/"), "POST")],
        [405, 405, 404]
      )
    })
  )

  const hostile: ReadonlyArray<readonly [string, string, number]> = [
    ["a huge body", JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list", pad: "x".repeat(2_000_000) }), 413],
    ["no JSON", "{", 400],
    ["JSON that is no message", "[1, 2]", 400],
    ["an endless batch", `[${Array.from({ length: 5000 }, () => listTools).join(",")}]`, 400]
  ]
  it.live.each(hostile)("refuses %s and goes on", ([, body, expected]) =>
    Effect.gen(function* () {
      const { client, token, url } = (yield* setUp).run
      assert.strictEqual((yield* send(url, { headers: mcp(token), body })).status, expected)
      yield* World.does(client, "get_issue")
    })
  )

  it.live("refuses more calls at a time than it can hold", () =>
    Effect.gen(function* () {
      const { run, world } = yield* setUp
      const done = yield* Deferred.make<void>()
      world.linear.addFault({ fault: { kind: "slow", ms: 500 }, operation: "ToolStates" })
      const calls = Array.from({ length: 20 }, () => World.call(run.client, "list_states"))
      const answers = yield* Effect.all(calls, { concurrency: "unbounded" })
      yield* Deferred.succeed(done, undefined)
      const refused = answers.filter(({ isError }) => isError)
      assert.lengthOf(refused, 4)
      assert.include(refused[0]?.text, "16 calls are at work already")
    })
  )
})

/** Waits for something outside Effect, but not for ever. */
const until = (condition: () => boolean): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (let attempt = 0; attempt < 500 && !condition(); attempt++) yield* Effect.sleep(10)
    assert.isTrue(condition())
  })

const callOver = (url: string, token: string, name: string, input: object): Effect.Effect<Reply> =>
  send(url, {
    headers: mcp(token),
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: input } })
  })
