import { assert, describe, it } from "@effect/vitest"
import * as CodePointOrder from "../../src/domain/CodePointOrder.ts"

describe("the order by code point", () => {
  it("puts capitals before small letters, shorter before longer, and everything above U+FFFF last", () => {
    const ordered = ["", "A", "A-1", "A-10", "A-2", "Z", "a", "é", "\uE000", "～", "😀", "😀a", "😁"]
    assert.deepStrictEqual(ordered.toReversed().sort(CodePointOrder.compare), ordered)
  })

  it("takes no two different texts for the same", () => {
    assert.strictEqual(CodePointOrder.compare("A", "A"), 0)
    assert.notStrictEqual(CodePointOrder.compare("é", "e\u0301"), 0)
  })
})
