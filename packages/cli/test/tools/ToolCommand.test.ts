import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stdio, Stream } from "effect"
import { Command } from "effect/cli"
import { TestConsole } from "effect/testing"
import { ProcessEnvironment } from "../../src/commands/issue/ProcessEnvironment.ts"
import { ToolCommand } from "../../src/commands/ToolCommand.ts"
import { ExitStatus } from "../../src/ExitStatus.ts"
import * as LiveRun from "./LiveRun.ts"

/** What `opensymphony tool ...` prints, and its exit status. */
const run = (environment: { readonly [name: string]: string }, args: ReadonlyArray<string>, stdin = "") =>
  Effect.gen(function* () {
    const status = yield* Command.runWith(ToolCommand, { version: "0" })(args).pipe(
      Effect.as(0),
      Effect.catch((error) => Effect.succeed(error instanceof ExitStatus ? error.status : -1))
    )
    const [out, err] = [yield* TestConsole.logLines, yield* TestConsole.errorLines]
    return { status, out: out.map(String).join("\n"), err: err.map(String).join("\n") }
  }).pipe(
    Effect.provideService(ProcessEnvironment, environment),
    Effect.provide([
      TestConsole.layer,
      Layer.merge(NodeServices.layer, Stdio.layerTest({ stdin: Stream.encodeText(Stream.make(stdin)) }))
    ])
  )

describe("opensymphony tool", () => {
  it.live("calls a tool of the run and prints what it says", () =>
    Effect.gen(function* () {
      const { environment, linear } = yield* LiveRun.make
      const { err, out, status } = yield* run(environment, ["move_issue", "state=In Review"])
      assert.deepStrictEqual([status, out, err], [0, 'Moved ENG-1 from "Todo" to "In Review".', ""])
      assert.strictEqual(linear.issue("ENG-1").state, "In Review")
    })
  )

  it.live("exits with 1 and the reason when the tool does not do it", () =>
    Effect.gen(function* () {
      const { environment } = yield* LiveRun.make
      const { err, out, status } = yield* run(environment, ["move_issue", "state=Nowhere"])
      assert.deepStrictEqual([status, out], [1, ""])
      assert.include(err, 'Team ENG has no state "Nowhere"')
    })
  )

  it.live("takes texts from standard input, numbers as JSON, and all as one object", () =>
    Effect.gen(function* () {
      const { environment, linear } = yield* LiveRun.make
      yield* run(environment, ["add_comment", "body=-"], "Two\nlines = here\n")
      yield* run(environment, ["create_sub_issue", "title=a=b", "priority:=2"])
      const last = yield* run(environment, ["create_sub_issue", "--json", '{"title": "c", "priority": 1}', "title=d"])
      assert.strictEqual(last.status, 0, last.err)
      assert.deepStrictEqual(
        linear.entities("Comment").map(({ body }) => body.trim()),
        ["Two\nlines = here"]
      )
      assert.deepStrictEqual(
        linear.issues().map(({ priority, title }) => [title, priority]),
        [
          ["Sort the shelves", 0],
          ["a=b", 2],
          ["d", 1]
        ]
      )
    })
  )

  it.live("prints the facts as JSON when told", () =>
    Effect.gen(function* () {
      const { environment } = yield* LiveRun.make
      const { out } = yield* run(environment, ["list_states", "--data"])
      assert.strictEqual(JSON.parse(out).state, "Todo")
    })
  )

  it.live("lists the tools with what they take", () =>
    Effect.gen(function* () {
      const { environment } = yield* LiveRun.make
      const listed = yield* run(environment, ["--list"])
      assert.deepStrictEqual(yield* run(environment, []), listed)
      assert.deepStrictEqual(yield* run(environment, ["help"]), listed)
      assert.match(listed.out, /^create_sub_issue\n {4}Creates an issue below/m)
      assert.match(listed.out, /^ {4}priority:=\.\.\. +optional: 1 urgent/m)
      const one = yield* run(environment, ["help", "move_issue"])
      assert.match(one.out, /^move_issue\n[^]*state=\.\.\./)
      assert.notInclude(one.out, "create_sub_issue")
      const none = yield* run(environment, ["help", "move_isue"])
      assert.deepStrictEqual([none.status, none.out], [2, ""])
      assert.include(none.err, "did you mean move_issue?")
    })
  )

  const wrong: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
    [["move_issue", "Done"], '"Done" is no argument'],
    [["move_issue", "state:=Done"], "state is not JSON"],
    [["move_issue", "--json", "["], "--json is not JSON"],
    [["move_issue", "--json", "[]"], "--json must be an object"],
    [["create_sub_issue", "title=-", "description=-"], "only one argument can be read from standard input"]
  ]
  it.live.each(wrong)("exits with 2 for %j", ([args, reason]) =>
    Effect.gen(function* () {
      const { environment } = yield* LiveRun.make
      const { err, status } = yield* run(environment, args)
      assert.strictEqual(status, 2)
      assert.include(err, reason)
    })
  )

  it.live("says where there are tools when there are none", () =>
    Effect.gen(function* () {
      const { err, status } = yield* run({}, ["move_issue", "state=Done"])
      assert.strictEqual(status, 1)
      assert.include(err, "OPENSYMPHONY_MCP_URL")
    })
  )

  it.live("exits with 1 when the run is over", () =>
    Effect.gen(function* () {
      const { environment } = yield* Effect.scoped(LiveRun.make)
      const { err, status } = yield* run(environment, ["get_issue"])
      assert.strictEqual(status, 1)
      assert.include(err, "the run may be over")
      assert.notInclude(err, environment.OPENSYMPHONY_MCP_TOKEN)
    })
  )

  it.live("exits with 1 when the token is wrong", () =>
    Effect.gen(function* () {
      const { environment } = yield* LiveRun.make
      const { err, status } = yield* run({ ...environment, OPENSYMPHONY_MCP_TOKEN: "x" }, ["get_issue"])
      assert.deepStrictEqual([status, err.includes("no live run has this token")], [1, true])
    })
  )
})
