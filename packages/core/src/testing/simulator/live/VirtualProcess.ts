/**
 * One operating system process in virtual time: the clocks its fibers read, the order in which they run, and its death.
 * Everything in it runs when the world says so and in the order in which it became ready, so that the same world lives
 * the same life again. It can be suspended, and it can die between any two turns of its fibers: then nothing of it runs
 * any more, no finalizer either, as after a kill that cannot be caught.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import type { Instant } from "../../../scheduler/State.ts"
import type { Prng } from "../Prng.ts"
import type { Timeline } from "../Timeline.ts"

export interface VirtualProcess {
  readonly isAlive: () => boolean
  /** Begins an effect in it. */
  readonly run: (effect: Effect.Effect<unknown>) => void
  /** Lets everything run that can run without time passing. */
  readonly settle: () => void
  readonly kill: () => void
  /** To be waited for wherever the process touches the world: a process that has died there waits forever. */
  readonly pulse: Effect.Effect<void>
}

export interface VirtualProcessOptions {
  readonly timeline: Timeline
  readonly at: () => Instant
  readonly random: Prng
  readonly isSuspended: () => boolean
  /** Called before every turn of a fiber and every touch of the world: the moments at which it may die. */
  readonly onPulse: () => void
  readonly onLog: (text: string) => void
}

/** So many turns without any time passing are a loop without an end. */
const mostTurns = 1_000_000
const nanosPerMilli = 1_000_000

const textOf = (message: unknown): string => (Array.isArray(message) ? message.map(String).join(" ") : String(message))

export const make = (options: VirtualProcessOptions): VirtualProcess => {
  const { at, isSuspended, onLog, onPulse, random, timeline } = options
  let isAlive = true
  let ready: Array<() => void> = []
  let next = 0

  const post = (task: () => void): void => {
    if (isAlive) ready.push(task)
  }

  const settle = (): void => {
    for (let turns = 0; next < ready.length && !isSuspended(); turns++) {
      if (turns > mostTurns) throw new Error("the process is busy for ever while no time passes")
      onPulse()
      if (isAlive) (ready[next++] as () => void)()
    }
    if (next >= ready.length) {
      ready = []
      next = 0
    }
  }

  const sleepMs = (ms: number): Effect.Effect<void> =>
    ms <= 0
      ? Effect.yieldNow
      : !Number.isFinite(ms)
        ? Effect.never
        : Effect.callback((resume) => {
            let isWanted = true
            timeline.plan(Math.max(1, Math.trunc(ms)), () =>
              post(() => {
                if (isWanted) resume(Effect.void)
              })
            )
            return Effect.sync(() => {
              isWanted = false
            })
          })

  const wallMs = (): number => Math.floor(at().wallTime)
  const wallNanos = (): bigint => BigInt(wallMs()) * 1_000_000n
  const monotonicNanos = (): bigint => BigInt(Math.round(at().now * nanosPerMilli))
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: wallMs,
    currentTimeMillis: Effect.sync(wallMs),
    currentTimeNanosUnsafe: wallNanos,
    currentTimeNanos: Effect.sync(wallNanos),
    monotonicTimeNanosUnsafe: monotonicNanos,
    monotonicTimeNanos: Effect.sync(monotonicNanos),
    sleep: (duration) => sleepMs(Duration.toMillis(duration))
  }

  const dispatcher: Scheduler.SchedulerDispatcher = { scheduleTask: post, flush: () => {} }
  const scheduler: Scheduler.Scheduler = {
    executionMode: "async",
    shouldYield: (fiber) => fiber.currentOpCount >= fiber.cache.maxOpsBeforeYield,
    makeDispatcher: () => dispatcher
  }

  const logger = Logger.make(({ message }) => onLog(textOf(message)))
  const context = Context.make(Clock.Clock, clock).pipe(
    Context.add(Scheduler.Scheduler, scheduler),
    // Fibers that give way sooner or later meet each other, and death, at other points of their code.
    Context.add(Scheduler.MaxOpsBeforeYield, random.scale(16, 2_048)),
    Context.add(Logger.CurrentLoggers, new Set([logger])),
    Context.add(Random.Random, {
      nextDoubleUnsafe: random.next,
      nextIntUnsafe: () => Math.floor((random.next() - 0.5) * 2 * Number.MAX_SAFE_INTEGER)
    })
  )
  const runFork = Effect.runForkWith(context)

  return {
    isAlive: () => isAlive,
    run: (effect) => post(() => runFork(effect)),
    settle,
    kill: () => {
      isAlive = false
      ready = []
      next = 0
    },
    pulse: Effect.suspend(() => {
      if (isAlive) onPulse()
      return isAlive ? Effect.void : Effect.never
    })
  }
}
