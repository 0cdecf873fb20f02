/**
 * A handful of simulated worlds, small enough to be lived again for every mutant. The sources are imported by their
 * path: the name of the package would lead out of the copy that is mutated.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Simulation from "../../packages/core/src/testing/simulator/Simulation.ts"

describe("a few pure worlds", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])("break no rule (awful, seed %i)", (seed) => {
    assert.isNull(Simulation.run({ seed, profile: "awful", maxEvents: 800 }).violation)
  })
})
