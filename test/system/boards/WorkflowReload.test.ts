import { assert, describe, it } from "@effect/vitest"
import { Project, workflowText } from "../Harness.ts"
import { note, seen, turn, waitFor } from "./AgentScript.ts"

/** Says who it is and what it was told, and is done when the test lets its issue go. */
const agent = turn(
  note("turns", "$issue by first"),
  note("prompts", "$issue: $prompt"),
  waitFor("go-$issue"),
  "move Done"
)

const second = turn(note("turns", "$issue by second"), "move Done")

const broken = workflowText({ agent: { max_concurrent_agents: "many" } })

const inForce = /the changed configuration is in force/

const add = (project: Project, stem: string) =>
  project.write(`issues/${stem}.md`, `---\ntitle: ${stem}\nstate: Todo\n---\n`)

describe.concurrent("a WORKFLOW.md that breaks while issues are worked on", () => {
  it("disturbs neither the run that is live nor the next one", async () => {
    await using project = Project.make({ issues: { "A-1": {} }, agent })
    const orchestrator = project.start(["run"])
    await project.until("the first turn", () => project.lines("turns").length > 0)
    project.write("WORKFLOW.md", broken)
    await orchestrator.logs(/the last good one stays in force/)
    add(project, "B-1")
    await project.until("a run under the last good workflow", () => project.lines("turns").includes("B-1 by first"))
    project.write("go-A-1", "")
    project.write("go-B-1", "")
    await orchestrator.logs(/run succeeded.*issue_identifier=A-1/)
    await orchestrator.logs(/run succeeded.*issue_identifier=B-1/)
    assert.lengthOf(project.lines("turns"), 2)
  })

  for (const format of ["logfmt", "json", "pretty"]) {
    it(`has each of its problems on a line of its own, as plain text beside ${format} logs`, async () => {
      await using project = Project.make({ issues: {} })
      const orchestrator = project.start(["run", "--log-format", format])
      await orchestrator.logs(/orchestrating/)
      project.write("WORKFLOW.md", workflowText({ agent: { max_turns: "many" }, limits: { max_failures: -1 } }))
      const at = `${project.path("WORKFLOW.md")}:\\d+:\\d+`
      await orchestrator.logs(new RegExp(`^${at}: agent\\.max_turns: must be .*; .+`))
      await orchestrator.logs(new RegExp(`^${at}: limits\\.max_failures: must be .*; .+`))
      await orchestrator.logs(/the last good one stays in force/)
    })
  }

  it("is reported once, not whenever the file is looked at again", async () => {
    await using project = Project.make({ issues: {} })
    const orchestrator = project.start(["run"])
    await orchestrator.logs(/orchestrating/)
    project.write("WORKFLOW.md", broken)
    await orchestrator.logs(/the last good one stays in force/)
    const before = orchestrator.stderr
    project.write("WORKFLOW.md", broken)
    project.write("WORKFLOW.md", `${broken}\n`)
    await orchestrator.logs(/the last good one stays in force/, 20_000, before.length)
    assert.strictEqual(orchestrator.stderr.match(/the last good one stays in force/g)?.length, 2)
  })

  it("counts as broken when it is gone", async () => {
    await using project = Project.make({ issues: {} })
    const orchestrator = project.start(["run"])
    await orchestrator.logs(/orchestrating/)
    const text = project.read("WORKFLOW.md")
    project.remove("WORKFLOW.md")
    await orchestrator.logs(/WORKFLOW\.md does not exist.*the last good one stays in force/)
    project.write("WORKFLOW.md", text)
    await orchestrator.logs(inForce)
    add(project, "A-1")
    await orchestrator.logs(/run succeeded.*issue_identifier=A-1/)
  })
})

