import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import { Project } from "../Harness.ts"
import { atWork, note, turn, waitFor } from "./AgentScript.ts"

const rename = (project: Project, from: string, to: string) => Fs.renameSync(project.path(from), project.path(to))

describe.concurrent("a board that is away for a while", () => {
  it("disturbs no running agent, and what was left to do is done when it is back", async () => {
    await using project = Project.make({
      settings: { agent: { max_concurrent_agents: 1 } },
      issues: { "A-1": { priority: 1 }, "A-2": {} },
      agent: turn(
        note("turns", "$issue $OPENSYMPHONY_TURN"),
        '[ "$issue $OPENSYMPHONY_TURN" = "A-1 1" ] || { move Done; exit; }',
        waitFor("go")
      )
    })
    const orchestrator = project.start(["run", "--until-idle"])
    await project.until("the first turn", () => project.lines("turns").length > 0)
    rename(project, "issues", "elsewhere")
    await orchestrator.logs(/the tracker failed, asked again in .*issues does not exist/)
    const failedAt = orchestrator.stderr.length
    assert.deepStrictEqual(atWork(project), ["A-1"])
    // The turn ends while nobody can say what comes next.
    project.write("go", "")
    await orchestrator.logs(/turn 1 completed/)
    await new Promise((resolve) => setTimeout(resolve, 600))
    assert.deepStrictEqual(project.lines("turns"), ["A-1 1"])
    assert.isTrue(orchestrator.isRunning)
    rename(project, "elsewhere", "issues")
    const { code, stderr } = await orchestrator.exit()
    assert.strictEqual(code, 0)
    assert.deepStrictEqual(project.lines("turns"), ["A-1 1", "A-1 2", "A-2 1"])
    assert.match(stderr, /the tracker answers again/)
    assert.notMatch(stderr, /stopping the run|run cancelled|run failed/)
    assert.lengthOf(stderr.slice(failedAt).match(/the tracker failed/g) ?? [], 0, "the same failure was logged again")
  })

  it("is not idle meanwhile", async () => {
    await using project = Project.make({
      settings: { polling: { interval_ms: 100 } },
      issues: { "A-1": {} },
      agent: turn(note("turns", "$issue"), waitFor("go"), "move Done")
    })
    const orchestrator = project.start(["run", "--until-idle"])
    await project.until("the first turn", () => project.lines("turns").length > 0)
    rename(project, "issues", "elsewhere")
    await orchestrator.logs(/the tracker failed/)
    project.edit("elsewhere/A-1.md", 'state: "Todo"', 'state: "Done"')
    project.write("go", "")
    await new Promise((resolve) => setTimeout(resolve, 800))
    assert.isTrue(orchestrator.isRunning)
    rename(project, "elsewhere", "issues")
    const { code, summary } = await orchestrator.exit()
    assert.strictEqual(summary.get("A-1")?.state, "Done")
    assert.strictEqual(code, 0)
  })
})

describe.concurrent("a board that is not there at the start", () => {
  for (const args of [["run"], ["run", "--until-idle"]]) {
    it(`ends ${args.join(" ")} with exit status 1 and a sentence`, async () => {
      await using project = Project.make({ settings: { tracker: { path: "nowhere" } }, issues: {} })
      const { code, stderr, stdout } = await project.start(args).exit()
      assert.strictEqual(code, 1)
      assert.strictEqual(stdout, "")
      assert.match(
        stderr,
        /^opensymphony: the issue folder \S+\/nowhere does not exist; create it, or set tracker\.path/m
      )
      assert.notMatch(stderr, /^\s+at /m)
    })
  }

  it("says so when it is a file", async () => {
    await using project = Project.make({ settings: { tracker: { path: "plain" } }, issues: {}, files: { plain: "" } })
    const { code, stderr } = await project.start(["run"]).exit()
    assert.strictEqual(code, 1)
    assert.match(stderr, /^opensymphony: the issue folder \S+\/plain is not a directory; /m)
  })
})
