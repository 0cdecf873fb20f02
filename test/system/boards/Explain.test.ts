import { assert, describe, it } from "@effect/vitest"
import { Project, workflowText } from "../Harness.ts"

const settings = {
  tracker: { required_labels: ["ready"] },
  agent: { max_concurrent_agents_by_state: { "in progress": 1 } }
}

const labels = ["ready"]

const board = () =>
  Project.make({
    settings,
    issues: {
      "A-1": { labels, priority: 1, state: "In Progress" },
      "A-2": { labels, priority: 2, state: "In Progress" },
      "A-3": { labels, priority: 3 },
      "A-4": { labels, priority: 4 },
      "B-1": { labels, blocked_by: ["A-1", "NO-1"] },
      "B-2": { labels: ["other"] },
      "B-3": { labels },
      "B-4": { labels, parent: "B-3", state: "Backlog" },
      "B-5": "---\ntitle: About B-5\nstate: [\n---\n",
      "D-1": { labels, state: "Done" }
    }
  })

describe.concurrent("opensymphony explain", () => {
  it("says of every candidate what would become of it, by code point", async () => {
    await using project = board()
    const { code, stdout } = await project.start(["explain"]).exit()
    assert.strictEqual(code, 0)
    const rows = stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t"))
    assert.deepStrictEqual(rows.slice(0, 7), [
      ["A-1", "In Progress", "would start now"],
      [
        "A-2",
        "In Progress",
        "waits for a slot: 1 of 1 are taken for the state In Progress (agent.max_concurrent_agents_by_state)"
      ],
      ["A-3", "Todo", "would start now"],
      ["A-4", "Todo", "would start now"],
      ["B-1", "Todo", "blocked by A-1 (In Progress), NO-1 (is not on the board)"],
      ["B-2", "Todo", "lacks the required label ready"],
      ["B-3", "Todo", "waits for its sub-issue B-4 (Backlog)"]
    ])
    const [identifier, state, reason] = rows[7] ?? []
    assert.deepStrictEqual([identifier, state], ["B-5", ""])
    assert.match(reason ?? "", new RegExp(`^its record cannot be read: ${project.path("issues/B-5.md")}:\\d+: `))
    assert.lengthOf(rows, 8)
  })

  it("gives the slots that there are to those who would get them", async () => {
    await using project = board()
    project.write("WORKFLOW.md", workflowText({ agent: { max_concurrent_agents: 2 } }))
    const { stdout } = await project.start(["explain"]).exit()
    assert.deepStrictEqual(stdout.split("\n").slice(0, 3), [
      "A-1\tIn Progress\twould start now",
      "A-2\tIn Progress\twould start now",
      "A-3\tTodo\twaits for a slot: 2 of 2 are taken (agent.max_concurrent_agents)"
    ])
  })

  it("starts nothing and creates nothing", async () => {
    await using project = board()
    const before = project.list(".")
    await project.start(["explain"]).exit()
    assert.deepStrictEqual(project.list("."), before)
    assert.notInclude(before, "workspaces")
    assert.deepStrictEqual(project.list("tmp"), [])
  })

  it("explains a single issue, also one that is no candidate", async () => {
    await using project = board()
    const only = async (issue: string) => {
      const { code, stderr, stdout } = await project.start(["explain", "WORKFLOW.md", issue]).exit()
      return { code, stdout, stderr }
    }
    assert.deepStrictEqual(await only("B-2"), {
      code: 0,
      stdout: "B-2\tTodo\tlacks the required label ready\n",
      stderr: ""
    })
    assert.deepStrictEqual(await only("D-1"), {
      code: 0,
      stdout: "D-1\tDone\tin the terminal state Done\n",
      stderr: ""
    })
    const inactive = await only("B-4")
    assert.deepStrictEqual(inactive, {
      code: 0,
      stdout: "B-4\tBacklog\tin the state Backlog, which is not active\n",
      stderr: ""
    })
    const unknown = await only("A-99")
    assert.strictEqual(unknown.code, 1)
    assert.match(unknown.stderr, /^opensymphony: .*A-99.*\n$/)
  })

  it("works beside an orchestrator that runs on the same board", async () => {
    await using project = board()
    project.write("agent.sh", "cat >/dev/null; exec sleep 60")
    const orchestrator = project.start(["run"])
    await orchestrator.logs(/agent launched/)
    const { code, stdout } = await project.start(["explain"]).exit()
    assert.strictEqual(code, 0)
    assert.match(stdout, /^A-1\t/)
  })

  it("fails readably for a bad workflow and for a missing board", async () => {
    await using project = board()
    project.write("WORKFLOW.md", workflowText({ agent: { max_turns: 0 } }))
    const bad = await project.start(["explain"]).exit()
    assert.strictEqual(bad.code, 1)
    assert.match(bad.stderr, /^\S+\/WORKFLOW\.md:\d+:\d+: agent\.max_turns: .+; .+\n$/)
    project.write("WORKFLOW.md", workflowText({ tracker: { path: "nowhere" } }))
    const missing = await project.start(["explain"]).exit()
    assert.strictEqual(missing.code, 1)
    assert.strictEqual(missing.stdout, "")
    assert.match(
      missing.stderr,
      /^opensymphony: the issue folder \S+\/nowhere does not exist; create it, or set tracker\.path/
    )
  })
})
