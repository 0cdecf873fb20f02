import { assert, describe, it } from "@effect/vitest"
import { type IssueFile, Project } from "../Harness.ts"
import { note, turn } from "./AgentScript.ts"

const agent = turn(note("turns", "$issue"), "move Done")

const idle = async (issues: { readonly [stem: string]: IssueFile | string }, settings = {}) => {
  await using project = Project.make({ issues, settings, agent })
  const ended = await project.start(["run", "--until-idle"]).exit()
  return { ...ended, turns: project.lines("turns"), reason: (issue: string) => ended.summary.get(issue)?.reason }
}

describe.concurrent("an issue that waits for others", () => {
  it("names the blocker that is not done, and its state; the exit status is 0", async () => {
    const { code, reason, summary, turns } = await idle({
      "A-1": { blocked_by: ["A-2", "A-3"] },
      "A-2": { state: "In Review" },
      "A-3": { state: "Done" }
    })
    assert.strictEqual(reason("A-1"), "blocked by A-2 (In Review)")
    assert.strictEqual(summary.get("A-1")?.phase, "unclaimed")
    assert.strictEqual(summary.get("A-1")?.runs, 0)
    assert.isFalse(summary.has("A-2"), "it was no candidate and did not run")
    assert.deepStrictEqual(turns, [])
    assert.strictEqual(code, 0)
  })

  it("runs as soon as its blocker is done", async () => {
    const { code, turns } = await idle({ "A-1": { blocked_by: ["A-2"], priority: 1 }, "A-2": { priority: 4 } })
    assert.deepStrictEqual(turns, ["A-2", "A-1"])
    assert.strictEqual(code, 0)
  })

  it("names a blocker that is not on the board, that cannot be read, or that is itself", async () => {
    const { code, reason } = await idle({
      "A-1": { blocked_by: ["GONE-1"] },
      "A-2": { blocked_by: ["BAD-1"] },
      "A-3": { blocked_by: ["A-3"] },
      "BAD-1": "---\ntitle: [\n---\n"
    })
    assert.strictEqual(reason("A-1"), "blocked by GONE-1 (is not on the board)")
    assert.strictEqual(reason("A-2"), "blocked by BAD-1 (cannot be read)")
    assert.strictEqual(reason("A-3"), "blocked by A-3 (is the issue itself)")
    assert.strictEqual(code, 0)
  })

  it("names the circle that it is part of", async () => {
    const { code, reason, turns } = await idle({
      "C-1": { blocked_by: ["C-2"] },
      "C-2": { blocked_by: ["C-3"] },
      "C-3": { blocked_by: ["C-1"] },
      "D-1": {}
    })
    assert.strictEqual(reason("C-1"), "blocked by C-2 (part of a cycle: C-1 -> C-2 -> C-3 -> C-1)")
    assert.deepStrictEqual(turns, ["D-1"])
    assert.strictEqual(code, 0)
  })

  it("waits for its sub-issues, and runs after them", async () => {
    const { code, reason, turns } = await idle({
      "P-1": { priority: 1 },
      "P-2": { parent: "P-1", priority: 2 },
      "Q-1": {},
      "Q-2": { parent: "Q-1", state: "Backlog" }
    })
    assert.deepStrictEqual(turns, ["P-2", "P-1"])
    assert.strictEqual(reason("Q-1"), "waits for its sub-issue Q-2 (Backlog)")
    assert.strictEqual(code, 0)
  })

  it("is in a circle also by way of its parent", async () => {
    const { code, reason } = await idle({ "P-1": {}, "P-2": { parent: "P-1", blocked_by: ["P-1"] } })
    assert.match(reason("P-1") ?? "", /waits for its sub-issue P-2 \(part of a cycle: P-1 -> P-2 -> P-1\)/)
    assert.match(reason("P-2") ?? "", /blocked by P-1 \(part of a cycle: P-2 -> P-1 -> P-2\)/)
    assert.strictEqual(code, 0)
  })

  it("waits for its labels", async () => {
    const { code, reason, turns } = await idle(
      { "A-1": { labels: ["Ready", "later"] }, "A-2": { labels: ["later"] }, "A-3": { labels: ["ready"] } },
      { tracker: { required_labels: [" READY "] }, agent: { max_concurrent_agents: 1 } }
    )
    assert.deepStrictEqual(turns, ["A-1", "A-3"])
    assert.strictEqual(reason("A-2"), "lacks the required label ready")
    assert.strictEqual(code, 0)
  })
})

describe.concurrent("the closing summary", () => {
  it("is all that stdout has: five fields, tabs between them, by code point, states as the tracker spells them", async () => {
    const { code, stdout } = await idle({
      "z-1": { state: "tODO" },
      "A-10": { state: "in  Progress" },
      "A-2": { blocked_by: ["z-9"] },
      "é-1": { state: "todo" },
      "b-1": { state: "Done" },
      smile: { identifier: "😀-1" },
      wide: { identifier: "～-1" },
      tabbed: { identifier: "tab\tbed" },
      "A-1": { state: "IN PROGRESS" }
    })
    assert.strictEqual(code, 0)
    assert.match(stdout, /\n$/)
    const rows = stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t"))
    assert.deepStrictEqual(
      rows.map((row) => row.length),
      rows.map(() => 5)
    )
    assert.deepStrictEqual(
      rows.map((row) => row.slice(0, 4).join("|")),
      [
        "A-1|Done|released|1",
        "A-2|Todo|unclaimed|0",
        "tab bed|Done|released|1",
        "z-1|Done|released|1",
        "é-1|Done|released|1",
        "～-1|Done|released|1",
        "😀-1|Done|released|1"
      ]
    )
  })

  it("has the issue whose workspace was removed", async () => {
    for (let round = 0; round < 3; round++) {
      const { stdout } = await idle({ "A-1": {} }, { workspace: { remove: "always" } })
      assert.match(stdout, /^A-1\tDone\treleased\t1\t[^\t\n]*\n$/)
    }
  })

  it("spells a state as the file does", async () => {
    const { stdout } = await idle({ "A-1": { state: "tODO", blocked_by: ["B-1"] } })
    assert.strictEqual(stdout, "A-1\ttODO\tunclaimed\t0\tblocked by B-1 (is not on the board)\n")
  })

  it("is empty for an empty board, and names no issue that was never a candidate", async () => {
    const { code, stdout } = await idle({ "A-1": { state: "Done" }, "A-2": { state: "Backlog" } })
    assert.strictEqual(stdout, "")
    assert.strictEqual(code, 0)
  })
})
