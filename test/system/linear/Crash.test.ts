import { assert, describe, it } from "@effect/vitest"
import { FakeLinear } from "@opensymphony/adapters-linear/testing"
import { turn, waitFor } from "../boards/AgentScript.ts"
import { until } from "../Until.ts"
import * as LinearBoard from "./LinearBoard.ts"

const titles = ["Quick 1", "Quick 2", "Moves away", "Gets archived", "Slow 1", "Slow 2", "Slow 3", "Slow 4"]
const teams = [{ key: "ENG" }, { key: "OPS" }]
const settings = { agent: { max_concurrent_agents: 4, handoff_grace_ms: 300 }, polling: { interval_ms: 500 } }

/** All but the quick ones wait in the middle of their work; what they say shows the environment that they have. */
const agent = turn(
  "env >environment",
  'case "$OPENSYMPHONY_ISSUE_TITLE" in Quick*) ;; *)',
  'touch "$project/reached-$OPENSYMPHONY_ISSUE_ID"',
  waitFor("go"),
  ";; esac",
  LinearBoard.workThroughTools
)

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
    const [before, stopped] = [linear.issue(moved).identifier, linear.issue(archived).identifier]
    linear.moveToTeam(moved, "OPS")
    linear.archiveIssue(archived)
    await first.logs(new RegExp(`stopping the run.*archived.*issue_identifier=${stopped}`))
    await first.until(
      "the agents of two more",
      () => titles.slice(4).filter((it) => project.exists(`reached-${ids[it]}`)).length >= 2
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
    assert.notStrictEqual(after, before)
    assert.include(project.list("workspaces"), before)
    assert.notInclude(project.list("workspaces"), after)
    assert.deepStrictEqual(project.processes(), [])
    assert.include(project.read(`workspaces/${before}/environment`), "OPENSYMPHONY_MCP_TOKEN=")
    assert.deepStrictEqual(LinearBoard.placesOf(linear.apiKey, project, [await first.exit(), second]), [])
    assert.deepStrictEqual(linear.unimplemented(), [])
  })
})
