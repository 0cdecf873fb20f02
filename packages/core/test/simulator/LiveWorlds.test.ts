/** Lives worlds in which the real orchestrator and its sessions run, on the in-memory doubles. */
import { assert, describe, it } from "@effect/vitest"
import * as Failure from "../../src/testing/simulator/Failure.ts"
import * as Marks from "../../src/testing/simulator/Marks.ts"
import type { ProfileKind } from "../../src/testing/simulator/Profile.ts"
import * as Simulation from "../../src/testing/simulator/Simulation.ts"

const maxEvents = 2_000
const reached = new Set<string>()
let worlds = 0
let atRest = 0

const live = (profile: ProfileKind, first: number, count: number): void => {
  for (let seed = first; seed < first + count; seed++) {
    const outcome = Simulation.run({ seed, profile, maxEvents, world: "live" })
    worlds++
    if (outcome.isAtRest) atRest++
    for (const mark of outcome.marks) reached.add(mark)
    if (outcome.violation === null) continue
    const failure = Failure.find({ seed, profile, maxEvents, world: "live" })
    const command = `opensymphony simulate --world live --profile ${profile} --seed ${seed}`
    assert.fail(failure === null ? `seed ${seed} cannot be repeated` : Failure.render(failure, "", command).join("\n"))
  }
}

describe("live worlds", () => {
  it("break no rule when little goes wrong", () => live("calm", 1, 12))

  it.each([1_001, 1_012])("break no rule on common days (from seed %i)", (first) => live("normal", first, 11))

  it.each([2_001, 2_012])("break no rule on awful days (from seed %i)", (first) => live("awful", first, 11))

  it("reach most branches, and come to rest", () => {
    assert.isAtLeast(worlds, 50)
    assert.isAtLeast(atRest, worlds * 0.9)
    const missing = Marks.expected.filter((mark) => !reached.has(mark))
    assert.isAtMost(missing.length, 25, missing.join(", "))
  })
})
