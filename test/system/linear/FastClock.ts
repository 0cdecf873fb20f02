// A clock that runs faster than the machine's, but never further than the program: each of its steps is bounded, so that
// on a busy machine its time passes more slowly instead of running into time limits.
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export interface FastClock {
  readonly clock: Clock.Clock
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Called after every step. */
  readonly watch: (look: () => void) => void
}

export interface FastClockOptions {
  /** Milliseconds of this clock for each of the machine's. */
  readonly speed: number
}

/** When its time begins. */
const beginningMs = Date.UTC(2026, 5, 1, 8)
const pauseMs = 4
/** Of the machine's time; what a step took longer does not count. */
const longestStepMs = 8
const nanosPerMilli = 1_000_000

interface Sleeper {
  readonly dueMs: number
  readonly wake: () => void
}

/** Stands still when the scope is closed. */
export const make = ({ speed }: FastClockOptions): Effect.Effect<FastClock, never, Scope.Scope> =>
  Effect.gen(function* () {
    const sleepers = new Set<Sleeper>()
    const watchers: Array<() => void> = []
    let nowMs = beginningMs
    let last = performance.now()
    let timer: NodeJS.Timeout | null = null

    const step = () => {
      const real = performance.now()
      nowMs += Math.min(real - last, longestStepMs) * speed
      last = real
      const due = [...sleepers].filter(({ dueMs }) => dueMs <= nowMs)
      for (const sleeper of due.sort((one, other) => one.dueMs - other.dueMs)) {
        if (sleepers.delete(sleeper)) sleeper.wake()
      }
      for (const look of watchers) look()
      timer = setTimeout(step, pauseMs)
    }

    const sleep = (duration: Duration.Duration): Effect.Effect<void> =>
      Effect.callback((resume) => {
        const ms = Duration.toMillis(duration)
        if (ms === Infinity) return Effect.void
        const sleeper = { dueMs: nowMs + ms, wake: () => resume(Effect.void) }
        sleepers.add(sleeper)
        return Effect.sync(() => sleepers.delete(sleeper))
      })

    yield* Effect.acquireRelease(Effect.sync(step), () => Effect.sync(() => timer !== null && clearTimeout(timer)))
    const millis = () => Math.floor(nowMs)
    const nanos = () => BigInt(Math.floor(nowMs * nanosPerMilli))
    return {
      clock: {
        sleep,
        currentTimeMillisUnsafe: millis,
        currentTimeNanosUnsafe: nanos,
        monotonicTimeNanosUnsafe: nanos,
        currentTimeMillis: Effect.sync(millis),
        currentTimeNanos: Effect.sync(nanos),
        monotonicTimeNanos: Effect.sync(nanos)
      },
      now: millis,
      watch: (look) => void watchers.push(look)
    }
  })
