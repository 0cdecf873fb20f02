import { assert, describe, it } from "@effect/vitest"
import * as Summary from "../../src/run/Summary.ts"

const row: Summary.SummaryRow = { identifier: "A-1", state: "Done", phase: "released", runs: 2, reason: "" }

describe("a line of the summary", () => {
  it("keeps the tab of an empty reason", () => {
    assert.deepStrictEqual(Summary.tabSeparated([row]), ["A-1\tDone\treleased\t2\t"])
  })

  it("has spaces for tabs and line breaks inside a field", () => {
    const odd = { ...row, identifier: "A\t1", state: "In\nReview", reason: "one\r\ntwo" }
    assert.deepStrictEqual(Summary.tabSeparated([odd]), ["A 1\tIn Review\treleased\t2\tone two"])
  })
})
