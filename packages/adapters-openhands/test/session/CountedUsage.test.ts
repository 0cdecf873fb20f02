import { assert, describe, it } from "@effect/vitest"
import * as Usage from "@opensymphony/core/domain/Usage"
import * as CountedUsage from "../../src/session/CountedUsage.ts"

const total = (inputTokens: number): Usage.Usage => ({ ...Usage.zero, inputTokens })

describe("CountedUsage", () => {
  it("counts from now in a conversation that nobody followed before", () => {
    assert.deepStrictEqual(CountedUsage.make().baseline("a", total(70)), total(70))
  })

  it("counts from what was told", () => {
    const counted = CountedUsage.make()
    counted.note("a", total(50))
    assert.deepStrictEqual(counted.baseline("a", total(70)), total(50))
  })

  it("counts from less where the server forgot something", () => {
    const counted = CountedUsage.make()
    counted.note("a", total(50))
    assert.deepStrictEqual(counted.baseline("a", total(40)), total(40))
  })

  it("forgets the conversation that was not followed for the longest time", () => {
    const counted = CountedUsage.make()
    for (let conversation = 0; conversation <= 10_000; conversation++) counted.note(String(conversation), total(1))
    assert.deepStrictEqual(counted.baseline("0", total(70)), total(70))
    assert.deepStrictEqual(counted.baseline("1", total(70)), total(1))
  })
})
