import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as FakeLinear from "../../src/testing/FakeLinear.ts"
import * as StandaloneTools from "../../src/tools/StandaloneTools.ts"
import * as World from "./World.ts"

/** A host on a fake with ENG-1 and ENG-2 in the project, and ENG-3 in another one. */
const setUp = (issue: string | null) =>
  Effect.gen(function* () {
    const linear = yield* FakeLinear.make()
    const { id, name } = linear.project
    linear.createIssue({ title: "One", state: "Todo", project: id })
    linear.createIssue({ title: "Two", state: "Todo", project: id })
    linear.createIssue({ title: "Elsewhere", state: "Todo", project: linear.createProject({ name: "Other" }).id })
    const host = yield* StandaloneTools.make({
      project: { id, name },
      issue,
      directory: "/nonexistent",
      workpadMarkers: [],
      rawQueries: true
    }).pipe(Effect.provide([World.platformOf(linear), World.keptLog().layer]))
    const says = (name: string, input: object) =>
      Effect.provide(
        Effect.map(host.call(name, input), ({ content, isError }) => {
          const [part] = content
          return `${isError === true ? "refused: " : ""}${part?.type === "text" ? part.text : ""}`
        }),
        World.keptLog().layer
      )
    return { linear, host, says }
  })

describe("the tools without a run", () => {
  it.live("take the issue with every call", () =>
    Effect.gen(function* () {
      const { host, linear, says } = yield* setUp(null)
      for (const { inputSchema, name } of yield* host.list) {
        assert.include(inputSchema.required ?? [], "issue", name)
        assert.property(inputSchema.properties, "issue")
      }
      assert.include(yield* says("move_issue", { issue: "eng-2", state: "Done" }), "Moved ENG-2")
      assert.deepStrictEqual([linear.issue("ENG-1").state, linear.issue("ENG-2").state], ["Todo", "Done"])
    })
  )

  it.live("refuse a call without one", () =>
    Effect.gen(function* () {
      const { says } = yield* setUp(null)
      for (const input of [{ state: "Done" }, { issue: 2, state: "Done" }, { issue: " ", state: "Done" }]) {
        assert.include(yield* says("move_issue", input), "refused: move_issue was not called: name the issue")
      }
    })
  )

  it.live("refuse issues of other projects, and those that do not exist", () =>
    Effect.gen(function* () {
      const { linear, says } = yield* setUp(null)
      const text = yield* says("move_issue", { issue: "ENG-3", state: "Done" })
      assert.include(text, 'refused: ENG-3 is not in the project "Symphony" of the workflow')
      assert.match(yield* says("get_issue", { issue: "ENG-99" }), /^refused: .*(not found|could not find)/i)
      assert.strictEqual(linear.issue("ENG-3").state, "Todo")
    })
  )

  it.live("act on one issue when it was named at the start", () =>
    Effect.gen(function* () {
      const { host, linear, says } = yield* setUp("ENG-2")
      for (const { inputSchema } of yield* host.list) assert.notProperty(inputSchema.properties, "issue")
      yield* says("move_issue", { state: "Done" })
      assert.strictEqual(linear.issue("ENG-2").state, "Done")
    })
  )

  it.live("do not begin on an issue that is out of bounds", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(setUp("ENG-3"))
      assert.include(error.message, "ENG-3 is not in the project")
    })
  )

  it.live("do not comment twice when a call is repeated", () =>
    Effect.gen(function* () {
      const { linear, says } = yield* setUp(null)
      yield* says("add_comment", { issue: "ENG-1", body: "Hi." })
      assert.include(yield* says("add_comment", { issue: "ENG-1", body: "Hi." }), "has this comment already")
      assert.lengthOf(linear.entities("Comment"), 1)
    })
  )
})
