/** Both clocks at one moment, from Effect's `Clock` alone, so that a test clock drives everything. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Instant } from "../scheduler/State.ts"

const nanosPerMilli = 1_000_000

export const instant: Effect.Effect<Instant> = Effect.map(
  Effect.all([Clock.currentTimeNanos, Clock.currentTimeMillis]),
  ([nanos, wallTime]) => ({ now: Number(nanos) / nanosPerMilli, wallTime })
)
