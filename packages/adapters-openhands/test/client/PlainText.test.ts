import { assert, describe, it } from "@effect/vitest"
import * as PlainText from "../../src/client/PlainText.ts"

describe("PlainText", () => {
  const cases = [
    ["\u001b[?2004lhi\n\u001b[?2004h", "hi"],
    ["two\tparts\r\nof \u0007it", "two parts of it"],
    ["\u001b]0;a title\u0007text", "text"],
    ["left\u202eright", "leftright"],
    ["  ", ""]
  ] as const
  for (const [text, expected] of cases) {
    it(`shows ${JSON.stringify(text)} as ${JSON.stringify(expected)}`, () => {
      assert.strictEqual(PlainText.oneLine(text, 100), expected)
    })
  }

  it("cuts a long text, never inside a character, and says so", () => {
    assert.strictEqual(PlainText.oneLine("abc😀def", 5), "abc…")
    assert.strictEqual(PlainText.oneLine("x".repeat(1_000_000), 10), `${"x".repeat(9)}…`)
  })
})