describe.concurrent("a WORKFLOW.md that gets a key that nobody knows while issues are worked on", () => {
  const withTypo = workflowText({ agents: { max_turns: 2 } }, "New {{ issue.identifier }}")
  const warning = /^\S+WORKFLOW\.md:\d+:\d+: agents: .*did you mean agent\?/

  it("draws a warning and is in force", async () => {
    await using project = Project.make({ issues: {}, agent })
    const orchestrator = project.start(["run"])
    await orchestrator.logs(/orchestrating/)
    project.write("WORKFLOW.md", withTypo)
    await orchestrator.logs(warning)
    await orchestrator.logs(inForce)
    add(project, "A-1")
    await project.until("a prompt", () => project.lines("prompts").length > 0)
    assert.deepStrictEqual(project.lines("prompts"), ["A-1: New A-1"])
  })

  it("is bad under --strict", async () => {
    await using project = Project.make({ issues: {}, agent, prompt: "Old {{ issue.identifier }}" })
    const orchestrator = project.start(["run", "--strict"])
    await orchestrator.logs(/orchestrating/)
    project.write("WORKFLOW.md", withTypo)
    await orchestrator.logs(warning)
    await orchestrator.logs(/the last good one stays in force/)
    add(project, "A-1")
    await project.until("a prompt", () => project.lines("prompts").length > 0)
    assert.deepStrictEqual(project.lines("prompts"), ["A-1: Old A-1"])
  })
})

describe.concurrent("a WORKFLOW.md that is mended", () => {
  it("gives the next run its prompt", async () => {
    await using project = Project.make({ issues: {}, agent, prompt: "Old {{ issue.identifier }}" })
    const orchestrator = project.start(["run"])
    await orchestrator.logs(/orchestrating/)
    project.write("WORKFLOW.md", broken)
    await orchestrator.logs(/the last good one stays in force/)
    project.write("WORKFLOW.md", workflowText({}, "New {{ issue.identifier }}"))
    await orchestrator.logs(inForce)
    add(project, "A-1")
    await project.until("a prompt", () => project.lines("prompts").length > 0)
    assert.deepStrictEqual(project.lines("prompts"), ["A-1: New A-1"])
  })

  it("fills the slots that it adds at once", async () => {
    const settings = (slots: unknown) => ({
      agent: { max_concurrent_agents: slots },
      polling: { interval_ms: 600_000 }
    })
    await using project = Project.make({ settings: settings(1), issues: { "A-1": {}, "A-2": {} }, agent })
    const orchestrator = project.start(["run"])
    await project.until("the first turn", () => project.lines("turns").length > 0)
    project.write("WORKFLOW.md", workflowText(settings("two")))
    await orchestrator.logs(/the last good one stays in force/)
    project.write("WORKFLOW.md", workflowText(settings(2)))
    await project.until("a second agent", () => project.lines("turns").length === 2)
  })

  it("gives its command to the next run, while a live run keeps its own for its next turn", async () => {
    const loyal = turn(
      note("turns", "$issue $OPENSYMPHONY_TURN by first"),
      waitFor("go-$OPENSYMPHONY_TURN"),
      '[ "$OPENSYMPHONY_TURN" = 1 ] || move Done'
    )
    await using project = Project.make({ issues: { "A-1": {} }, agent: loyal, files: { "second.sh": second } })
    const orchestrator = project.start(["run"])
    await project.until("the first turn", () => project.lines("turns").length > 0)
    project.write("WORKFLOW.md", workflowText({ command: { run: `sh ${project.path("second.sh")}` } }))
    await orchestrator.logs(inForce)
    add(project, "B-1")
    await orchestrator.logs(/run succeeded.*issue_identifier=B-1/)
    project.write("go-1", "")
    await project.until("the second turn", () => project.lines("turns").length === 3)
    project.write("go-2", "")
    await orchestrator.logs(/run succeeded after 2 turns.*issue_identifier=A-1/)
    assert.deepStrictEqual(project.lines("turns"), ["A-1 1 by first", "B-1 by second", "A-1 2 by first"])
  })

  it("lifts the hold of a limit that it raises", async () => {
    const limits = (runs: number) => ({ limits: { max_runs_per_issue: runs } })
    await using project = Project.make({
      settings: limits(1),
      issues: { "A-1": {} },
      agent: turn(note("turns", "$issue"), '[ -e "$project/go" ] && move Done; exit 1')
    })
    const orchestrator = project.start(["run"])
    await orchestrator.logs(/held after 1 run.*limits\.max_runs_per_issue/)
    project.write("go", "")
    project.write("WORKFLOW.md", workflowText(limits(2)))
    await orchestrator.logs(/hold lifted by a raised limit.*issue_identifier=A-1/)
    await project.until("the second run", () => project.state("A-1") === "Done")
    assert.lengthOf(project.lines("turns"), 2)
  })

  it("stops a run whose state it no longer counts as active", async () => {
    await using project = Project.make({
      settings: { agent: { handoff_grace_ms: 0 } },
      issues: { "A-1": { state: "Review" }, "A-2": {} },
      agent
    })
    project.edit("WORKFLOW.md", /^tracker:.*$/m, "tracker: {kind: files, active_states: [Todo, Review]}")
    const orchestrator = project.start(["run"])
    await project.until("both", () => project.lines("turns").length === 2)
    project.edit("WORKFLOW.md", "[Todo, Review]", "[Todo]")
    await orchestrator.logs(/run cancelled.*in the state Review, which is not active.*issue_identifier=A-1/)
    await project.until("its process to be gone", () =>
      project.processes().every(({ command }) => !command.includes("A-1"))
    )
    project.write("go-A-2", "")
    await orchestrator.logs(/run (succeeded|cancelled).*issue_identifier=A-2/)
    assert.strictEqual(project.state("A-2"), "Done")
  })
})

