import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as IssueFile from "../../src/tracker/IssueFile.ts"

const parsed = (text: string) => Result.getOrThrow(IssueFile.parse("ABC-1", text))

const failure = (text: string) => {
  const result = IssueFile.parse("ABC-1", text)
  assert.isTrue(Result.isFailure(result), "the file was read")
  return Result.getOrThrow(Result.flip(result))
}

const withLine = (line: string) => `---\ntitle: T\nstate: Todo\n${line}\n---\n`

describe("IssueFile.parse", () => {
  it("reads every field", () => {
    const text = [
      "---",
      "id: 42",
      "identifier: ABC-7",
      'title: "Fix: the bug"',
      "state: In Progress",
      "priority: 2",
      "labels: [Bug, UI]",
      "blocked_by: [ABC-1, 2]",
      "parent: ABC-0",
      "branch: fix/abc-7",
      "url: https://example.com/7",
      "assignee: ann",
      "created_at: 2026-01-31T12:00:00+01:00",
      "updated_at: 2026-02-01",
      "---",
      "",
      "Some *text*.",
      ""
    ].join("\n")
    assert.deepStrictEqual(parsed(text), {
      id: "42",
      identifier: "ABC-7",
      title: "Fix: the bug",
      state: "In Progress",
      priority: 2,
      labels: ["bug", "ui"],
      blockedBy: ["ABC-1", "2"],
      parent: "ABC-0",
      branchName: "fix/abc-7",
      url: "https://example.com/7",
      assigneeId: "ann",
      createdAtMs: Date.UTC(2026, 0, 31, 11),
      updatedAtMs: Date.UTC(2026, 1, 1),
      description: "Some *text*."
    })
  })

  it("takes the stem for the identifier and the identifier for the id", () => {
    const { id, identifier } = parsed(withLine(""))
    assert.deepStrictEqual([identifier, id], ["ABC-1", "ABC-1"])
  })

  it("accepts a byte order mark, CRLF and blanks behind the delimiters", () => {
    const file = parsed("\uFEFF--- \r\ntitle: T\r\nstate: Todo\r\n---\t\r\none\r\ntwo\r\n")
    assert.deepStrictEqual([file.title, file.state, file.description], ["T", "Todo", "one\ntwo"])
  })

  it("has no description when the body is blank", () => {
    assert.isNull(parsed("---\ntitle: T\nstate: Todo\n---").description)
  })

  it("keeps rules and horizontal lines of the body", () => {
    assert.strictEqual(parsed(withLine("") + "a\n\n---\n\nb").description, "a\n\n---\n\nb")
  })

  it("ignores keys that nobody knows", () => {
    assert.strictEqual(parsed(withLine("estimate: {points: 3}")).title, "T")
  })

  it("reads text fields as they are written, whatever YAML makes of them", () => {
    const file = parsed("---\nidentifier: 007\ntitle: 1.10\nstate: yes\n---\n")
    assert.deepStrictEqual([file.identifier, file.title, file.state], ["007", "1.10", "yes"])
  })

  it("puts a title of several lines on one", () => {
    assert.strictEqual(parsed("---\ntitle: |\n  a\n  b\nstate: Todo\n---\n").title, "a b")
  })

  it("resolves aliases", () => {
    assert.deepStrictEqual(parsed(withLine("parent: &p X-1\nblocked_by: [*p]")).blockedBy, ["X-1"])
  })

  const priorities: ReadonlyArray<readonly [string, number | null]> = [
    ["1", 1],
    ["4", 4],
    ['"3"', 3],
    ["2.0", 2],
    ["0", null],
    ["none", null],
    ["null", null],
    ["", null]
  ]
  it.each(priorities)("reads priority %s as %s", (written, expected) => {
    assert.strictEqual(parsed(withLine(`priority: ${written}`)).priority, expected)
  })

  const instants: ReadonlyArray<readonly [string, number]> = [
    ["2026-01-31T12:00:00Z", Date.UTC(2026, 0, 31, 12)],
    ["2026-01-31t12:00:00.250z", Date.UTC(2026, 0, 31, 12, 0, 0, 250)],
    ["2026-01-31 12:00:00 -5", Date.UTC(2026, 0, 31, 17)],
    ["2026-01-31 12:00:00 +0530", Date.UTC(2026, 0, 31, 6, 30)],
    ['"2026-01-31T12:00"', Date.UTC(2026, 0, 31, 12)],
    ["2024-02-29", Date.UTC(2024, 1, 29)]
  ]
  it.each(instants)("reads the instant %s", (written, expected) => {
    assert.strictEqual(parsed(withLine(`created_at: ${written}`)).createdAtMs, expected)
  })

  const lists: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    ["[a, b, a]", ["a", "b"]],
    ["\n  - a\n  - 2", ["a", "2"]],
    ["a", ["a"]],
    ["[]", []],
    ["", []]
  ]
  it.each(lists)("reads the list %j", (written, expected) => {
    assert.deepStrictEqual(parsed(withLine(`blocked_by: ${written}`)).blockedBy, expected)
  })

  const malformed: ReadonlyArray<readonly [string, string, number, RegExp]> = [
    ["no front matter", "# Title\n", 1, /no front matter/],
    ["an empty file", "", 1, /no front matter/],
    ["an unclosed front matter", "---\ntitle: T\n", 1, /not closed/],
    ["front matter that is a list", "---\n- a\n---\n", 2, /key: value/],
    ["empty front matter", "---\n---\n", 1, /title is missing.*state is missing/],
    ["broken YAML", "---\ntitle: T\nstate: @Todo\nparent: A\n---\n", 3, /not valid YAML/],
    ["a key given twice", "---\ntitle: T\nstate: Todo\nstate: Done\n---\n", 4, /unique/],
    ["YAML that is too deep", `---\ntitle: ${"[".repeat(20_000)}\n---\n`, 2, /flatter|YAML/],
    ["an alias of nothing", withLine("labels: *important"), 4, /\*important/],
    ["front matter without end", withLine(`x: ${"y".repeat(70_000)}`), 1, /longer than/],
    ["no title", "---\nstate: Todo\n---\n", 1, /title is missing; add/],
    ["an empty title", "---\nstate: Todo\ntitle:\n---\n", 3, /title is missing/],
    ["no state", "---\ntitle: T\n---\n", 1, /state is missing/],
    ["a title that is a list", "---\nstate: Todo\ntitle: [a]\n---\n", 3, /title must be a text/],
    ["priority 2.5", withLine("priority: 2.5"), 4, /priority must be 1.*not "2.5"/],
    ["priority 5", withLine("priority: 5"), 4, /priority must be/],
    ["priority high", withLine("priority: high"), 4, /not "high"/],
    ["a priority that is a list", withLine("priority: [1]"), 4, /priority must be/],
    ["labels in one text", withLine("labels: bug, ui"), 4, /brackets.*\[bug, ui\]/],
    ["blockers that are a map", withLine("blocked_by: {a: b}"), 4, /blocked_by must be a list/],
    ["a blocker that is a list", withLine("blocked_by:\n  - A\n  - [B]"), 6, /no text/],
    ["a date that is none", withLine("created_at: yesterday"), 4, /created_at must be a date/],
    ["a day that the month has not", withLine("updated_at: 2026-02-30"), 4, /updated_at must be a date/]
  ]
  it.each(malformed)("reports %s with its line", (_, text, line, message) => {
    const problem = failure(text)
    assert.strictEqual(problem.line, line)
    assert.match(problem.message, message)
  })

  it("counts lines with CRLF", () => {
    assert.strictEqual(failure("---\r\ntitle: T\r\nstate: Todo\r\npriority: x\r\n---\r\n").line, 4)
  })

  it("reports everything that is wrong with a file at once", () => {
    const { line, message } = failure("---\ntitle: T\npriority: 9\nlabels: {a: b}\nstate: Todo\n---\n")
    assert.strictEqual(line, 3)
    assert.match(message, /^priority .*; line 4: labels /)
  })

  it("still says whose file it is when a field is wrong", () => {
    const { identity } = failure(withLine("identifier: X-1\nid: 9\nparent: P\npriority: x"))
    assert.deepStrictEqual(identity, { identifier: "X-1", id: "9", parent: "P" })
  })

  it("does not guess whose file it is when the YAML is broken before that", () => {
    assert.isNull(failure("---\ntitle: [T\n---\n").identity)
  })
})
