/** Holds a poll back while the budget asks for it, and says so when that begins and ends. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { LinearApiService } from "../LinearApi.ts"
import * as PollPace from "./PollPace.ts"

/** Shorter pauses are not worth a word. */
const worthTellingMs = 1_000

/** An effect to run before each poll: it waits as long as {@link PollPace} says. Reads for runs do not pass it. */
export const make = (api: LinearApiService): Effect.Effect<void> => {
  let last: PollPace.PollMark | null = null
  let isStretched = false
  return Effect.gen(function* () {
    const budget = yield* api.budget
    const pauseMs = PollPace.pauseMs(budget, last, yield* Clock.currentTimeMillis)
    // A poll that came late by itself, or that is refused anyway, ends nothing.
    const stretches = pauseMs >= worthTellingMs || (isStretched && !PollPace.isComfortable(budget))
    if (stretches !== isStretched) {
      isStretched = stretches
      const left = PollPace.describe(budget)
      yield* stretches
        ? Effect.logWarning(`polls of Linear are stretched, by ${Math.ceil(pauseMs / 1000)} s now: ${left} are left`)
        : Effect.logInfo(`polls of Linear come at their interval again: ${left} are left`)
    }
    if (pauseMs > 0) yield* Effect.sleep(pauseMs)
    last = PollPace.mark(yield* api.budget, yield* Clock.currentTimeMillis)
  })
}
