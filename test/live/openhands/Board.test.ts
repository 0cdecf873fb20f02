import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { ModelScript } from "@opensymphony/adapters-openhands/testing"
import { isAlive } from "../../system/Processes.ts"
import { longCommand, modelKey, move, patienceMs, Stage, startMs } from "./Stage.ts"

const { call, finish, shell } = ModelScript

const usage = (calls: ReadonlyArray<ModelScript.ModelUsage>) =>
  calls.reduce((sum, { cached = 0, completion, prompt }) => sum + prompt - cached + completion, 0)

let stage: Stage
beforeAll(async () => {
  stage = await Stage.make()
})
afterAll(() => stage[Symbol.asyncDispose]())

// One after the other on one server; those that end it come last.
describe("the built opensymphony on the real agent-server", () => {
  it("works an issue off by calls of real tools in its workspace", async () => {
    const used = [
      { prompt: 1_000, completion: 30, cached: 200 },
      { prompt: 1_100, completion: 20, cached: 900 },
      { prompt: 1_300, completion: 50, cached: 1_000 },
      { prompt: 1_500, completion: 7, cached: 0 }
    ]
    const edit = {
      command: "create",
      path: `${stage.project.path("workspaces")}/ONE-1/notes.md`,
      file_text: "# Notes\n"
    }
    stage.add("ONE-1", [
      shell("echo built > result.txt && pwd", used[0]),
      call("file_editor", edit, used[1]),
      shell(move("ONE-1", "Done"), used[2]),
      finish("ONE-1 is built.", used[3])
    ])
    await stage.said("ONE-1", /run succeeded after 1 turn/, startMs)
    assert.deepStrictEqual(
      [stage.project.state("ONE-1"), stage.read("ONE-1", "result.txt"), stage.read("ONE-1", "notes.md").trim()],
      ["Done", "built\n", "# Notes"]
    )
    await stage.said("ONE-1", /turn 1 completed: ONE-1 is built\./)
    await stage.said("ONE-1", new RegExp(`, ${usage(used)} tokens`))
    assert.deepStrictEqual(
      [...new Set(stage.model.requests.map(({ authorization }) => authorization))],
      [`Bearer ${modelKey}`]
    )
  })

  it("takes a second turn on the same conversation while the issue is active", async () => {
    stage.add("TWO-1", [
      shell("echo first >> parts.txt"),
      finish("half of it"),
      shell(`echo second >> parts.txt && ${move("TWO-1", "Done")}`),
      finish("all of it")
    ])
    await stage.said("TWO-1", /run succeeded after 2 turns/)
    assert.strictEqual(stage.read("TWO-1", "parts.txt"), "first\nsecond\n")
    assert.strictEqual(stage.sessions("TWO-1").size, 1)
    const last = stage.model.requests.findLast(({ marker }) => marker === "Work on TWO-1.")
    assert.include(JSON.stringify(last?.body), "half of it")
  })

  it("has ten conversations at work at once", async () => {
    const stems = Array.from({ length: 10 }, (_, index) => `TEN-${index + 1}`)
    const meet = "touch ../../met-$(basename $PWD); until [ $(ls ../.. | grep -c ^met-) -ge 10 ]; do sleep 0.2; done"
    for (const stem of stems)
      stage.add(stem, [shell(meet), shell(move(stem, "Done")), finish(`${stem} met all others`)])
    await Promise.all(stems.map((stem) => stage.said(stem, /run succeeded after 1 turn/, startMs)))
    assert.deepStrictEqual([...new Set(stems.map((stem) => stage.project.state(stem)))], ["Done"])
    assert.strictEqual(new Set(stems.flatMap((stem) => [...stage.sessions(stem)])).size, 10)
  })

  it("ends a long command when a person moves the issue away", async () => {
    stage.add("STOP-1", [shell(longCommand), finish("never")])
    const command = await stage.commandOf("STOP-1")
    stage.project.setState("STOP-1", "Done")
    await stage.said("STOP-1", /run cancelled/)
    assert.isFalse(isAlive(command), stage.orchestrator.transcript())
  })

  it("goes on with the turn on the same conversation when the server is killed in the middle of it", async () => {
    stage.add("KILL-1", [shell(longCommand), shell(move("KILL-1", "Done")), finish("in spite of all")])
    const command = await stage.commandOf("KILL-1")
    const server = stage.serverPid()
    process.kill(-server, "SIGKILL")
    await stage.said("KILL-1", /run succeeded after 1 turn/, startMs + patienceMs)
    assert.deepStrictEqual([isAlive(command), stage.project.state("KILL-1")], [false, "Done"])
    assert.notStrictEqual(stage.serverPid(), server)
    assert.strictEqual(stage.sessions("KILL-1").size, 1)
  })

  it("goes on with the conversation of an orchestrator that was killed in the middle of a turn", async () => {
    const once = `[ -e once ] && ${move("CRASH-1", "Done")} || { touch once; ${longCommand}; }`
    stage.add("CRASH-1", [shell(once), finish("after all")])
    const command = await stage.commandOf("CRASH-1")
    const first = stage.orchestrator
    const server = stage.serverPid()
    await stage.project.until("the session to be known", () => stage.sessions("CRASH-1", [first]).size === 1)
    first.signal("SIGKILL")
    await stage.project.until("the orchestrator to be gone", () => !first.isRunning)
    assert.deepStrictEqual([isAlive(command), isAlive(server)], [true, true])
    const next = stage.orchestrator
    await stage.said("CRASH-1", /run succeeded after 1 turn/)
    assert.deepStrictEqual(
      [isAlive(command), stage.project.state("CRASH-1"), stage.serverPid()],
      [false, "Done", server]
    )
    assert.strictEqual(stage.sessions("CRASH-1", [first, next]).size, 1)
  })

  it("leaves nothing behind after SIGTERM in the middle of a command", async () => {
    stage.add("TERM-1", [shell(longCommand), finish("never")])
    const command = await stage.commandOf("TERM-1")
    const server = stage.serverPid()
    const { orchestrator } = stage
    orchestrator.signal("SIGTERM")
    const ended = await orchestrator.exit(patienceMs)
    assert.strictEqual(ended.code, 0, ended.stderr.slice(-4_000))
    assert.deepStrictEqual([isAlive(command), isAlive(server)], [false, false])
    assert.deepStrictEqual(stage.project.processes(), [])
  })
})
