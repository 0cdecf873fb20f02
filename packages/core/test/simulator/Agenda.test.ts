import { assert, describe, it } from "@effect/vitest"
import * as Agenda from "../../src/testing/simulator/Agenda.ts"
import * as Prng from "../../src/testing/simulator/Prng.ts"

describe("the agenda", () => {
  it("hands out what is due first, and what is due at one instant in the order it was planned", () => {
    const agenda = Agenda.make()
    const prng = Prng.make(5)
    const planned: Array<{ readonly at: number; readonly order: number }> = []
    const done: Array<{ readonly at: number; readonly order: number }> = []
    for (let order = 0; order < 500; order++) {
      const at = prng.int(0, 50)
      planned.push({ at, order })
      agenda.plan(at, () => done.push({ at, order }))
    }
    for (let next = agenda.take(); next !== undefined; next = agenda.take()) next.act()
    assert.deepStrictEqual(
      done,
      planned.toSorted((self, that) => self.at - that.at || self.order - that.order)
    )
  })

  it("knows when the next thing is due", () => {
    const agenda = Agenda.make()
    assert.strictEqual(agenda.nextAt(), Number.POSITIVE_INFINITY)
    agenda.plan(7, () => {})
    agenda.plan(3, () => {})
    assert.strictEqual(agenda.nextAt(), 3)
  })
})
