import { assert, describe, it } from "@effect/vitest"
import { type Transition, transition } from "../../src/scheduler/Transition.ts"
import type { Event } from "../../src/scheduler/Event.ts"
import type { State } from "../../src/scheduler/State.ts"
import * as Chaos from "./Chaos.ts"
import * as Invariants from "./Invariants.ts"

/** Fewer where the same is done for thousands of mutants. */
const seeds = Number(process.env["CHAOS_SEEDS"] ?? 200)
const steps = 400

const textOf = (state: State): string =>
  JSON.stringify({ ...state, issues: [...state.issues], live: [...state.live], queued: [...state.queued] })

interface Played {
  readonly event: Event
  readonly before: State
  readonly result: Transition
  readonly at: { readonly now: number; readonly wallTime: number }
}

const play = (seed: number, see: (played: Played) => void): string => {
  const world = Chaos.make(seed)
  let state = world.first
  for (let index = 0; index < steps; index++) {
    const { event, at } = world.next(state)
    try {
      const result = transition(state, event, at)
      see({ event, before: state, result, at })
      state = result.state
      world.ask(result.commands)
    } catch (error) {
      throw new Error(`seed ${seed}, step ${index}, ${JSON.stringify(event)}: ${String(error)}`, { cause: error })
    }
  }
  return textOf(state)
}

describe("whatever happens", () => {
  it("every event in any state gives a state in which the invariants hold", () => {
    for (let seed = 1; seed <= seeds; seed++) {
      play(seed, ({ at, before, event, result }) => Invariants.check(before, event, result, at))
    }
  })

  it("a state that was used stays as it was, and gives the same again", () => {
    for (let seed = 1; seed <= seeds / 20; seed++) {
      play(seed, ({ at, before, event, result }) => {
        const first = textOf(result.state)
        const text = textOf(before)
        const again = transition(before, event, at)
        assert.strictEqual(textOf(before), text)
        assert.strictEqual(textOf(again.state), first)
        assert.strictEqual(textOf(result.state), first)
        assert.deepStrictEqual(again.commands, result.commands)
      })
    }
  })

  it("the same seed gives the same end", () => {
    assert.strictEqual(
      play(7, () => undefined),
      play(7, () => undefined)
    )
  })
})
