import { assert, describe, it } from "@effect/vitest"
import { oneLine } from "../src/PlainText.ts"

describe("one line of plain text", () => {
  it.each([
    ["plain", "plain"],
    ["\u001b[1;31mred\u001b[0m text", "red text"],
    ["\u001b]0;window title\u0007after", "after"],
    ["\u001b]8;;https://example.org\u001b\\link\u001b]8;;\u001b\\", "link"],
    ["a\tb\r\nc", "a b c"],
    ["10%\r20%\r30%", "10% 20% 30%"],
    ["bell\u0007 and \u0000nul", "bell and nul"],
    ["admin\u202etxt.exe", "admintxt.exe"],
    ["  padded  ", "padded"],
    ["👩‍💻 Zoë", "👩‍💻 Zoë"]
  ])("of %j is %j", (text, expected) => {
    assert.strictEqual(oneLine(text, 40), expected)
  })

  it("is cut at a character, with an ellipsis", () => {
    assert.strictEqual(oneLine("abcdefgh", 5), "abcd…")
    assert.strictEqual(oneLine("abc💥efgh", 5), "abc…")
  })
})
