import { assert, describe, it } from "@effect/vitest"
import * as SeenIds from "../../src/stream/SeenIds.ts"

describe("SeenIds", () => {
  it("knows an id the second time", () => {
    const seen = SeenIds.make()
    assert.isTrue(seen.add("a"))
    assert.isFalse(seen.add("a"))
  })

  it("stays within its bound over a million ids, and still knows the latest", () => {
    const seen = SeenIds.make(1_000)
    for (let index = 0; index < 1_000_000; index++) seen.add(`id-${index}`)
    assert.isAtMost(seen.size(), 1_000)
    for (let index = 999_999; index > 999_500; index--) assert.isTrue(seen.has(`id-${index}`))
  })
})
