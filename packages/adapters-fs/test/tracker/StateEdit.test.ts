import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as StateEdit from "../../src/tracker/StateEdit.ts"

const edited = (text: string, state: string) => Result.getOrThrow(StateEdit.setState("A", text, state)).text

describe("StateEdit.setState", () => {
  const cases: ReadonlyArray<readonly [string, string, string, string]> = [
    ["a plain value", "state: Todo\ntitle: T", "Done", "state: Done\ntitle: T"],
    [
      "a comment behind it",
      "state:   Todo   # where it is\ntitle: T",
      "Done",
      "state:   Done   # where it is\ntitle: T"
    ],
    ["double quotes", 'title: T\nstate: "Todo" # c', "In Review", 'title: T\nstate: "In Review" # c'],
    ["single quotes", "state: 'Todo'\ntitle: T", "Won't do", "state: 'Won''t do'\ntitle: T"],
    ["an anchor", "state: &s Todo\ntitle: T", "Done", "state: &s Done\ntitle: T"],
    ["a flow map", "{title: T, state: Todo}", "Done", "{title: T, state: Done}"],
    ["a flow map and a comma", "{title: T, state: Todo}", "a, b", '{title: T, state: "a, b"}'],
    ["a block value", "state: |\n  Todo\ntitle: T", "Done", "state: Done\ntitle: T"],
    ["a value like a number", "state: Todo\ntitle: T", "1", 'state: "1"\ntitle: T'],
    ["a value like a truth", "state: Todo\ntitle: T", "true", 'state: "true"\ntitle: T'],
    ["a value with a colon", "state: Todo\ntitle: T", "a: b", 'state: "a: b"\ntitle: T'],
    ["a value with a number sign", "state: Todo\ntitle: T", "a #b", 'state: "a #b"\ntitle: T'],
    ["a quoted key", '"state": Todo\ntitle: T', "Done", '"state": Done\ntitle: T'],
    [
      "the same word elsewhere",
      "title: Todo # state: Todo\nstate: Todo",
      "Done",
      "title: Todo # state: Todo\nstate: Done"
    ]
  ]
  it.each(cases)("changes only the value: %s", (_, before, state, after) => {
    const file = (yaml: string) => `---\n# keep\n${yaml}\n---\n\nstate: Todo\n  trailing  `
    assert.strictEqual(edited(file(before), state), file(after))
  })

  it("keeps CRLF, the byte order mark and a missing last line end", () => {
    const file = (state: string) => `\uFEFF---\r\ntitle: T\r\nstate: ${state}\r\n---\r\nbody`
    assert.strictEqual(edited(file("Todo"), "In Progress"), file("In Progress"))
  })

  it("says what the state was", () => {
    assert.strictEqual(
      Result.getOrThrow(StateEdit.setState("A", "---\ntitle: T\nstate: Todo\n---\n", "Done")).before,
      "Todo"
    )
  })

  it("leaves a file alone that is in that state already", () => {
    const text = "---\ntitle: T\nstate: >-\n  Todo\n---\n"
    assert.strictEqual(edited(text, "Todo"), text)
  })

  it("changes no other key that shares the value", () => {
    const result = StateEdit.setState("A", "---\nstate: &s Todo\ntitle: *s\n---\n", "Done")
    assert.isTrue(Result.isFailure(result))
  })

  it("refuses a malformed file", () => {
    assert.isTrue(Result.isFailure(StateEdit.setState("A", "---\nstate: Todo\n---\n", "Done")))
  })
})
