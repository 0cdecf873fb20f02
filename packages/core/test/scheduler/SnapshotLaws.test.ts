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

/** The same state, put together in another order, and by nobody who remembers how it came about. */
const rebuilt = (state: State): State => ({
  ...structuredClone({ ...state, issues: null, live: null }),
  ...{
    issues: HashMap.fromIterable([...state.issues].reverse().map(([id, entry]) => [id, structuredClone(entry)])),
    live: HashMap.fromIterable([...state.live].reverse())
  },
  queued: HashSet.fromIterable([...state.queued].reverse()),
  held: HashSet.fromIterable([...state.held].reverse()),
  removing: HashSet.fromIterable([...state.removing].reverse()),
  fading: HashSet.fromIterable([...state.fading].reverse()),
  divergent: HashSet.fromIterable([...state.divergent].reverse()),
  demand: laneOf(state.demand),
  refresh: laneOf(state.refresh)
})

const laneOf = ({ inFlight, wanted }: State["demand"]): State["demand"] => ({
  inFlight: inFlight === null ? null : HashSet.fromIterable([...inFlight].reverse()),
  wanted: HashSet.fromIterable([...wanted].reverse())
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
