import { assert, describe, it } from "@effect/vitest"
import { FakeLinear } from "@opensymphony/adapters-linear/testing"
import * as Path from "node:path"
import { environment, run } from "../../repository/Program.ts"

// The check of the real Linear, on the fake one: what it asks is valid, and it tells what it finds.
const repository = Path.resolve(import.meta.dirname, "..", "..", "..")
const program = Path.join(repository, "test", "live", "linear", "main.ts")

const check = (env: NodeJS.ProcessEnv) =>
  run(process.execPath, ["--conditions=opensymphony-src", program], {
    cwd: repository,
    env: { ...environment, LINEAR_API_KEY: "", ...env },
    timeoutMs: 60_000
  })

describe("the check of the real Linear", () => {
  it("says that it is skipped without a key", async () => {
    const { exitCode, stdout } = await check({})
    assert.strictEqual(exitCode, 0)
    assert.match(stdout, /^SKIPPED: LINEAR_API_KEY is not set/)
  })

  it("prints limits, costs and spellings, and no key", async () => {
    const linear = await FakeLinear.start()
    try {
      linear.createIssue({ title: "A task", state: "Todo", project: linear.project.id })
      const { exitCode, stdout } = await check({ LINEAR_API_KEY: linear.apiKey, LINEAR_API_URL: linear.url })
      assert.strictEqual(exitCode, 0, stdout)
      assert.match(stdout, /x-ratelimit-requests-limit: \d+/)
      assert.match(stdout, /candidates: 1 issues, x-complexity \d+/)
      assert.match(stdout, /OK {4}Does the adapter poll this project\?\n {6}1 candidates, 0 that could not be read/)
      assert.notInclude(stdout, linear.apiKey)
      assert.deepStrictEqual(linear.unimplemented(), [])
    } finally {
      await linear.close()
    }
  })

  it("fails with a key that is refused", async () => {
    const linear = await FakeLinear.start()
    try {
      const { exitCode, stdout } = await check({ LINEAR_API_KEY: "lin_api_wrong", LINEAR_API_URL: linear.url })
      assert.strictEqual(exitCode, 1)
      assert.match(stdout, /^FAIL {2}Is the key accepted/)
    } finally {
      await linear.close()
    }
  })
})
