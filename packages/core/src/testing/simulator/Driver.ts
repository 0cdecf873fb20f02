/**
 * The process that drives the scheduler in a simulated world, as the live driver does: events one by one, records
 * before commands, one timer. And what becomes of it: it dies between any two steps or in the middle of one, is
 * suspended, waits for a store that is out of order, is shut down, and begins anew with what the store had kept.
 */
import type { JournalRecord } from "../../domain/Journal.ts"
import type { Policy } from "../../domain/Policy.ts"
import type { Command } from "../../scheduler/Command.ts"
import type { Event } from "../../scheduler/Event.ts"
import { initial, type Instant, type State } from "../../scheduler/State.ts"
import type { transition } from "../../scheduler/Transition.ts"
import type { Inspection } from "./Inspection.ts"
import type { Prng } from "./Prng.ts"
import type { Profile } from "./Profile.ts"
import type { Stage } from "./Stage.ts"
import * as StoreModel from "./StoreModel.ts"
import type { Timeline } from "./Timeline.ts"
import type { World } from "./World.ts"

export interface Driver<in W = World> {
  readonly at: () => Instant
  readonly state: () => State
  /** Calls of `transition` so far. */
  readonly events: () => number
  readonly isUp: () => boolean
  /** Until when the process is suspended. */
  readonly suspendedUntil: () => number
  readonly planInProcess: (delayMs: number, act: () => void) => void
  readonly send: (event: Event, delayMs?: number) => void
  /** Lets the first process begin. */
  readonly begin: (world: W, inspection: Inspection) => void
  /** Lets everything happen that needs no more time. */
  readonly settle: () => void
}

export interface DriverOptions {
  readonly timeline: Timeline
  readonly profile: Profile
  readonly random: Prng
  readonly policy: () => Policy
  readonly isCalm: () => boolean
  readonly untilCalm: Stage["untilCalm"]
}

interface StepOutput {
  readonly records: ReadonlyArray<JournalRecord>
  readonly commands: ReadonlyArray<Command>
}

interface Process {
  readonly bornAt: number
  /** What its monotonic clock showed at birth. */
  readonly originMs: number
  timer: number
  /** Events that came in while it was suspended. */
  readonly mailbox: Array<{ readonly event: Event; readonly isReplay: boolean }>
  /** Steps that wait for a store that is out of order; null while it works. */
  backlog: Array<StepOutput> | null
}

const epochMs = 1_750_000_000_000
/** Events of runs that may be delivered again. */
const remembered = 200

const isStart = (command: Command): boolean => command._tag === "PrepareWorkspace" || command._tag === "LaunchRun"

