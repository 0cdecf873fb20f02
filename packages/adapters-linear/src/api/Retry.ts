/** When a failed call is tried again: a few times, soon, and only where nothing can happen twice. */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { LinearError } from "../LinearError.ts"

export const maxRetries = 3
/** No try begins later than this after the call; what needs longer is for the caller to wait for. */
export const patienceMs = 30_000

const firstDelayMs = 500

/** How often a call may be tried again after this error. */
const allowedRetries = (error: LinearError, repeatable: boolean): number => {
  switch (error._tag) {
    // A request that ran into the limit was not carried out.
    case "LinearRateLimited":
      return maxRetries
    case "LinearTransportError":
    case "LinearTimeout":
      return repeatable ? maxRetries : 0
    case "LinearBadResponse":
      return repeatable ? 1 : 0
    default:
      return 0
  }
}

/** A while longer, by up to a tenth and a quarter second, so that those who wait for the same instant do not meet. */
export const jittered = (ms: number): Effect.Effect<number> =>
  Effect.map(Random.next, (random) => ms + random * (250 + ms / 10))

/** Milliseconds until the next try after `retries` of them failed; null when there is none. */
export const delayMs = (
  error: LinearError,
  retries: number,
  repeatable: boolean,
  nowMs: number
): Effect.Effect<number | null> => {
  if (retries >= allowedRetries(error, repeatable)) return Effect.succeed(null)
  if (error._tag !== "LinearRateLimited") return jittered(firstDelayMs * 2 ** retries)
  return error.retryAtMs === null ? Effect.succeed(null) : jittered(Math.max(0, error.retryAtMs - nowMs))
}
