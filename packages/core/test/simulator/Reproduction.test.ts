import { assert, describe, it } from "@effect/vitest"
import * as Failure from "../../src/testing/simulator/Failure.ts"
import { kinds } from "../../src/testing/simulator/Profile.ts"
import * as Simulation from "../../src/testing/simulator/Simulation.ts"
import * as Sabotage from "./Sabotage.ts"

const textOf = ({ trace }: Simulation.Outcome): string => trace.map(({ text }) => text).join("\n")

describe("a simulated world", () => {
  it.each(kinds)("is the same for the same seed, byte for byte (%s)", (profile) => {
    for (let seed = 1; seed <= 5; seed++) {
      const options = { seed, profile, maxEvents: 3_000, trace: true }
      const first = textOf(Simulation.run(options))
      assert.isAbove(first.length, 1_000)
      assert.strictEqual(textOf(Simulation.run(options)), first)
    }
  })

  it("is another one for another seed", () => {
    const options = { maxEvents: 1_000, trace: true }
    assert.notStrictEqual(
      textOf(Simulation.run({ ...options, seed: 1 })),
      textOf(Simulation.run({ ...options, seed: 2 }))
    )
  })

  it("is not changed by being traced", () => {
    const { events, virtualMs } = Simulation.run({ seed: 3, maxEvents: 2_000, trace: true })
    const untraced = Simulation.run({ seed: 3, maxEvents: 2_000 })
    assert.deepStrictEqual({ events, virtualMs }, { events: untraced.events, virtualMs: untraced.virtualMs })
  })

  it("ends at the first broken rule, and tells of it in columns", () => {
    const transition = Sabotage.underPolicy({ maxConcurrentAgents: 50 })
    const options = { transition, policy: { maxConcurrentAgents: 1 }, maxEvents: 2_000 }
    const seed = [1, 2, 3, 4, 5].find((each) => Simulation.run({ ...options, seed: each }).violation !== null) ?? 0
    const failure = Failure.find({ ...options, seed })
    assert.strictEqual(failure?.violation.rule, 2)
    if (failure === null) return
    const lines = Failure.render(failure, "commit abc", "the command")
    assert.match(lines[0] ?? "", new RegExp(`^seed ${seed}, commit abc: rule 2 \\(SlotLimits\\) is broken: `))
    assert.match(lines[2] ?? "", /TIME +ISSUE +EVENT +PHASE +COMMANDS/)
    assert.match(lines.at(-2) ?? "", /claimed .*PrepareWorkspace/)
    assert.isBelow(lines.length, 60)
    assert.deepStrictEqual(Failure.find({ ...options, seed }), failure)
  })
})