export const make = (options: DriverOptions, decide: typeof transition): Driver => {
  const { isCalm, policy, profile, random, timeline, untilCalm } = options
  const odds = profile.process
  const store = StoreModel.make()
  const recent: Array<Event> = []
  let surroundings: { readonly world: World; readonly inspection: Inspection } | null = null
  let current: Process | null = null
  let births = 0
  let events = 0
  let wallOffset = 0
  let suspendedUntil = 0
  let state: State = initial({ instance: "none", policy: policy() })

  const faulty = (probability: number): boolean => !isCalm() && random.chance(probability)
  const at = (): Instant => ({
    now: current === null ? 0 : current.originMs + (timeline.time() - current.bornAt),
    wallTime: epochMs + timeline.time() + wallOffset
  })
  const planInProcess = (delayMs: number, act: () => void): void => {
    const mine = current
    timeline.plan(delayMs, () => {
      if (mine !== null && current === mine) act()
    })
  }

  const wake = (mine: Process, atMs: number | null): void => {
    const timer = ++mine.timer
    if (atMs === null) return
    planInProcess(Math.max(0, Math.ceil(atMs - at().now)), () => {
      if (mine.timer === timer) deliver({ _tag: "Tick" }, false)
    })
  }
  const startAll = (mine: Process, commands: ReadonlyArray<Command>): void => {
    for (const command of commands) {
      if (command._tag === "WakeAt") wake(mine, command.at)
      else surroundings?.world.carryOut(command)
    }
  }
  const keep = (records: ReadonlyArray<JournalRecord>): void => {
    store.append(records)
    surroundings?.inspection.kept(records)
  }

  const die = (): void => {
    current = null
    timeline.plan(isCalm() ? 1_000 : random.scale(1_000, 3_600_000), boot)
  }

  /** For a while nothing is kept: what this step starts waits for the store, and so does every later step. */
  const loseStore = (mine: Process, records: ReadonlyArray<JournalRecord>, starts: ReadonlyArray<Command>): void => {
    const backlog: Array<StepOutput> = [{ records, commands: starts }]
    const truth = surroundings?.world.truth
    mine.backlog = backlog
    if (truth !== undefined) truth.isStoreDown = true
    planInProcess(random.scale(1_000, 60_000), () => {
      mine.backlog = null
      if (truth !== undefined) Object.assign(truth, { isStoreDown: false, resumedAt: at().now })
      for (const output of backlog) keep(output.records)
      for (const output of backlog) startAll(mine, output.commands)
    })
  }

  /** Keeps the records and begins the commands, unless the process dies on the way. */
  const carryOut = (mine: Process, { commands, records }: StepOutput): void => {
    if (mine.backlog !== null) {
      mine.backlog.push({ records, commands })
    } else if (faulty(odds.storeOutage)) {
      loseStore(mine, records, commands.filter(isStart))
      startAll(
        mine,
        commands.filter((command) => !isStart(command))
      )
    } else {
      keep(records)
      const dies = faulty(odds.deathPerStep)
      startAll(mine, dies ? commands.slice(0, random.int(0, commands.length)) : commands)
      if (dies) die()
    }
  }

  const remember = (event: Event): void => {
    if (profile.worker.replayEveryMs <= 0 || !("runId" in event)) return
    recent.push(event)
    if (recent.length > 2 * remembered) recent.splice(0, remembered)
  }

  /** What came in while the process was suspended is taken up in its order once it goes on. */
  const resume = (mine: Process): void => {
    if (timeline.time() < suspendedUntil) return planInProcess(suspendedUntil - timeline.time(), () => resume(mine))
    if (surroundings !== null) surroundings.world.truth.resumedAt = at().now
    for (const { event, isReplay } of mine.mailbox.splice(0)) {
      if (current === mine) deliver(event, isReplay)
    }
  }

  const deliver = (event: Event, isReplay: boolean): void => {
    const time = timeline.time()
    if (current !== null && time < suspendedUntil) {
      const mine = current
      if (mine.mailbox.length === 0) planInProcess(suspendedUntil - time, () => resume(mine))
      mine.mailbox.push({ event, isReplay })
      return
    }
    if (current === null) return
    events++
    if (!isReplay) remember(event)
    const before = state
    const instant = at()
    const step = decide(before, event, instant)
    // A process that dies before its records are kept has decided nothing.
    if (faulty(odds.deathPerStep * 0.3)) return die()
    state = step.state
    const { commands, records } = step
    surroundings?.inspection.step({ at: instant, time, event, isReplay, before, after: state, records, commands })
    carryOut(current, { records, commands })
  }

  const boot = (): void => {
    if (surroundings === null) return
    const { truth } = surroundings.world
    truth.restart()
    births++
    const fraction = odds.fractionalClock ? random.next() : 0
    const originMs = random.int(0, 10_000_000) + fraction
    current = { bornAt: timeline.time(), originMs, timer: 0, mailbox: [], backlog: null }
    state = initial({ instance: `p${births}`, policy: policy() })
    const found = [...truth.rooms.values()].filter(() => !faulty(odds.lostRecord))
    const workspaces = found.map(({ workspace }) => ({ workspace, interruptedRun: null }))
    deliver({ _tag: "Started", stored: store.load(), workspaces }, false)
  }

  const drain = (): void => {
    if (current === null) return
    deliver({ _tag: "DrainRequested" }, false)
    planInProcess(policy().shutdownTimeoutMs, die)
  }
  const suspend = (): void => {
    suspendedUntil = Math.max(suspendedUntil, timeline.time() + random.scale(1_000, 3_600_000))
  }
  const stepWall = (): void => {
    wallOffset += random.pick([-1, 1]) * random.scale(1_000, 200_000_000)
  }
  const replay = (): void => {
    if (recent.length === 0) return
    const event = random.pick(recent)
    planInProcess(random.int(0, 1_000), () => deliver(event, true))
  }

  return {
    at,
    state: () => state,
    events: () => events,
    isUp: () => current !== null,
    suspendedUntil: () => suspendedUntil,
    planInProcess,
    settle: () => {},
    send: (event, delayMs = 0) => planInProcess(delayMs, () => deliver(event, false)),
    begin: (world, inspection) => {
      surroundings = { world, inspection }
      untilCalm(random, odds.drainEveryMs, drain)
      untilCalm(random, odds.pauseEveryMs, suspend)
      untilCalm(random, odds.wallStepEveryMs, stepWall)
      untilCalm(random, profile.worker.replayEveryMs, replay)
      timeline.plan(0, boot)
    }
  }
}
