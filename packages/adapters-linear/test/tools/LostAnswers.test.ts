import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as World from "./World.ts"

const { does } = World

/** How many things of each kind there are. */
const counted = ({ linear }: World.World) =>
  (["Comment", "Issue", "IssueRelation", "Attachment"] as const).map((kind) => linear.entities(kind).length)

const changes: ReadonlyArray<readonly [string, Record<string, unknown>, string, ReadonlyArray<number>]> = [
  ["add_comment", { body: "Done." }, "ToolCreateComment", [1, 2, 0, 0]],
  ["write_workpad", { text: "Plan." }, "ToolCreateComment", [1, 2, 0, 0]],
  ["create_sub_issue", { title: "Red ones" }, "ToolCreateIssue", [0, 3, 0, 0]],
  ["add_blocker", { blocker: "ENG-2" }, "ToolCreateRelation", [0, 2, 1, 0]],
  ["link_pull_request", { url: "https://github.com/a/b/pull/1" }, "ToolLinkPullRequest", [0, 2, 0, 1]],
  ["move_issue", { state: "Done" }, "ToolMove", [0, 2, 0, 0]]
]

describe("a change whose answer is lost", () => {
  it.live.each(changes)("is made once by %s and called done", ([name, input, operation, expected]) =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.linear.addFault({ fault: { kind: "lostAnswer" }, operation, times: 1 })
      const { client } = yield* World.openRun(world)
      yield* does(client, name, input)
      assert.deepStrictEqual(counted(world), expected)
      assert.deepStrictEqual(world.linear.unimplemented(), [])
    })
  )

  it.live.each(changes)("is made once by %s when an agent asks again", ([name, input, operation, expected]) =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { client } = yield* World.openRun(world)
      world.linear.addFault({ fault: { kind: "resetInBody" }, operation, times: 1 })
      yield* World.call(client, name, input)
      yield* does(client, name, input)
      assert.deepStrictEqual(counted(world), expected)
    })
  )

  const lookUps: ReadonlyArray<readonly [string, Record<string, unknown>, string, string, ReadonlyArray<number>]> = [
    ["add_comment", { body: "Done." }, "ToolCreateComment", "ToolComment", [1, 2, 0, 0]],
    ["write_workpad", { text: "Plan." }, "ToolCreateComment", "ToolComment", [1, 2, 0, 0]],
    ["create_sub_issue", { title: "Red ones" }, "ToolCreateIssue", "ToolSubIssue", [0, 3, 0, 0]],
    ["add_blocker", { blocker: "ENG-2" }, "ToolCreateRelation", "ToolRelation", [0, 2, 1, 0]]
  ]

  it.live.each(lookUps)(
    "is made once by %s when what it made cannot be looked up",
    ([name, input, operation, lookUp, expected]) =>
      Effect.gen(function* () {
        const world = yield* World.make()
        const { client } = yield* World.openRun(world)
        world.linear.addFault({ fault: { kind: "lostAnswer" }, operation, times: 1 })
        const fault = world.linear.addFault({ fault: { kind: "malformedJson" }, operation: lookUp })
        assert.include(yield* World.refuses(client, name, input), `${lookUp} was answered with broken JSON`)
        world.linear.removeFault(fault)
        yield* does(client, name, input)
        assert.deepStrictEqual(counted(world), expected)
      })
  )
})
