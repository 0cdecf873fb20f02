import { assert, describe, it } from "@effect/vitest"
import * as Path from "node:path"
import { filesBelow, textOf } from "./SourceFile.ts"

const page = "docs/conformance.md"

/** How many rows there are: bullets of the Symphony specification's sections, and the two lists of ours. */
const counts: { readonly [section: string]: number } = {
  "17.1-": 16,
  "17.2-": 12,
  "17.3-": 12,
  "17.4-": 15,
  "17.5-": 21,
  "17.6-": 6,
  "17.7-": 6,
  "17.8-": 4,
  "18.1-": 18,
  "18.2-": 5,
  "18.3-": 3,
  S: 24,
  T: 5
}

/** Where a thing can be planned; the first three are titles of issues. */
const plans = /^not yet: (Linear|OpenHands|The decision core, proven|later, [\w ]+)( \([^()]+\))?$/
const shownBy = /^"(?<name>.+)" \(\[\w+\]\((?<link>[^)]+)\)\)$/

interface Row {
  readonly id: string
  readonly asks: string
  readonly shown: ReadonlyArray<string>
}

const rows: ReadonlyArray<Row> = [...textOf(page).matchAll(/^\| ([\dST][\w.-]*) \| (.*?) \| (.*) \|$/gm)].map(
  ([, id = "", asks = "", shown = ""]) => ({ id, asks, shown: shown.split("<br>") })
)

/** A name as a test or a case of a suite has it, also one that is filled in for each row of a table. */
const hasName = (file: string, name: string): boolean =>
  ['"', "`"].some((quote) => textOf(file).includes(`${quote}${name}${quote}`))

function problem(entry: string): string | undefined {
  if (entry.startsWith("not yet: ")) return plans.test(entry) ? undefined : "is planned nowhere"
  if (entry.startsWith("differs: ")) return entry.length > 30 ? undefined : "does not say how it differs"
  const { link = "", name = "" } = shownBy.exec(entry)?.groups ?? {}
  const file = Path.posix.join(Path.posix.dirname(page), link)
  if (link === "") return "is neither a test, nor `not yet`, nor `differs`"
  if (!file.endsWith(".test.ts") && !file.includes("/testing/conformance/")) return "is in no file of tests"
  return hasName(file, name) ? undefined : `is not in ${file}`
}

describe("the conformance table", () => {
  it.each(Object.entries(counts))("has every row of %s: %d", (section, count) => {
    const ids = rows.map(({ id }) => id).filter((id) => id.startsWith(section))
    assert.deepStrictEqual(
      ids,
      Array.from({ length: count }, (_, index) => `${section}${index + 1}`)
    )
  })

  it("has no row beside them", () => {
    assert.strictEqual(
      rows.length,
      Object.values(counts).reduce((sum, count) => sum + count, 0)
    )
    assert.deepStrictEqual(
      rows.filter(({ asks }) => asks === ""),
      []
    )
  })

  it("names tests that exist, or says where a thing is planned", () => {
    const wrong = rows.flatMap(({ id, shown }) =>
      shown.flatMap((entry) => {
        const what = problem(entry)
        return what === undefined ? [] : [`${id}: ${entry} ${what}`]
      })
    )
    assert.deepStrictEqual(wrong, [])
  })

  it.each([
    ['"keeps its promises" ([Documents](../test/repository/Documents.test.ts))', "is not in test/repository/"],
    ['"link to what is there" ([Documents](../docs/testing.md))', "is in no file of tests"],
    ["somehow", "is neither a test"],
    ["not yet: some day", "is planned nowhere"]
  ])("would not take %s", (entry, what) => {
    assert.include(problem(entry), what)
  })
})

describe("a conformance suite", () => {
  const tests = filesBelow("packages").filter((file) => file.endsWith(".test.ts"))
  const registering = (suite: string) =>
    tests.filter((file) => textOf(file).includes(`of ${suite}(`)).map((file) => file.split("/")[1])

  it.each([
    ["trackerSuite", ["adapters-fs", "adapters-linear", "core"]],
    ["workspaceSuite", ["adapters-fs", "core"]],
    ["runtimeSuite", ["adapters-command", "adapters-openhands", "core"]],
    ["workerSuite", ["adapters-command", "adapters-openhands", "core"]],
    ["runStoreSuite", ["core"]]
  ])("is what the doubles and the adapters pass: %s", (suite, packages) => {
    assert.deepStrictEqual([...new Set(registering(suite))].sort(), packages)
  })
})
