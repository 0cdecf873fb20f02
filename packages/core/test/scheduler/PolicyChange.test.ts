import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import * as Policy from "../../src/domain/Policy.ts"
import { Event } from "../../src/scheduler/Event.ts"
import { transition } from "../../src/scheduler/Transition.ts"
import * as Chaos from "./Chaos.ts"
import * as Invariants from "./Invariants.ts"
import { noon } from "./World.ts"

const oneOf = <const A extends ReadonlyArray<number>>(...values: A) => Schema.Literals(values)
const states = Schema.Array(Schema.Literals(["todo", "in progress", "backlog", "done"]))

const fields = Schema.Struct({
  activeStates: states,
  terminalStates: states,
  requiredLabels: Schema.Array(Schema.Literals(["agent"])),
  pollIntervalMs: oneOf(1, 30_000, 600_000),
  maxConcurrentAgents: oneOf(1, 2, 10),
  maxConcurrentAgentsByState: Schema.Struct({ todo: oneOf(1, 2) }),
  maxRetryBackoffMs: oneOf(1, 300_000),
  stallTimeoutMs: oneOf(0, 1, 300_000),
  turnTimeoutMs: oneOf(0, 1, 600_000),
  handoffGraceMs: oneOf(0, 60_000),
  stopTimeoutMs: oneOf(1, 30_000),
  maxFailures: oneOf(0, 1, 3),
  maxIdleContinuations: oneOf(0, 1, 3),
  maxRunsPerIssue: oneOf(0, 1, 3),
  maxTokensPerIssue: oneOf(0, 1, 500),
  maxCostUsdPerIssue: oneOf(0, 1),
  maxTokensPerDay: oneOf(0, 1, 2_000),
  maxCostUsdPerDay: oneOf(0, 1)
})
const policies = Arbitrary.schema(fields).pipe(
  Arbitrary.map((drawn): Policy.Policy => ({ ...Policy.defaults, ...drawn }))
)
const seeds = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))
const moments = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 250 }))
const stepsAfter = 120

/** Plays a chaotic world with new policies at some moments, and gives each to those who look. */
const play = (
  seed: number,
  changes: ReadonlyMap<number, Policy.Policy>,
  see: (
    before: Parameters<typeof Invariants.check>[0],
    ...rest: readonly [Event, ReturnType<typeof transition>]
  ) => void
): void => {
  const world = Chaos.make(seed)
  const last = Math.max(...changes.keys()) + stepsAfter
  let state = world.first
  for (let index = 0; index <= last; index++) {
    const { at: jumping, event: planned } = world.next(state)
    // A jump of the wall clock moves midnight, which is noticed only with the next poll: no matter of policies.
    const at = { now: jumping.now, wallTime: noon + jumping.now }
    const policy = changes.get(index)
    const event = policy === undefined ? planned : Event.PolicyChanged({ policy })
    const result = transition(state, event, at)
    Invariants.check(state, event, result, at)
    see(state, event, result)
    state = result.state
    world.ask(result.commands)
  }
}

describe("a new policy", () => {
  it.prop(
    "keeps every rule, whenever it comes and whatever it says",
    { seed: seeds, first: moments, second: moments, one: policies, other: policies },
    ({ first, one, other, second, seed }) =>
      play(
        seed,
        new Map([
          [first, one],
          [second, other]
        ]),
        (_, event, result) => {
          if (event._tag === "PolicyChanged") assert.strictEqual(result.state.policy, event.policy)
        }
      ),
    { arbitrary: { runs: 60 } }
  )

  it.prop(
    "loses no run, no issue and no count, and stops nothing twice",
    { seed: seeds, moment: moments, policy: policies },
    ({ moment, policy, seed }) =>
      play(seed, new Map([[moment, policy]]), (before, event, result) => {
        if (event._tag !== "PolicyChanged" || event.policy !== policy) return
        const runsOf = (state: typeof before) => [...state.live].map(([runId]) => runId)
        assert.includeMembers(runsOf(result.state), runsOf(before))
        for (const [id, { counters, usage }] of before.issues) {
          const found = [...result.state.issues].find(([other]) => other === id)
          if (found === undefined) continue
          const { claims, failures } = found[1].counters
          assert.strictEqual(failures, counters.failures)
          assert.isAtLeast(claims, counters.claims)
          assert.strictEqual(found[1].usage, usage)
        }
        const stops = result.commands.flatMap((command) => (command._tag === "StopRun" ? [command.runId] : []))
        assert.strictEqual(new Set(stops).size, stops.length)
      }),
    { arbitrary: { runs: 60 } }
  )
})
