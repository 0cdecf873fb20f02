/**
 * Drives the scheduler through one simulated world in virtual time: takes what happens next, hands it to `transition`,
 * keeps the records, has the world begin the commands, and lets every checker look at every step. The same seed gives
 * the same world, event for event.
 */
import type { Policy } from "../../domain/Policy.ts"
import type { JournalRecord } from "../../domain/Journal.ts"
import type { Command } from "../../scheduler/Command.ts"
import type { Event } from "../../scheduler/Event.ts"
import { initial, type Instant, type State } from "../../scheduler/State.ts"
import * as Scheduler from "../../scheduler/Transition.ts"
import * as Agenda from "./Agenda.ts"
import type { Violation } from "./Checker.ts"
import * as Inspection from "./Inspection.ts"
import * as Policies from "./Policies.ts"
import * as Prng from "./Prng.ts"
import * as Profile from "./Profile.ts"
import type { Stage } from "./Stage.ts"
import * as StoreModel from "./StoreModel.ts"
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
  readonly marks: ReadonlySet<string>
  readonly trace: ReadonlyArray<TraceLine>
}

const epochMs = 1_750_000_000_000
const calmPhaseMs = 2 * 3_600_000
const defaultMaxEvents = 20_000

interface StepOutput {
  readonly records: ReadonlyArray<JournalRecord>
  readonly commands: ReadonlyArray<Command>
}

interface Process {
  readonly number: number
  readonly bornAt: number
  /** What its monotonic clock showed at birth. */
  readonly originMs: number
  timer: number
  /** Steps that wait for a store that is out of order; null while it works. */
  backlog: Array<StepOutput> | null
}

const isStart = (command: Command): boolean => command._tag === "PrepareWorkspace" || command._tag === "LaunchRun"

