import { assert, describe, it } from "@effect/vitest"
import * as Failure from "../../src/testing/simulator/Failure.ts"
import * as Marks from "../../src/testing/simulator/Marks.ts"
import type { ProfileKind } from "../../src/testing/simulator/Profile.ts"
import * as Simulation from "../../src/testing/simulator/Simulation.ts"

const maxEvents = 2_000
const reached = new Set<string>()
let worlds = 0
let atRest = 0

/** Lives worlds until one breaks a rule, and fails with what there is to know about that one. */
const live = (profile: ProfileKind, first: number, count: number): void => {
  for (let seed = first; seed < first + count; seed++) {
    const outcome = Simulation.run({ seed, profile, maxEvents })
    worlds++
    if (outcome.isAtRest) atRest++
    for (const mark of outcome.marks) reached.add(mark)
    if (outcome.violation === null) continue
    const failure = Failure.find({ seed, profile, maxEvents })
    const command = `opensymphony simulate --profile ${profile} --seed ${seed}`
    assert.fail(failure === null ? `seed ${seed} cannot be repeated` : Failure.render(failure, "", command).join("\n"))
  }
}

describe("pure worlds", () => {
  it.each([1, 51])("break no rule when little goes wrong (from seed %i)", (first) => live("calm", first, 50))

  it.each([1_001, 1_051, 1_101, 1_151])("break no rule on common days (from seed %i)", (first) =>
    live("normal", first, 50)
  )

  it.each([2_001, 2_051, 2_101, 2_151])("break no rule on awful days (from seed %i)", (first) =>
    live("awful", first, 50)
  )

  it("reach nearly every branch, and come to rest", () => {
    assert.isAtLeast(worlds, 500)
    assert.isAtLeast(atRest, worlds * 0.95)
    const missing = Marks.expected.filter((mark) => !reached.has(mark))
    assert.isAtMost(missing.length, 8, missing.join(", "))
  })
})
