import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as World from "./World.ts"

const { does, refuses } = World

describe("the list of tools", () => {
  it.live("says of each what it takes and what it may change", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { client } = yield* World.openRun(world)
      const { tools } = yield* Effect.promise(() => client.listTools())
      const effects = tools.map(({ annotations, name }) => {
        const { destructiveHint, idempotentHint, readOnlyHint } = annotations ?? {}
        return [name, readOnlyHint, destructiveHint, idempotentHint]
      })
      assert.deepStrictEqual(effects, [
        ["get_issue", true, false, true],
        ["read_workpad", true, false, true],
        ["write_workpad", false, true, true],
        ["add_comment", false, false, true],
        ["list_states", true, false, true],
        ["move_issue", false, false, true],
        ["link_pull_request", false, false, true],
        ["create_sub_issue", false, false, true],
        ["add_blocker", false, false, true],
        ["upload_file", false, false, true]
      ])
      const move = tools.find(({ name }) => name === "move_issue")
      assert.deepStrictEqual(move?.inputSchema.required, ["state"])
      assert.strictEqual(move?.inputSchema["additionalProperties"], false)
      assert.strictEqual(client.getServerVersion()?.name, "linear")
    })
  )
})

describe("the documentation of the tools", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../../docs/agent-tools.md"), "utf8")
  /** The first column of the table below this heading. */
  const rowsBelow = (heading: string): ReadonlyArray<string> => {
    const section = page.split(`${heading}\n`)[1]?.split("\n#")[0] ?? ""
    return [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, name = ""]) => name)
  }

  it.live("has every tool, and what calling it costs", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ rawQueries: true })
      const { client } = yield* World.openRun(world)
      const { tools } = yield* Effect.promise(() => client.listTools())
      const names = tools.map(({ name }) => name)
      assert.deepStrictEqual(rowsBelow("## What there is"), names)
      // A raw query costs what it is.
      assert.deepStrictEqual(
        rowsBelow("### What a call costs"),
        names.filter((name) => name !== "linear_query")
      )
    })
  )
})

describe("get_issue", () => {
  it.live("shows the issue with blockers, sub-issues, links and comments", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { linear } = world
      const project = linear.project.id
      linear.editIssue("ENG-1", { labels: ["wood"], priority: 2 })
      linear.setBlockedBy("ENG-1", ["ENG-2"])
      linear.createIssue({ title: "Red ones", state: "Todo", project, parent: "ENG-1" })
      linear.addComment("ENG-1", "Mind the cat.")
      const { client } = yield* World.openRun(world)
      const { data, text } = yield* does(client, "get_issue")
      for (const part of [
        "# ENG-1: Sort the shelves",
        "State: Todo (unstarted)",
        "Priority: High",
        "Labels: wood",
        "## Blocked by\n- ENG-2 [In Progress] Buy shelves",
        "## Sub-issues\n- ENG-3 [Todo] Red ones",
        "## Description\nBy colour.",
        "Mind the cat."
      ]) {
        assert.include(text, part)
      }
      assert.deepInclude(data, { identifier: "ENG-1", state: "Todo", blocked_by: ["ENG-2"], sub_issues: ["ENG-3"] })
    })
  )

  it.live("leaves the comments out when told", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.linear.addComment("ENG-1", "Mind the cat.")
      const { client } = yield* World.openRun(world)
      const { text } = yield* does(client, "get_issue", { comments: 0 })
      assert.notInclude(text, "Mind the cat.")
    })
  )

  it.live("answers with Linear's words when the issue is gone", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { client } = yield* World.openRun(world)
      world.linear.deleteIssue("ENG-1")
      assert.match(yield* refuses(client, "get_issue"), /not found|could not find/i)
    })
  )
})

describe("move_issue", () => {
  it.live("moves to a state by its name, in either case", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { client } = yield* World.openRun(world)
      const { data } = yield* does(client, "move_issue", { state: " in review " })
      assert.deepStrictEqual(data, { from: "Todo", to: "In Review", changed: true })
      assert.strictEqual(world.linear.issue("ENG-1").state, "In Review")
    })
  )

  it.live("sends no change when the issue is there already", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { client } = yield* World.openRun(world)
      const { data } = yield* does(client, "move_issue", { state: "Todo" })
      assert.strictEqual(data["changed"], false)
      assert.deepStrictEqual(
        world.linear.requests().filter(({ operation }) => operation === "ToolMove"),
        []
      )
    })
  )

  it.live("names the states that there are, and the one that was probably meant", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { client } = yield* World.openRun(world)
      const message = yield* refuses(client, "move_issue", { state: "In Reveiw" })
      assert.include(message, 'Did you mean "In Review"?')
      assert.include(message, "Backlog, Todo, In Progress, In Review, Done, Canceled, Duplicate")
    })
  )

  it.live("moves an issue that changed its team by the states of the new one", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { linear } = world
      linear.createTeam({
        key: "OPS",
        states: [
          { name: "Shipped", type: "completed" },
          { name: "Open", type: "unstarted" }
        ]
      })
      const { client } = yield* World.openRun(world)
      const { id } = linear.issue("ENG-1")
      linear.editIssue(id, { team: "OPS", state: "Open" })
      yield* does(client, "move_issue", { state: "shipped" })
      assert.strictEqual(linear.issue(id).state, "Shipped")
    })
  )
})

describe("list_states", () => {
  it.live("lists the states in their order, and the one the issue is in", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { client } = yield* World.openRun(world)
      const { data, text } = yield* does(client, "list_states")
      assert.include(text, "- Todo (unstarted), the state it is in\n- In Progress (started)")
      assert.strictEqual(data["state"], "Todo")
    })
  )
})

describe("arguments", () => {
  const wrong: ReadonlyArray<readonly [string, string, Record<string, unknown>, RegExp]> = [
    ["an unknown one", "move_issue", { state: "Done", when: "now" }, /it takes: state[^]*when/],
    ["one of a tool that takes none", "list_states", { state: "Done" }, /it takes no arguments/],
    ["a missing one", "move_issue", {}, /state/],
    ["an empty one", "add_comment", { body: " \n" }, /not empty/],
    ["one of the wrong type", "get_issue", { comments: "all" }, /comments/],
    ["one out of range", "create_sub_issue", { title: "x", priority: 9 }, /priority/],
    ["a line break where one line is meant", "create_sub_issue", { title: "a\nb" }, /one line/],
    ["a text that is too long", "add_comment", { body: "x".repeat(100_001) }, /100000/]
  ]
  it.live.each(wrong)("%s is refused before anything is sent", ([, name, input, reason]) =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { client } = yield* World.openRun(world)
      world.linear.clearRequests()
      assert.match(yield* refuses(client, name, input), reason)
      assert.deepStrictEqual(world.linear.requests(), [])
    })
  )

  it.live("that are null count as left out", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { client } = yield* World.openRun(world)
      yield* does(client, "get_issue", { comments: null })
    })
  )

  it.live("of a tool that does not exist get the list of those that do", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { client } = yield* World.openRun(world)
      assert.match(yield* refuses(client, "delete_issue"), /no tool "delete_issue"; there are: get_issue/)
    })
  )
})
