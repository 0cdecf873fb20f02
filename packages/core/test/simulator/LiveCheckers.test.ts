/** What the checkers see of the real orchestrator: adapters that break their contracts are caught. */
import { assert, describe, it } from "@effect/vitest"
import { kinds, type ProfileKind } from "../../src/testing/simulator/Profile.ts"
import * as Simulation from "../../src/testing/simulator/Simulation.ts"

type Lies = NonNullable<Simulation.Options["lies"]>

const seeds = [1, 2, 3, 4, 5, 6, 7, 8]

const broken = (lies: Lies, profile: ProfileKind = "normal"): ReadonlyArray<number | undefined> =>
  seeds.map((seed) => Simulation.run({ seed, profile, world: "live", maxEvents: 1_500, lies }).violation?.rule)

describe("a live world", () => {
  it.each(kinds)("is the same for the same seed, byte for byte (%s)", (profile) => {
    for (let seed = 1; seed <= 3; seed++) {
      const options = { seed, profile, world: "live", maxEvents: 1_500, trace: true } as const
      const text = (): string =>
        Simulation.run(options)
          .trace.map((line) => line.text)
          .join("\n")
      const first = text()
      assert.isAbove(first.length, 1_000)
      assert.strictEqual(text(), first)
    }
  })

  it("is not changed by being traced", () => {
    const options = { seed: 5, profile: "awful", world: "live", maxEvents: 1_500 } as const
    const traced = Simulation.run({ ...options, trace: true })
    const untraced = Simulation.run(options)
    assert.deepStrictEqual([traced.events, traced.virtualMs], [untraced.events, untraced.virtualMs])
    assert.strictEqual(traced.trace.length, traced.events)
  })

  it("does not take a runtime at its word that starts two agents at once", () => {
    assert.deepStrictEqual(
      broken({ startsTwoAgents: true }),
      seeds.map(() => 1)
    )
  })

  it("does not take a runtime at its word whose agents go on although it says that they stopped", () => {
    for (const rule of broken({ stopsInWordsOnly: true })) assert.include([1, 2, 6, 7], rule)
  })

  it("does not take a run store at its word that keeps nothing", () => {
    assert.include(broken({ storeForgets: true }, "awful"), 13)
  })
})
