import { assert, describe, it } from "@effect/vitest"
import { transition } from "@opensymphony/core"
import { Simulation, SimulationFailure } from "@opensymphony/core/testing"
import { Schema } from "effect"

/** What our WORKFLOW.md says, as `policyOf` gives it; what is left out the world draws for itself. */
const ours = { maxConcurrentAgents: 3, maxConcurrentAgentsByState: { review: 1 }, requiredLabels: ["agent"] }

const seed = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))
const agents = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 8 }))

/** Lives one world. The message of a failure tells which rule broke, and how it came to that, step by step. */
const live = (options: Simulation.Options): void => {
  const failure = Simulation.run(options).violation === null ? null : SimulationFailure.find(options)
  assert.isNull(failure, failure === null ? "" : SimulationFailure.render(failure, "ours", "this test").join("\n"))
}

describe("our policy", () => {
  it.prop(
    "keeps every rule on awful days, however many agents it allows",
    { seed, agents },
    ({ agents, seed }) =>
      live({ seed, profile: "awful", maxEvents: 1_000, policy: { ...ours, maxConcurrentAgents: agents } }),
    { arbitrary: { runs: 25 } }
  )

  it.prop(
    "starts nothing without our label",
    { seed },
    ({ seed }) =>
      live({
        seed,
        maxEvents: 1_000,
        policy: ours,
        transition: (state, event, at) => {
          const step = transition(state, event, at)
          for (const command of step.commands) {
            if (command._tag === "PrepareWorkspace") assert.include(command.run.issue.labels, "agent")
          }
          return step
        }
      }),
    { arbitrary: { runs: 25 } }
  )
})
