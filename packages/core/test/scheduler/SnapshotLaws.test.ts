import { assert, describe, it } from "@effect/vitest"
import { HashMap, HashSet, Schema } from "effect"
import * as Snapshot from "../../src/scheduler/Snapshot.ts"
import type { Instant, State } from "../../src/scheduler/State.ts"
import { transition } from "../../src/scheduler/Transition.ts"
import * as Chaos from "./Chaos.ts"

const seeds = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))
const lengths = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 400 }))

const reached = (seed: number, steps: number): { readonly state: State; readonly at: Instant } => {
  const world = Chaos.make(seed)
  let state = world.first
  let last: Instant = { now: 0, wallTime: 0 }
  for (let index = 0; index < steps; index++) {
    const { at, event } = world.next(state)
    const result = transition(state, event, at)
    state = result.state
    last = at
    world.ask(result.commands)
  }
  return { state, at: last }
}

const reversedSet = <A>(set: HashSet.HashSet<A>): HashSet.HashSet<A> => HashSet.fromIterable([...set].toReversed())

const reversedMap = <K, V>(map: HashMap.HashMap<K, V>, copy: (value: V) => V): HashMap.HashMap<K, V> =>
  HashMap.fromIterable([...map].toReversed().map(([key, value]) => [key, copy(value)]))

const rebuiltLane = ({ inFlight, wanted }: State["demand"]): State["demand"] => ({
  inFlight: inFlight === null ? null : reversedSet(inFlight),
  wanted: reversedSet(wanted)
})

/** The same state, put together in another order, from copies of its parts. */
const rebuilt = (state: State): State => ({
  ...state,
  issues: reversedMap(state.issues, structuredClone),
  live: reversedMap(state.live, (id) => id),
  queued: reversedSet(state.queued),
  held: reversedSet(state.held),
  removing: reversedSet(state.removing),
  fading: reversedSet(state.fading),
  divergent: reversedSet(state.divergent),
  demand: rebuiltLane(state.demand),
  refresh: rebuiltLane(state.refresh),
  poll: structuredClone(state.poll),
  gates: structuredClone(state.gates),
  policy: structuredClone(state.policy)
})

describe("a snapshot", () => {
  it.prop(
    "is a function of the state and the instant, however the state came about",
    { seed: seeds, steps: lengths },
    ({ seed, steps }) => {
      const { at, state } = reached(seed, steps)
      const snapshot = Snapshot.make(state, at)
      assert.deepStrictEqual(Snapshot.make(rebuilt(state), at), snapshot)
      assert.deepStrictEqual(JSON.parse(JSON.stringify(snapshot)), snapshot)
      assert.strictEqual(snapshot.issues.length, HashMap.size(state.issues))
    },
    { arbitrary: { runs: 60 } }
  )

  it.prop("of one issue is its line in the snapshot of all", { seed: seeds, steps: lengths }, ({ seed, steps }) => {
    const { at, state } = reached(seed, steps)
    for (const view of Snapshot.make(state, at).issues) {
      assert.deepStrictEqual(Snapshot.issue(state, view.id, at), view)
    }
  })
})
