/** A few tries, for calls that may be made twice: what fails for a moment is no reason to give anything up. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { type ApiError, isUncertain } from "./ApiError.ts"

const delays = Schedule.jittered(Schedule.exponential("250 millis", 2))

/** Four tries within about two seconds, of a call that can be repeated without harm. */
export const patiently = <A>(call: Effect.Effect<A, ApiError>): Effect.Effect<A, ApiError> =>
  Effect.retry(call, {
    schedule: delays,
    times: 3,
    while: (error) => isUncertain(error) || error.problem === "capacity"
  })
