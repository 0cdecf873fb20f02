import { assert, describe, it } from "@effect/vitest"
import { Project, workflowText } from "../Harness.ts"

const oneIssue = { issues: { "A-1": {} } }
const untilIdle = ["run", "--until-idle"]

describe.concurrent("the path of the workflow", () => {
  it("is ./WORKFLOW.md where none is given", async () => {
    await using project = Project.make(oneIssue)
    assert.strictEqual((await project.start(untilIdle).exit()).code, 0)
    assert.strictEqual(project.state("A-1"), "Done")
  })

  it("is the one that is given, whatever stands in ./WORKFLOW.md", async () => {
    await using project = Project.make(oneIssue)
    project.write("WORKFLOW.md", "---\nnot closed")
    // Three levels below the project, where `move` finds the board.
    const command = { run: "cat >seen; OPENSYMPHONY_WORKFLOW=../../../WORKFLOW.md move Done" }
    project.write("other/flow.md", workflowText({ tracker: { path: "../issues" }, command }, "From the other one."))
    const ended = await project.start([...untilIdle, "other/flow.md"]).exit()
    assert.strictEqual(ended.code, 0, ended.stderr)
    assert.strictEqual(project.read("other/workspaces/A-1/seen").trim(), "From the other one.")
  })

  it("that is given must exist: ./WORKFLOW.md does not stand in for it", async () => {
    await using project = Project.make(oneIssue)
    const ended = await project.start([...untilIdle, "other/flow.md"]).exit()
    assert.strictEqual(ended.code, 1)
    assert.include(ended.stderr, project.path("other/flow.md"))
    assert.strictEqual(project.state("A-1"), "Todo")
  })
})
