import { assert, describe, it } from "@effect/vitest"
import { Project } from "../Harness.ts"
import { atWork, note, seen, turn, waitFor } from "./AgentScript.ts"

const oneByOne = { agent: { max_concurrent_agents: 1 } }
const quick = turn(note("turns", "$issue"), "move Done")
const patient = turn(note("turns", "$issue"), waitFor("go-$issue"), "move Done")

const day = (number: number) => `2026-01-0${number}T00:00:00Z`

describe.concurrent("the order of starts", () => {
  it("is priority, none last; then fewer sub-issues; then age; then identifier", async () => {
    await using project = Project.make({
      settings: oneByOne,
      issues: {
        "H-1": { created_at: day(1) },
        "G-1": { priority: 4, created_at: day(5) },
        "F-2": { priority: 3, created_at: day(2) },
        "F-1": { priority: 3, created_at: day(2) },
        "E-1": { priority: 3, created_at: day(1) },
        "D-1": { priority: 2, created_at: day(1) },
        "D-2": { parent: "D-1", state: "Done" },
        "C-1": { priority: 2, created_at: day(6) },
        "B-1": { priority: 1, created_at: day(9) },
        "A-1": { priority: 0, created_at: day(2) }
      },
      agent: quick
    })
    const { code } = await project.start(["run", "--until-idle"]).exit()
    assert.strictEqual(code, 0)
    assert.deepStrictEqual(project.lines("turns"), ["B-1", "C-1", "D-1", "E-1", "F-1", "F-2", "G-1", "H-1", "A-1"])
  })

  it("is that of the newest facts: a priority that a person raises counts for the next slot", async () => {
    await using project = Project.make({
      settings: oneByOne,
      issues: { "A-1": { priority: 1 }, "A-2": { priority: 2 }, "A-3": { priority: 3 } },
      agent: turn(note("turns", "$issue"), '[ "$issue" != A-1 ] || { ' + waitFor("go") + "; }", "move Done")
    })
    const orchestrator = project.start(["run", "--until-idle"])
    await project.until("the first turn", () => project.lines("turns").length > 0)
    project.edit("issues/A-3.md", "priority: 3", "priority: 1")
    await seen(project, orchestrator)
    project.write("go", "")
    await orchestrator.exit()
    assert.deepStrictEqual(project.lines("turns"), ["A-1", "A-3", "A-2"])
  })
})

describe.concurrent("the slots", () => {
  it("are never more than agent.max_concurrent_agents, and refilled at once", async () => {
    await using project = Project.make({
      settings: { agent: { max_concurrent_agents: 2 }, polling: { interval_ms: 600_000 } },
      issues: { "A-1": { priority: 1 }, "A-2": { priority: 2 }, "A-3": { priority: 3 } },
      agent: patient
    })
    const orchestrator = project.start(["run", "--until-idle"])
    await project.until("two turns", () => project.lines("turns").length === 2)
    assert.sameMembers([...project.lines("turns")], ["A-1", "A-2"])
    project.write("go-A-2", "")
    await project.until("the third turn", () => project.lines("turns").length === 3)
    assert.sameMembers([...atWork(project)], ["A-1", "A-3"])
    project.write("go-A-1", "")
    project.write("go-A-3", "")
    assert.strictEqual((await orchestrator.exit()).code, 0)
  })

  it("are limited for a state by agent.max_concurrent_agents_by_state, and others pass by", async () => {
    await using project = Project.make({
      settings: { agent: { max_concurrent_agents: 3, max_concurrent_agents_by_state: { "in PROGRESS": 1 } } },
      issues: {
        "A-1": { priority: 1, state: "In Progress" },
        "A-2": { priority: 2, state: "In Progress" },
        "B-1": { priority: 4 }
      },
      agent: patient
    })
    const orchestrator = project.start(["run", "--until-idle"])
    await project.until("two turns", () => project.lines("turns").length === 2)
    assert.sameMembers([...project.lines("turns")], ["A-1", "B-1"])
    project.write("go-A-1", "")
    await project.until("the third turn", () => project.lines("turns").length === 3)
    project.write("go-A-2", "")
    project.write("go-B-1", "")
    assert.strictEqual((await orchestrator.exit()).code, 0)
  })

  it("of a state are free again when the issue moves on while its run is live", async () => {
    await using project = Project.make({
      settings: { agent: { max_concurrent_agents: 3, max_concurrent_agents_by_state: { Todo: 1 } } },
      issues: { "A-1": { priority: 1 }, "A-2": { priority: 2 } },
      agent: turn(note("turns", "$issue"), '[ "$issue" != A-1 ] || move "In Progress"', waitFor("go"), "move Done")
    })
    const orchestrator = project.start(["run", "--until-idle"])
    await project.until("two agents", () => atWork(project).length === 2)
    project.write("go", "")
    assert.strictEqual((await orchestrator.exit()).code, 0)
  })

  it("are given to nobody who lacks a required label, until it is added", async () => {
    await using project = Project.make({
      settings: { tracker: { required_labels: ["ready"] } },
      issues: { "A-1": {}, "A-2": { labels: ["READY"] } },
      agent: quick
    })
    const orchestrator = project.start(["run"])
    await orchestrator.logs(/run succeeded.*issue_identifier=A-2/)
    assert.deepStrictEqual(project.lines("turns"), ["A-2"])
    project.edit("issues/A-1.md", /^title/m, "labels: [Ready]\ntitle")
    await orchestrator.logs(/run succeeded.*issue_identifier=A-1/)
  })

  it("are taken back from an issue that loses its required label", async () => {
    await using project = Project.make({
      settings: { tracker: { required_labels: ["ready"] }, agent: { handoff_grace_ms: 0 } },
      issues: { "A-1": { labels: ["ready"] } },
      agent: patient
    })
    const orchestrator = project.start(["run"])
    await project.until("the first turn", () => project.lines("turns").length > 0)
    project.edit("issues/A-1.md", '["ready"]', "[]")
    await orchestrator.logs(/run cancelled.*lacks the required label ready.*issue_identifier=A-1/)
    assert.deepStrictEqual(atWork(project), [])
  })
})
