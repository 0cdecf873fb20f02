import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { read } from "./ReadWorkflow.ts"

const few = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 12 }))
const fillers = Schema.Array(Schema.Literals(["", "  ", "# a comment", "polling: {interval_ms: 1000}"]))
const prose = Schema.Array(
  Schema.Literals(["", "Do it.", "{{ issue.title }}", "{% if attempt %}again{% endif %}", "💥"])
)

const surroundings = {
  above: Arbitrary.schema(fillers).pipe(
    Arbitrary.map((lines) => lines.filter((line, at) => !line.startsWith("p") || lines.indexOf(line) === at))
  ),
  indent: few,
  lineEnd: Schema.Literals(["\n", "\r\n"]),
  mark: Schema.Literals(["", "\u{FEFF}"])
}

const placesOf = (text: string): ReadonlyArray<string> =>
  read(text, { environment: {} }).problems.map(({ column, key, line }) => `${key} ${line}:${column}`)

const good = ["---", "tracker: {kind: files}", "command: {run: ./agent.sh}"]

describe("a problem", () => {
  it.prop(
    "of a setting is reported where its value stands, whatever surrounds it",
    surroundings,
    ({ above, indent, lineEnd, mark }) => {
      const pad = " ".repeat(indent + 1)
      const lines = [...good, ...above, "agent:", `${pad}max_turns:${pad}never`, "---", "Do it."]
      const line = lines.findIndex((text) => text.includes("never")) + 1
      const places = placesOf(mark + lines.join(lineEnd))
      assert.deepStrictEqual(places, [`agent.max_turns ${line}:${2 * pad.length + "max_turns:".length + 1}`])
    }
  )

  it.prop(
    "of the prompt is reported where it stands, whatever surrounds it",
    { ...surroundings, before: prose, after: prose },
    ({ above, after, before, indent, lineEnd, mark }) => {
      const pad = "x".repeat(indent)
      const lines = [...good, ...above, "---", ...before, `${pad}{{ nothing }}`, ...after]
      const line = lines.findIndex((text) => text.includes("nothing")) + 1
      const places = placesOf(mark + lines.join(lineEnd))
      assert.deepStrictEqual(places, [`prompt ${line}:${indent + "{{ ".length + 1}`])
    }
  )

  it.prop(
    "stands in the file, whatever the file is",
    [
      Schema.String,
      Schema.Array(Schema.Literals(["---\n", "agent:\n", "  max_turns: ", "{{", "}}", "\r\n", "x", ": "]))
    ],
    ([some, pieces]) => {
      for (const text of [some, pieces.join(""), `---\n${pieces.join("")}\n---\n${some}`]) {
        const lines = text.replace(/^\u{FEFF}/u, "").split("\n")
        for (const { column, line } of read(text).problems) {
          assert.isAtLeast(Math.min(line, column), 1)
          assert.isAtMost(line, lines.length)
          assert.isAtMost(column, (lines[line - 1] ?? "").length + 1)
        }
      }
    }
  )
})
