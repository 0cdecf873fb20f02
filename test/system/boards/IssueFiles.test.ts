import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import { type Orchestrator, Project } from "../Harness.ts"
import { atWork, note, turn, waitFor } from "./AgentScript.ts"

const patient = turn(
  note("turns", "$issue $OPENSYMPHONY_TURN"),
  waitFor("go-$issue-$OPENSYMPHONY_TURN"),
  '[ ! -e "$project/finish" ] || move Done'
)

/** An unclosed list in the third line. */
const brokenText = "---\ntitle: About A-1\nlabels: [a, b\nstate: Todo\n---\n"
const goodText = "---\ntitle: About A-1\nlabels: [a, b]\nstate: Todo\n---\n"

const firstTurn = (project: Project, stem = "A-1") =>
  project.until("the first turn", () => project.lines("turns").includes(`${stem} 1`))

/** What the tracker says of A-1 when its file is broken. */
const complaint = (project: Project): RegExp => new RegExp(`${project.path("issues/A-1.md")}:\\d+: `)

const ended = (orchestrator: Orchestrator) => orchestrator.logs(/run (succeeded|cancelled).*issue_identifier=A-1/)

describe.concurrent("an issue file that is broken while its run is live", () => {
  it("is reported with path and line, and its run goes on", async () => {
    await using project = Project.make({ issues: { "A-1": {} }, agent: patient })
    const orchestrator = project.start(["run"])
    await firstTurn(project)
    project.write("issues/A-1.md", brokenText)
    await orchestrator.logs(complaint(project))
    const lengthBefore = orchestrator.stderr.length
    project.write("issues/B-1.md", "---\ntitle: Other\nstate: Todo\n---\n")
    await firstTurn(project, "B-1")
    assert.include(atWork(project), "A-1")
    project.write("go-A-1-1", "")
    assert.match(await ended(orchestrator), /run succeeded after 1 turn/)
    assert.notMatch(orchestrator.stderr.slice(lengthBefore), complaint(project), "it was reported again")
  })

  it("gets no next turn and no next run until it is mended", async () => {
    await using project = Project.make({ issues: { "A-1": {} }, agent: patient })
    const orchestrator = project.start(["run"])
    await firstTurn(project)
    project.write("issues/A-1.md", brokenText)
    await orchestrator.logs(complaint(project))
    project.write("go-A-1-1", "")
    assert.match(await ended(orchestrator), /run succeeded after 1 turn/)
    // Longer than a continuation waits, and seen by whoever looks: the next issue comes and goes.
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    assert.deepStrictEqual(project.lines("turns"), ["A-1 1"])
    project.write("finish", "")
    project.write("issues/A-1.md", goodText)
    await project.until("the next run", () => project.state("A-1") === "Done")
    assert.deepStrictEqual(project.lines("turns"), ["A-1 1", "A-1 1"])
  })

  it("does not keep --until-idle alive, and is named with its problem in the summary", async () => {
    await using project = Project.make({ issues: { "A-1": {} }, agent: patient })
    const orchestrator = project.start(["run", "--until-idle"])
    await firstTurn(project)
    project.write("issues/A-1.md", brokenText)
    await orchestrator.logs(complaint(project))
    project.write("go-A-1-1", "")
    const { code, summary } = await orchestrator.exit()
    assert.strictEqual(code, 0)
    assert.match(summary.get("A-1")?.reason ?? "", /^its record cannot be read: .+/)
  })
})

describe.concurrent("an issue file that is deleted while its run is live", () => {
  it("counts as gone after two polls: the run is stopped, the workspace kept", async () => {
    await using project = Project.make({
      settings: { agent: { handoff_grace_ms: 0 }, workspace: { remove: "always" } },
      issues: { "A-1": {} },
      agent: patient
    })
    const orchestrator = project.start(["run"])
    await firstTurn(project)
    project.remove("issues/A-1.md")
    assert.match(await ended(orchestrator), /run cancelled .*gone from the tracker/)
    assert.deepStrictEqual(atWork(project), [])
    await orchestrator.logs(/released: gone from the tracker.*issue_identifier=A-1/)
    assert.deepStrictEqual(project.list("workspaces"), [".opensymphony", "A-1"])
  })

  it("has its run in the summary", async () => {
    const settings = { agent: { handoff_grace_ms: 0 } }
    await using project = Project.make({ settings, issues: { "A-1": {} }, agent: patient })
    const orchestrator = project.start(["run", "--until-idle"])
    await firstTurn(project)
    project.remove("issues/A-1.md")
    const { code, stdout } = await orchestrator.exit()
    assert.strictEqual(code, 0)
    assert.strictEqual(stdout, "A-1\tTodo\treleased\t1\tgone from the tracker\n")
  })
})

describe.concurrent("an issue file that is renamed while its run is live", () => {
  it("is another issue: the old one is gone, the new one gets a workspace of its own", async () => {
    await using project = Project.make({
      settings: { agent: { handoff_grace_ms: 0 } },
      issues: { "A-1": "---\ntitle: Renamed\nstate: Todo\n---\n" },
      agent: patient
    })
    const orchestrator = project.start(["run"])
    await firstTurn(project)
    Fs.renameSync(project.path("issues/A-1.md"), project.path("issues/A-2.md"))
    await firstTurn(project, "A-2")
    assert.match(await ended(orchestrator), /run cancelled .*gone from the tracker/)
    project.write("finish", "")
    project.write("go-A-2-1", "")
    await orchestrator.logs(/run (succeeded|cancelled).*issue_identifier=A-2/)
    assert.deepStrictEqual(project.list("workspaces"), [".opensymphony", "A-1", "A-2"])
  })

  it("stays the same issue when its front matter says who it is", async () => {
    await using project = Project.make({ issues: { "A-1": { identifier: "A-1" } }, agent: patient })
    const orchestrator = project.start(["run"])
    await firstTurn(project)
    Fs.renameSync(project.path("issues/A-1.md"), project.path("issues/a better name.md"))
    project.write("issues/B-1.md", "---\ntitle: Other\nstate: Todo\n---\n")
    await firstTurn(project, "B-1")
    project.write("go-A-1-1", "")
    await project.until("the next turn of the same run", () => project.lines("turns").includes("A-1 2"))
    assert.notMatch(orchestrator.stderr, /stopping the run/)
  })
})
