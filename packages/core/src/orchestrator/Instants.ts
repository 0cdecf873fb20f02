/** Both clocks at one moment, from Effect's `Clock` alone, so that a test clock drives everything. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Instant } from "../scheduler/State.ts"

const nanosPerMilli = 1_000_000

export const instant: Effect.Effect<Instant> = Clock.clockWith((clock) =>
  Effect.succeed({
    now: Number(clock.monotonicTimeNanosUnsafe()) / nanosPerMilli,
    wallTime: clock.currentTimeMillisUnsafe()
  })
)
