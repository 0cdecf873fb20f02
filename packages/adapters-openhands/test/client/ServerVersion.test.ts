import { assert, describe, it } from "@effect/vitest"
import * as ServerVersion from "../../src/client/ServerVersion.ts"

describe("ServerVersion", () => {
  const cases = [
    ["1.40.0", "Supported"],
    ["v1.45.2", "Supported"],
    ["1.57.9", "Supported"],
    ["1.58.0", "Untested"],
    ["1.39.9", "Unsupported"],
    ["0.62", "Unsupported"],
    ["2.0.0", "Unsupported"],
    ["unknown", "Unsupported"],
    ["", "Unsupported"]
  ] as const
  for (const [version, expected] of cases) {
    it(`judges "${version}" ${expected}`, () => {
      const judgement = ServerVersion.judge(version)
      assert.strictEqual(judgement._tag, expected)
      if (judgement._tag !== "Supported") assert.include(judgement.message, "1.40.0 to 1.57")
    })
  }
})
