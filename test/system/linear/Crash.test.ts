import { assert, describe, it } from "@effect/vitest"
import { FakeLinear } from "@opensymphony/adapters-linear/testing"
import { turn, waitFor } from "../boards/AgentScript.ts"
import { until } from "../Until.ts"
import * as LinearBoard from "./LinearBoard.ts"

/** Where in its work the agent of an issue waits for the word to go on: before a step, never, or having done all but the last. */
const waits: { readonly [title: string]: number | null } = {
  "Quick 1": null,
  "Quick 2": null,
  "Moves away": 0,
  "Gets archived": 0,
  "Slow 1": 1,
  "Slow 2": 2,
  "Slow 3": 1,
  "Slow 4": 2
}
const titles = Object.keys(waits)
const teams = [{ key: "ENG" }, { key: "OPS" }]
const settings = { agent: { max_concurrent_agents: 4, handoff_grace_ms: 300 }, polling: { interval_ms: 500 } }

const before = (step: number): ReadonlyArray<string> => {
  const waiting = titles.filter((title) => waits[title] === step).map((title) => `"${title}"`)
  if (waiting.length === 0) return []
  return [
    `case "$OPENSYMPHONY_ISSUE_TITLE" in ${waiting.join("|")})`,
    'touch "$project/reached-$OPENSYMPHONY_ISSUE_ID"',
    waitFor("go"),
    ";; esac"
  ]
}

/** What they see of their environment they leave in the workspace. */
const agent = turn("env >environment", ...LinearBoard.steps.flatMap((step, index) => [...before(index), step]))

describe("opensymphony on Linear", () => {
  it("gets every issue done once, through a change of team, an archived issue and kill -9", async () => {
    await using cleanup = new AsyncDisposableStack()
    const linear = await FakeLinear.start({ teams })
    cleanup.defer(linear.close)
    const ids = LinearBoard.fill(linear, titles)
    const [moved = "", archived = ""] = [ids["Moves away"], ids["Gets archived"]]
    const project = cleanup.use(LinearBoard.make({ linear, agent, settings }))
    const stateOf = (id: string) => linear.issue(id).state

    const first = LinearBoard.start(project, linear, ["run"])
    await first.until("both quick issues to be done", () =>
      titles.slice(0, 2).every((it) => stateOf(ids[it] ?? "") === "Done")
    )
    await first.until("agents on both others", () => [moved, archived].every((id) => project.exists(`reached-${id}`)))
    const [name, stopped] = [linear.issue(moved).identifier, linear.issue(archived).identifier]
    linear.moveToTeam(moved, "OPS")
    linear.archiveIssue(archived)
    await first.logs(new RegExp(`stopping the run.*archived.*issue_identifier=${stopped}`))
    const reached = (title: string) => project.exists(`reached-${ids[title]}`)
    await first.until(
      "an agent that has noted, and one that has commented",
      () => reached("Slow 1") && reached("Slow 2")
    )
    first.signal("SIGKILL")
    await until("the orchestrator to be gone", () => !first.isRunning)

    linear.unarchiveIssue(archived)
    project.write("go", "")
    const second = await LinearBoard.start(project, linear).exit(60_000)
    assert.strictEqual(second.code, 0, second.stderr)
    for (const [title, id] of Object.entries(ids)) {
      assert.strictEqual(stateOf(id), "Done", title)
      assert.deepStrictEqual(
        LinearBoard.commentsOn(linear, id),
        [LinearBoard.workpadMarker, LinearBoard.closingWords].sort(),
        title
      )
      assert.strictEqual(LinearBoard.movesToDone(linear, id), 1, title)
    }
    const after = linear.issue(moved).identifier
    assert.notStrictEqual(after, name)
    assert.include(project.list("workspaces"), name)
    assert.notInclude(project.list("workspaces"), after)
    assert.deepStrictEqual(project.processes(), [])
    assert.include(project.read(`workspaces/${name}/environment`), "OPENSYMPHONY_MCP_TOKEN=")
    assert.deepStrictEqual(LinearBoard.placesOf(linear.apiKey, project, [await first.exit(), second]), [])
    assert.deepStrictEqual(linear.unimplemented(), [])
  })
})
