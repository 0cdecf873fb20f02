/**
 * The life of the process in which the live orchestrator of a simulated world runs: it starts, is reconfigured and
 * operated, suspended, drained and closed; it dies between any two turns of its fibers, and begins anew with what its
 * run store had kept.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Policy } from "../../../domain/Policy.ts"
import {
  type Configuration,
  ConfigurationError,
  ConfigurationSource,
  ConfigurationUpdate
} from "../../../orchestrator/Configuration.ts"
import * as Orchestrator from "../../../orchestrator/Orchestrator.ts"
import { type ObservedStep, StepObserver } from "../../../orchestrator/StepObserver.ts"
import { RuntimeHealth } from "../../../ports/AgentRuntime.ts"
import { RunStore } from "../../../ports/RunStore.ts"
import type { Event } from "../../../scheduler/Event.ts"
import { initial, type Instant, type State } from "../../../scheduler/State.ts"
import type { Driver, DriverOptions } from "../Driver.ts"
import type { Inspection } from "../Inspection.ts"
import { privateText } from "../People.ts"
import type { Equipment, LiveWorld } from "./LiveWorld.ts"
import * as VirtualProcess from "./VirtualProcess.ts"

interface Life {
  readonly process: VirtualProcess.VirtualProcess
  readonly bornAt: number
  /** What its monotonic clock showed at birth. */
  readonly originMs: number
  readonly scope: Scope.Closeable
  /** Made in the process itself: a queue wakes its takers by the scheduler of whoever made it. */
  updates: Queue.Queue<ConfigurationUpdate> | null
  orchestrator: Orchestrator.OrchestratorService | null
  /** The adapters that were opened last. */
  equipment: Equipment | null
  /** Moments until it dies; null while nothing is wrong with it. */
  momentsLeft: number | null
}

const epochMs = 1_750_000_000_000
/** Moments within which a process that is going to die does so. */
const longestAgony = 200
/** How long a process may take to close what is left when everything was told to stop. */
const closingMs = 60_000

/** Equal for policies under which the adapters are the same. */
const adaptersOf = ({ activeStates, stopTimeoutMs, terminalStates }: Policy): string =>
  JSON.stringify([activeStates, terminalStates, stopTimeoutMs])

