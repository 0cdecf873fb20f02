import { assert, describe, it } from "@effect/vitest"
import * as Prng from "../../src/testing/simulator/Prng.ts"

const draw = (prng: Prng.Prng, count: number): ReadonlyArray<number> => Array.from({ length: count }, prng.next)

describe("the seeded generator", () => {
  it("draws the same numbers for the same seed", () => {
    assert.deepStrictEqual(draw(Prng.make(42), 100), draw(Prng.make(42), 100))
  })

  it("draws the numbers that it always drew, on every machine", () => {
    assert.deepStrictEqual(
      Array.from({ length: 4 }, () => 0).map(
        (
          (prng) => () =>
            prng.int(0, 999_999)
        )(Prng.make(1))
      ),
      [302626, 905410, 315309, 706638]
    )
  })

  it("draws other numbers for other seeds, however large they are", () => {
    const firsts = [0, 1, 2, 2 ** 32, 2 ** 32 + 1, 2 ** 40].map((seed) => Prng.make(seed).next())
    assert.strictEqual(new Set(firsts).size, firsts.length)
  })

  it("stays within its bounds, and reaches both", () => {
    const prng = Prng.make(7)
    const seen = new Set(Array.from({ length: 1_000 }, () => prng.int(3, 5)))
    assert.deepStrictEqual([...seen].sort(), [3, 4, 5])
  })

  it("splits into generators that draw on their own", () => {
    const split = (extra: number) => {
      const parent = Prng.make(9)
      const child = parent.split("child")
      draw(parent, extra)
      return draw(child, 10)
    }
    assert.deepStrictEqual(split(0), split(50))
    const parent = Prng.make(9)
    assert.notDeepEqual(draw(parent.split("a"), 10), draw(parent.split("b"), 10))
  })

  it("never draws what is impossible, and always what is certain", () => {
    const prng = Prng.make(3)
    assert.isFalse(Array.from({ length: 1_000 }, () => prng.chance(0)).some(Boolean))
    assert.isTrue(Array.from({ length: 1_000 }, () => prng.chance(1)).every(Boolean))
  })
})
