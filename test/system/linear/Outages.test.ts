import { assert, describe, it } from "@effect/vitest"
import { FakeLinear } from "@opensymphony/adapters-linear/testing"
import { turn, waitFor } from "../boards/AgentScript.ts"
import { Project } from "../Harness.ts"
import * as LinearBoard from "./LinearBoard.ts"

/** A fake Linear with one issue, and a project on it; both end with the test. */
const onLinear = async (
  agent: string,
  use: (linear: FakeLinear.FakeLinear, project: Project) => Promise<void>
): Promise<void> => {
  const linear = await FakeLinear.start()
  try {
    LinearBoard.fill(linear, ["A task"])
    await using project = LinearBoard.make({ linear, agent })
    await use(linear, project)
    assert.deepStrictEqual(linear.unimplemented(), [])
  } finally {
    await linear.close()
  }
}

const works = turn(...LinearBoard.steps)

describe.concurrent("opensymphony run on Linear", () => {
  it("says that the key is refused, and exits 1", () =>
    onLinear(works, async (linear, project) => {
      const apiKey = "lin_api_ofSomebodyElse00000000000000000000000"
      const { code, stderr, stdout } = await LinearBoard.start(project, { apiKey }).exit()
      assert.strictEqual(code, 1)
      assert.match(stderr, /^opensymphony: Linear refuses the API key.*check tracker\.api_key/m)
      assert.notInclude(stderr, apiKey)
      assert.strictEqual(stdout, "")
      assert.isAtMost(linear.counters().requests, 2)
      assert.strictEqual(linear.issue("ENG-1").state, "Todo")
    }))

  it("ends with status 1 when the key is refused later, with --until-idle", () =>
    onLinear(turn(waitFor("never")), async (linear, project) => {
      const orchestrator = LinearBoard.start(project, linear)
      await orchestrator.logs(/agent launched/)
      linear.revokeApiKey(linear.apiKey)
      const { code, stderr } = await orchestrator.exit(40_000)
      assert.strictEqual(code, 1)
      assert.match(stderr, /^opensymphony: Linear refuses the API key/m)
      assert.deepStrictEqual(project.processes(), [])
    }))

  it("waits for a Linear that is away at the start", async () => {
    const absent = await FakeLinear.start()
    const port = Number(new URL(absent.origin).port)
    await absent.close()
    await using project = LinearBoard.make({ linear: absent, agent: works })
    const orchestrator = LinearBoard.start(project, absent)
    await orchestrator.logs(/the tracker failed, asked again in .*could not be reached .*ECONNREFUSED/)
    const linear = await FakeLinear.start({ port, project: { slugId: absent.project.slugId } })
    try {
      LinearBoard.fill(linear, ["A task"])
      const { code, stderr, summary } = await orchestrator.exit(40_000)
      assert.strictEqual(code, 0, stderr)
      assert.match(stderr, /the tracker answers again/)
      assert.strictEqual(summary.get("ENG-1")?.state, "Done")
    } finally {
      await linear.close()
    }
  })

  it("lives through answers of a proxy: the run goes on, and nothing counts as a failure", () =>
    onLinear(turn(waitFor("go"), ...LinearBoard.steps), async (linear, project) => {
      const orchestrator = LinearBoard.start(project, linear)
      await orchestrator.logs(/agent launched/)
      const fault = linear.addFault({ fault: { kind: "html", status: 502 } })
      await orchestrator.logs(/the tracker failed, asked again in .*HTTP 502/)
      linear.removeFault(fault)
      project.write("go", "")
      const { code, stderr, summary } = await orchestrator.exit(40_000)
      assert.strictEqual(code, 0, stderr)
      assert.match(stderr, /the tracker answers again/)
      assert.deepStrictEqual([summary.get("ENG-1")?.state, summary.get("ENG-1")?.runs], ["Done", 1])
      assert.notMatch(stderr, /run failed|run cancelled|<html|<!DOCTYPE/)
    }))
})
