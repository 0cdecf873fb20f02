/**
 * The course of a simulated world, whatever is driven in it: people and faults until the calm phase, then time to come
 * to rest, with every checker looking at every step.
 */
import type { Policy } from "../../domain/Policy.ts"
import type { Board } from "./Board.ts"
import type { Checker, Violation } from "./Checker.ts"
import type { Driver, DriverOptions } from "./Driver.ts"
import * as Inspection from "./Inspection.ts"
import * as Policies from "./Policies.ts"
import * as Prng from "./Prng.ts"
import * as Profile from "./Profile.ts"
import type { Stage } from "./Stage.ts"
import * as Timeline from "./Timeline.ts"
import type { TraceLine } from "./Trace.ts"
import type { Truth } from "./Truth.ts"
import type { WorldOptions } from "./World.ts"

export interface CourseOptions {
  readonly seed: number
  readonly profile: Profile.ProfileKind
  readonly maxEvents: number
  readonly trace: boolean
  readonly policy: Partial<Policy>
}

/** How deep a world is: what drives the scheduler in it, and what answers. */
export interface Depth<W extends Surroundings> {
  readonly makeDriver: (options: DriverOptions) => Driver<W>
  readonly makeWorld: (options: WorldOptions) => W
}

export interface Surroundings {
  readonly truth: Truth
  readonly board: Board
  readonly checkers?: ReadonlyArray<Checker>
}

export interface Outcome {
  readonly seed: number
  /** Decisions of the scheduler. */
  readonly events: number
  readonly virtualMs: number
  /** The world lived long enough to come to rest. */
  readonly isAtRest: boolean
  /** The first rule that was broken; the world ends there. */
  readonly violation: Violation | null
  /** The coverage marks that were reached. */
  readonly marks: ReadonlySet<string>
  /** Empty unless asked for. */
  readonly trace: ReadonlyArray<TraceLine>
}

const faultShare = 0.6
/** Longer than every backoff and every gate that does not name its own end. */
const calmPhaseMs = 2 * 3_600_000

/** Lives one world until it has come to rest, or to the first violation. */
export const run = <W extends Surroundings>(options: CourseOptions, depth: Depth<W>): Outcome => {
  const { maxEvents } = options
  const random = Prng.make(options.seed)
  const profile = Profile.draw(random.split("profile"), options.profile)
  const timeline = Timeline.make()
  const { plan, time } = timeline
  const fixed = (policy: Policy): Policy => ({ ...policy, ...options.policy })
  let policy = fixed(Policies.drawn(random.split("policy")))
  let calmSince: number | null = null
  const isCalm = (): boolean => calmSince !== null

  const untilCalm: Stage["untilCalm"] = (generator, everyMs, act) =>
    timeline.planRepeatedly(generator, everyMs, () => {
      if (isCalm()) return false
      act()
      return true
    })

  const driver = depth.makeDriver({
    timeline,
    profile,
    isCalm,
    untilCalm,
    random: random.split("driver"),
    policy: () => policy
  })
  const { at, isUp, planInProcess, send } = driver
  const stage: Stage = {
    profile,
    time,
    at,
    isCalm,
    isUp,
    untilCalm,
    plan,
    planInProcess,
    send,
    policy: () => policy,
    faulty: (generator, probability) => !isCalm() && generator.chance(probability)
  }
  const setPolicy = (next: Policy): void => {
    policy = fixed(next)
    send({ _tag: "PolicyChanged", policy })
  }
  const world = depth.makeWorld({ stage, random: random.split("world"), view: driver.state, setPolicy })
  const { board, checkers, truth } = world
  const inspection = Inspection.make({ truth, board, trace: options.trace, ...(checkers && { checkers }) })
  driver.begin(world, inspection)

  const calmDown = (): void => {
    calmSince = Math.max(time(), driver.suspendedUntil())
    setPolicy(Policies.calmed(policy))
    send({ _tag: "ResumeRequested" })
    send({ _tag: "RuntimeUp" })
    send({ _tag: "ConfigurationJudged", problem: null, closesGate: false })
  }
  const isCalmDue = (): boolean =>
    calmSince === null && (driver.events() >= maxEvents * faultShare || time() >= profile.faultPhaseMs)
  const isRestDue = (): boolean => calmSince !== null && time() >= calmSince + calmPhaseMs

  try {
    while (inspection.violation() === null && driver.events() < maxEvents && !isRestDue()) {
      if (isCalmDue()) calmDown()
      if (!timeline.advance()) break
      driver.settle()
    }
  } catch (cause) {
    throw new Error(`the world of seed ${options.seed} broke down after ${driver.events()} events`, { cause })
  }
  const isAtRest = inspection.violation() === null && isRestDue()
  if (isAtRest) inspection.rest({ at: at(), time: time(), state: driver.state() })

  return {
    seed: options.seed,
    events: driver.events(),
    virtualMs: time(),
    isAtRest,
    violation: inspection.violation(),
    marks: inspection.marks(),
    trace: inspection.trace()
  }
}
