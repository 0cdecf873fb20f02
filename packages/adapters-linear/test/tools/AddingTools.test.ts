import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as World from "./World.ts"

const { commentsOn, does, refuses } = World

describe("add_comment", () => {
  it.live("comments once, however often a run repeats it", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { client } = yield* World.openRun(world)
      const first = yield* does(client, "add_comment", { body: "Done." })
      const again = yield* does(client, "add_comment", { body: "Done." })
      assert.deepStrictEqual([first.data["created"], again.data["created"]], [true, false])
      assert.strictEqual(again.data["id"], first.data["id"])
      assert.deepStrictEqual(commentsOn(world, "ENG-1"), ["Done."])
    })
  )

  it.live("tells comments apart by their key, and runs from each other", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { client } = yield* World.openRun(world)
      const later = yield* World.openRun(world, "ENG-1", "run-2")
      yield* does(client, "add_comment", { body: "Done.", key: "a" })
      yield* does(client, "add_comment", { body: "Done.", key: "b" })
      yield* does(client, "add_comment", { body: "Done, really.", key: "b" })
      yield* does(later.client, "add_comment", { body: "Done.", key: "a" })
      assert.deepStrictEqual(commentsOn(world, "ENG-1"), ["Done.", "Done.", "Done."])
    })
  )
})

describe("link_pull_request", () => {
  const url = "https://github.com/acme/shelf/pull/7"

  it.live("links a pull request once, whichever of its pages is given", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { client } = yield* World.openRun(world)
      const { text } = yield* does(client, "link_pull_request", { url, title: "Sort" })
      const again = yield* does(client, "link_pull_request", { url: `${url}/files#diff-1` })
      assert.include(text, "as a pull request")
      assert.strictEqual(again.data["created"], false)
      const [link, ...others] = world.linear.entities("Attachment")
      assert.deepInclude(link, { url, title: "Sort", sourceType: "github" })
      assert.deepStrictEqual(others, [])
    })
  )

  it.live("is sent once when it is asked for several times at once", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { client } = yield* World.openRun(world)
      const calls = Array.from({ length: 5 }, () => does(client, "link_pull_request", { url }))
      yield* Effect.all(calls, { concurrency: "unbounded" })
      const sent = world.linear.requests().filter(({ operation }) => operation === "ToolLinkPullRequest")
      assert.lengthOf(sent, 1)
    })
  )

  it.live.each<readonly [operation: string, address: string]>([
    ["ToolLinkPullRequest", url],
    ["ToolLinkUrl", "https://gitlab.example.com/acme/shelf/-/merge_requests/3"]
  ])("gives the link an id of its own, the same when it is sent again (%s)", ([operation, address]) =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.linear.addFault({ fault: { kind: "lostAnswer" }, operation, times: 1 })
      const { client } = yield* World.openRun(world)
      yield* does(client, "link_pull_request", { url: address })
      const sent = world.linear.requests().filter((request) => request.operation === operation)
      const ids = sent.map(({ variables }) => variables["id"])
      const [link] = world.linear.entities("Attachment")
      assert.deepStrictEqual(ids, [link?.id, link?.id])
    })
  )

  it.live("finds the link that an attempt made whose answers were all lost", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.linear.addFault({ fault: { kind: "resetInBody" }, operation: "ToolLinkPullRequest" })
      const { client } = yield* World.openRun(world)
      assert.include((yield* does(client, "link_pull_request", { url })).text, `links ${url} already`)
      assert.lengthOf(world.linear.entities("Attachment"), 1)
    })
  )

  it.live("is a plain link where the workspace has no integration", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.linear.addFault({ fault: { kind: "forbidden" }, operation: "ToolLinkPullRequest" })
      const { client } = yield* World.openRun(world)
      assert.include((yield* does(client, "link_pull_request", { url })).text, "as a link")
      assert.deepStrictEqual(
        world.linear.entities("Attachment").map((link) => link.url),
        [url]
      )
    })
  )

  it.live("links what other hosts call it", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { client } = yield* World.openRun(world)
      const other = "https://gitlab.example.com/acme/shelf/-/merge_requests/3"
      assert.include((yield* does(client, "link_pull_request", { url: other })).text, "as a link")
    })
  )

  const refused = [
    "http://github.com/acme/shelf/pull/7",
    "https://user:secret@github.com/acme/shelf/pull/7",
    "javascript:alert(1)//pull/7",
    "https://github.com/acme/shelf",
    "shelf#7"
  ]
  it.live.each(refused)("refuses %s", (bad) =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { client } = yield* World.openRun(world)
      assert.include(
        yield* refuses(client, "link_pull_request", { url: bad }),
        "not the https address of a pull request"
      )
      assert.deepStrictEqual(world.linear.entities("Attachment"), [])
    })
  )
})

describe("create_sub_issue", () => {
  it.live("creates it below the issue, in its team and project, once", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { linear } = world
      const { client } = yield* World.openRun(world)
      const input = { title: "Red ones", description: "Only red.", state: "backlog", priority: 1 }
      const { data } = yield* does(client, "create_sub_issue", input)
      const again = yield* does(client, "create_sub_issue", { title: "Red ones" })
      assert.deepInclude(linear.issue(String(data["identifier"])), {
        title: "Red ones",
        description: "Only red.",
        state: "Backlog",
        priority: 1,
        parent: "ENG-1",
        team: "ENG",
        project: linear.project.slugId
      })
      assert.deepStrictEqual([again.data["created"], again.data["identifier"]], [false, data["identifier"]])
      assert.lengthOf(linear.issues(), 3)
    })
  )

  it.live("creates nothing for a state that does not exist", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { client } = yield* World.openRun(world)
      assert.include(yield* refuses(client, "create_sub_issue", { title: "x", state: "Nowhere" }), "Its states are")
      assert.lengthOf(world.linear.issues(), 2)
    })
  )
})

describe("add_blocker", () => {
  it.live("makes the issue wait for another one, once", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { client } = yield* World.openRun(world)
      yield* does(client, "add_blocker", { blocker: "eng-2" })
      const again = yield* does(client, "add_blocker", { blocker: "ENG-2" })
      assert.strictEqual(again.data["created"], false)
      assert.deepStrictEqual(world.linear.issue("ENG-1").blockedBy, ["ENG-2"])
    })
  )

  it.live("makes it again after people removed it", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { client } = yield* World.openRun(world)
      yield* does(client, "add_blocker", { blocker: "ENG-2" })
      world.linear.setBlockedBy("ENG-1", [])
      yield* does(client, "add_blocker", { blocker: "ENG-2" })
      assert.deepStrictEqual(world.linear.issue("ENG-1").blockedBy, ["ENG-2"])
    })
  )

  it.live("refuses the issue itself, one of another project, and one that does not exist", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { linear } = world
      const secret = linear.createProject({ name: "Secret" })
      linear.createIssue({ title: "Elsewhere", project: secret.id })
      linear.createIssue({ title: "Nowhere", project: null })
      const { client } = yield* World.openRun(world)
      assert.include(yield* refuses(client, "add_blocker", { blocker: "ENG-1" }), "cannot block itself")
      assert.include(yield* refuses(client, "add_blocker", { blocker: "ENG-3" }), "not in the project of ENG-1")
      assert.include(yield* refuses(client, "add_blocker", { blocker: "ENG-4" }), "not in the project of ENG-1")
      assert.match(yield* refuses(client, "add_blocker", { blocker: "ENG-99" }), /not found|could not find/i)
      assert.deepStrictEqual(linear.issue("ENG-1").blockedBy, [])
    })
  )
})
