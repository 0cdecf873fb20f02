import { assert, describe, it } from "@effect/vitest"
import { Project } from "../Harness.ts"
import { logEntries } from "../Log.ts"

const prompt = "attempt={{ attempt | default: 'none' }}"
const remember = 'cat > "prompt-$(ls | wc -l | tr -d " ")"; '
const silent = "exec sleep 30"
const chatty = "while :; do echo still here; sleep 0.05; done"
const oneRun = ["run", "--until-idle", "--log-format", "json"]

describe("a turn that falls silent", () => {
  it("is stopped and run again, told that this is attempt 1", async () => {
    await using project = Project.make({
      prompt,
      issues: { "A-1": {} },
      settings: { agent: { stall_timeout_ms: 800 } },
      agent: `${remember} [ -f prompt-1 ] || ${silent}; move Done`
    })
    const ended = await project.start(oneRun).exit()
    assert.deepStrictEqual(
      [ended.code, ended.summary.get("A-1")?.state, ended.summary.get("A-1")?.runs],
      [0, "Done", 2],
      ended.stderr
    )
    assert.strictEqual(project.read("workspaces/A-1/prompt-0").trim(), "attempt=none")
    assert.strictEqual(project.read("workspaces/A-1/prompt-1").trim(), "attempt=1")
    assert.deepStrictEqual(project.processes(), [])
  })

  it("counts as a failure: the issue is held after the last one allowed", async () => {
    await using project = Project.make({
      prompt,
      issues: { "A-1": {}, "A-2": {} },
      settings: { agent: { stall_timeout_ms: 600 }, limits: { max_failures: 3 } },
      agent: `${remember} [ "$OPENSYMPHONY_ISSUE_ID" = A-2 ] || ${silent}; move Done`
    })
    const ended = await project.start(oneRun).exit()
    const row = ended.summary.get("A-1")
    assert.deepStrictEqual([ended.code, row?.phase, row?.runs], [1, "held", 3], ended.stderr)
    assert.match(row?.reason ?? "", /held after 3 failures in a row.*agent\.stall_timeout_ms/)
    assert.deepStrictEqual(
      [0, 1, 2].map((turn) => project.read(`workspaces/A-1/prompt-${turn}`).trim()),
      ["attempt=none", "attempt=1", "attempt=2"]
    )
    assert.strictEqual(project.state("A-2"), "Done")
    assert.deepStrictEqual(project.processes(), [])
  })

  it("is logged with the word for it, and so says the manifest", async () => {
    await using project = Project.make({
      issues: { "A-1": {} },
      settings: { agent: { stall_timeout_ms: 300 }, limits: { max_failures: 1 } },
      agent: silent
    })
    const { stderr } = await project.start(oneRun).exit()
    const [end] = logEntries(stderr).filter(({ message }) => message.startsWith("run stalled"))
    assert.strictEqual(end?.issue_identifier, "A-1")
    const manifest = JSON.parse(project.read("workspaces/A-1/.opensymphony/run.json"))
    assert.deepStrictEqual([manifest.status, manifest.outcome, manifest.runId], ["finished", "stalled", end?.run_id])
  })

  it("is left alone where the limit is off", async () => {
    await using project = Project.make({
      issues: { "A-1": {} },
      settings: { agent: { stall_timeout_ms: 0, turn_timeout_ms: 0 } },
      agent: "cat >/dev/null; sleep 0.8; move Done"
    })
    const ended = await project.start(oneRun).exit()
    assert.deepStrictEqual([ended.code, ended.summary.get("A-1")?.runs], [0, 1], ended.stderr)
  })
})

describe("a turn that talks on and on", () => {
  it("is not silent, but stopped at the cap", async () => {
    await using project = Project.make({
      prompt,
      issues: { "A-1": {} },
      settings: { agent: { stall_timeout_ms: 1_200, turn_timeout_ms: 2_000 }, limits: { max_failures: 2 } },
      agent: `${remember} ${chatty}`
    })
    const ended = await project.start(oneRun).exit()
    const row = ended.summary.get("A-1")
    assert.deepStrictEqual([ended.code, row?.phase, row?.runs], [1, "held", 2], ended.stderr)
    assert.match(row?.reason ?? "", /agent\.turn_timeout_ms/)
    const ends = logEntries(ended.stderr).filter(({ message }) => message.startsWith("run timed_out"))
    assert.strictEqual(ends.length, 2)
    assert.strictEqual(project.read("workspaces/A-1/prompt-1").trim(), "attempt=1")
    assert.deepStrictEqual(project.processes(), [])
  })
})
