import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as NodeProcessProbe from "@opensymphony/adapters-fs/process/NodeProcessProbe"
import { FakeLinear } from "@opensymphony/adapters-linear/testing"
import { Effect, FileSystem, Layer, Logger } from "effect"
import { TestConsole } from "effect/testing"
import { explain } from "../../src/run/ExplainProgram.ts"

const platform = Layer.mergeAll(
  NodeProcessProbe.layer.pipe(Layer.provideMerge(NodeServices.layer)),
  TestConsole.layer,
  Logger.layer([])
)

/** A board with one issue of each kind, and what is printed about one of them, or about all. */
const look = Effect.fnUntraced(function* (issue: string | null, prepare = (_linear: FakeLinear.FakeLinear) => {}) {
  const fs = yield* FileSystem.FileSystem
  const linear = yield* FakeLinear.make({ teams: [{ key: "ENG" }, { key: "OPS" }] })
  const project = linear.project.id
  linear.createIssue({ team: "ENG", title: "A candidate", state: "Todo", project })
  linear.createIssue({ team: "ENG", title: "An idea", state: "Backlog", project })
  linear.createIssue({ team: "ENG", title: "Finished", state: "Done", project })
  linear.createIssue({
    team: "ENG",
    title: "Elsewhere",
    state: "Todo",
    project: linear.createProject({ name: "Other" }).id
  })
  prepare(linear)
  const directory = yield* fs.makeTempDirectoryScoped()
  const workflow = `${directory}/WORKFLOW.md`
  yield* fs.writeFileString(
    workflow,
    `---\ntracker:\n  kind: linear\n  endpoint: ${linear.url}\n  project_slug: "${linear.projectUrl}"\nworkspace: {root: ws}\ncommand: {run: "true"}\n---\nDo {{ issue.title }}.\n`
  )
  const options = { workflow, issue, strict: false }
  const result = yield* Effect.result(explain(options, { LINEAR_API_KEY: linear.apiKey }))
  return {
    printed: (yield* TestConsole.logLines).map(String),
    noted: (yield* TestConsole.errorLines).map(String),
    failure: result._tag === "Failure" ? result.failure.message : null,
    asked: linear.requests().map(({ operation }) => operation)
  }
})

const says = (name: string, issue: string, expected: string, prepare?: (linear: FakeLinear.FakeLinear) => void) =>
  it.live(name, () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* look(issue, prepare)).printed, [expected])
    }).pipe(Effect.scoped, Effect.provide(platform))
  )

describe("opensymphony explain with Linear", () => {
  it.live("prints the decisions and nothing else", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* look(null)).printed, ["ENG-1\tTodo\twould start now"])
    }).pipe(Effect.scoped, Effect.provide(platform))
  )

  it.live("says that there is no candidate", () =>
    Effect.gen(function* () {
      const { noted, printed } = yield* look(null, (linear: FakeLinear.FakeLinear) => linear.moveIssue("ENG-1", "Done"))
      assert.deepStrictEqual([printed, noted], [[], ["no issue is in Todo, In Progress"]])
    }).pipe(Effect.scoped, Effect.provide(platform))
  )

  says(
    "knows an issue in a state that is neither active nor terminal",
    "ENG-2",
    "ENG-2\tBacklog\tin the state Backlog, which is not active"
  )
  says("knows a finished issue", "ENG-3", "ENG-3\tDone\tin the terminal state Done")
  says(
    "says of an issue of another project where it is",
    "ENG-4",
    "ENG-4\tTodo\tit is in the project Other now, not in Symphony"
  )
  says("takes an identifier in any case", "eng-1", "ENG-1\tTodo\twould start now")
  says(
    "finds an issue by the identifier that it had in another team",
    "ENG-1",
    "OPS-1\tTodo\twould start now",
    (linear) => linear.moveToTeam("ENG-1", "OPS")
  )

  it.live("asks for the one issue, not for all finished ones", () =>
    Effect.gen(function* () {
      const { asked } = yield* look("ENG-3")
      assert.deepStrictEqual(asked, ["ProjectProbe", "States", "Issues", "IssueId", "IssuesByIds"])
    }).pipe(Effect.scoped, Effect.provide(platform))
  )

  it.live("says that there is no such issue", () =>
    Effect.gen(function* () {
      assert.match((yield* look("ENG-99")).failure ?? "", /^there is no issue ENG-99 /)
    }).pipe(Effect.scoped, Effect.provide(platform))
  )
})
