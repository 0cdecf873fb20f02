import { assert, describe, it } from "@effect/vitest"
import { Project } from "../Harness.ts"

const waiting = { issues: { "A-1": { state: "Backlog" } } }
const running = /orchestrating/

describe("two orchestrators on one workspace root", () => {
  it("refuses the second, with a message that names the first", async () => {
    await using project = Project.make(waiting)
    const first = project.start(["run"])
    await first.until("the lock", () => project.exists("workspaces/.opensymphony/lock"))
    const ended = await project.start(["run"]).exit()
    assert.strictEqual(ended.code, 1)
    assert.match(ended.stderr, new RegExp(`workspaces is in use by another opensymphony: process ${first.pid}\\b`))
    assert.notMatch(ended.stderr, /^\s+at |Error:/m)
    assert.isTrue(first.isRunning)
  })

  it("refuses it also under another name of the same root", async () => {
    await using project = Project.make(waiting)
    const first = project.start(["run"])
    await first.until("the lock", () => project.exists("workspaces/.opensymphony/lock"))
    project.write("other/WORKFLOW.md", project.read("WORKFLOW.md").replace('"workspaces"', '"../home/../workspaces"'))
    const ended = await project.start(["run", "other/WORKFLOW.md"]).exit()
    assert.strictEqual(ended.code, 1)
    assert.include(ended.stderr, `process ${first.pid}`)
  })

  it("lets the second in when the first has ended", async () => {
    await using project = Project.make({ issues: { "A-1": {} } })
    assert.strictEqual((await project.start(["run", "--until-idle"]).exit()).code, 0)
    assert.isFalse(project.exists("workspaces/.opensymphony/lock"))
    assert.strictEqual((await project.start(["run", "--until-idle"]).exit()).code, 0)
  })

  it("lets the second in when the first was killed", async () => {
    await using project = Project.make(waiting)
    const first = project.start(["run"])
    await first.until("the lock", () => project.exists("workspaces/.opensymphony/lock"))
    first.signal("SIGKILL")
    await first.exit()
    assert.isTrue(project.exists("workspaces/.opensymphony/lock"))
    project.setState("A-1", "Todo")
    assert.strictEqual((await project.start(["run", "--until-idle"]).exit()).code, 0)
  })

  it("lets exactly one in when several start at once on the lock of a dead one", async () => {
    await using project = Project.make(waiting)
    const first = project.start(["run"])
    await first.until("the lock", () => project.exists("workspaces/.opensymphony/lock"))
    first.signal("SIGKILL")
    await first.exit()
    const rivals = [1, 2, 3, 4].map(() => project.start(["run"]))
    await project.until("all but one to leave", () => rivals.filter((it) => it.isRunning).length === 1)
    const [winner] = rivals.filter((it) => it.isRunning)
    const losers = await Promise.all(rivals.filter((it) => it !== winner).map((it) => it.exit()))
    assert.deepStrictEqual(
      losers.map(({ code, stderr }) => [code, stderr.includes(`process ${winner?.pid}`)]),
      losers.map(() => [1, true]),
      losers.map(({ stderr }) => stderr).join("\n")
    )
    winner?.signal("SIGTERM")
    assert.strictEqual((await winner?.exit())?.code, 0)
  })

  it("does not keep `explain` from looking", async () => {
    await using project = Project.make(waiting)
    await project.start(["run"]).logs(running)
    const ended = await project.start(["explain"]).exit()
    assert.strictEqual(ended.code, 0, ended.stderr)
  })
})
