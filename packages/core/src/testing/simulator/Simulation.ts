/**
 * One simulated world in virtual time, from its beginning through a phase in which things go wrong to one in which they
 * do not: the scheduler is driven through it, and every checker looks at every step. The same seed gives the same
 * world, event for event.
 */
import type { Policy } from "../../domain/Policy.ts"
import * as Scheduler from "../../scheduler/Transition.ts"
import type { Violation } from "./Checker.ts"
import * as Driver from "./Driver.ts"
import * as Inspection from "./Inspection.ts"
import * as Policies from "./Policies.ts"
import * as Prng from "./Prng.ts"
import * as Profile from "./Profile.ts"
import type { Stage } from "./Stage.ts"
import * as Timeline from "./Timeline.ts"
import type { TraceLine } from "./Trace.ts"
import * as World from "./World.ts"

export interface Options {
  readonly seed: number
  readonly profile?: Profile.ProfileKind
  /** Calls of `transition` at most; 20,000 unless told. Three fifths of them are for the phase in which things go wrong. */
  readonly maxEvents?: number
  /** Writes a line per step. Off unless told: it costs more than the steps. */
  readonly trace?: boolean
  /** Settings that hold in this world from its beginning, whatever its people would choose. */
  readonly policy?: Partial<Policy>
  /** What is driven; the scheduler unless told. A wrapper shows what the checkers find. */
  readonly transition?: typeof Scheduler.transition
}

export interface Outcome {
  readonly seed: number
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

const defaultMaxEvents = 20_000
const faultShare = 0.6
/** Longer than every backoff and every gate that does not name its own end. */
const calmPhaseMs = 2 * 3_600_000

/** Lives one world until it has come to rest, or to the first violation. */
export const run = (options: Options): Outcome => {
  const maxEvents = options.maxEvents ?? defaultMaxEvents
  const random = Prng.make(options.seed)
  const profile = Profile.draw(random.split("profile"), options.profile ?? "normal")
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

  const transition = options.transition ?? Scheduler.transition
  const driver = Driver.make({
    timeline,
    profile,
    isCalm,
    untilCalm,
    transition,
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
  const world = World.make({ stage, random: random.split("world"), view: driver.state, setPolicy })
  const inspection = Inspection.make({ truth: world.truth, board: world.board, trace: options.trace === true })
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

  while (inspection.violation() === null && driver.events() < maxEvents && !isRestDue()) {
    if (isCalmDue()) calmDown()
    if (!timeline.advance()) break
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
