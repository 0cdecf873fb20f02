import { assert, describe, it } from "@effect/vitest"
import { Project } from "../Harness.ts"
import { turn } from "./AgentScript.ts"

describe("run --until-idle", () => {
  it("asks the tracker once more after the last run, however long the polling interval is", async () => {
    await using project = Project.make({
      settings: { polling: { interval_ms: 600_000 } },
      issues: { "A-1": {} },
      // The poll that its own move wakes is over long before the run is.
      agent: turn("move Done", "sleep 0.6")
    })
    const { code, summary } = await project.start(["run", "--until-idle"]).exit()
    assert.strictEqual(code, 0)
    assert.strictEqual(summary.get("A-1")?.state, "Done")
  })
})