export const make = (options: DriverOptions): Driver<LiveWorld> => {
  const { isCalm, policy, profile, random, timeline, untilCalm } = options
  const odds = profile.process
  let surroundings: { readonly world: LiveWorld; readonly inspection: Inspection } | null = null
  let life: Life | null = null
  let births = 0
  let events = 0
  let wallOffset = 0
  let suspendedUntil = 0
  let broken = 0
  let bug: unknown = null
  let state: State = initial({ instance: "none", policy: policy() })

  const faulty = (probability: number): boolean => !isCalm() && random.chance(probability)
  const at = (): Instant => ({
    now: life === null ? 0 : Math.round((life.originMs + (timeline.time() - life.bornAt)) * 1e6) / 1e6,
    wallTime: epochMs + timeline.time() + wallOffset
  })
  const planInProcess = (delayMs: number, act: () => void): void => {
    const mine = life
    timeline.plan(delayMs, () => {
      if (mine !== null && life === mine) act()
    })
  }

  const end = (mine: Life): void => {
    if (life !== mine) return
    mine.process.kill()
    life = null
    timeline.plan(isCalm() ? 1_000 : random.scale(1_000, 3_600_000), boot)
  }

  const agonise = (mine: Life): void => {
    if (mine.momentsLeft === null || mine.momentsLeft-- > 0) return
    if (isCalm()) mine.momentsLeft = null
    else end(mine)
  }

  const look = (mine: Life, step: ObservedStep): void => {
    if (life !== mine || surroundings === null) return
    const { inspection, world } = surroundings
    events++
    state = step.after
    try {
      inspection.step({ ...step, time: timeline.time(), isReplay: false })
      world.witness.note({ ...step, now: step.at.now })
    } catch (error) {
      bug ??= error
    }
    if (mine.momentsLeft === null && faulty(odds.deathPerStep)) mine.momentsLeft = random.int(0, longestAgony)
  }

  const configurationOf = (mine: Life, world: LiveWorld, next: Policy): Configuration => ({
    policy: next,
    adapters: adaptersOf(next),
    open: Effect.map(world.open(next, mine.process.pulse), (equipment) => {
      mine.equipment = equipment
      return equipment.backends
    })
  })

  const unusable = (next: Policy): Configuration => ({
    policy: next,
    adapters: `unusable ${++broken}`,
    open: Effect.fail(new ConfigurationError({ message: "the tracker section names a folder that does not exist" }))
  })

  const start = Effect.fnUntraced(function* (mine: Life, world: LiveWorld, inspection: Inspection) {
    const updates = yield* Queue.unbounded<ConfigurationUpdate>()
    mine.updates = updates
    const source = Layer.succeed(ConfigurationSource, {
      initial: Effect.sync(() => configurationOf(mine, world, policy())),
      updates: Stream.fromQueue(updates)
    })
    const store = Layer.succeed(RunStore, world.store(mine.process.pulse, inspection.kept))
    const observer = Layer.succeed(StepObserver, (step: ObservedStep) => look(mine, step))
    const layer = Orchestrator.layer.pipe(Layer.provide([source, store, observer]))
    const built = yield* Effect.exit(Layer.buildWithScope(layer, mine.scope))
    if (Exit.isSuccess(built)) {
      mine.orchestrator = Context.get(built.value, Orchestrator.Orchestrator)
    } else {
      if (Cause.hasDies(built.cause)) bug ??= Cause.squash(built.cause)
      end(mine)
    }
  })

  const boot = (): void => {
    if (surroundings === null) return
    const { inspection, world } = surroundings
    world.truth.restart()
    world.reports.clear()
    births++
    const fraction = odds.fractionalClock ? random.next() : 0
    const process = VirtualProcess.make({
      timeline,
      at,
      random: random.split(`process ${births}`),
      isSuspended: () => timeline.time() < suspendedUntil,
      onPulse: () => agonise(mine),
      onLog: (text) => {
        if (!text.includes(privateText)) return
        world.truth.accidents.push({
          kind: "told",
          text: "a log line tells what only the agent should know",
          issueId: null
        })
      }
    })
    const mine: Life = {
      process,
      bornAt: timeline.time(),
      originMs: random.int(0, 10_000_000) + fraction,
      scope: Scope.makeUnsafe(),
      updates: null,
      orchestrator: null,
      equipment: null,
      momentsLeft: null
    }
    life = mine
    state = initial({ instance: `p${births}`, policy: policy() })
    process.run(start(mine, world, inspection))
  }

  /** What people do, and what the runtime says of itself, as it reaches the orchestrator. */
  const operate = (mine: Life, world: LiveWorld, event: Event): Effect.Effect<unknown> => {
    const { equipment, orchestrator, updates } = mine
    if (orchestrator === null || equipment === null || updates === null) return Effect.void
    const reconfigure = (update: ConfigurationUpdate) => Queue.offer(updates, update)
    switch (event._tag) {
      case "PollRequested":
        return random.chance(0.5) ? orchestrator.refresh : equipment.announce
      case "PauseRequested":
        return orchestrator.pause(event.reason)
      case "ResumeRequested":
        return orchestrator.resume
      case "HoldRequested":
        return orchestrator.hold(event.issueId, event.note)
      case "ReleaseRequested": {
        const found = HashMap.get(state.issues, event.issueId)
        const hold = found._tag === "Some" ? found.value.hold : null
        const given = hold?._tag === "StopUnconfirmed" ? hold.runId : null
        const buried = given === null ? Effect.void : equipment.agents.bury(given)
        return Effect.andThen(buried, orchestrator.release(event.issueId))
      }
      case "PolicyChanged":
        return reconfigure(ConfigurationUpdate.Changed({ configuration: configurationOf(mine, world, event.policy) }))
      case "ConfigurationJudged": {
        const { closesGate, problem } = event
        if (problem !== null && !closesGate) return reconfigure(ConfigurationUpdate.Broken({ problem }))
        const configuration = problem === null ? configurationOf(mine, world, policy()) : unusable(policy())
        return reconfigure(ConfigurationUpdate.Changed({ configuration }))
      }
      case "RuntimeUp":
        return equipment.agents.setHealth(RuntimeHealth.Up())
      case "RuntimeDown":
        return equipment.agents.setHealth(RuntimeHealth.Down({ reason: event.reason }))
      default:
        return Effect.die(new Error(`nobody does ${event._tag} from outside`))
    }
  }

  /** The process is told to end, slowly or at once, and ends by itself; at the latest when nobody waits for it any longer. */
  const drain = (): void => {
    if (life === null || life.orchestrator === null) return
    const mine = life
    const close = Scope.close(life.scope, Exit.void)
    const leave = random.chance(0.5) ? close : Effect.andThen(life.orchestrator.drain, close)
    mine.process.run(
      Effect.andThen(
        leave,
        Effect.sync(() => {
          surroundings?.world.noteLeft()
          end(mine)
        })
      )
    )
    planInProcess(policy().shutdownTimeoutMs + closingMs, () => end(mine))
  }
  const suspend = (): void => {
    suspendedUntil = Math.max(suspendedUntil, timeline.time() + random.scale(1_000, 3_600_000))
    planInProcess(suspendedUntil - timeline.time(), () => {
      if (surroundings !== null) surroundings.world.truth.resumedAt = at().now
    })
  }
  const stepWall = (): void => {
    wallOffset += random.pick([-1, 1]) * random.scale(1_000, 200_000_000)
  }

  return {
    at,
    state: () => state,
    events: () => events,
    isUp: () => life !== null,
    suspendedUntil: () => suspendedUntil,
    planInProcess,
    settle: () => {
      life?.process.settle()
      if (bug !== null) throw bug
    },
    send: (event, delayMs = 0) =>
      planInProcess(delayMs, () => {
        if (life !== null && surroundings !== null) life.process.run(operate(life, surroundings.world, event))
      }),
    begin: (world, inspection) => {
      surroundings = { world, inspection }
      untilCalm(random, odds.drainEveryMs, drain)
      untilCalm(random, odds.pauseEveryMs, suspend)
      untilCalm(random, odds.wallStepEveryMs, stepWall)
      timeline.plan(0, boot)
    }
  }
}