describe.concurrent("a workspace root that is no longer the one of WORKFLOW.md", () => {
  const rootAt = (root: string) => workflowText({ workspace: { root } })

  it("is kept from others as long as a run works in it, and then let go", async () => {
    await using project = Project.make({ settings: { workspace: { root: "first" } }, issues: { "A-1": {} }, agent })
    project.write("other/WORKFLOW.md", rootAt("../first"))
    project.write("other/issues/.keep", "")
    const other = async () => (await project.start(["run", "--until-idle", "other/WORKFLOW.md"]).exit()).code
    const orchestrator = project.start(["run"])
    await project.until("the first turn", () => project.lines("turns").length > 0)
    project.write("WORKFLOW.md", rootAt("second"))
    await orchestrator.logs(inForce)
    assert.strictEqual(await other(), 1)
    project.write("go-A-1", "")
    await orchestrator.logs(/released: .*issue_identifier=A-1/)
    assert.strictEqual(await other(), 0)
  })
})

describe.concurrent("a WORKFLOW.md whose adapters cannot be built", () => {
  it("starts nothing until it is mended, says why, and lets live runs go on", async () => {
    await using project = Project.make({ issues: { "A-1": {} }, agent, files: { plain: "a file" } })
    const orchestrator = project.start(["run"])
    await project.until("the first turn", () => project.lines("turns").length > 0)
    const good = project.read("WORKFLOW.md")
    project.write("WORKFLOW.md", workflowText({ workspace: { root: "plain/workspaces" } }))
    const line = await orchestrator.logs(/nothing starts for now/)
    assert.match(line, /the workspace root .*plain\/workspaces cannot be used: /)
    assert.notMatch(line, /Fail\(|ConfigurationError|\[object/)
    add(project, "B-1")
    project.write("go-A-1", "")
    project.write("go-B-1", "")
    await orchestrator.logs(/run succeeded.*issue_identifier=A-1/)
    assert.notInclude(project.lines("turns"), "B-1 by first")
    project.write("WORKFLOW.md", good)
    await orchestrator.logs(/run succeeded.*issue_identifier=B-1/)
  })
  it("is tried again by itself, and mended also by what it stumbled over", async () => {
    await using project = Project.make({ issues: {}, agent: turn("move Done"), files: { plain: "a file" } })
    const orchestrator = project.start(["run"])
    await orchestrator.logs(/orchestrating/)
    project.write("WORKFLOW.md", workflowText({ workspace: { root: "plain" } }))
    await orchestrator.logs(/nothing starts for now/)
    add(project, "A-1")
    await seen(project, orchestrator)
    project.remove("plain")
    await orchestrator.logs(/run succeeded.*issue_identifier=A-1/)
    assert.lengthOf(orchestrator.stderr.match(/nothing starts for now/g) ?? [], 1)
  })
})