/** Lives one world from its beginning to its rest, or to the first violation. */
export const run = (options: Options): Outcome => {
  const maxEvents = options.maxEvents ?? defaultMaxEvents
  const transition = options.transition ?? Scheduler.transition
  const random = Prng.make(options.seed)
  const profile = Profile.draw(random.split("profile"), options.profile ?? "normal")
  const fates = random.split("process")
  const agenda = Agenda.make()
  const store = StoreModel.make()
  const fixed = (policy: Policy): Policy => ({ ...policy, ...options.policy })

  let time = 0
  let wallOffset = 0
  let pausedUntil = 0
  let calmSince: number | null = null
  let events = 0
  let isAtRest = false
  let policy = fixed(Policies.drawn(random.split("policy")))
  let state: State = initial({ instance: "none", policy })
  let births = 0
  let process: Process | null = null
  const recentEvents: Array<Event> = []

  const at = (): Instant => ({
    now: process === null ? 0 : process.originMs + (time - process.bornAt),
    wallTime: epochMs + time + wallOffset
  })

  const plan = (delayMs: number, act: () => void): void => agenda.plan(time + delayMs, act)
  const planInProcess = (delayMs: number, act: () => void): void => {
    const mine = process
    agenda.plan(time + delayMs, () => {
      if (process === mine && mine !== null) act()
    })
  }

  const stage: Stage = {
    profile,
    time: () => time,
    at,
    policy: () => policy,
    isCalm: () => calmSince !== null,
    isUp: () => process !== null,
    faulty: (generator, probability) => calmSince === null && generator.chance(probability),
    plan,
    planInProcess,
    send: (event, delayMs = 0) => planInProcess(delayMs, () => deliver(event, false))
  }

  const setPolicy = (next: Policy): void => {
    policy = fixed(next)
    stage.send({ _tag: "PolicyChanged", policy })
  }
  const world = World.make({ stage, random: random.split("world"), view: () => state, setPolicy })
  const inspection = Inspection.make({ truth: world.truth, board: world.board, trace: options.trace === true })

  const keep = (records: ReadonlyArray<JournalRecord>): void => {
    store.append(records)
    inspection.kept(records)
  }

  const wake = (atMs: number | null): void => {
    if (process === null) return
    const timer = ++process.timer
    if (atMs === null) return
    planInProcess(Math.max(0, Math.ceil(atMs - at().now)), () => {
      if (process?.timer === timer) deliver({ _tag: "Tick" }, false)
    })
  }
  const start = (command: Command): void => (command._tag === "WakeAt" ? wake(command.at) : world.carryOut(command))

  const die = (): void => {
    process = null
    plan(stage.isCalm() ? 1_000 : fates.scale(1_000, 3_600_000), boot)
  }

  const startAll = (commands: ReadonlyArray<Command>): void => {
    for (const command of commands) start(command)
  }

  /** The store is out of order for a while: what this step starts waits for it, and so does every later step. */
  const loseStore = (mine: Process, records: ReadonlyArray<JournalRecord>, starts: ReadonlyArray<Command>): void => {
    const backlog: Array<StepOutput> = [{ records, commands: starts }]
    mine.backlog = backlog
    world.truth.isStoreDown = true
    planInProcess(fates.scale(1_000, 60_000), () => {
      mine.backlog = null
      world.truth.isStoreDown = false
      world.truth.resumedAt = at().now
      for (const output of backlog) keep(output.records)
      for (const output of backlog) startAll(output.commands)
    })
  }

  /** Keeps the records and begins the commands, unless the process dies on the way. */
  const carryOut = (records: ReadonlyArray<JournalRecord>, commands: ReadonlyArray<Command>): void => {
    if (process === null) return
    if (process.backlog !== null) {
      process.backlog.push({ records, commands })
    } else if (stage.faulty(fates, profile.process.storeOutage)) {
      loseStore(process, records, commands.filter(isStart))
      startAll(commands.filter((command) => !isStart(command)))
    } else {
      keep(records)
      const dies = stage.faulty(fates, profile.process.deathPerStep)
      startAll(dies ? commands.slice(0, fates.int(0, commands.length)) : commands)
      if (dies) die()
    }
  }

  const remember = (event: Event): void => {
    if (profile.worker.replayEveryMs <= 0 || !("runId" in event)) return
    recentEvents.push(event)
    if (recentEvents.length > 200) recentEvents.splice(0, 100)
  }

  const deliver = (event: Event, isReplay: boolean): void => {
    if (time < pausedUntil) {
      return planInProcess(pausedUntil - time, () => {
        world.truth.resumedAt = at().now
        deliver(event, isReplay)
      })
    }
    events++
    if (!isReplay) remember(event)
    const before = state
    const instant = at()
    const step = transition(before, event, instant)
    // A process that dies before its records are kept has decided nothing.
    if (stage.faulty(fates, profile.process.deathPerStep * 0.3)) return die()
    state = step.state
    inspection.step({ at: instant, time, event, isReplay, before, after: state, ...step })
    carryOut(step.records, step.commands)
  }

  const boot = (): void => {
    births++
    const { truth } = world
    truth.endAll()
    truth.forgetAnswers()
    truth.resumedAt = Number.NEGATIVE_INFINITY
    truth.isStoreDown = false
    const fraction = profile.process.fractionalClock ? fates.next() : 0
    process = { number: births, bornAt: time, originMs: fates.int(0, 10_000_000) + fraction, timer: 0, backlog: null }
    state = initial({ instance: `p${births}`, policy })
    const workspaces = [...truth.rooms.values()]
      .filter(() => !stage.faulty(fates, profile.process.lostRecord))
      .map(({ workspace }) => ({ workspace, interruptedRun: null }))
    deliver({ _tag: "Started", stored: store.load(), workspaces }, false)
  }

  const recurring = (everyMs: number, act: () => void): void => {
    if (everyMs <= 0) return
    plan(fates.wait(everyMs), () => {
      if (stage.isCalm()) return
      act()
      recurring(everyMs, act)
    })
  }

  const drain = (): void => {
    if (process === null) return
    const mine = process
    deliver({ _tag: "DrainRequested" }, false)
    planInProcess(policy.shutdownTimeoutMs, () => {
      if (process === mine) die()
    })
  }

  const calmDown = (): void => {
    calmSince = Math.max(time, pausedUntil)
    setPolicy(Policies.calmed(policy))
    stage.send({ _tag: "ResumeRequested" })
    stage.send({ _tag: "RuntimeUp" })
    stage.send({ _tag: "ConfigurationJudged", problem: null, closesGate: false })
  }

  recurring(profile.process.drainEveryMs, drain)
  recurring(profile.process.pauseEveryMs, () => {
    pausedUntil = Math.max(pausedUntil, time + fates.scale(1_000, 3_600_000))
  })
  recurring(profile.process.wallStepEveryMs, () => {
    wallOffset += fates.pick([-1, 1]) * fates.scale(1_000, 200_000_000)
  })
  recurring(profile.worker.replayEveryMs, () => {
    if (recentEvents.length === 0) return
    const event = fates.pick(recentEvents)
    planInProcess(fates.int(0, 1_000), () => deliver(event, true))
  })
  plan(0, boot)

  const faultEvents = Math.floor(maxEvents * 0.6)
  const goesOn = (): boolean => inspection.violation() === null && events < maxEvents
  while (goesOn()) {
    const isCalmDue = calmSince === null && (events >= faultEvents || time >= profile.faultPhaseMs)
    if (isCalmDue) calmDown()
    if (calmSince !== null && time >= calmSince + calmPhaseMs) {
      inspection.rest({ at: at(), time, state })
      isAtRest = true
      break
    }
    const next = agenda.take()
    if (next === undefined) break
    time = next.at
    next.act()
  }

  return {
    seed: options.seed,
    events,
    virtualMs: time,
    isAtRest,
    violation: inspection.violation(),
    marks: inspection.marks(),
    trace: inspection.trace()
  }
}
