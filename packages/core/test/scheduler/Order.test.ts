import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { IssueId } from "../../src/domain/Ids.ts"
import * as Order from "../../src/scheduler/Order.ts"
import type { OrderKey } from "../../src/scheduler/State.ts"

const key = ([number, rank]: readonly [number, number]): OrderKey => ({
  id: IssueId(`I${number}`),
  rank,
  subIssues: 0,
  createdAtMs: number % 3 === 0 ? Number.POSITIVE_INFINITY : number % 5,
  identifier: `I${number % 7}`
})

const small = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 1, maximum }))
const keys = Arbitrary.schema(Schema.Array(Schema.Tuple([small(40), small(5)]))).pipe(
  Arbitrary.map((pairs) => [...new Map(pairs.map((pair) => [pair[0], key(pair)])).values()])
)
const idsOf = (order: ReadonlyArray<OrderKey>) => order.map(({ id }) => id)

describe("the order of starts", () => {
  it.prop("is total: only keys of one issue compare equal", { some: keys }, ({ some }) => {
    for (const self of some) {
      for (const that of some) {
        assert.strictEqual(Order.compare(self, that) === 0, self.id === that.id)
        assert.strictEqual(Math.sign(Order.compare(self, that)), -Math.sign(Order.compare(that, self)) + 0)
      }
    }
  })

  it.prop("is transitive, and the same in whatever order the keys come", { some: keys }, ({ some }) => {
    const order = some.toSorted(Order.compare)
    assert.deepStrictEqual(idsOf(some.toReversed().sort(Order.compare)), idsOf(order))
    for (const [index, self] of order.entries()) {
      for (const that of order.slice(index + 1)) assert.isBelow(Order.compare(self, that), 0)
    }
  })

  it.prop(
    "after removals and insertions is what sorting anew would give",
    { first: keys, second: keys },
    ({ first, second }) => {
      const order = first.toSorted(Order.compare)
      const gone = first.filter((_, index) => index % 2 === 0)
      const stays = first.filter((_, index) => index % 2 === 1)
      const added = second.filter(({ id }) => !stays.some((other) => other.id === id))
      const wanted = [...stays, ...added].sort(Order.compare)
      assert.deepStrictEqual(idsOf(Order.change(order, gone, added)), idsOf(wanted))
      assert.deepStrictEqual(order, first.toSorted(Order.compare))
    }
  )

  it.prop("finds every key that is in it, and no other", { first: keys, second: keys }, ({ first, second }) => {
    const order = first.toSorted(Order.compare)
    for (const [index, found] of order.entries()) assert.strictEqual(Order.indexOf(order, found), index)
    for (const other of second) {
      const isIn = order.some(({ id, rank }) => id === other.id && rank === other.rank)
      assert.strictEqual(Order.indexOf(order, other) >= 0, isIn)
    }
  })

  it.each([1, 4, 8, 20])("leaves out what is not there when %i keys are to go, and keeps the rest", (count) => {
    const order = Array.from({ length: 40 }, (_, index) => key([index + 1, 3])).sort(Order.compare)
    const strangers = Array.from({ length: count }, (_, index) => key([index + 101, 1 + (index % 5)]))
    assert.deepStrictEqual(Order.change(order, strangers, []), order)
    const [first, ...rest] = order
    assert.deepStrictEqual(first === undefined ? [] : Order.change(order, [...strangers, first], []), rest)
    const last = key([999, 5])
    assert.deepStrictEqual(idsOf(Order.change(order, strangers, [last])), idsOf([...order, last]))
  })
})
