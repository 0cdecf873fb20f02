import { assert, describe, it } from "@effect/vitest"
import { accept, minimal, read, rendered } from "./ReadWorkflow.ts"

const messages = (text: string) => rendered(read(text)).map((line) => line.replace("error /project/WORKFLOW.md:", ""))

describe("the front matter", () => {
  it("may have CRLF, a byte order mark and blanks behind its dashes", () => {
    const text = `\u{FEFF}${minimal("", "\nOne\nTwo {{ issue.id }}\n\n")}`
      .replaceAll("---", "--- \t")
      .replaceAll("\n", "\r\n")
    const workflow = accept(text)
    assert.strictEqual(workflow.prompt.source.text, "One\nTwo {{ issue.id }}")
    assert.strictEqual(workflow.command?.run, "./agent.sh")
  })

  it("ends at the first line of three dashes that is not indented", () => {
    const workflow = accept(minimal("hooks:\n  before_run: |\n    cat <<X\n    ---\n    X\n", "a\n---\nb"))
    assert.strictEqual(workflow.hooks.beforeRun, "cat <<X\n---\nX\n")
    assert.strictEqual(workflow.prompt.source.text, "a\n---\nb")
  })

  it("must be closed", () => {
    const unclosed =
      "1:1: front matter: opens with `---` and is never closed; add a line `---` between the settings and the prompt"
    assert.deepStrictEqual(messages("---"), [unclosed])
    assert.deepStrictEqual(messages("---\ntracker: {kind: files}\n ---\n----\n"), [unclosed])
  })

  it("must be a map", () => {
    for (const yaml of ["- a", "text", "5", "[a, b]"]) {
      assert.deepStrictEqual(messages(`---\n\n${yaml}\n---\n`), [
        "3:1: front matter: must be a map of settings; write `key: value` lines"
      ])
    }
  })

  it("may be empty or all comment, and then lacks what is required", () => {
    for (const yaml of ["", "# nothing\n", "~\n"]) {
      assert.deepStrictEqual(
        read(`---\n${yaml}---\n`).problems.map(({ key }) => key),
        ["tracker.kind", "runtime.kind"]
      )
    }
  })

  it("must be YAML, and says where it is not", () => {
    const cases: ReadonlyArray<readonly [string, string, string]> = [
      ["tracker:\n\tkind: files", "3:1", "a tab is used for indentation; use blanks"],
      ["a: b: c", "2:4", "there are two `key:` on one line; put the value in quotes or the second key on its own line"],
      ["a: @x", "2:4", "a value may not begin with this character; put the value in quotes"],
      ["a: 'x", "2:6", "something is missing here: a quote, bracket, comma, colon or the blank after a colon; add it"],
      [
        'a: "\\q"',
        "2:5",
        "a backslash in double quotes begins no known escape; use single quotes or double the backslash"
      ]
    ]
    for (const [yaml, position, message] of cases) {
      assert.include(messages(`---\n${yaml}\n---\n`), `${position}: front matter: ${message}`, yaml)
    }
  })

  it("hides no problem of the prompt when it is no YAML", () => {
    assert.deepStrictEqual(
      read("---\na: @x\n---\n{{ nope }}").problems.map(({ key, line }) => [key, line]),
      [
        ["front matter", 2],
        ["prompt", 4]
      ]
    )
  })

  it("is the whole file's prompt when it does not begin on the first line", () => {
    const text = "\n---\ntracker: {kind: files}\n---\n{{ nope }}"
    assert.deepStrictEqual(
      read(text).problems.map(({ key, line }) => [key, line]),
      [
        ["tracker.kind", 1],
        ["runtime.kind", 1],
        ["prompt", 5]
      ]
    )
  })

  it("may not multiply by aliases", () => {
    const levels = Array.from({ length: 40 }, (_, i) => `a${i}: &a${i} [${i === 0 ? "x" : `*a${i - 1}, *a${i - 1}`}]`)
    assert.include(
      messages(`---\n${levels.join("\n")}\n---\n`),
      "2:1: front matter: holds more than 10000 values; look for YAML aliases that multiply"
    )
  })

  it("may not nest without end", () => {
    assert.include(
      messages(`---\nopenhands: ${"[".repeat(40)}${"]".repeat(40)}\n---\n`).join("\n"),
      "is nested deeper than 32 levels"
    )
    assert.isNull(read(`---\nopenhands: ${"[".repeat(20_000)}\n---\n`).workflow)
  })

  it("shows keys with control characters on one line", () => {
    const lines = rendered(read(minimal('"a\\nb\\e[31m": 1\n')))
    assert.deepStrictEqual(
      lines.map((line) => line.slice(0, 55)),
      ["warning /project/WORKFLOW.md:6:1: a b [31m: unknown key"]
    )
  })

  it("has the first hundred problems shown, and how many more there are", () => {
    const parsed = read(minimal(Array.from({ length: 150 }, (_, i) => `unheard_of_${i}: 1\n`).join("")))
    assert.strictEqual(parsed.problems.length, 101)
    assert.strictEqual(
      rendered(parsed)[100],
      "warning /project/WORKFLOW.md:106:1: front matter: 50 more problems follow; mend those above first"
    )
    assert.isNotNull(parsed.workflow)
  })
})
