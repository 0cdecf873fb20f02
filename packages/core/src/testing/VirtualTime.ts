/**
 * Time for tests of programs with many fibers. `TestClock.adjust` wakes who sleeps; what they then hand on to others
 * takes further turns of the fiber scheduler, which these functions grant.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"

/** Turns that a chain of fibers gets to come to rest; an event takes about ten from a worker to the next command. */
const turns = 50

/** Lets everything run that can run without time passing. */
export const settle: Effect.Effect<void> = Effect.repeat(Effect.yieldNow, { times: turns })

/** Lets virtual time pass in small steps, so that what one step wakes is done before the next. */
export const advance = Effect.fnUntraced(function* (duration: Duration.Input, stepMs = 100) {
  yield* settle
  for (let left = Duration.toMillis(duration); left > 0; left -= stepMs) {
    yield* TestClock.adjust(Math.min(stepMs, left))
    yield* settle
  }
})
