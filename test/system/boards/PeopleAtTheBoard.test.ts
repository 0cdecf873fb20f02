import { assert, describe, it } from "@effect/vitest"
import { Project } from "../Harness.ts"
import { note, turn } from "./AgentScript.ts"

/** Nothing but a wake-up by the watch comes in the time that a test takes. */
const settings = { polling: { interval_ms: 600_000 }, agent: { handoff_grace_ms: 0 } }

const agent = turn(note("turns", "$issue"), "case $prompt in *wait*) exec sleep 60 ;; esac", "move Done")

const issue = (project: Project, ...args: ReadonlyArray<string>) => project.start(["issue", ...args]).exit()

describe.concurrent("a person at the board while the orchestrator runs", () => {
  it("adds an issue, which starts at once", async () => {
    await using project = Project.make({ settings, issues: {}, agent })
    const orchestrator = project.start(["run"])
    await orchestrator.logs(/orchestrating/)
    const { code, stdout } = await issue(project, "new", "--title", "Compost", "--key", "A-1")
    assert.deepStrictEqual({ code, stdout }, { code: 0, stdout: "A-1\n" })
    await orchestrator.logs(/released: in the terminal state Done.*issue_identifier=A-1/)
  })

  it("moves an issue to Todo, which starts it, and to Backlog, which stops it", async () => {
    await using project = Project.make({ settings, issues: { "A-1": { state: "Backlog" } }, agent, prompt: "wait" })
    const orchestrator = project.start(["run"])
    await orchestrator.logs(/orchestrating/)
    const moved = await issue(project, "move", "A-1", "Todo")
    assert.deepStrictEqual([moved.code, moved.stdout], [0, 'A-1 moved from "Backlog" to "Todo"\n'])
    await project.until("its turn", () => project.lines("turns").length > 0)
    await issue(project, "move", "A-1", "Backlog")
    await orchestrator.logs(/run cancelled.*in the state Backlog.*issue_identifier=A-1/)
  })

  it("unblocks an issue by moving its blocker to Done", async () => {
    await using project = Project.make({
      settings,
      issues: { "A-1": { blocked_by: ["A-2"] }, "A-2": { state: "In Review" } },
      agent
    })
    const orchestrator = project.start(["run"])
    await orchestrator.logs(/orchestrating/)
    await issue(project, "move", "A-2", "Done")
    await orchestrator.logs(/released: in the terminal state Done.*issue_identifier=A-1/)
  })

  it("comments, which lets a held issue go on", async () => {
    await using project = Project.make({
      settings: { ...settings, agent: { max_turns: 1 }, limits: { max_idle_continuations: 1 } },
      issues: { "A-1": {} },
      agent: turn(note("turns", "$issue"), "case $prompt in *please*) move Done ;; esac"),
      prompt: "{{ issue.description }}"
    })
    const orchestrator = project.start(["run"])
    await orchestrator.logs(/held after 1 continuation/)
    assert.strictEqual((await issue(project, "comment", "A-1", "Now, please.")).code, 0)
    await orchestrator.logs(/hold lifted by a change of the issue/)
    await project.until("the end of its work", () => project.state("A-1") === "Done")
  })

  it("is told of a state that nobody knows, and the move still counts", async () => {
    await using project = Project.make({ issues: { "A-1": {} } })
    const { code, stderr, stdout } = await issue(project, "move", "A-1", "Don")
    assert.strictEqual(code, 0)
    assert.match(stderr, /did you mean Done\?/)
    assert.strictEqual(stdout, 'A-1 moved from "Todo" to "Don"\n')
  })
})
