/**
 * Simulated worlds in virtual time. Two depths share their people, their faults and their checkers: in a pure world the
 * decision core is driven against modelled workers; in a live one the whole orchestrator and its sessions run on the
 * in-memory doubles. The same seed gives the same world, event for event.
 */
import type { Policy } from "../../domain/Policy.ts"
import * as Scheduler from "../../scheduler/Transition.ts"
import * as Course from "./Course.ts"
import * as Driver from "./Driver.ts"
import type { Lies } from "./live/Lies.ts"
import * as LiveDriver from "./live/LiveDriver.ts"
import * as LiveWorld from "./live/LiveWorld.ts"
import type { ProfileKind } from "./Profile.ts"
import * as World from "./World.ts"

export type { Outcome } from "./Course.ts"

export const depths = ["pure", "live"] as const
export type Depth = (typeof depths)[number]

export interface Options {
  readonly seed: number
  /** Pure unless told. */
  readonly world?: Depth
  readonly profile?: ProfileKind
  /** Decisions at most; 20,000 in a pure world, 5,000 in a live one, unless told. Three fifths of them are for the phase in which things go wrong. */
  readonly maxEvents?: number
  /** Writes a line per step. Off unless told: it costs more than the steps. */
  readonly trace?: boolean
  /** Settings that hold in this world from its beginning, whatever its people would choose. */
  readonly policy?: Partial<Policy>
  /** What is driven in a pure world; the scheduler unless told. A wrapper shows what the checkers find. */
  readonly transition?: typeof Scheduler.transition
  /** How the adapters of a live world break their contracts, to show what the checkers find. */
  readonly lies?: Lies
}

const defaultMaxEvents: { readonly [Kind in Depth]: number } = { pure: 20_000, live: 5_000 }

/** Lives one world until it has come to rest, or to the first violation. */
export const run = (options: Options): Course.Outcome => {
  const { policy = {}, profile = "normal", seed, trace = false, world = "pure" } = options
  const course = { seed, profile, trace, policy, maxEvents: options.maxEvents ?? defaultMaxEvents[world] }
  if (world === "live") {
    return Course.run(course, {
      makeDriver: LiveDriver.make,
      makeWorld: (each) => LiveWorld.make(each, options.lies)
    })
  }
  const decide = options.transition ?? Scheduler.transition
  return Course.run(course, { makeDriver: (each) => Driver.make(each, decide), makeWorld: World.make })
}
